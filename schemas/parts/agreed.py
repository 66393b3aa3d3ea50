"""What is agreed on, to be done by a day, once or again and again: its days, and how far it is. Pure, and no procedure's own.

By its first day all others are known: the same day of every week, month, quarter or year, or the last one of a shorter month.
Each side owes its own; what one side owes may hang on what the other one does, and rests while that is not done.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.clocks.calendar import DAY, midnight
from schemas.clocks.limits import LIMIT_AMOUNT_MAX, Limit, Unit
from schemas.clocks.moments import months_after
from schemas.contracts.department import Code
from schemas.contracts.payment import Fen
from schemas.values.model import Model
from schemas.values.references import TextReference

_MINUTE = timedelta(minutes=1)


# ---- days -------------------------------------------------------------------------------------------------------------


class Recurs(StrEnum):
    """How often a duty comes again."""

    ONCE = "once"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


MONTHS_BETWEEN: Mapping[Recurs, int] = {
    Recurs.ONCE: 0,
    Recurs.WEEKLY: 0,
    Recurs.MONTHLY: 1,
    Recurs.QUARTERLY: 3,
    Recurs.YEARLY: 12,
}


def day_of_round(first_on: date, recurs: Recurs, number: int) -> date:
    """The day of the n-th time, from 1: that of the week, or of the month as the first, or the last one of a shorter month."""
    if recurs is Recurs.WEEKLY:
        return first_on + timedelta(weeks=number - 1)
    return months_after(first_on, MONTHS_BETWEEN[recurs] * (number - 1))


def rounds_until(first_on: date, recurs: Recurs, last: date) -> int:
    """How many of its days come by a last one: of what is done once, one; of what begins later, one too."""
    number = 1
    while recurs is not Recurs.ONCE and day_of_round(first_on, recurs, number + 1) <= last:
        number += 1
    return number


def limit_until(now: datetime, moment: datetime) -> Limit:
    """The way to a moment as a limit: in minutes, beyond 69 days in hours; rounded up, at least one."""
    minutes = max(1, -(-(moment - now) // _MINUTE))
    if minutes <= LIMIT_AMOUNT_MAX:
        return Limit(amount=minutes, unit=Unit.MINUTES)
    return Limit(amount=-(-minutes // 60), unit=Unit.HOURS)


# ---- what is agreed on --------------------------------------------------------------------------------------------------


class Side(StrEnum):
    """Who owes a duty. Where one side alone owes something, it is the `party`."""

    PARTY = "party"
    COUNTERPARTY = "counterparty"


class Agreed(Model):
    """What somebody has to do: `code` names it in the case, `what` says it in words. `times`: how often in all.

    `each_time`: so many proofs make one time (two sittings a month). `level`: on its day so many are to be held (three jobs).
    `amount_fen`: a fixed sum; `percent` of a figure that is stated and checked before (a tenth of the profit); `gift`: a sum that
    is promised for nothing. `rests_on`: duties of the other side without which this one rests.
    """

    code: Code
    what: TextReference
    first_on: date
    recurs: Recurs = Recurs.ONCE
    times: int = Field(default=1, strict=True, ge=1, le=600)
    side: Side = Side.PARTY
    each_time: int = Field(default=1, strict=True, ge=1, le=31)
    level: int | None = Field(default=None, strict=True, ge=1, le=10_000)
    amount_fen: Fen | None = None
    percent: int | None = Field(default=None, strict=True, ge=1, le=100)
    gift: bool = False
    rests_on: tuple[Code, ...] = Field(default=(), max_length=10)

    @model_validator(mode="after")
    def _once_is_one_time(self) -> Self:
        if self.recurs is Recurs.ONCE and self.times != 1:
            raise ValueError("times: 不重复的义务只有一次 (a duty that does not come again has one time)")
        return self

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        kinds = [self.each_time > 1, self.level is not None, self.amount_fen is not None, self.percent is not None]
        if sum(kinds) > 1:
            raise ValueError(
                "code: 义务只能是一种:次数、保持数、定额或比例 (a duty is a number of times, a level, a sum or a share)"
            )
        if self.gift and self.amount_fen is None:
            raise ValueError("gift: 捐赠须写明金额 (a gift names its sum)")
        if self.code in self.rests_on:
            raise ValueError("rests_on: 义务不得以自身为前提 (no duty hangs on itself)")
        return self

    @property
    def is_money(self) -> bool:
        """Whether it is a sum: it is proved by the line of the bank, and nobody waives it."""
        return self.amount_fen is not None or self.percent is not None


def share_of(figure_fen: int, percent: int) -> int:
    """The exact share of a figure, in whole fen, what is left of a fen being dropped: never more than was promised. Of a loss 0."""
    return max(figure_fen, 0) * percent // 100


class Standing(StrEnum):
    """How far a duty is. `MISSED`: its day has passed, and there is still time to cure that.

    `RESTED`: its day passed while the other side had not done what it hangs on. `EXCUSED`: a gift that can no longer be given.
    """

    DUE = "due"
    PROVED = "proved"
    MISSED = "missed"
    KEPT = "kept"
    BROKEN = "broken"
    WAIVED = "waived"
    RESTED = "rested"
    EXCUSED = "excused"


class Figure(BaseModel):
    """经营数据: what the figure of a share is stated to be, this time; it counts when another person has checked it."""

    model_config = ConfigDict(extra="forbid")

    number: int
    stated_fen: int
    stated_by: str
    checked: bool = False


class WaiverAsked(BaseModel):
    """免除申请: not to be done this time; it counts on the word of a second person. `hardship`: a gift cannot be given any more."""

    model_config = ConfigDict(extra="forbid")

    number: int
    asked_by: str
    hardship: bool = False


OPEN = (Standing.DUE, Standing.PROVED, Standing.MISSED)


class DatedDuty(BaseModel):
    """One duty of a case. `round`: which time it is, from 1; `proof`: the number of what waits to be accepted, in the case.

    `receipt`: the line of the bank by which it was proved. `late`: its day passed before it was proved this time. `ended_as`
    are the times that are settled, in order. `done`: proofs
    of this time that were accepted. `over`: it does not come again, whatever was agreed. `reported`: the other side says
    that it is not done. `waived_in`: the years in which a time of it was waived.
    """

    model_config = ConfigDict(extra="forbid")

    agreed: Agreed
    round: int = 1
    standing: Standing = Standing.DUE
    late: bool = False
    proof: int | None = None
    proved_by: str | None = None
    receipt: str | None = None
    ended_as: list[Standing] = []
    done: int = 0
    over: bool = False
    figure: Figure | None = None
    waiver: WaiverAsked | None = None
    reported: bool = False
    waived_in: list[int] = []

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
        return self.round < self.agreed.times and not self.over

    @property
    def fails(self) -> bool:
        """Whether what hangs on it rests: it was missed, the last time was broken, or the other side says that it is not done."""
        broken = self.open and bool(self.ended_as) and self.ended_as[-1] is Standing.BROKEN
        return self.reported or self.standing in (Standing.MISSED, Standing.BROKEN) or broken

    @property
    def sum_fen(self) -> int | None:
        """What is to be paid this time; None: it is no sum, or its figure is not checked yet."""
        share = self.agreed.percent
        if share is not None:
            return None if self.figure is None or not self.figure.checked else share_of(self.figure.stated_fen, share)
        return self.agreed.amount_fen
