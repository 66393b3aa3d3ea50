"""What is agreed on, to be done by a day, once or again and again: its days, and how far it is. Pure, and no procedure's own.

By its first day all others are known: the same day of every month, quarter or year, or the last one of a shorter month.
"""

import calendar
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.clocks.calendar import DAY, midnight
from schemas.clocks.limits import LIMIT_AMOUNT_MAX, Limit, Unit
from schemas.contracts.department import Code
from schemas.values.model import Model
from schemas.values.references import TextReference

_MINUTE = timedelta(minutes=1)


# ---- days -------------------------------------------------------------------------------------------------------------


class Recurs(StrEnum):
    """How often a duty comes again."""

    ONCE = "once"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


MONTHS_BETWEEN: Mapping[Recurs, int] = {Recurs.ONCE: 0, Recurs.MONTHLY: 1, Recurs.QUARTERLY: 3, Recurs.YEARLY: 12}


def day_of_round(first_on: date, recurs: Recurs, number: int) -> date:
    """The day of the n-th time, from 1: the same day of the month as the first, or the last one of a shorter month."""
    months = first_on.month - 1 + MONTHS_BETWEEN[recurs] * (number - 1)
    year, month = first_on.year + months // 12, months % 12 + 1
    return date(year, month, min(first_on.day, calendar.monthrange(year, month)[1]))


def limit_until(now: datetime, moment: datetime) -> Limit:
    """The way to a moment as a limit: in minutes, beyond 69 days in hours; rounded up, at least one."""
    minutes = max(1, -(-(moment - now) // _MINUTE))
    if minutes <= LIMIT_AMOUNT_MAX:
        return Limit(amount=minutes, unit=Unit.MINUTES)
    return Limit(amount=-(-minutes // 60), unit=Unit.HOURS)


# ---- what is agreed on --------------------------------------------------------------------------------------------------


class Agreed(Model):
    """What somebody has to do: `code` names it in the case, `what` says it in words. `times`: how often in all."""

    code: Code
    what: TextReference
    first_on: date
    recurs: Recurs = Recurs.ONCE
    times: int = Field(default=1, strict=True, ge=1, le=600)

    @model_validator(mode="after")
    def _once_is_one_time(self) -> Self:
        if self.recurs is Recurs.ONCE and self.times != 1:
            raise ValueError("times: 不重复的义务只有一次 (a duty that does not come again has one time)")
        return self


class Standing(StrEnum):
    """How far a duty is. `MISSED`: its day has passed, and there is still time to cure that."""

    DUE = "due"
    PROVED = "proved"
    MISSED = "missed"
    KEPT = "kept"
    BROKEN = "broken"
    WAIVED = "waived"


OPEN = (Standing.DUE, Standing.PROVED, Standing.MISSED)


class DatedDuty(BaseModel):
    """One duty of a case. `round`: which time it is, from 1; `proof`: the number of what waits to be accepted, in the case.

    `late`: its day passed before it was proved this time. `ended_as` are the times that are settled, in order.
    """

    model_config = ConfigDict(extra="forbid")

    agreed: Agreed
    round: int = 1
    standing: Standing = Standing.DUE
    late: bool = False
    proof: int | None = None
    proved_by: str | None = None
    ended_as: list[Standing] = []

    @property
    def code(self) -> str:
        """Its name in the case."""
        return self.agreed.code

    @property
    def due_on(self) -> date:
        """The day of this time."""
        return day_of_round(self.agreed.first_on, self.agreed.recurs, self.round)

    @property
    def due_at(self) -> datetime:
        """24:00 of that day."""
        return midnight(self.due_on + DAY)

    @property
    def open(self) -> bool:
        """Whether something is still to be done about it."""
        return self.standing in OPEN

    @property
    def comes_again(self) -> bool:
        """Whether this was not the last time."""
        return self.round < self.agreed.times
