"""Stopping, going on and starting anew: rework, redispatch, and by what a stopped clock is judged."""

from datetime import datetime, timedelta

from hypothesis import given

from schemas.clocks.calendar import DAY
from schemas.clocks.clocks import Clock, Limit, Status, due_at, late_by, met, milestones, view, warning_at
from tests.clock_examples import CALENDAR, ENGINE, clock, due, idle_clocks, limit, limits, spans, starts, town


@given(limits, starts, spans, spans)
def test_time_between_stop_and_resumption_is_not_counted(
    limit: Limit, start: datetime, run: timedelta, held: timedelta
) -> None:
    """Rework: a clock stopped and resumed is due when a clock paused and resumed would be."""
    running = Clock(name="finish", limit=limit).start(start, ENGINE)
    stopped = running.stop(start + run, ENGINE).resume(start + run + held, ENGINE)
    paused = running.pause(start + run, ENGINE).resume(start + run + held, ENGINE)

    assert stopped.status is Status.RUNNING
    assert due_at(stopped, CALENDAR) == due_at(paused, CALENDAR)
    assert milestones(stopped, CALENDAR) == milestones(paused, CALENDAR)


@given(idle_clocks, starts, spans)
def test_stopped_clock_keeps_its_due_time_and_was_met_before_it(idle: Clock, start: datetime, run: timedelta) -> None:
    """Stopping moves no due time; the clock is met exactly if it was stopped before it."""
    running = idle.start(start, ENGINE)
    stopped = running.stop(start + run, ENGINE)

    assert due(stopped) == due(running)
    assert met(stopped, CALENDAR) is (start + run < due(running))
    assert view(stopped, CALENDAR).breached is not met(stopped, CALENDAR)
    assert late_by(stopped, CALENDAR, start + run + DAY) == max(timedelta(0), start + run - due(running))
    assert milestones(stopped, CALENDAR) == ()
    assert warning_at(stopped, CALENDAR) is None


def test_the_due_instant_itself_is_late() -> None:
    """At 24:00 the day is over: stopped at that instant the limit is missed, a microsecond earlier it is met."""
    running = clock("1 working_days").start(town("2026-03-02 10:00"), ENGINE)
    midnight_after = town("2026-03-04 00:00")

    assert met(running.stop(midnight_after, ENGINE), CALENDAR) is False
    assert met(running.stop(midnight_after - timedelta(microseconds=1), ENGINE), CALENDAR) is True


def test_stopped_while_paused_is_judged_without_the_pause() -> None:
    """A case withdrawn while suspended was in time if its clock had time left when it was suspended."""
    paused = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-02 11:00"), ENGINE)
    stopped = paused.stop(town("2026-03-05 11:00"), ENGINE)

    assert due(stopped) == town("2026-03-05 12:00")
    assert met(stopped, CALENDAR) is True
    assert due(stopped.resume(town("2026-03-06 11:00"), ENGINE)) == town("2026-03-06 12:00")


def test_start_anew_forgets_what_was_before() -> None:
    """Redispatch starts `sign` anew: earlier pauses, extensions and fired milestones no longer matter."""
    first = clock("1 hours").start(town("2026-03-02 10:00"), ENGINE)
    lived = first.extend(town("2026-03-02 10:10"), ENGINE, limit("3 hours"), CALENDAR).mark_fired("warning")
    lived = lived.pause(town("2026-03-02 10:20"), ENGINE).resume(town("2026-03-02 10:50"), ENGINE)
    lived = lived.stop(town("2026-03-02 11:00"), ENGINE)

    anew = lived.start(town("2026-03-03 10:00"), ENGINE)

    assert due(anew) == town("2026-03-03 11:00")
    assert anew.fired == ()
    assert len(anew.facts) == 6
    assert view(anew, CALENDAR).started_at == town("2026-03-03 10:00")


def test_idle_clock_says_nothing() -> None:
    """A clock that never started has no due time, no milestones and is not late."""
    idle = clock("1 hours")

    assert (idle.status, due_at(idle, CALENDAR), warning_at(idle, CALENDAR)) == (Status.IDLE, None, None)
    assert (milestones(idle, CALENDAR), met(idle, CALENDAR)) == ((), None)
    assert late_by(idle, CALENDAR, town("2026-03-03 10:00")) == timedelta(0)
    assert view(idle, CALENDAR).breached is False
