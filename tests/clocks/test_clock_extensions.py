"""Extension 延期 and replanning: what moves a due time, and what is told anew."""

from datetime import date, datetime

import pytest
from hypothesis import given

from schemas.clocks.clocks import Clock, Limit, OverdueError, due_at, met, milestones, view
from tests.clock_examples import (
    AROUND_THE_CLOCK,
    CALENDAR,
    ENGINE,
    clock,
    due,
    idle_clocks,
    limit,
    limits,
    lived_clocks,
    starts,
    town,
)


@given(idle_clocks, starts, limits, limits)
def test_extension_never_shortens_and_is_walked_from_the_due_time(
    idle: Clock, start: datetime, first: Limit, second: Limit
) -> None:
    """Each extension makes the clock due later; in working days the old due day is the day that does not count."""
    running = idle.start(start, ENGINE)
    once = running.extend(start, ENGINE, first, CALENDAR)
    twice = once.extend(start, ENGINE, second, CALENDAR)

    assert due(running) < due(once) < due(twice)
    if first.unit in AROUND_THE_CLOCK:
        assert due(once) == due(running) + first.counted


def test_extension_in_working_days_follows_the_day_on_which_the_clock_was_due() -> None:
    """Seven natural days from Saturday the 21st end on the worked Saturday 28 February; ten working days follow."""
    running = clock("7 natural_days").start(town("2026-02-21 08:00"), ENGINE)
    extended = running.extend(town("2026-02-26 08:00"), ENGINE, limit("10 working_days"), CALENDAR)

    assert due(extended) == town("2026-03-14 00:00")


def test_extension_of_one_working_day_is_a_real_one() -> None:
    """Due on Monday because the seventh day is a Sunday: one working day more is Tuesday, not the same Monday again."""
    running = clock("7 natural_days").start(town("2026-03-01 08:00"), ENGINE)
    extended = running.extend(town("2026-03-02 08:00"), ENGINE, limit("1 working_days"), CALENDAR)

    assert (due(running), due(extended)) == (town("2026-03-10 00:00"), town("2026-03-11 00:00"))


def test_extension_warns_again_ahead_of_the_new_due_time() -> None:
    """A warning that had fired for the old due time fires once more for the new one."""
    running = clock("10 hours").start(town("2026-03-02 10:00"), ENGINE).mark_fired("warning")
    extended = running.extend(town("2026-03-02 19:00"), ENGINE, limit("10 hours"), CALENDAR)

    assert [(moment.name, moment.at) for moment in milestones(extended, CALENDAR)][:2] == [
        ("warning", town("2026-03-03 02:00")),
        ("breach", town("2026-03-03 06:00")),
    ]


def test_extension_leaves_alone_what_fired_and_still_lies_behind() -> None:
    """An extension so short that the warning stays in the past does not warn twice."""
    running = clock("10 hours").start(town("2026-03-02 10:00"), ENGINE).mark_fired("warning")
    extended = running.extend(town("2026-03-02 19:00"), ENGINE, limit("1 hours"), CALENDAR)

    assert [moment.name for moment in milestones(extended, CALENDAR)] == ["breach", "tier:1", "tier:2"]


def test_paused_clock_can_be_extended() -> None:
    """An extension granted during a suspension counts when the clock goes on."""
    paused = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-02 11:00"), ENGINE)
    extended = paused.extend(town("2026-03-02 15:00"), ENGINE, limit("1 hours"), CALENDAR)

    assert due(extended.resume(town("2026-03-02 16:00"), ENGINE)) == town("2026-03-02 18:00")


@pytest.mark.parametrize("at", ["2026-03-02 12:00", "2026-03-02 13:00"])
def test_overdue_clock_cannot_be_extended(at: str) -> None:
    """From the due instant on an extension is refused, whether the clock runs or was paused when overdue."""
    running = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE)

    with pytest.raises(OverdueError, match="can no longer be extended"):
        running.extend(town(at), ENGINE, limit("1 hours"), CALENDAR)
    with pytest.raises(OverdueError):
        running.pause(town(at), ENGINE).extend(town(at), ENGINE, limit("1 hours"), CALENDAR)


@given(lived_clocks())
def test_replan_to_the_same_calendar_changes_nothing(lived: Clock) -> None:
    """Moved to the calendar it already goes by, a clock keeps due time, milestones and verdict; the fact is kept."""
    at = lived.facts[-1].at
    replanned = lived.replan(at, "admin", CALENDAR, CALENDAR)

    assert view(replanned, CALENDAR) == view(lived, CALENDAR)
    assert milestones(replanned, CALENDAR) == milestones(lived, CALENDAR)
    assert replanned.facts[-1].due_before == due_at(lived, CALENDAR)
    assert replanned.facts[-1].calendar == CALENDAR.version


NOTICE_OF_2027 = CALENDAR.model_copy(
    update={"version": "2025.1-2026.1-2027.1", "holidays": CALENDAR.holidays | {date(2027, 2, 11), date(2027, 2, 12)}}
)


def test_replan_keeps_the_old_due_time_and_gives_the_new() -> None:
    """When the notice lengthens a provisional festival, the clock is due after it, and both due times stand."""
    running = clock("1 working_days").start(town("2027-02-04 12:00"), ENGINE)
    replanned = running.replan(town("2027-02-05 12:00"), "admin", CALENDAR, NOTICE_OF_2027, reason="notice_2027")

    assert replanned.facts[-1].due_before == town("2027-02-12 00:00")
    assert due_at(replanned, NOTICE_OF_2027) == town("2027-02-16 00:00")


def test_breach_by_a_provisional_calendar_is_taken_back_and_told_anew() -> None:
    """A breach that the notice moves into the future did not happen, and happens again if the clock runs that long."""
    running = clock("1 working_days").start(town("2027-02-04 12:00"), ENGINE)
    breached = running.mark_fired("warning").mark_fired("breach")
    replanned = breached.replan(town("2027-02-12 08:00"), "admin", CALENDAR, NOTICE_OF_2027)

    assert view(breached, CALENDAR).breached is True
    assert view(replanned, NOTICE_OF_2027).breached is False
    assert "breach" in {moment.name for moment in milestones(replanned, NOTICE_OF_2027)}


def test_stopped_clock_is_judged_by_the_due_time_it_had() -> None:
    """A later notice does not turn a missed limit into a met one; resumed for rework, the clock goes by the notice."""
    running = clock("1 working_days").start(town("2027-02-04 12:00"), ENGINE)
    missed = running.mark_fired("breach").stop(town("2027-02-12 09:00"), ENGINE)
    replanned = missed.replan(town("2027-02-13 09:00"), "admin", CALENDAR, NOTICE_OF_2027)
    twice = replanned.replan(town("2027-02-13 09:00"), "admin", NOTICE_OF_2027, NOTICE_OF_2027)

    assert met(twice, NOTICE_OF_2027) is False
    assert due_at(twice, NOTICE_OF_2027) == town("2027-02-12 00:00")
    assert twice.fired == ("breach",)
    resumed = twice.resume(town("2027-02-13 10:00"), ENGINE)
    assert due_at(resumed, NOTICE_OF_2027) == town("2027-02-16 00:00")
