"""The clocks of a case: facts in, due times out.

A clock is a limit and the list of what happened to it. Nothing in it is a timer: when it warns, is due and escalates is
a pure function of the facts, the limit and a calendar, so that a replay, an auditor and the API find the same milestones.

    idle --start--> running --pause--> paused          start: from anywhere, the clock counts anew
                    running --stop---> stopped         stop: also from paused
                    paused, stopped --resume--> running   the time in between is not counted

The due instant itself is late: at 24:00 the day is over, and a clock stopped at that instant has missed its limit.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from schemas.clocks.calendar import Calendar, TownDatetime, in_shanghai
from schemas.clocks.clock_facts import (
    LEADS_TO,
    POSSIBLE_WHEN,
    ClockFact,
    Course,
    FactKind,
    Status,
    course_of,
    status_after,
)
from schemas.clocks.clock_schedule import BREACH, Schedule, Tier, moment_names
from schemas.clocks.limits import Limit, Unit
from schemas.values.model import Model

__all__ = [
    "Clock", "ClockError", "ClockFact", "ClockView", "FactKind", "Limit", "Milestone", "MilestoneError", "NotNowError",
    "OverdueError", "Status", "Tier", "TimeRunsBackError", "Unit", "due_at", "late_by", "met", "milestones", "view",
    "warning_at",
]  # fmt: skip


class ClockError(ValueError):
    """The clock does not allow this.

    NotNowError · OverdueError · TimeRunsBackError · MilestoneError
    """


class NotNowError(ClockError):
    """The clock is in a state in which this cannot happen to it."""

    def __init__(self, name: str, status: Status, kind: FactKind) -> None:
        super().__init__(f"The clock {name} is {status}: it cannot be {kind} now.")


class OverdueError(ClockError):
    """A limit is extended before it is due, not after."""

    def __init__(self, name: str, due: datetime) -> None:
        super().__init__(f"The clock {name} was due at {due.isoformat()}: it can no longer be extended.")


class TimeRunsBackError(ClockError):
    """What happens to a clock happens after what happened to it before."""

    def __init__(self, name: str, at: datetime, last: datetime) -> None:
        super().__init__(f"The clock {name} has a fact of {last.isoformat()}: the next cannot be of {at.isoformat()}.")


class MilestoneError(ClockError):
    """Only a moment that the clock has, and that has not fired, can fire."""

    def __init__(self, name: str, moment: str) -> None:
        super().__init__(f"The clock {name} has no moment {moment} that is still to fire.")


class Milestone(Model):
    """Something a clock makes happen. `name` is unique within the clock: "warning", "breach", "tier:1".

    The tiers after the breach are numbered as they stand in the clock. `to` is the address that is told, as in `Tier`; None: the
    holder.
    """

    clock: str
    name: str
    at: TownDatetime
    to: str | None = None


class Clock(Model):
    """One clock of a case. Verbs return a new clock; times are town times, never before the clock's last fact.

    `fired` names the milestones that have happened since the clock started, each once. Where an extension or a replan
    moves a moment that had fired back into the future, it is taken off again: the matter is told anew for the new time.

    Of every verb `at` is town time with an offset, and `actor` the subject of an account, or `engine`. Each raises NotNowError
    where the clock's state does not allow it, and TimeRunsBackError where `at` lies before its last fact.
    """

    name: str
    limit: Limit
    tiers: tuple[Tier, ...] = ()
    warn_percent: int = Field(default=80, ge=1, le=100)
    facts: tuple[ClockFact, ...] = ()
    fired: tuple[str, ...] = ()

    @field_validator("facts")
    @classmethod
    def _in_order_of_time(cls, facts: tuple[ClockFact, ...]) -> tuple[ClockFact, ...]:
        return tuple(sorted(facts, key=lambda fact: (fact.at, fact.seq)))

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.limit.amount:
            raise ValueError(f"The clock {self.name} needs a limit of more than zero.")
        if sum(not tier.after.amount for tier in self.tiers) > 1:
            raise ValueError(f"The clock {self.name} has two tiers at the breach: one may have the offset zero.")
        if [fact.seq for fact in self.facts] != list(range(1, len(self.facts) + 1)):
            raise ValueError(f"The facts of the clock {self.name} are not numbered from 1 in the order of their times.")
        status = Status.IDLE
        for fact in self.facts:
            if status not in POSSIBLE_WHEN[fact.kind]:
                raise NotNowError(self.name, status, fact.kind)
            status = LEADS_TO.get(fact.kind, status)
        return self

    @property
    def status(self) -> Status:
        """What the clock is doing after its last fact."""
        return status_after(self.facts)

    def start(self, at: datetime, actor: str) -> Self:
        """Starts counting; a clock that ran before counts anew, and its earlier pauses and extensions are history."""
        return self._with(FactKind.STARTED, at, actor).model_copy(update={"fired": ()})

    def pause(self, at: datetime, actor: str, *, reason: str | None = None, legal_basis: str | None = None) -> Self:
        """Time no longer counts, until the clock is resumed."""
        return self._with(FactKind.PAUSED, at, actor, reason=reason, legal_basis=legal_basis)

    def resume(self, at: datetime, actor: str, *, reason: str | None = None) -> Self:
        """Time counts again, after a pause or (rework) after a stop; what lies in between never counts."""
        return self._with(FactKind.RESUMED, at, actor, reason=reason)

    def stop(self, at: datetime, actor: str, *, reason: str | None = None) -> Self:
        """What the clock waited for is done, or no longer awaited."""
        return self._with(FactKind.STOPPED, at, actor, reason=reason)

    def extend(
        self,
        at: datetime,
        actor: str,
        limit: Limit,
        calendar: Calendar,
        *,
        reason: str | None = None,
        legal_basis: str | None = None,
    ) -> Self:
        """Adds a further leg after the limit, walked from the due time that stood before.

        Raises:
            OverdueError: the due time has come; an extension is granted before it.
        """
        longer = self._with(FactKind.EXTENDED, at, actor, reason=reason, legal_basis=legal_basis, limit=limit)
        due = due_at(self, calendar)
        if due is not None and in_shanghai(at) >= due:
            raise OverdueError(self.name, due)
        return longer.model_copy(update={"fired": _fired_in_the_past(longer, calendar)})

    def replan(self, at: datetime, actor: str, old: Calendar, new: Calendar, *, reason: str | None = None) -> Self:
        """Moves the clock to another calendar version, keeping the due time that the old one gave.

        A stopped clock is judged for ever by the due time it had; resumed, it goes by the new calendar.
        """
        due = due_at(self, old)
        replanned = self._with(FactKind.REPLANNED, at, actor, reason=reason, calendar=new.version, due_before=due)
        return replanned.model_copy(update={"fired": _fired_in_the_past(replanned, new)})

    def mark_fired(self, name: str) -> Self:
        """The moment has happened and will not happen again.

        Raises:
            MilestoneError: there is no such moment, or it has fired.
        """
        if self.status is not Status.RUNNING or name in self.fired or name not in moment_names(self.tiers):
            raise MilestoneError(self.name, name)
        return self.model_copy(update={"fired": (*self.fired, name)})

    def _with(self, kind: FactKind, at: datetime, actor: str, **details: Any) -> Self:
        if self.status not in POSSIBLE_WHEN[kind]:
            raise NotNowError(self.name, self.status, kind)
        fact = ClockFact(seq=len(self.facts) + 1, kind=kind, at=at, actor=actor, **details)
        if self.facts and fact.at < self.facts[-1].at:
            raise TimeRunsBackError(self.name, fact.at, self.facts[-1].at)
        return self.model_copy(update={"facts": (*self.facts, fact)})


class ClockView(Model):
    """A clock as the API and the projection show it. `breached`: its breach has fired, or it was stopped too late."""

    name: str
    status: Status
    started_at: TownDatetime | None
    due_at: TownDatetime | None
    warning_at: TownDatetime | None
    stopped_at: TownDatetime | None
    breached: bool
    fired: tuple[str, ...]


def due_at(clock: Clock, calendar: Calendar) -> datetime | None:
    """When the limit ends; None before the start and while a pause that began before the due time is open.

    A stopped clock keeps the due time that it would have had.
    """
    return _due(clock, course_of(clock.facts), calendar)


def warning_at(clock: Clock, calendar: Calendar) -> datetime | None:
    """When `warn_percent` of the counted time is used up; None before the start, when stopped, and as for `due_at`."""
    return _warning(clock, course_of(clock.facts), calendar)


def milestones(clock: Clock, calendar: Calendar) -> tuple[Milestone, ...]:
    """What a running clock is still to make happen, in order of time; at one instant warning, breach, then the tiers.

    There is always a breach, also without a tier at the offset zero. A clock that does not run has no milestones.
    """
    course = course_of(clock.facts)
    if course is None or clock.status is not Status.RUNNING:
        return ()
    coming = [
        Milestone(clock=clock.name, name=name, at=at, to=to)
        for name, at, to in Schedule(clock.limit, course, calendar).moments(clock.warn_percent, clock.tiers)
        if at is not None and name not in clock.fired
    ]
    return tuple(sorted(coming, key=lambda moment: moment.at))


def met(clock: Clock, calendar: Calendar) -> bool | None:
    """Whether the clock was stopped before its due time; None while it is not stopped."""
    course = course_of(clock.facts)
    return _met(course, _due(clock, course, calendar))


def late_by(clock: Clock, calendar: Calendar, now: datetime) -> timedelta:
    """How long after its due time the clock was stopped or, not stopped, has come by now; pauses do not count.

    Raises:
        NaiveTimeError: `now` has no offset.
    """
    course = course_of(clock.facts)
    due = due_at(clock, calendar)
    end = in_shanghai(now) if course is None or course.stopped_at is None else course.stopped_at
    if course is None or due is None or end <= due:
        return timedelta(0)
    held = (min(gap.end or end, end) - max(gap.start, due) for gap in course.gaps)
    return end - due - sum((time for time in held if time > timedelta(0)), timedelta(0))


def view(clock: Clock, calendar: Calendar) -> ClockView:
    """The clock for the API and the projection."""
    course = course_of(clock.facts)
    due = _due(clock, course, calendar)
    return ClockView(
        name=clock.name,
        status=clock.status,
        started_at=course.started_at if course else None,
        due_at=due,
        warning_at=_warning(clock, course, calendar),
        stopped_at=course.stopped_at if course else None,
        breached=BREACH in clock.fired or _met(course, due) is False,
        fired=clock.fired,
    )


def _due(clock: Clock, course: Course | None, calendar: Calendar) -> datetime | None:
    if course is None:
        return None
    return course.due_when_stopped or Schedule(clock.limit, course, calendar).due()


def _warning(clock: Clock, course: Course | None, calendar: Calendar) -> datetime | None:
    if course is None or course.stopped_at is not None:
        return None
    return Schedule(clock.limit, course, calendar).warning(clock.warn_percent)


def _met(course: Course | None, due: datetime | None) -> bool | None:
    if course is None or course.stopped_at is None or due is None:
        return None
    return course.stopped_at < due


def _fired_in_the_past(clock: Clock, calendar: Calendar) -> tuple[str, ...]:
    """What has fired, less what now lies ahead and is to fire again. A stopped clock keeps all."""
    course = course_of(clock.facts)
    if not clock.fired or course is None or course.stopped_at is not None:
        return clock.fired
    now = clock.facts[-1].at
    scheduled = Schedule(clock.limit, course, calendar).moments(clock.warn_percent, clock.tiers)
    past = {moment.name for moment in scheduled if moment.at is not None and moment.at <= now}
    return tuple(name for name in clock.fired if name in past)
