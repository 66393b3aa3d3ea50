"""Windows and hours in which people who work can come: a window long enough to hold days off, and an hour in the evening.

Source: 000 of the seeds (consultations on weekdays find 15 % of the residents); the numbers are each procedure's policy. Pure.
"""

from datetime import datetime, time

from pydantic import Field

from schemas.clocks.calendar import DAY, Calendar, in_shanghai
from schemas.clocks.limits import Limit, Unit
from schemas.values.model import Model

LONGEST_DAYS = 366
"""A calendar in which no window of a year holds so many days off is a slip of the pen."""


class OpenTimes(Model):
    """What a window has to hold at least: so many `days_off`, on which nobody works, and so many whole `evenings`."""

    days_off: int = Field(ge=0, le=30)
    evenings: int = Field(ge=0, le=30)


def long_enough(limit: Limit, start: datetime, calendar: Calendar, wanted: OpenTimes) -> Limit:
    """The limit, or a longer one that holds what is wanted; the day of the start does not count (民法典 201).

    Raises:
        ValueError: the limit is not in natural days, or no window of a year holds so much.
    """
    if limit.unit is not Unit.NATURAL_DAYS:
        raise ValueError(f"a window that holds days off is counted in natural days, not in {limit.unit}")
    first, free = in_shanghai(start).date(), 0
    for number in range(1, LONGEST_DAYS + 1):
        free += not calendar.is_working_day(first + DAY * number)
        if number >= max(limit.amount, wanted.evenings) and free >= wanted.days_off:
            return Limit(amount=number, unit=Unit.NATURAL_DAYS)
    raise ValueError(f"no window of {LONGEST_DAYS} days holds {wanted.days_off} days off")


def is_after_work(moment: datetime, calendar: Calendar, evening: time) -> bool:
    """Whether people who work can come: on a day off at any hour, on a working day from `evening` on."""
    there = in_shanghai(moment)
    return not calendar.is_working_day(there.date()) or there.time() >= evening
