"""welfare 社会救助与补贴: somebody in need applies, is checked and visited, posted, granted, and paid month by month.

    applied -> checking -> surveyed -> publicised -> confirming -> (confirmed) -> paying <-> payment_suspended -> ended
       | ^        | ^         | ^         |   ^          |
       v |        v |         v |         v   |          v
      correcting (documents)           objected        refused -> appealed -> decided by another officer
    also: withdrawn, unresolved

1. The application is accepted when its documents are there; what is missing is named, and the clock of the case pauses.
2. Every register is asked by itself; those that fail are asked again alone. Two people visit the household.
3. The street office reviews; the amount follows from the rule of the benefit, with its arithmetic in the ledger.
4. It is posted, without a name that tells who it is. Anybody may object; then it is looked into and posted anew.
5. Civil affairs confirms, never who reviewed; above an amount two people sign. A refusal is served and can be appealed.
6. It is paid from the month after, each month once, for as long as it lives; each month is a new run of the workflow.
7. Changes adjust, suspend or end it. What lowers counts at once; what raises is asked for, and two others decide. What was
   paid too much becomes a recovery case.

Urgent aid is paid at acceptance and looked at afterwards. Documents, visits, recusal and appeals are parts (workflows/parts/).
What is found out stands in `welfare_survey`, `welfare_identity`, `welfare_household` and `welfare_checks`, the judgement in
`welfare_decision`, the entitlement in `welfare_living`, `welfare_rest` and `welfare_reassessment`, what would raise it in
`welfare_changes` and `welfare_raises`, what would end it in `welfare_endings`, its payments in `welfare_payments`, other accounts
in `welfare_accounts`. Each file calls what stands in those before it, and never the other way.

An application that nobody decides belongs to the supervisor after the last tier and ends as `unresolved` at the final limit; an
entitlement never does.
"""

from schemas.welfare import WELFARE
from schemas.welfare_state import BEFORE_REVIEW, LIVING, Stage
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.welfare_decision import Decision


@procedure_workflow
class Welfare(Decision):
    """One application, and the entitlement that may come of it, to the last payment."""

    procedure = WELFARE

    async def story(self) -> None:
        """Tell the procedure, however many rounds it takes."""
        while not self.over:
            await self.while_at(*BEFORE_REVIEW, Stage.CORRECTING)
            await self.while_at(Stage.PUBLICISED, Stage.OBJECTED)
            await self.while_at(Stage.CONFIRMING, Stage.CONFIRMED)
            await self.while_at(*LIVING)
            await self.until(lambda: self.over or self.state.stage != Stage.REFUSED)
            await self.while_at(Stage.APPEALED)
        await self.until(lambda: not self.business)

    @property
    def over(self) -> bool:
        """Nothing more can happen: a final stage, or a refusal that stands."""
        return self.state.ended or super().over

    def _history_is_long(self) -> bool:
        """A month that is over ends the run too, once everything asked for in it is done."""
        return super()._history_is_long() or (self.state.month_over and not self.state.errands and not self.over)

    # ---- clocks ---------------------------------------------------------------------------------------------------

    def told_unheld(self, clock: str) -> str:
        """Between two holders, as while a register is asked, the street hears of it."""
        return super().told_unheld(clock) or "role:street_officer"

    def on_clock_passed(self, clock: str) -> None:
        """The end of a window decides by itself; the window is over, so that it can begin anew."""
        decides = {
            "payday": self.pay_the_month,
            "ask_again": self.ask_those_not_reached,
            "suspended": self.rested_too_long,
        }.get(clock)
        if decides is None:
            super().on_clock_passed(clock)
        else:
            self.clocks.stop(clock, "engine")
            decides()
