"""What can happen to a clock, when, and what its facts amount to."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from schemas.clocks.calendar import TownDatetime
from schemas.clocks.limits import Limit
from schemas.clocks.walk import Gap
from schemas.values.model import Model


class FactKind(StrEnum):
    """What can happen to a clock."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXTENDED = "extended"
    STOPPED = "stopped"
    REPLANNED = "replanned"


class Status(StrEnum):
    """What a clock is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


LEADS_TO = {
    FactKind.STARTED: Status.RUNNING,
    FactKind.PAUSED: Status.PAUSED,
    FactKind.RESUMED: Status.RUNNING,
    FactKind.STOPPED: Status.STOPPED,
}
POSSIBLE_WHEN = {
    FactKind.STARTED: frozenset(Status),
    FactKind.PAUSED: frozenset({Status.RUNNING}),
    FactKind.RESUMED: frozenset({Status.PAUSED, Status.STOPPED}),
    FactKind.EXTENDED: frozenset({Status.RUNNING, Status.PAUSED}),
    FactKind.STOPPED: frozenset({Status.RUNNING, Status.PAUSED}),
    FactKind.REPLANNED: frozenset({Status.RUNNING, Status.PAUSED, Status.STOPPED}),
}


class ClockFact(Model):
    """One thing that happened to a clock. `seq` (from 1) orders facts of one instant: several commands share a task.

    `actor`, `reason` and `legal_basis` are codes or vault references, never texts of people. `limit` is the further leg
    of an extension. A replan names the new `calendar` version and keeps the due time that stood before it, where it was
    known; the new one is derived.
    """

    seq: int = Field(ge=1)
    kind: FactKind
    at: TownDatetime
    actor: str
    reason: str | None = None
    legal_basis: str | None = None
    limit: Limit | None = None
    calendar: str | None = None
    due_before: TownDatetime | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        if (self.kind is FactKind.EXTENDED) != (self.limit is not None and self.limit.amount > 0):
            raise ValueError("An extension, and nothing else, has a limit of more than zero.")
        if (self.kind is FactKind.REPLANNED) != (self.calendar is not None):
            raise ValueError("A replan, and nothing else, names a calendar.")
        if self.due_before is not None and self.kind is not FactKind.REPLANNED:
            raise ValueError("Only a replan keeps an earlier due time.")
        return self


def status_after(facts: tuple[ClockFact, ...]) -> Status:
    """What a clock is doing after its facts, which are in order."""
    return next((LEADS_TO[fact.kind] for fact in reversed(facts) if fact.kind in LEADS_TO), Status.IDLE)


class Course(NamedTuple):
    """What the facts since the last start amount to.

    A stop is a gap too once the clock is resumed; while it stands, it is no gap, so that the due time that the clock
    would have had is known. `due_when_stopped` is what a replan of the stopped clock kept.
    """

    started_at: datetime
    stopped_at: datetime | None
    extensions: tuple[Limit, ...]
    gaps: tuple[Gap, ...]
    due_when_stopped: datetime | None


def course_of(facts: tuple[ClockFact, ...]) -> Course | None:
    """The course of a clock by its facts, which are in order; None if it never started."""
    started_at = stopped_at = gap_start = due_when_stopped = None
    extensions: list[Limit] = []
    gaps: list[Gap] = []
    for fact in facts:
        if fact.kind is FactKind.STARTED:
            started_at, stopped_at, gap_start, due_when_stopped = fact.at, None, None, None
            extensions, gaps = [], []
        elif fact.kind is FactKind.EXTENDED and fact.limit is not None:
            extensions.append(fact.limit)
        elif fact.kind is FactKind.REPLANNED:
            due_when_stopped = fact.due_before if stopped_at else None
        else:
            if gap_start is not None:
                gaps.append(Gap(gap_start, fact.at))
            gap_start = None if fact.kind is FactKind.RESUMED else fact.at
            stopped_at = fact.at if fact.kind is FactKind.STOPPED else None
            due_when_stopped = None
    if started_at is None:
        return None
    if gap_start is not None and stopped_at is None:
        gaps.append(Gap(gap_start, None))
    return Course(started_at, stopped_at, tuple(extensions), tuple(gaps), due_when_stopped)
