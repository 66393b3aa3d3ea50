"""A duty as it is drafted: its days are those of the term, which begins when everybody has seen the agreement. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Self

from pydantic import Field, model_validator

from schemas.clocks.calendar import DAY
from schemas.clocks.moments import DayOfYear, day_in_year, months_after, next_day_of_year
from schemas.contracts.department import Code
from schemas.contracts.payment import Fen
from schemas.parts.agreed import MONTHS_BETWEEN, Agreed, Recurs, Side, rounds_until
from schemas.values.model import Model
from schemas.values.references import TextReference

_NEEDS: Mapping[Recurs, str] = {
    Recurs.ONCE: "within_days",
    Recurs.MONTHLY: "day",
    Recurs.QUARTERLY: "day",
    Recurs.YEARLY: "day_of_year",
}
"""The field that says when something is due that comes so often."""


class DutyDraft(Model):
    """What one side is to do: once within so many days, on a `day` of each month or quarter, on a `day_of_year` of each year."""

    code: Code
    what: TextReference
    side: Side
    recurs: Recurs = Recurs.ONCE
    within_days: int | None = Field(default=None, ge=1, le=366)
    day: int | None = Field(default=None, ge=1, le=31)
    day_of_year: DayOfYear | None = None
    each_time: int = 1
    level: int | None = None
    amount_fen: Fen | None = None
    percent: int | None = None
    gift: bool = False
    rests_on: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        needed = _NEEDS[self.recurs]
        said = [name for name in dict.fromkeys(_NEEDS.values()) if getattr(self, name) is not None]
        if said != [needed]:
            raise ValueError(f"{needed}: 请按周期写明到期日 (what comes so often says its day in {needed} alone)")
        if self.percent is not None and self.recurs is not Recurs.YEARLY:
            raise ValueError("recurs: 按比例的义务每年一次 (a share of a figure is due once a year)")
        self.agreed(date(2000, 1, 1), date(2000, 12, 31))
        return self

    def first_on(self, term_first: date) -> date:
        """Its first day in a term: after a whole month or quarter at least; of each year, the next such day."""
        if self.within_days is not None:
            return term_first + timedelta(days=self.within_days - 1)
        if self.day_of_year is not None:
            return next_day_of_year(self.day_of_year, term_first - DAY)
        whole = months_after(term_first, MONTHS_BETWEEN[self.recurs]) - DAY
        this = day_in_year(f"{whole.month:02}-{self.day:02}", whole.year)
        if this >= whole:
            return this
        following = months_after(whole.replace(day=1), 1)
        return day_in_year(f"{following.month:02}-{self.day:02}", following.year)

    def agreed(self, term_first: date, term_last: date) -> Agreed:
        """What is agreed on thereby for a term: on each of its days until the last one of the term, and once at least."""
        first_on = self.first_on(term_first)
        kept = ("code", "what", "side", "recurs", "each_time", "level", "amount_fen", "percent", "gift", "rests_on")
        said = {name: getattr(self, name) for name in kept}
        return Agreed(**said, first_on=first_on, times=rounds_until(first_on, self.recurs, term_last))
