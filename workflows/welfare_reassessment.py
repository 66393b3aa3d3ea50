"""定期复核 reassessment: yearly, half-yearly where income is unstable; and what was left out is made good when payment goes on.

Who is not reassessed in time is paid nothing until then (the clock `reassess` takes the step `suspend_overdue`).
"""

from schemas.clocks.months import month_at, next_month
from schemas.values.actor import Actor
from schemas.welfare_entitlement import Reassess, ResumePayment
from schemas.welfare_entries import Kind
from schemas.welfare_state import Stage
from workflows.welfare_duties import (
    TWO_DECIDE_ON_A_RAISE,
)
from workflows.welfare_living import Entitlement


class Reassessment(Entitlement):
    """The part of an entitlement that is looked at again and again."""

    # ---- more of what was left out ----------------------------------------------------------------------------------

    def resume_payment(self, command: ResumePayment, by: Actor) -> None:
        """恢复发放: with the months left out in between, or without them; of much money a second person decides."""
        self.state.death_registered = False
        self.goes_on()
        self.record(Kind.RESUMED, reason=command.reason, months=list(self.state.skipped), arrears=command.arrears)
        if not command.arrears:
            self.state.skipped = []
        self.make_good("resumed", by)

    def make_good(self, cause: str, by: Actor) -> None:
        """补发: the months that were left out are paid; where they come to much, when a second person agrees."""
        if self.state.arrears_need_another and self.law_holds(TWO_DECIDE_ON_A_RAISE):
            months, self.state.skipped = tuple(self.state.skipped), []
            self.ask_for_change(cause, months[0], {}, by, months)
        else:
            self.pay_arrears()

    # ---- reassessment -----------------------------------------------------------------------------------------------

    def reassess(self, command: Reassess, by: Actor) -> None:
        """定期复核: the household is as before, has changed, or is not entitled any more; what would pay more is asked for."""
        self.record(
            Kind.REASSESSED,
            continues=command.continues,
            opinion=command.opinion,
            legal_basis=command.legal_basis,
            income_fen=command.monthly_income_fen,
            household_size=command.household_size,
        )
        this_month = month_at(self.now())
        if command.continues:
            self.demand_old_consents()
        if not command.continues:
            self.ends(this_month, "reassessed")
        elif self.law_holds(TWO_DECIDE_ON_A_RAISE):
            self.continues_after_reassessment(command, next_month(this_month), by)
        else:
            self.reassess_before_two_people(command, next_month(this_month))

    def continues_after_reassessment(self, command: Reassess, since: str, by: Actor) -> None:
        """Payment goes on by what is known; what would be more, and much that was left out, waits for others."""
        raised = self.state.raised_by(command.stated, self.now()) and not self.state.paid_once
        if command.income_stable is not None:
            self.state.income_stable = command.income_stable
        self.start_reassessment()
        if self.state.overdue:
            self.goes_on()
        if not raised:
            self.drop_change_of(command.stated)
            self.take_facts(command.stated)
            self.lower(since, "reassessed")
        paying = self.state.last_due is None and self.state.stage == Stage.PAYING
        if raised and paying and self.state.arrears_need_another:
            months, self.state.skipped = tuple(self.state.skipped), []
            self.ask_for_change("reassessed", since, command.stated, by, months)
            return
        if raised:
            self.ask_for_change("reassessed", since, command.stated, by)
        if paying:
            self.make_good("reassessed", by)

    def reassess_before_two_people(self, command: Reassess, since: str) -> None:
        """As it was: what was found is paid, higher or lower."""
        self.take_facts(command.stated)
        if command.income_stable is not None:
            self.state.income_stable = command.income_stable
        self.start_reassessment()
        if self.state.overdue:
            self.goes_on()
        self.adjust_before_two_people(since, "reassessed")
        if self.state.last_due is None and self.state.stage == Stage.PAYING:
            self.pay_arrears()
