"""What would pay more is decided on by others: reviewed, asked of the registers anew, confirmed, countersigned.

    asked (`welfare_changes`) -> (registers that the facts touch answer) -> review_change -> confirm_change
          -> (countersign_change) -> counts
          -> refuse_change: with its reason; what is paid stays as it is

Confirmed, the difference is paid for the months since, as far back as the policy says. While payment rests, nobody decides and
the clocks rest too.
"""

from schemas.clocks.months import month_at, months_back
from schemas.parts.payments import PaymentPart
from schemas.values.actor import Actor
from schemas.welfare_entitlement import ConfirmChange, ReviewChange
from schemas.welfare_entries import Kind
from schemas.welfare_rules import Assessment, assess, underpaid
from schemas.welfare_state import ChangeAsked
from workflows.welfare_duties import (
    APPLICANT,
    CIVIL_AFFAIRS,
)
from workflows.welfare_endings import WelfareEndings


class Raises(WelfareEndings):
    """The part of a case that lets nobody raise an amount alone."""

    # ---- decided on -------------------------------------------------------------------------------------------------

    def review_change(self, command: ReviewChange, by: Actor) -> None:
        """调整初审: not by who asked; then civil affairs confirms."""
        change = self.change_that_waits()
        change.reviewed_by = by.subject
        amount = self.amount_asked()
        self.clocks.stop("review_change", by.subject)
        self.record(
            Kind.CHANGE_REVIEWED,
            number=change.number,
            opinion=command.opinion,
            amount_fen=amount.amount_fen,
            arithmetic=amount.arithmetic,
            before_fen=change.before_fen,
        )
        self.await_confirmation_of_change()

    def confirm_change(self, command: ConfirmChange, by: Actor) -> None:
        """确认调整: not by who asked or reviewed; above the amount of the policy somebody else signs too."""
        change = self.change_that_waits()
        change.confirmed_by = by.subject
        self.clocks.stop("confirm_change", by.subject)
        amount = self.amount_asked() if change.stated else self.arrears_of(change.months)
        change.amount_fen = amount.amount_fen
        second = bool(change.stated) and change.amount_fen > self.state.rules.second_signature_above_fen
        self.record(
            Kind.CHANGE_CONFIRMED,
            number=change.number,
            opinion=command.opinion,
            amount_fen=change.amount_fen,
            arithmetic=amount.arithmetic,
            before_fen=change.before_fen,
            second_signature=second,
        )
        if second:
            self.start_change_duty("countersign_change")
            self.notify(CIVIL_AFFAIRS, "change_countersignature_due")
        else:
            self.change_counts()

    def countersign_change(self, by: Actor) -> None:
        """双签调整: a second person agrees too."""
        change = self.change_that_waits()
        self.clocks.stop("countersign_change", by.subject)
        self.record(Kind.CHANGE_COUNTERSIGNED, number=change.number, by=by.role)
        self.change_counts()

    def refuse_change(self, by: Actor) -> None:
        """不予调整: what is paid stays as it is; months whose payment was asked for are not paid."""
        change = self.change_that_waits()
        self.forget_change(by.subject)
        self.record_command(number=change.number, months=list(change.months), by=by.role)
        self.notify(APPLICANT, "change_refused")

    # ---- counts -----------------------------------------------------------------------------------------------------

    def change_counts(self) -> None:
        """Now the facts count, with what the registers told, and the months that were left out are paid."""
        change = self.change_that_waits()
        self.state.checked |= change.checked
        self.take_facts(change.stated)
        self.forget_change("engine")
        due = assess(self.state.rules, self.state.household, month_at(self.now()))
        if due.amount_fen > self.state.granted_fen:
            self.raise_to(due, change)
        elif change.stated:
            self.lower(change.since, change.cause)
        if self.state.last_due is None:
            self.state.skipped = [*change.months]
            self.pay_arrears()

    def raise_to(self, due: Assessment, change: ChangeAsked) -> None:
        """调高: from now on, and the difference for the months since that were paid already."""
        earliest = months_back(month_at(self.now()), self.state.terms.arrears_months_at_most)
        since = max(change.since, earliest)
        short = underpaid(self.state.rules, self.state.household, self.paid_or_coming(), since)
        self.grant_anew(due, change.cause, since=since, change=change.number, arrears=short)
        self.tell_amount(due)
        for month, fen in short.items():
            self.pay(month, fen, PaymentPart.ARREARS, f"{self.state.benefit}-arrears-{change.number}")

    def paid_or_coming(self) -> dict[str, int]:
        """What was paid by month, or is on its way."""
        coming = dict(self.state.paid_fen())
        for payment in self.state.payments:
            coming[payment.month] = coming.get(payment.month, 0) + payment.amount_fen
        return coming
