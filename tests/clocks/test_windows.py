"""Windows that people who work can use: no shorter than the limit, and never without the days off that are wanted."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.calendar import DAY, SHANGHAI, Calendar
from schemas.clocks.limits import Limit, Unit
from schemas.clocks.windows import OpenTimes, is_after_work, long_enough

WEEKENDS = Calendar(version="t.1", years=(2026,), holidays=frozenset(), makeup=frozenset())
FESTIVAL = Calendar(
    version="t.2",
    years=(2026,),
    holidays=frozenset(date(2026, 2, 15) + DAY * n for n in range(9)),
    makeup=frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
)
"""Spring Festival 2026, 15 to 23 February, with two worked Saturdays."""

A_WEEKEND = OpenTimes(days_off=2, evenings=2)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda each: each.replace(tzinfo=SHANGHAI))  # noqa: DTZ001


def natural(number: int) -> Limit:
    return Limit(amount=number, unit=Unit.NATURAL_DAYS)


@given(moments, st.integers(1, 20), st.integers(0, 6), st.sampled_from([WEEKENDS, FESTIVAL]))
def test_a_window_holds_what_is_wanted_and_no_day_more_than_that_takes(
    start: datetime, days: int, free: int, calendar: Calendar
) -> None:
    """It is the shortest one of at least the limit: one day less lacks a day off, or is less than the limit."""
    found = long_enough(natural(days), start, calendar, OpenTimes(days_off=free, evenings=2)).amount

    def days_off(length: int) -> int:
        return sum(not calendar.is_working_day(start.date() + DAY * n) for n in range(1, length + 1))

    assert found >= days
    assert found >= 2
    assert days_off(found) >= free
    assert found == max(days, 2) or days_off(found - 1) < free


def test_a_worked_saturday_is_no_weekend() -> None:
    """From Monday, 23 February 2026 seven days hold one Sunday only: it goes on to Saturday, 7 March."""
    start = datetime(2026, 2, 23, 9, tzinfo=SHANGHAI)

    assert long_enough(natural(7), start, FESTIVAL, A_WEEKEND).amount == 12
    assert long_enough(natural(7), start, WEEKENDS, A_WEEKEND).amount == 7


def test_a_window_in_working_days_is_no_such_window() -> None:
    """It holds no day off by its very counting, and is refused instead of being stretched for ever."""
    with pytest.raises(ValueError, match="natural days"):
        long_enough(Limit(amount=5, unit=Unit.WORKING_DAYS), datetime(2026, 3, 2, tzinfo=SHANGHAI), WEEKENDS, A_WEEKEND)


def test_people_can_come_in_the_evening_and_on_days_off() -> None:
    """Monday at 18:59 is too early, 19:00 is not; Saturday is fine at any hour, a worked Saturday is a working day."""
    monday = datetime(2026, 3, 2, 19, tzinfo=SHANGHAI)
    saturday = datetime(2026, 3, 7, 10, tzinfo=SHANGHAI)
    worked = datetime(2026, 2, 28, 10, tzinfo=SHANGHAI)

    assert is_after_work(monday, FESTIVAL, time(19))
    assert not is_after_work(monday - timedelta(minutes=1), FESTIVAL, time(19))
    assert is_after_work(saturday, FESTIVAL, time(19))
    assert not is_after_work(worked, FESTIVAL, time(19))
