"""Limits ("7 natural_days"): an amount and what is counted. How they are walked: schemas/clocks/walk.py.

Sources: 民法典 第201条 (hours run from their start; the day on which a period begins does not count) and 第203条 (a
period in days ends at 24:00 of its last day; a last day on a holiday moves to the day after the holiday); 行政许可法
第82条 (working days exclude statutory holidays); make-up days (调休) are working days by the yearly notices. Working
hours 工作小时 are the town's own: hours of its offices, by its office hours. Calendar days 日历日 are too: a daily check on
somebody who lives alone is daily in the festival as well, so no holiday moves their last day.
"""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator

from schemas.clocks.calendar import DAY
from schemas.values.model import Model

LIMIT_AMOUNT_MAX = 100_000  # about 70 days in minutes, 380 years in working days: beyond it stands a slip of the pen


class Unit(StrEnum):
    """What a limit counts: seconds to hours around the clock, working hours while offices are open, or whole days."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    WORKING_HOURS = "working_hours"
    NATURAL_DAYS = "natural_days"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"


COUNTED = {
    Unit.SECONDS: timedelta(seconds=1),
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.WORKING_HOURS: timedelta(hours=1),
    Unit.NATURAL_DAYS: DAY,
    Unit.CALENDAR_DAYS: DAY,
    Unit.WORKING_DAYS: DAY,
}
CHINESE = {
    Unit.SECONDS: "秒",
    Unit.MINUTES: "分钟",
    Unit.HOURS: "小时",
    Unit.WORKING_HOURS: "个工作小时",
    Unit.NATURAL_DAYS: "个自然日",
    Unit.CALENDAR_DAYS: "天",
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
        return COUNTED[self.unit] == DAY

    @property
    def counts_every_day(self) -> bool:
        """Whether days off count as other days do: for natural days, which move off a day off, and for calendar days."""
        return self.unit is Unit.NATURAL_DAYS or self.unit is Unit.CALENDAR_DAYS

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
