"""How long until a due time, as people at work count it: in hours of the offices, or in working days. The same on every screen."""

from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.clocks.calendar import DAY, Calendar, in_shanghai, midnight

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_IN_HOURS_BELOW = 2
"""With fewer working days left than this, hours are counted."""

_COUNTED_DAY_BY_DAY = 400
"""Beyond so many days nobody counts working days."""


class TimeLeft(NamedTuple):
    """What is left until a due time, or by how much it is over, in words."""

    overdue: bool
    soon: bool
    zh: str
    en: str


def time_left(due: datetime, calendar: Calendar, now: datetime) -> TimeLeft:
    """How long from `now`, a town time, until `due`; the due instant itself is late. `soon`: within the next working day."""
    now, due = in_shanghai(now), in_shanghai(due)
    if now >= due:
        over = _days_and_hours(now - due)
        return TimeLeft(overdue=True, soon=False, zh=f"已逾期{over[0]}", en=f"overdue by {over[1]}")
    days = working_days_between(now, due, calendar)
    if days is None:
        whole = (due - now) // DAY
        return TimeLeft(overdue=False, soon=False, zh=f"还剩{whole}天", en=f"{whole} days left")
    if days >= _IN_HOURS_BELOW:
        return TimeLeft(overdue=False, soon=False, zh=f"还剩{days}个工作日", en=f"{days} working days left")
    length = office_time_between(now, due, calendar)
    if length >= _HOUR:
        hours = length // _HOUR
        return TimeLeft(overdue=False, soon=True, zh=f"还剩{hours}个工作小时", en=f"{hours} working hours left")
    if length >= _MINUTE:
        minutes = length // _MINUTE
        return TimeLeft(overdue=False, soon=True, zh=f"还剩{minutes}分钟", en=f"{minutes} minutes left")
    left = _days_and_hours(due - now)
    return TimeLeft(
        overdue=False, soon=True, zh=f"还剩{left[0]},不在工作时间", en=f"{left[1]} left, outside office hours"
    )


def working_days_between(now: datetime, due: datetime, calendar: Calendar) -> int | None:
    """How many working days begin after `now` and have begun by `due`; None for more than anybody counts."""
    first, last = now.date(), (due - timedelta(microseconds=1)).date()
    if (last - first).days > _COUNTED_DAY_BY_DAY:
        return None
    days = (first + DAY * number for number in range(1, (last - first).days + 1))
    return sum(calendar.is_working_day(day) for day in days)


def office_time_between(now: datetime, due: datetime, calendar: Calendar) -> timedelta:
    """How long the offices are open in between; where the calendar has no hours, all of the working days counts."""
    total, day = timedelta(0), now.date()
    while midnight(day) < due:
        for opening, closing in _open(day_start=midnight(day), calendar=calendar):
            total += max(timedelta(0), min(closing, due) - max(opening, now))
        day += DAY
    return total


def _open(day_start: datetime, calendar: Calendar) -> list[tuple[datetime, datetime]]:
    if calendar.office_hours is not None:
        return list(calendar.openings(day_start.date()))
    return [(day_start, day_start + DAY)] if calendar.is_working_day(day_start.date()) else []


def _days_and_hours(length: timedelta) -> tuple[str, str]:
    days, hours, minutes = length // DAY, length % DAY // _HOUR, length % _HOUR // _MINUTE
    if days:
        return f"{days}天{hours}小时" if hours else f"{days}天", f"{days} d {hours} h" if hours else f"{days} d"
    return (f"{hours}小时", f"{hours} h") if hours else (f"{minutes}分钟", f"{minutes} min")
