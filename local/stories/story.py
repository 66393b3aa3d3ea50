"""What a story is: a case to open, and what must be true when it has been played. The stories: `local/stories/stories.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.simulation.townspeople import AREAS, RESIDENTS, Persona
from local.stories.scenes import Scene
from schemas.clocks.calendar import SHANGHAI
from schemas.incident import Kind
from schemas.values.model import Model
from starter.cases.views import TimelineEntry
from starter.client import Started, TownClient

SPRING = datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)
"""When most stories with a clock of their own begin: a Monday, the offices open, no holiday near it."""

LATE = frozenset({"clock:breach", "clock:tier"})
NEVER = frozenset({*LATE, Kind.ORDER_REFUSED, Kind.NOT_RATED})


class Title(Model):
    """A story's name on screens."""

    zh: str
    en: str


class OrderExpectation(Model):
    """What the journal of a department must say about one order of the case.

    The work is done once, and once more for each of the `reworks`. `asked_at_least`: how often the order was sent.
    `said_twice`: every report came twice (and, by the ledger, counted once). `reports`: what the department had to say, in
    order; each rework is finished once more.
    """

    department: str
    reports: tuple[str, ...] = ("signed", "arrived", "finished")
    asked_at_least: int = 1
    said_twice: bool = False
    reworks: int = 0


@dataclass(frozen=True)
class ChildExpectation:
    """What must stand in the ledger of a case that the story's case started: these entries in this order, and moments."""

    kinds: tuple[str, ...]
    moments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnClock:
    """A clock for one story alone: where the town's would take too long, or the story needs a certain day."""

    begins: datetime
    speed: int


@dataclass(frozen=True, kw_only=True)
class Story:
    """One story.

    `path`: the stages, one after the other. `counts`: how often an entry stands in the ledger, exactly. `never`: what
    must not stand there. `moments`: for each clock named, the moments that come, in order. `orders`: in order of number.
    `departments` are stage directions; `scenes` what single persons do besides, one after the other.
    `also`: the stories of cases that come up in it, in order; `children`: what is told of those that it starts, by code.
    `ends_with`: the entry after which nothing more is waited for, where that is not the last stage of the path.
    `followed`: somebody follows the case by number and code, and must see every step, and at the stages `answered_at` the
    answer; `goes_into_another`: and at the end that the case which it was merged into stands at `follows_to`. `in_a_hurry`:
    its clocks are so short that other stories wait for it.
    `asked_for`: played only when somebody asks for it by name: a demo of all procedures takes no longer with each of them.
    `kills_worker`: the worker's process is killed with -9 as soon as a department has the order, when no story is under
    way whose clocks must not run out.
    """

    name: str
    title: Title
    description: str = ""
    path: tuple[StrEnum, ...]
    counts: Mapping[Any, int]
    orders: tuple[OrderExpectation, ...] = ()
    never: frozenset[str] = NEVER
    moments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scenes: tuple[Scene, ...] = ()
    also: tuple["Story", ...] = ()
    children: Mapping[str, ChildExpectation] = field(default_factory=dict)
    ends_with: str | None = None
    followed: bool = False
    answered_at: frozenset[str] = frozenset()
    follows_to: str = ""
    goes_into_another: bool = False
    clock: OwnClock | None = None
    departments: str = "按时"
    reporter: Persona = RESIDENTS[0]
    in_a_hurry: bool = False
    asked_for: bool = False
    kills_worker: bool = False
    address: str = "幸福小区3号楼"
    area: str = AREAS[0]

    async def open(self, client: TownClient, key: str, born_of: str | None) -> Started:
        """Start the case. `born_of`: the case that it comes up in, if it is one of its `also`."""
        raise NotImplementedError

    @property
    def minds_delay(self) -> bool:
        """Whether a clock that runs out makes the story fail."""
        return bool(LATE & self.never)


StageRule = StrEnum | Callable[[Mapping[str, Any], Sequence[StrEnum]], StrEnum | None]
"""Where a case stands after an entry: always the same, or by the facts of the entry and the stages so far."""


@dataclass(frozen=True)
class Rehearsal:
    """A case that belongs to no story: with it a town is warm before the first one. `until`: what it is waited for."""

    story: Story
    until: str


@dataclass(frozen=True, kw_only=True)
class Repertoire:
    """The stories of a procedure, and how its timelines are read: `REPERTOIRE` in `local/PROCEDURE_stories.py`.

    `stage_after`: by kind of entry. `endings`: the stages with which a story is over; after those that `may_go_on` only
    when it has gone as far as it is told. `starts`: the kinds of entry that name a case which this one started, and by
    which of their facts.
    """

    stories: tuple[Story, ...]
    stage_after: Mapping[str, StageRule]
    endings: frozenset[str]
    may_go_on: frozenset[str] = frozenset()
    starts: Mapping[str, str] = field(default_factory=dict)
    rehearsal: Rehearsal | None = None

    def path_of(self, entries: Sequence[TimelineEntry]) -> tuple[StrEnum, ...]:
        """The stages that a case went through, by its entries."""
        path: list[StrEnum] = []
        for entry in entries:
            rule = self.stage_after.get(entry.kind)
            stage = rule if isinstance(rule, StrEnum) or rule is None else rule(entry.facts, path)
            if stage is not None:
                path.append(stage)
        return tuple(path)

    def started(self, entries: Sequence[TimelineEntry]) -> list[str]:
        """The numbers of the cases that a case started, in order."""
        return [str(entry.facts[self.starts[entry.kind]]) for entry in entries if entry.kind in self.starts]

    def over(self, story: Story, entries: Sequence[TimelineEntry]) -> bool:
        """A case has gone as far as its story goes, or another way."""
        kinds, path = {entry.kind for entry in entries}, self.path_of(entries)
        if "case:ended" in kinds:
            return True
        if story.ends_with is not None:
            return story.ends_with in kinds
        as_far_as_told = len(path) >= len(story.path)
        return bool(path) and path[-1] in self.endings and (as_far_as_told or path[-1] not in self.may_go_on)
