"""What other limits would have made of the clocks that were recorded: pure, over clock facts. No case is touched.

A clock is judged course by course: from a start to the next one. What people did and when stays as it was recorded -
pauses, extensions and stops included - only the limit is another. That is an answer about the limit, not a forecast:
under another limit people would have acted otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from pydantic import Field

from schemas.clocks.calendar import Calendar, TownDatetime
from schemas.clocks.clock_facts import ClockFact, FactKind, course_of
from schemas.clocks.clock_schedule import Schedule
from schemas.clocks.clocks import Clock, Limit, Status, view
from schemas.kernel.case import CaseState
from schemas.values.model import Model


class Judged(Model):
    """One course of a clock. `ended_at`: when it was stopped or started anew; None while it runs."""

    case_id: str
    procedure: str
    clock: str
    department: str | None
    limit: Limit
    other_limit: Limit
    started_at: TownDatetime
    ended_at: TownDatetime | None
    breached: bool
    would_breach: bool


class WhatIfLine(Model):
    """Courses of one clock in one department. `newly`: kept, and would have been broken; `spared`: the other way round."""

    procedure: str
    department: str | None
    clock: str
    limits: tuple[str, ...]
    other_limits: tuple[str, ...]
    judged: int
    breached: int
    would_breach: int
    newly: int
    spared: int


class WhatIf(Model):
    """The recorded clocks under other limits, per department and clock, and all together."""

    as_of: TownDatetime
    since: TownDatetime | None = None
    before: TownDatetime | None = None
    policies: dict[str, str] = Field(default={}, description="version of the other policy, by procedure")
    cases: int
    judged: int
    breached: int
    would_breach: int
    newly: int
    spared: int
    lines: tuple[WhatIfLine, ...]


def judge(state: CaseState, limits: Mapping[str, Limit], now: datetime) -> Iterator[Judged]:
    """Every course of the clocks that have a limit there, as recorded and under that limit."""
    for name, other in limits.items():
        clock = state.clocks.get(name)
        if clock is None:
            continue
        courses = list(courses_of(clock))
        for place, course in enumerate(courses):
            following = courses[place + 1] if place + 1 < len(courses) else None
            end = following.facts[0].at if following else now
            stopped = course.facts[-1].at if course.status is Status.STOPPED else None
            ended = stopped or (end if following else None)
            calendar = state.charter.calendar
            recorded = (
                would_breach(course, course.limit, calendar, end) if following else view(clock, calendar).breached
            )
            yield Judged(
                case_id=state.case_id,
                procedure=state.procedure,
                clock=name,
                department=department_before(state, ended or now),
                limit=clock.limit,
                other_limit=other,
                started_at=course.facts[0].at,
                ended_at=ended,
                breached=recorded,
                would_breach=would_breach(course, other, calendar, end),
            )


def would_breach(course: Clock, limit: Limit, calendar: Calendar, end: datetime) -> bool:
    """Whether a course breaks a limit: stopped at its due time or later, or still not stopped then by `end`.

    A clock that was stopped when its case moved to another calendar keeps the due time it had; under another limit that
    time is not known and is counted by the calendar the case has now.
    """
    facts = course_of(course.facts)
    if facts is None:
        return False
    due = facts.due_when_stopped if limit == course.limit else None
    due = due or Schedule(limit, facts, calendar).due()
    return due is not None and (facts.stopped_at or end) >= due


def courses_of(clock: Clock) -> Iterator[Clock]:
    """A clock as one clock per start: a clock that starts anew forgets nothing, but counts anew."""
    course: list[ClockFact] = []
    for fact in clock.facts:
        if fact.kind is FactKind.STARTED and course:
            yield _with(clock, course)
            course = []
        course.append(fact)
    if course:
        yield _with(clock, course)


def _with(clock: Clock, facts: list[ClockFact]) -> Clock:
    numbered = tuple(fact.model_copy(update={"seq": number}) for number, fact in enumerate(facts, start=1))
    return clock.model_copy(update={"facts": numbered, "fired": ()})


def department_before(state: CaseState, at: datetime) -> str | None:
    """The department that held the case just before a moment: that of the last order given before; else the case's own."""
    given = [order for order in getattr(state, "orders", ()) if order.dispatched_at < at]
    return str(given[-1].department) if given else state.department


def summarise(
    judged: Iterable[Judged],
    *,
    cases: int,
    now: datetime,
    since: datetime | None = None,
    before: datetime | None = None,
    policies: Mapping[str, str],
) -> WhatIf:
    """Count courses per procedure, clock and department, and altogether."""
    groups: dict[tuple[str, str, str], list[Judged]] = {}
    for course in judged:
        groups.setdefault((course.procedure, course.department or "", course.clock), []).append(course)
    lines = tuple(_line(groups[key]) for key in sorted(groups))
    return WhatIf(
        as_of=now,
        since=since,
        before=before,
        policies=dict(policies),
        cases=cases,
        judged=sum(line.judged for line in lines),
        breached=sum(line.breached for line in lines),
        would_breach=sum(line.would_breach for line in lines),
        newly=sum(line.newly for line in lines),
        spared=sum(line.spared for line in lines),
        lines=lines,
    )


def _line(courses: list[Judged]) -> WhatIfLine:
    first = courses[0]
    return WhatIfLine(
        procedure=first.procedure,
        department=first.department,
        clock=first.clock,
        limits=tuple(dict.fromkeys(str(course.limit) for course in courses)),
        other_limits=tuple(dict.fromkeys(str(course.other_limit) for course in courses)),
        judged=len(courses),
        breached=sum(course.breached for course in courses),
        would_breach=sum(course.would_breach for course in courses),
        newly=sum(course.would_breach and not course.breached for course in courses),
        spared=sum(course.breached and not course.would_breach for course in courses),
    )
