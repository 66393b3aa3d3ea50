"""Fixed moments: "by 31 May each year", "twelve months from the first", "from 60 days before the end". Pure, in whole town days.

A limit is a length of time; these are days of the calendar. Whoever waits for one starts a clock that is declared without a limit,
with the way to that moment (`limit_until`, schemas/parts/agreed.py). Source: 民法典 第二百条 to 第二百零二条 (a period in
months ends on the same day of its last month, or on the last one of a shorter month; the first day is not counted).
"""

import calendar
from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import StringConstraints

from schemas.clocks.calendar import DAY, midnight

DayOfYear = Annotated[str, StringConstraints(strict=True, pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
"""A day of every year, `05-31`; the 29th of February is the 28th of a shorter one, as 31 is the last day of any month."""


def day_in_year(day: DayOfYear, year: int) -> date:
    """That day of a year, or the last one of a shorter month."""
    month = int(day[:2])
    return date(year, month, min(int(day[3:]), calendar.monthrange(year, month)[1]))


def next_day_of_year(day: DayOfYear, after: date) -> date:
    """The first such day after another one: on the very day it is that of the next year."""
    this = day_in_year(day, after.year)
    return this if this > after else day_in_year(day, after.year + 1)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    whole = day.month - 1 + months
    year, month = day.year + whole // 12, whole % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def end_of_term(first: date, months: int) -> date:
    """The last day of a term that begins with `first`: twelve months from the 10th of March end on the 9th, at 24:00."""
    return months_after(first, months) - DAY


def end_of_day(day: date) -> datetime:
    """24:00 of a day, in town time."""
    return midnight(day + DAY)


def days_before(day: date, days: int) -> datetime:
    """The beginning of the day that lies so many days before another one."""
    return midnight(day - timedelta(days=days))
