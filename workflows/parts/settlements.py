"""What a person settles of a payment: not due, on one officer's word; paid by hand, on the word of two.

    with a person -> settle_payment not_due          it is not paid
                  -> settle_payment paid_otherwise   said to be paid by hand, under the treasury's voucher; the payee is told
                       -> confirm_settlement          by another person: the month stands in the books, as paid by hand
                       -> decline_settlement          it waits for a person again

While it is said to be paid by hand, nobody pays it once more. In the books it stands beside its entitlement, so that what the
bank has paid too, and what the treasury did not pay out, is a difference (schemas/reconciliation.py).
"""

from typing import TypeVar

from schemas.actor import Actor
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.payments import (
    ConfirmSettlement,
    DeclineSettlement,
    PaidState,
    Payment,
    Settlement,
    SettlementClaimed,
    SettlePayment,
)
from workflows.kernel.law import Law
from workflows.parts.payments import Payments

StateT = TypeVar("StateT", bound=PaidState)

TWO_SAY_THAT_IT_WAS_PAID = Law("two-say-that-it-was-paid", since=2)
"""Patch: before, one officer's word that it was paid by hand closed a payment."""


class Settlements(Payments[StateT]):
    """The part of a case that takes a person's word on a payment."""

    def settle_payment(self, command: SettlePayment, by: Actor) -> None:
        """发放人工处理: not due, or said to be paid by other means."""
        payment = self.payment_meant(command.payment)
        if command.how is Settlement.NOT_DUE:
            self.not_due(payment, command)
        elif self.law_holds(TWO_SAY_THAT_IT_WAS_PAID):
            self.claim_settlement(payment, command, by)
        else:
            self.paid_by_hand_before_two_people(payment, command)

    def not_due(self, payment: Payment, command: SettlePayment) -> None:
        """Nothing is paid."""
        self.record(
            self.paying.kinds.PAYMENT_SETTLED,
            payment=payment.number,
            month=payment.month,
            how=command.how,
            reason=command.reason,
        )
        self.state.payments.remove(payment)
        self.is_settled(payment)

    def paid_by_hand_before_two_people(self, payment: Payment, command: SettlePayment) -> None:
        """As it was: one person's word."""
        self.record(
            self.paying.kinds.PAYMENT_SETTLED,
            payment=payment.number,
            month=payment.month,
            how=command.how,
            reason=command.reason,
        )
        self.has_paid(payment, f"by-hand-{payment.number}")

    def claim_settlement(self, payment: Payment, command: SettlePayment, by: Actor) -> None:
        """登记已另行发放: the payee hears of it, and another person confirms within the limit."""
        self.state.settlements_claimed += 1
        payment.claim = SettlementClaimed(
            number=self.state.settlements_claimed,
            reason=command.reason,
            voucher=command.voucher,
            by=by.subject,
            at=self.now(),
        )
        if not self.clocks.runs("confirm_settlement"):
            self.start_clock("confirm_settlement")
        self.record(
            self.paying.kinds.SETTLEMENT_CLAIMED,
            number=payment.claim.number,
            payment=payment.number,
            month=payment.month,
            amount_fen=payment.amount_fen,
            voucher=command.voucher,
            reason=command.reason,
            by=by.role,
        )
        self.notify(THE_REPORTER, "payment_claimed", year=int(payment.month[:4]), month=int(payment.month[5:]))
        self.notify(self.paying.desk, "settlement_confirmation_due")

    def confirm_settlement(self, command: ConfirmSettlement, by: Actor) -> None:
        """确认已另行发放: by a second person; only now the month is paid."""
        payment, claim = self.answered(command.request, by)
        self.record(
            self.paying.kinds.PAYMENT_SETTLED,
            payment=payment.number,
            month=payment.month,
            how=Settlement.PAID_OTHERWISE,
            reason=claim.reason,
            number=claim.number,
            by=by.role,
        )
        self.has_paid(
            payment,
            f"by-hand-{payment.number}",
            entitlement=self.key_of(payment),
            voucher=claim.voucher,
            number=claim.number,
        )

    def decline_settlement(self, command: DeclineSettlement, by: Actor) -> None:
        """未另行发放: it waits for a person again."""
        payment, claim = self.answered(command.request, by)
        self.record(
            self.paying.kinds.SETTLEMENT_DECLINED,
            number=claim.number,
            payment=payment.number,
            month=payment.month,
            reason=command.reason,
            by=by.role,
        )
        self.after_failure()

    def answered(self, number: int | None, by: Actor) -> tuple[Payment, SettlementClaimed]:
        """The payment that is answered about, the oldest when none is named; its claim does not wait any more."""
        waiting = [(payment, payment.claim) for payment in self.state.payments if payment.claim is not None]
        payment, claim = next((each for each in waiting if each[1].number == number), waiting[0])
        payment.claim = None
        if len(waiting) == 1:
            self.clocks.stop("confirm_settlement", by.subject)
        return payment, claim
