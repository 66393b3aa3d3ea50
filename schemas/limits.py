"""Limits ("7 natural_days") and how they are walked through a calendar with gaps in which no time counts.

Sources: 民法典 第201条 (hours run from their start; the day on which a period begins does not count) and 第203条 (a
period in days ends at 24:00 of its last day; a last day on a holiday moves to the day after the holiday); 行政许可法
第82条 (working days exclude statutory holidays); make-up days (调休) are working days by the yearly notices. Working
hours 工作小时 are the town's own: hours of its offices, by its office hours.
"""

import re
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from schemas.calendar import DAY, Calendar, midnight
from schemas.model import Model

LIMIT_AMOUNT_MAX = 100_000  # about 70 days in minutes, 380 years in working days: beyond it stands a slip of the pen


class Unit(StrEnum):
    """What a limit counts: minutes and hours around the clock, working hours while offices are open, or whole days."""

    MINUTES = "minutes"
    HOURS = "hours"
    WORKING_HOURS = "working_hours"
    NATURAL_DAYS = "natural_days"
    WORKING_DAYS = "working_days"


COUNTED = {
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.WORKING_HOURS: timedelta(hours=1),
    Unit.NATURAL_DAYS: DAY,
    Unit.WORKING_DAYS: DAY,
}
CHINESE = {
    Unit.MINUTES: "分钟",
    Unit.HOURS: "小时",
    Unit.WORKING_HOURS: "个工作小时",
    Unit.NATURAL_DAYS: "个自然日",
    Unit.WORKING_DAYS: "个工作日",
}


class Limit(Model):
    """How long something may take. Policies write it as text: "30 minutes", "7 natural_days".

    Zero is for the offset of a tier that acts at the breach itself; a clock's own limit is more than zero.
    """

    amount: int = Field(ge=0, le=LIMIT_AMOUNT_MAX, strict=True)
    unit: Unit

    @property
    def counted(self) -> timedelta:
        """The time this limit counts: a day is 24 hours of counted time, whichever days are skipped on the way."""
        return COUNTED[self.unit] * self.amount

    @property
    def in_days(self) -> bool:
        """Whether the limit is counted in whole days."""
        return self.unit in {Unit.NATURAL_DAYS, Unit.WORKING_DAYS}

    @property
    def chinese(self) -> str:
        """For the screen: "7个自然日"."""
        return f"{self.amount}{CHINESE[self.unit]}"

    @property
    def english(self) -> str:
        """For the screen: "7 natural days", "1 hour"."""
        unit = self.unit.replace("_", " ")
        return f"{self.amount} {unit.removesuffix('s') if self.amount == 1 else unit}"

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        written = re.fullmatch(r"\s*([0-9]+)\s+([a-z_]+)\s*", value)
        if written is None:
            raise ValueError(f"A limit is written as AMOUNT UNIT, such as '7 natural_days', not {value!r}.")
        return {"amount": int(written[1]), "unit": written[2]}


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
        last = self._day(position.day, limit.unit, limit.amount)
        if last and limit.unit is Unit.NATURAL_DAYS and not self.calendar.is_working_day(last):
            last = self._working_day(last, 1)
        return Position(midnight(last + DAY), last) if last else None

    def part(self, position: Position, limit: Limit, counted: timedelta) -> datetime | None:
        """The instant at which so much counted time of a limit is used up; in days, a time of day on a counted day."""
        if not limit.in_days:
            return self._reached(position.at, limit.unit, counted)
        days = -(-counted // DAY)
        last = self._day(position.day, limit.unit, days)
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

    def _day(self, day: date, unit: Unit, count: int) -> date | None:
        return self._natural_day(day, count) if unit is Unit.NATURAL_DAYS else self._working_day(day, count)

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
