"""How a clock comes to its due time, day by day and hour by hour: for auditors, who must be able to count along.

`schemas/clocks/walk.py` finds the end of a limit; here each day between is named with the reason why it counts or does not. A test
holds the two together: what is counted here is the limit, and the last counted day ends at the due time.
"""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

from schemas.clocks.calendar import DAY, Calendar, TownDatetime
from schemas.clocks.clock_facts import Course, course_of
from schemas.clocks.clock_schedule import Schedule
from schemas.clocks.clocks import Clock
from schemas.clocks.limits import Limit, Unit
from schemas.clocks.walk import Position, Walk
from schemas.values.model import Model


class Why(StrEnum):
    """Why a day counts or does not."""

    BEGINS = "begins"
    WORKING_DAY = "working_day"
    MAKEUP = "makeup"
    NATURAL_DAY = "natural_day"
    MOVED = "moved"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    HELD = "held"


class CountedDay(Model):
    """A day on the way. `number`: the how-manieth counted day it is; None when it does not count.

    `provisional`: the calendar had no notice for its year yet.
    """

    day: date
    number: int | None
    why: Why
    provisional: bool = False


class CountedTime(Model):
    """A stretch of time that counts, of a limit in hours or minutes."""

    begins: TownDatetime
    ends: TownDatetime


class Leg(Model):
    """A limit, or a further one by an extension, as it was walked. `ends` None: it lies behind a pause that is still open."""

    limit: Limit
    begins: TownDatetime
    ends: TownDatetime | None
    days: tuple[CountedDay, ...] = ()
    times: tuple[CountedTime, ...] = ()


def legs_of(clock: Clock, calendar: Calendar) -> tuple[Leg, ...]:
    """How the course of a clock since its last start was counted; nothing for a clock that never started."""
    course = course_of(clock.facts)
    return tuple(_legs(clock.limit, course, calendar)) if course else ()


def _legs(limit: Limit, course: Course, calendar: Calendar) -> Iterator[Leg]:
    schedule = Schedule(limit, course, calendar)
    position: Position | None = schedule.start
    for part in schedule.legs:
        if position is None:
            return
        end = schedule.walk.whole(position, part)
        stop = end or _open_pause(course, position)
        days, times = _days_off(schedule.walk, part, position, stop), _times(schedule.walk, part, position.at, stop.at)
        if part.in_days:
            days, times = _days(schedule.walk, part, position, stop), ()
        yield Leg(limit=part, begins=position.at, ends=end.at if end else None, days=days, times=times)
        position = end


def _open_pause(course: Course, position: Position) -> Position:
    start = max(course.gaps[-1].start, position.at)
    return Position(start, start.date())


def _days(walk: Walk, limit: Limit, begin: Position, end: Position) -> tuple[CountedDay, ...]:
    found = [_day(walk, begin.day, None, Why.BEGINS)]
    number = 0
    for day in _between(begin.day, end.day):
        kind = _kind(walk, day)
        counts = kind is not Why.HELD and (limit.counts_every_day or kind in {Why.WORKING_DAY, Why.MAKEUP})
        if number == limit.amount:  # the last natural day was off
            found.append(_day(walk, day, None, Why.MOVED if day == end.day else kind))
        elif counts:
            number += 1
            found.append(_day(walk, day, number, Why.NATURAL_DAY if limit.counts_every_day else kind))
        else:
            found.append(_day(walk, day, None, kind))
    return tuple(found)


def _days_off(walk: Walk, limit: Limit, begin: Position, end: Position) -> tuple[CountedDay, ...]:
    """Of a limit in working hours: the days on which the offices stay closed."""
    if limit.unit is not Unit.WORKING_HOURS:
        return ()
    days = (begin.at.date(), *_between(begin.at.date(), end.at.date()))
    off = ((day, _kind(walk, day)) for day in days if not walk.calendar.is_working_day(day))
    return tuple(_day(walk, day, None, why) for day, why in off)


def _times(walk: Walk, limit: Limit, begin: datetime, end: datetime) -> tuple[CountedTime, ...]:
    open_times = [(begin, end)]
    if limit.unit is Unit.WORKING_HOURS:
        days = (begin.date(), *_between(begin.date(), end.date()))
        openings = [opening for day in days for opening in walk.calendar.openings(day)]
        open_times = [(max(start, begin), min(stop, end)) for start, stop in openings]
    found: list[CountedTime] = []
    for start, stop in open_times:
        at = start
        for gap in walk.gaps:
            if gap.end is not None and gap.end <= at:
                continue
            if gap.start >= stop:
                break
            if gap.start > at:
                found.append(CountedTime(begins=at, ends=gap.start))
            at = stop if gap.end is None else min(gap.end, stop)
        if at < stop:
            found.append(CountedTime(begins=at, ends=stop))
    return tuple(found)


def _kind(walk: Walk, day: date) -> Why:
    if any(first <= day and (end is None or day < end) for first, end in walk.days_held):
        return Why.HELD
    if walk.calendar.is_working_day(day):
        return Why.MAKEUP if day in walk.calendar.makeup else Why.WORKING_DAY
    return Why.HOLIDAY if walk.calendar.is_holiday(day) else Why.WEEKEND


def _day(walk: Walk, day: date, number: int | None, why: Why) -> CountedDay:
    return CountedDay(day=day, number=number, why=why, provisional=walk.calendar.is_provisional(day))


def _between(first: date, last: date) -> Iterator[date]:
    """The days after the first, up to and with the last."""
    for number in range(1, (last - first).days + 1):
        yield first + DAY * number
