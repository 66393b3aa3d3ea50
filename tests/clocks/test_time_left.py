"""How much working time is left: the same words in a list and on the page of a case."""

from datetime import datetime, timedelta

import pytest

from engine.policies.office_hours import load_town_calendar
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import SHANGHAI, Calendar
from schemas.clocks.time_left import office_time_between, time_left, working_days_between


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """The town's, with its office hours."""
    return load_town_calendar(PROJECT / "policies")


@pytest.mark.parametrize(
    ("now", "due", "zh", "overdue", "soon"),
    [
        # A Monday: the offices are open from 8:30 to 12 and from 14 to 17:30.
        ("2026-06-01 09:00", "2026-06-01 11:30", "还剩2个工作小时", False, True),
        ("2026-06-01 11:00", "2026-06-01 16:00", "还剩3个工作小时", False, True),
        ("2026-06-01 11:20", "2026-06-01 12:00", "还剩40分钟", False, True),
        ("2026-06-01 09:00", "2026-06-04 00:00", "还剩2个工作日", False, False),
        # Friday afternoon until Monday noon: nobody works at the weekend.
        ("2026-06-05 16:30", "2026-06-08 12:00", "还剩4个工作小时", False, True),
        ("2026-06-05 16:30", "2026-06-09 00:00", "还剩8个工作小时", False, True),
        # Saturday until Sunday: no working time at all is left, and it is not late yet.
        ("2026-06-06 10:00", "2026-06-07 10:00", "还剩1天,不在工作时间", False, True),
        # A minute, the due instant, and later.
        ("2026-06-01 09:59", "2026-06-01 10:00", "还剩1分钟", False, True),
        ("2026-06-01 10:00", "2026-06-01 10:00", "已逾期0分钟", True, False),
        ("2026-06-01 13:30", "2026-06-01 10:00", "已逾期3小时", True, False),
        ("2026-06-04 12:00", "2026-06-01 10:00", "已逾期3天2小时", True, False),
        # Ten years: nobody counts that in working days.
        ("2026-06-01 09:00", "2036-06-01 09:00", "还剩3653天", False, False),
    ],
)
def test_working_time_is_counted(
    now: str,
    due: str,
    zh: str,
    overdue: bool,  # noqa: FBT001 - what is expected
    soon: bool,  # noqa: FBT001 - what is expected
    calendar: Calendar,
) -> None:
    """In working days, from two of them on; below that in hours of the offices; the due instant itself is late."""
    left = time_left(at(due), calendar, at(now))

    assert (left.zh, left.overdue, left.soon) == (zh, overdue, soon)


def test_a_holiday_is_no_working_time(calendar: Calendar) -> None:
    """The week of the National Day counts neither as days nor as hours; a weekend day on which the town works does."""
    before, after = at("2026-09-30 17:30"), at("2026-10-08 00:00")

    assert working_days_between(before, after, calendar) == 0
    assert office_time_between(before, after, calendar) == timedelta(0)


def test_what_is_left_gets_less(calendar: Calendar) -> None:
    """From hour to hour of a fortnight the working time until a due moment never grows, and ends at nothing."""
    due = at("2026-06-12 16:00")
    hours = [at("2026-06-01 00:00") + timedelta(hours=each) for each in range(300)]
    left = [office_time_between(moment, due, calendar) for moment in hours]

    assert left == sorted(left, reverse=True)
    assert left[0] > timedelta(hours=60)
    assert left[-1] == timedelta(0)
