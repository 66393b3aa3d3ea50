"""每月 a duty of every month: done at least once between the first and the last day, or the month stays a gap for ever.

    begins -> month -> month -> ... -> ends      done in it: kept; over and not done: missed, the tiers are told, nothing mends it

Source: 002 of the seeds (the hall sits every month). A procedure puts `monthly_timers()` into its clocks and `monthly_lines()` into
its table, gives its entries `MonthlyEntries`, its state `MonthlyState` and its workflow `EveryMonth` (workflows/parts/monthly.py).
"""

from pydantic import BaseModel, ConfigDict

from schemas.kernel.acts import Stages, Step, step
from schemas.kernel.entries import entry
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import TiersOf, Timer, duty, window

MONTHLY, MONTH_END = "monthly", "month_end"
"""Its clocks: `monthly:2026-03`, one for each month, and the turn of the month."""


class MonthKept(BaseModel):
    """A month, as YYYY-MM. `times`: how often it was done; `over`: the month is; `missed`: and it was not done."""

    model_config = ConfigDict(extra="forbid")

    month: str
    times: int = 0
    over: bool = False
    missed: bool = False


class MonthlyState(DeclaredState):
    """What a case remembers of it, the earliest month first."""

    months: list[MonthKept] = []

    def month_of(self, month: str) -> MonthKept | None:
        """What is known of a month; None: it was never due."""
        return next((each for each in self.months if each.month == month), None)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The months in which it was not done."""
        return tuple(each.month for each in self.months if each.missed)


class MonthlyEntries:
    """What the ledger says of it: for `class Kind(MonthlyEntries, EntryKinds, procedure="NAME")`."""

    MONTH_MISSED = entry("month:missed", "当月未履行")
    MONTH_TURNED = entry("month:turned", "月末结转")


def monthly_timers(zh: str, en: str, *, warned: str, tiers: str | TiersOf = "tiers") -> dict[str, Timer]:
    """Its clocks. `warned`: whose duty it is, as a code."""
    return {
        MONTHLY: duty(zh, en, None, tiers, warned=warned, beside=True),
        MONTH_END: window("月末", "end of the month", None),
    }


def monthly_lines(*, at: Stages) -> tuple[Step, ...]:
    """What the case does by itself."""
    return (step("turn_month", "月末结转", at=at, clock=MONTH_END),)
