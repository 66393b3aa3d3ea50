"""Pauses 挂账: what time a clock leaves out, in hours and in days."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.calendar import DAY, SHANGHAI, midnight
from schemas.clocks.clocks import Clock, Limit, Status, Unit, due_at, late_by, met, milestones, view
from tests.clock_examples import (
    CALENDAR,
    ENGINE,
    clock,
    day_limits,
    due,
    hour_limits,
    is_restday,
    lived_clocks,
    spans,
    starts,
    town,
)


@given(hour_limits, starts, spans, spans)
def test_pause_shifts_hours_by_exactly_the_pause(
    limit: Limit, start: datetime, run: timedelta, held: timedelta
) -> None:
    """A pause before the due time shifts it by exactly the pause, to the microsecond; a later pause does not."""
    running = Clock(name="finish", limit=limit).start(start, ENGINE)
    paused = running.pause(start + run, ENGINE).resume(start + run + held, ENGINE)

    assert due(paused) == due(running) + (held if run < limit.counted else timedelta(0))


@given(day_limits, starts, spans, spans)
def test_pause_holds_days_from_its_day_to_the_day_of_the_resumption(
    limit: Limit, start: datetime, run: timedelta, held: timedelta
) -> None:
    """Days from the day of the pause up to, but without, the day of the resumption count for nothing."""
    running = Clock(name="finish", limit=limit).start(start, ENGINE)
    first, end = (at.astimezone(SHANGHAI).date() for at in (start + run, start + run + held))
    paused = running.pause(start + run, ENGINE).resume(start + run + held, ENGINE)

    last, counted = start.astimezone(SHANGHAI).date(), 0
    while counted < limit.amount:
        last += DAY
        worked = limit.unit is not Unit.WORKING_DAYS or not is_restday(last)
        counted += worked and not first <= last < end
    while (limit.unit is not Unit.CALENDAR_DAYS and is_restday(last)) or first <= last < end:
        last += DAY

    assert due(paused) == midnight(last + DAY)


PAUSES = [
    # inside one day nothing shifts, not even on the due day
    ("5 working_days", "2026-03-04 09:00", "2026-03-04 18:00", "2026-03-10 00:00"),
    # Wednesday to Friday: two working days are held
    ("5 working_days", "2026-03-04 09:00", "2026-03-06 18:00", "2026-03-12 00:00"),
    # Friday to Monday: Friday is held
    ("5 working_days", "2026-03-06 09:00", "2026-03-09 18:00", "2026-03-11 00:00"),
    # the pause of the start day holds nothing: that day does not count anyway
    ("5 working_days", "2026-03-02 11:00", "2026-03-03 09:00", "2026-03-10 00:00"),
    # on the due day, over midnight: the due day is made up for
    ("5 working_days", "2026-03-09 23:59", "2026-03-10 00:01", "2026-03-11 00:00"),
    # after the due time nothing shifts
    ("5 working_days", "2026-03-10 00:00", "2026-03-12 00:00", "2026-03-10 00:00"),
    # natural days: the 4th, 5th and 6th are held, so the seventh day counted is the 12th
    ("7 natural_days", "2026-03-04 09:00", "2026-03-07 18:00", "2026-03-13 00:00"),
]


@pytest.mark.parametrize(("text", "paused", "resumed", "expected"), PAUSES)
def test_pause_of_a_clock_in_days(text: str, paused: str, resumed: str, expected: str) -> None:
    """From Monday 2026-03-02 10:00: whole days are held, the day of the resumption counts."""
    running = clock(text).start(town("2026-03-02 10:00"), ENGINE)

    assert due(running.pause(town(paused), ENGINE).resume(town(resumed), ENGINE)) == town(expected)


@pytest.mark.parametrize("text", ["96 hours", "2 natural_days", "2 working_days", "7 natural_days", "7 working_days"])
def test_paused_clock_has_no_due_time_and_no_moments(text: str) -> None:
    """While paused nobody knows when the clock is due, and nothing happens; also when paused on its last day."""
    paused = clock(text).start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-04 10:00"), ENGINE)

    assert (paused.status, due_at(paused, CALENDAR), milestones(paused, CALENDAR)) == (Status.PAUSED, None, ())
    assert met(paused, CALENDAR) is None


def test_clock_paused_when_overdue_is_still_overdue() -> None:
    """A pause after the due time does not take the due time away: suspending a late case does not make it punctual."""
    late = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-02 13:00"), ENGINE)

    assert due(late) == town("2026-03-02 12:00")
    assert late_by(late, CALENDAR, town("2026-03-05 13:00")) == timedelta(hours=1)
    assert milestones(late, CALENDAR) == ()


def test_pause_holds_the_tiers_after_the_breach() -> None:
    """Tiers run on counted time: a pause of five hours after the breach makes the next tier five hours later."""
    late = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE)
    held = late.pause(town("2026-03-02 13:00"), ENGINE).resume(town("2026-03-02 18:00"), ENGINE)

    assert [moment.at for moment in milestones(held, CALENDAR)][1:] == [
        town("2026-03-02 12:00"),
        town("2026-03-02 21:00"),
        town("2026-03-03 17:00"),
    ]


def test_lateness_leaves_out_pauses_after_the_due_time_only() -> None:
    """Due at 13:00 after an hour's pause, stopped at 18:00 after two more hours' pause: three hours late."""
    running = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE)
    early = running.pause(town("2026-03-02 10:30"), ENGINE).resume(town("2026-03-02 11:30"), ENGINE)
    late = early.pause(town("2026-03-02 14:00"), ENGINE).resume(town("2026-03-02 16:00"), ENGINE)

    assert due(late) == town("2026-03-02 13:00")
    assert late_by(late, CALENDAR, town("2026-03-02 18:00")) == timedelta(hours=3)
    assert late_by(late.stop(town("2026-03-02 18:00"), ENGINE), CALENDAR, town("2026-03-09 09:00")) == timedelta(
        hours=3
    )


@given(lived_clocks(), st.randoms())
def test_order_of_facts_does_not_matter(lived: Clock, chance: random.Random) -> None:
    """Facts given in any order make the same clock, also when several are of one instant."""
    shuffled = list(lived.facts)
    chance.shuffle(shuffled)

    again = Clock.model_validate(lived.model_dump() | {"facts": shuffled})

    assert again == lived
    assert view(again, CALENDAR) == view(lived, CALENDAR)
