"""How limits are walked through a calendar with gaps in which no time counts. Rules and sources: schemas/clocks/limits.py."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from schemas.clocks.calendar import DAY, Calendar, midnight
from schemas.clocks.limits import Limit, Unit


class Gap(NamedTuple):
    """A time that does not count: from a pause to the resumption, which is None while it has not come."""

    start: datetime
    end: datetime | None


class Position(NamedTuple):
    """How far a walk has come: the instant, and the last day that no later day-count may count again."""

    at: datetime
    day: date


class Walk:
    """Walks limits through a calendar, leaving out the gaps. None: an open gap lies before the end of the way.

    Hours, working ones too, leave out the gaps exactly. Days leave out whole days, from the day of the pause up to, but
    without, the day of the resumption; so a pause inside one day shifts nothing. The gaps are sorted and do not overlap.
    """

    __slots__ = ("calendar", "days_held", "gaps")

    def __init__(self, calendar: Calendar, gaps: tuple[Gap, ...] = ()) -> None:
        self.calendar = calendar
        self.gaps = gaps
        self.days_held = tuple((gap.start.date(), gap.end.date() if gap.end else None) for gap in gaps)

    def whole(self, position: Position, limit: Limit) -> Position | None:
        """The end of a limit begun at a position; a limit of zero ends where it begins.

        A last natural day that is no working day moves to the next working day.
        """
        if not limit.amount:
            return position
        if not limit.in_days:
            at = self._reached(position.at, limit.unit, limit.counted)
            return Position(at, at.date()) if at else None
        last = self._day(position.day, limit, limit.amount)
        if last and limit.unit is Unit.NATURAL_DAYS and not self.calendar.is_working_day(last):
            last = self._working_day(last, 1)
        return Position(midnight(last + DAY), last) if last else None

    def part(self, position: Position, limit: Limit, counted: timedelta) -> datetime | None:
        """The instant at which so much counted time of a limit is used up; in days, a time of day on a counted day."""
        if not limit.in_days:
            return self._reached(position.at, limit.unit, counted)
        days = -(-counted // DAY)
        last = self._day(position.day, limit, days)
        return midnight(last + DAY) - (DAY * days - counted) if last else None

    def _reached(self, at: datetime, unit: Unit, counted: timedelta) -> datetime | None:
        return self._open_instant(at, counted) if unit is Unit.WORKING_HOURS else self._instant(at, counted)

    def _open_instant(self, at: datetime, counted: timedelta) -> datetime | None:
        """As `_instant`, with only the time counted in which the offices are open.

        Used up at the instant of closing is used up then, not when they open again.
        """
        day = at.date()
        while True:
            for opening, closing in self.calendar.openings(day):
                start = max(opening, at)
                if start >= closing:
                    continue
                end = self._instant(start, counted)
                if end is not None and end <= closing:
                    return end
                if self.gaps and self.gaps[-1].end is None and self.gaps[-1].start <= closing:
                    return None
                counted -= closing - start - self._held(start, closing)
            day += DAY

    def _held(self, start: datetime, end: datetime) -> timedelta:
        """How much of a time lies in the gaps."""
        inside = (min(gap.end or end, end) - max(gap.start, start) for gap in self.gaps)
        return sum((time for time in inside if time > timedelta(0)), timedelta(0))

    def _instant(self, at: datetime, counted: timedelta) -> datetime | None:
        for start, end in self.gaps:
            if end is not None and end <= at:
                continue
            if at + counted <= start:
                break
            if end is None:
                return None
            counted -= max(start, at) - at
            at = end
        return at + counted

    def _day(self, day: date, limit: Limit, count: int) -> date | None:
        return self._natural_day(day, count) if limit.counts_every_day else self._working_day(day, count)

    def _natural_day(self, day: date, count: int) -> date | None:
        last = day + DAY * count
        for first, end in self.days_held:
            if end is not None and end <= day + DAY:
                continue
            if last < first:
                break
            if end is None:
                return None
            last += end - max(first, day + DAY)
        return last

    def _working_day(self, day: date, count: int) -> date | None:
        is_working_day = self.calendar.is_working_day
        while count:
            day += DAY
            for first, end in self.days_held:
                if first <= day and end is None:
                    return None
                if end is not None and first <= day < end:
                    day = end
            if is_working_day(day):
                count -= 1
        return day
