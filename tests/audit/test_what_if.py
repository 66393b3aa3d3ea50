"""Other limits on recorded clocks: the same limit gives what is recorded; a shorter one never spares anybody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.audit.what_if import courses_of, would_breach
from schemas.clocks.clock_facts import ClockFact, FactKind
from schemas.clocks.clocks import Clock, Limit, milestones, view
from tests.clock_examples import CALENDAR, ENGINE, clock, limit, limits, lived_clocks, town

DONE_BY: dict[FactKind, str] = {
    FactKind.STARTED: "start",
    FactKind.PAUSED: "pause",
    FactKind.RESUMED: "resume",
    FactKind.STOPPED: "stop",
}


def fired_until(running: Clock, now: datetime) -> Clock:
    """A clock whose milestones have happened as a case lets them happen."""
    while (coming := milestones(running, CALENDAR)) and coming[0].at <= now:
        running = running.mark_fired(coming[0].name)
    return running


def lived_again(lived: Clock, now: datetime) -> Clock:
    """A clock lived once more, with its milestones firing on the way."""
    again = lived.model_copy(update={"facts": (), "fired": ()})
    for fact in lived.facts:
        again = _apply(fired_until(again, fact.at), fact)
    return fired_until(again, now)


def _apply(running: Clock, fact: ClockFact) -> Clock:
    details: dict[str, Any] = {}
    if fact.kind is FactKind.EXTENDED:
        assert fact.limit is not None
        return running.extend(fact.at, ENGINE, fact.limit, CALENDAR)
    if fact.kind is FactKind.REPLANNED:
        return running.replan(fact.at, ENGINE, CALENDAR, CALENDAR)
    verb = getattr(running, DONE_BY[fact.kind])
    again: Clock = verb(fact.at, ENGINE, **details)
    return again


def latest(lived: Clock) -> Clock:
    """The course since the last start."""
    return list(courses_of(lived))[-1]


def judged(lived: Clock, other: Limit, now: datetime) -> bool:
    return would_breach(latest(lived), other, CALENDAR, now)


@given(lived_clocks(), st.timedeltas(timedelta(0), timedelta(days=90)))
def test_the_same_limit_gives_what_is_recorded(lived: Clock, later: timedelta) -> None:
    """Under the very limit it had, a clock has breached exactly when its record says so."""
    now = lived.facts[-1].at + later
    again = lived_again(lived, now)

    assert judged(again, again.limit, now) == view(again, CALENDAR).breached


@given(lived_clocks(), limits, st.timedeltas(timedelta(0), timedelta(days=90)))
def test_a_shorter_limit_of_the_same_kind_never_spares(lived: Clock, other: Limit, later: timedelta) -> None:
    """What breaches a limit breaches every shorter one of the same unit."""
    now = lived.facts[-1].at + later
    shorter = Limit(amount=min(other.amount, lived.limit.amount), unit=lived.limit.unit)

    assert judged(lived, shorter, now) or not judged(lived, lived.limit, now)


def starts(lived: Clock) -> Iterator[ClockFact]:
    return (fact for fact in lived.facts if fact.kind is FactKind.STARTED)


@given(lived_clocks())
def test_a_clock_has_one_course_per_start(lived: Clock) -> None:
    """Courses hold every fact once, in order; each begins with its start and could have been lived alone."""
    courses = list(courses_of(lived))

    assert [course.facts[0].at for course in courses] == [fact.at for fact in starts(lived)]
    assert [fact.at for course in courses for fact in course.facts] == [fact.at for fact in lived.facts]
    assert [Clock.model_validate(course.model_dump()) for course in courses] == courses


def test_a_stop_at_the_due_instant_is_late_under_any_limit() -> None:
    """The due instant itself is late, and a moment before it is not."""
    running = clock("2 hours").start(town("2026-03-02 09:00"), ENGINE)
    at_due, before = (running.stop(town(at), ENGINE) for at in ("2026-03-02 10:00", "2026-03-02 09:59"))
    now = town("2026-03-03 09:00")

    assert [judged(each, limit("1 hours"), now) for each in (at_due, before)] == [True, False]
    assert not judged(at_due, limit("2 hours"), now)


def test_a_pause_counts_for_the_other_limit_too() -> None:
    """A clock that was held for a day is not late under a limit that only the held time would have broken."""
    running = clock("3 hours").start(town("2026-03-02 09:00"), ENGINE).pause(town("2026-03-02 09:30"), ENGINE)
    stopped = running.resume(town("2026-03-03 09:30"), ENGINE).stop(town("2026-03-03 09:50"), ENGINE)

    assert not judged(stopped, limit("1 hours"), town("2026-03-04 09:00"))
