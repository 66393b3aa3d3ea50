"""Fixed moments: days of the calendar, whatever the length of the month, and terms that end on the day before they began."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.moments import day_in_year, days_before, end_of_day, end_of_term, months_after, next_day_of_year

DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 3, 10), 12, date(2027, 3, 9)),
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
        (date(2027, 8, 31), 6, date(2028, 2, 28)),
        (date(2028, 2, 29), 12, date(2029, 2, 27)),
    ],
)
def test_a_term_ends_on_the_day_before(first: date, months: int, last: date) -> None:
    """Twelve months from the tenth end on the ninth; where a month has no such day, on the one before its last."""
    assert end_of_term(first, months) == last


@given(first=DAYS, months=st.integers(1, 12))
def test_terms_follow_each_other_without_a_gap(first: date, months: int) -> None:
    """The day after a term begins the next one, and no term is empty."""
    last = end_of_term(first, months)

    assert last >= first
    assert months_after(first, months) == last + timedelta(days=1)


@given(day=st.sampled_from(["05-31", "02-29", "12-31", "01-01", "02-30"]), after=DAYS)
def test_the_next_such_day_is_the_first_one(day: str, after: date) -> None:
    """Never the very day, always within a year and a day, and no earlier one lies between."""
    found = next_day_of_year(day, after)

    assert after < found <= after + timedelta(days=366)
    assert found == day_in_year(day, found.year)
    assert not after < day_in_year(day, found.year - 1) < found


def test_a_leap_day_is_the_last_of_february() -> None:
    """In a year that has none."""
    assert (day_in_year("02-29", 2027), day_in_year("02-29", 2028)) == (date(2027, 2, 28), date(2028, 2, 29))


def test_a_day_ends_at_midnight_of_the_town() -> None:
    """24:00, with the town's offset; so many days before a day is the beginning of that one."""
    assert end_of_day(date(2026, 12, 31)).isoformat() == "2027-01-01T00:00:00+08:00"
    assert days_before(date(2027, 3, 1), 60).astimezone(SHANGHAI).date() == date(2026, 12, 31)
