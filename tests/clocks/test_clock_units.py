"""How limits are counted: when a clock is due by the calendar."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.calendar import DAY, midnight
from schemas.clocks.clocks import Clock, FactKind, Unit, due_at
from tests.clock_examples import CALENDAR, ENGINE, clock, day_limits, due, is_restday, lived_clocks, town

EXAMPLES = [
    # the check of the design: 14 February 2026 is worked, the festival lasts from the 15th to the 23rd
    ("2026-02-13 10:00", "3 working_days", "2026-02-26 00:00"),
    ("2026-02-13 23:59", "1 working_days", "2026-02-15 00:00"),
    ("2026-02-14 09:00", "1 working_days", "2026-02-25 00:00"),
    # a start on a day off counts from the next day too
    ("2026-02-20 12:00", "1 working_days", "2026-02-25 00:00"),
    ("2026-02-20 12:00", "4 working_days", "2026-02-28 00:00"),
    ("2026-02-20 12:00", "5 working_days", "2026-03-01 00:00"),
    # natural days: a last day on a day off moves behind the festival, a make-up day is no day off
    ("2026-02-12 08:00", "7 natural_days", "2026-02-25 00:00"),
    ("2026-02-07 08:00", "7 natural_days", "2026-02-15 00:00"),
    ("2026-02-21 08:00", "7 natural_days", "2026-03-01 00:00"),
    ("2026-03-03 08:00", "7 natural_days", "2026-03-11 00:00"),
    ("2026-03-01 08:00", "7 natural_days", "2026-03-10 00:00"),
    # National Day 2025 (with Mid-autumn, eight days) and 2026
    ("2025-09-26 17:00", "1 working_days", "2025-09-29 00:00"),
    ("2025-09-30 17:00", "1 working_days", "2025-10-10 00:00"),
    ("2025-09-30 17:00", "3 working_days", "2025-10-12 00:00"),
    ("2025-09-25 17:00", "7 natural_days", "2025-10-10 00:00"),
    ("2026-09-30 17:00", "2 working_days", "2026-10-10 00:00"),
    ("2026-09-30 17:00", "3 working_days", "2026-10-11 00:00"),
    # the end of the year: 1-3 January 2026 off, Sunday the 4th worked
    ("2025-12-31 12:00", "1 working_days", "2026-01-05 00:00"),
    ("2025-12-25 12:00", "7 natural_days", "2026-01-05 00:00"),
    # 2027 is provisional: no make-up days known, 1 January a Friday
    ("2026-12-31 12:00", "1 working_days", "2027-01-05 00:00"),
    ("2027-02-04 12:00", "1 working_days", "2027-02-12 00:00"),
    # beyond the data: weekends and fixed holidays; 1 October 2029 is a Monday
    ("2029-09-28 12:00", "1 working_days", "2029-10-05 00:00"),
    # calendar days are moved by nothing: a daily check in the festival is due in the festival
    ("2026-02-16 09:00", "1 calendar_days", "2026-02-18 00:00"),
    ("2026-02-12 08:00", "7 calendar_days", "2026-02-20 00:00"),
    ("2025-12-31 12:00", "30 calendar_days", "2026-01-31 00:00"),
    # seconds, minutes and hours run around the clock, festival or not
    ("2026-02-15 23:59", "60 seconds", "2026-02-16 00:00"),
    ("2026-02-15 23:45", "30 minutes", "2026-02-16 00:15"),
    ("2026-02-15 23:45", "24 hours", "2026-02-16 23:45"),
]


@pytest.mark.parametrize(("start", "text", "expected"), EXAMPLES)
def test_limit_ends_where_the_calendar_says(start: str, text: str, expected: str) -> None:
    """The start day does not count, days end at 24:00 of their last day, hours are exact."""
    assert due(clock(text).start(town(start), ENGINE)) == town(expected)


def test_the_day_of_the_start_is_the_day_in_the_town() -> None:
    """17:00 of the 13th in Greenwich is 01:00 of the 14th in the town, so the first day counted is the 15th."""
    started = clock("1 natural_days").start(datetime(2026, 3, 13, 17, tzinfo=UTC), ENGINE)

    assert due(started) == town("2026-03-17 00:00")  # the 15th is a Sunday: Monday the 16th


@given(lived_clocks())
def test_due_time_is_never_before_the_start(lived: Clock) -> None:
    """Whatever happened to it, a clock is due after it started."""
    at = due_at(lived, CALENDAR)
    started = max(fact.at for fact in lived.facts if fact.kind is FactKind.STARTED)

    assert at is None or at > started


@given(st.dates(date(2025, 1, 1), date(2027, 10, 1)), st.integers(1, 40))
def test_working_days_end_on_the_last_of_so_many_working_days(start: date, amount: int) -> None:
    """After the start day exactly N working days pass, and the last of them is the due day."""
    last = (due(clock(f"{amount} working_days").start(midnight(start), ENGINE)) - DAY).date()
    between = [start + DAY * number for number in range(1, (last - start).days + 1)]

    assert sum(not is_restday(day) for day in between) == amount
    assert not is_restday(last)


@given(st.dates(date(2025, 1, 1), date(2027, 10, 1)), st.integers(1, 40))
def test_natural_days_end_on_the_first_working_day_from_the_last(start: date, amount: int) -> None:
    """The due day of N natural days is a working day, and from the Nth day on there is none before it."""
    last = (due(clock(f"{amount} natural_days").start(midnight(start), ENGINE)) - DAY).date()
    nth = start + DAY * amount

    assert last >= nth
    assert not is_restday(last)
    assert all(is_restday(nth + DAY * number) for number in range((last - nth).days))


@given(st.dates(date(2025, 1, 1), date(2027, 10, 1)), st.integers(1, 400))
def test_calendar_days_end_on_the_very_day(start: date, amount: int) -> None:
    """The due day of N calendar days is the Nth day after the start, whatever day that is."""
    ends = due(clock(f"{amount} calendar_days").start(midnight(start), ENGINE))

    assert ends == midnight(start + DAY * (amount + 1))


@given(st.integers(1, 100_000))
def test_seconds_are_exact(amount: int) -> None:
    """N seconds end N seconds after the very instant of the start."""
    start = town("2026-02-15 23:45")

    assert due(clock(f"{amount} seconds").start(start, ENGINE)) - start == timedelta(seconds=amount)


@given(lived_clocks(day_limits.filter(lambda limit: limit.unit is not Unit.CALENDAR_DAYS)))
def test_days_end_at_midnight_of_a_working_day(lived: Clock) -> None:
    """The last day of a clock in days is a working day that ends at 24:00, also after pauses and extensions in days."""
    at = due_at(lived, CALENDAR)

    assert at is None or at == midnight(at.date())
    assert at is None or CALENDAR.is_working_day((at - DAY).date())
