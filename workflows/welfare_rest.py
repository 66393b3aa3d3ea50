"""暂停发放 payment rests, and goes on: while something is looked into, or a second person has to say that it ends.

paying -> payment_suspended -> paying       with the months left out in between, or without them
a reported end (a death, a move, an income above the limit) by anybody but the payee: payment rests at once
"""

from collections.abc import Mapping

from schemas.kernel.acts import Step
from schemas.parts.payments import Payment
from schemas.values.actor import Actor, Role
from schemas.welfare_entitlement import Change, ReportChange, SuspendPayment
from schemas.welfare_entries import Kind
from schemas.welfare_state import EndReported, Stage
from workflows.welfare_changes import Changes
from workflows.welfare_duties import (
    APPLICANT,
    CIVIL_AFFAIRS,
    TWO_SAY_THAT_IT_ENDS,
)


class Rest(Changes):
    """The part of an entitlement in which payment rests."""

    def suspend(self, why: str, **facts: str) -> None:
        """暂停发放: months are left out until it goes on; rested too long, it ends."""
        self.start_clock("suspended")
        self.hold_change()
        self.move(Stage.PAYMENT_SUSPENDED, CIVIL_AFFAIRS)
        self.record(Kind.SUSPENDED, why=why, **facts)
        self.notify(APPLICANT, "payment_suspended", why=why)
        self.notify(CIVIL_AFFAIRS, "payment_suspended", why=why)

    def goes_on(self) -> None:
        """Payment goes on."""
        self.clocks.stop("suspended", "engine")
        self.state.overdue = False
        self.move(Stage.PAYING, CIVIL_AFFAIRS if self.state.with_a_person() else "")
        self.go_on_with_change()

    def suspend_payment(self, command: SuspendPayment, by: Actor) -> None:
        """暂停发放: by a person, while something is looked into."""
        self.suspend("by_a_person", reason=command.reason, by=by.role)

    def suspend_overdue(self, _step: Step) -> None:
        """逾期未复核: payment rests; the household is told, and gets what was left out when it goes on."""
        self.state.overdue = True
        self.suspend("reassessment_overdue")

    def rest_for_a_death(self, payment: Payment) -> None:
        """The register knows of a death: the month is not paid, and somebody finds out since when."""
        self.state.payments.remove(payment)
        if self.law_holds_here(TWO_SAY_THAT_IT_ENDS):
            self.state.death_registered = True
        if self.state.stage == Stage.PAYING:
            self.suspend("death_registered")
        self.skip(payment.month, "death_registered")
        self.is_settled(payment)

    # ---- a reported end ---------------------------------------------------------------------------------------------

    def ask_for_end(self, cause: str, last_due: str, by: Actor, stated: Mapping[str, int] | None = None) -> None:
        """报告终止: in place of one that was reported before; payments that would not be due are held back."""
        before = self.state.end_asked
        self.state.ends_asked += 1
        end = EndReported(
            number=self.state.ends_asked,
            cause=cause,
            last_due=last_due,
            stated=dict(stated or {}),
            asked_by=by.subject,
            asked_at=self.now(),
            rests=before.rests if before is not None else self.state.stage == Stage.PAYING,
        )
        self.state.end_asked = end
        self.start_clock("confirm_end")
        self.record(
            Kind.END_ASKED,
            number=end.number,
            cause=cause,
            last_due=last_due,
            instead_of=before.number if before else None,
            by=by.role,
        )
        self.notify(APPLICANT, "end_asked", cause=cause)
        self.notify(CIVIL_AFFAIRS, "end_confirmation_due")
        if self.state.stage == Stage.PAYING:
            self.suspend("end_reported")
        if cause == Change.DEATH and self.state.terms.alive_by is not None:
            self.errand("ask_of_death", end.number)

    def takes_two_to_end(self, command: ReportChange, by: Actor) -> bool:
        """Whether a report alone ends nothing: not the payee's own word on their own life, nor what the register knows."""
        dead = command.change is Change.DEATH
        known = self.state.death_registered if dead else by.role is Role.RESIDENT
        return not known and self.law_holds(TWO_SAY_THAT_IT_ENDS)
