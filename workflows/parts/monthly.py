"""每月: a case that has something to be done in every month (schemas/parts/monthly.py)."""

from typing import TypeVar

from schemas.clocks.months import end_of_month, next_month
from schemas.kernel.acts import Step
from schemas.parts.agreed import limit_until
from schemas.parts.monthly import MONTH_END, MONTHLY, MonthKept, MonthlyState
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=MonthlyState)


class EveryMonth(DeclaredCase[StateT]):
    """The part of a case that minds its months."""

    # ---- for procedures -------------------------------------------------------------------------------------------

    def month_is_over(self, month: MonthKept) -> bool:
        """Say whether it is due in the next month too; a procedure that ends here ends here."""
        raise NotImplementedError

    def month_facts(self) -> dict[str, object]:
        """Return what the entry of a gap says besides the month."""
        return {}

    # ---- the months -------------------------------------------------------------------------------------------------

    def begin_month(self, month: str) -> None:
        """It is due in this month, by 24:00 of its last day."""
        self.state.months.append(MonthKept(month=month))
        left = limit_until(self.now(), end_of_month(month))
        self.start_clock(f"{MONTHLY}:{month}", limit=left)
        self.start_clock(MONTH_END, limit=left)

    def done_this_month(self, by: str) -> None:
        """It was done; a further time in the month counts too."""
        current = self.state.months[-1]
        current.times += 1
        self.clocks.stop(f"{MONTHLY}:{current.month}", by)

    def turn_month(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """月末结转: what was not done in it is a gap, and the next month begins."""
        current = self.state.months[-1]
        current.over = True
        self.note_gap(current)
        self.record(f"{self.procedure.name}:month:turned", month=current.month, times=current.times)
        if self.month_is_over(current):
            self.begin_month(next_month(current.month))

    def on_duty_broken(self, clock: str) -> None:
        """The month has passed without it; the tiers are told."""
        kind, _, month = clock.partition(":")
        found = self.state.month_of(month) if kind == MONTHLY else None
        if found is None:
            super().on_duty_broken(clock)
        else:
            self.note_gap(found)

    def note_gap(self, month: MonthKept) -> None:
        """Once, whichever clock says it first: the month ends, and the duty of it is broken, at one moment."""
        if not month.times and not month.missed:
            month.missed = True
            self.record(f"{self.procedure.name}:month:missed", month=month.month, **self.month_facts())
