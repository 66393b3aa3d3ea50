"""发放: each payment once, under a key of its own; what the bank cannot do is put to a person (schemas/parts/payments.py).

A procedure that pays derives from `Accounts` (accounts.py), says for what purpose (`purpose_of`) and what follows
(`after_payment`), and puts a payment on its way with `pay(...)`. A case that is final waits for money that is on its way; what
waited is not paid.
"""

from typing import ClassVar, TypeVar

from temporalio import workflow

from schemas.clocks.limits import Limit
from schemas.contracts.payment import (
    PaymentStatus,
    PayReceipt,
    PayRequest,
    PayStatus,
    StatusRequest,
    benefit_of,
    payment_key,
)
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.payments import (
    PaidOut,
    PaidState,
    Paying,
    Payment,
    PaymentPart,
    PaymentReturned,
    PaymentState,
)
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from workflows.kernel import steps
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=PaidState)
AnswerT = TypeVar("AnswerT", PayReceipt, PaymentStatus)

HOPELESS = frozenset({"no-bank", "person-erased", "account-withheld"})
"""What no new attempt could help: a person has to find another way."""

ANSWERS_ARE_OF_THEIR_QUESTION = "payment-answers-are-of-their-question"
"""Patch: before, what was said of another payment was taken for this one, and its key went into the books."""

OF_ANOTHER = "another-payment"
"""The code under which it is kept that an answer was about another payment: of this one nobody has said anything."""

MONEY_ON_ITS_WAY = ("pay/", "find_out/", "recover/")
"""The errands that a final case still waits for: money on its way, and money to come back."""


class Payments(DeclaredCase[StateT]):
    """The part of a case that pays. `not_due_because`: what is said of payments that waited when it became final."""

    not_due_because: ClassVar[str] = "ended"

    # ---- for procedures -------------------------------------------------------------------------------------------

    def purpose_of(self, part: PaymentPart) -> str:
        """Return for what the bank pays: a code that stands in the key. The procedure, unless it pays for more than one thing."""
        name = self.procedure.name.replace("_", "-")
        return name if part is PaymentPart.WHOLE else f"{name}-{part}"

    @property
    def occasion(self) -> str | None:
        """What stands in the keys of what is paid once, so that it can be needed again in the same month: the case."""
        return self.state.case_id.replace(".", "-")  # a key is split at its dots

    def time_to_pay(self, month: str, part: PaymentPart) -> Limit:  # noqa: ARG002 - some procedures pay by a day of the month
        """Return by when the bank must have paid."""
        return self.procedure.timers["pay"].limit_under(self.state.terms, self.state)

    async def rests(self, payment: Payment) -> bool:  # noqa: ARG002 - most look at nothing more
        """Look before each payment; True: it is not paid now, and whoever looked has said what becomes of it."""
        return False

    def after_payment(self, payment: Payment) -> None:
        """Go on: a payment is over, well or not. Nothing, unless the procedure says."""

    def is_paid_by(self, payment: Payment, key: str) -> None:
        """Say whose it is what was paid by a key. Nothing, unless the procedure pays one after another."""

    def after_failure(self) -> None:
        """A payment did not succeed, or was not made by hand after all. Nothing, unless the procedure says."""

    def after_return(self) -> None:
        """A payment came back, and waits to be tried again, or for a person. Nothing, unless the procedure says."""

    def waits_for_a_person(self) -> None:
        """Somebody has to look at a payment: whose the case is then. Whose it was, unless the procedure says."""

    def waits_for_nobody(self) -> None:
        """Nobody has to look at a payment any more."""

    # ---- the story ------------------------------------------------------------------------------------------------

    @property
    def paying(self) -> Paying:
        """How the procedure pays. Raises TypeError: it declares no payments."""
        return self.procedure.part(Paying)

    @property
    def business(self) -> list[str]:
        """What a final case still has to do outside."""
        return [errand for errand in self.state.errands if errand.startswith(MONEY_ON_ITS_WAY)]

    async def story(self) -> None:
        """As long as anything can happen, then until no money is on its way."""
        await super().story()
        await self.until(lambda: not self.business)

    def on_clock_passed(self, clock: str) -> None:
        """再次发放: what did not succeed is tried again; the window is over, so that it can begin anew."""
        if clock == "pay_again":
            self.clocks.stop(clock, "engine")
            self.pay_those_that_wait()
        else:
            super().on_clock_passed(clock)

    def on_finished(self) -> None:
        """The case is final: what waits is not paid any more, and of what may have moved the bank is asked."""
        self.drop_what_waits()
        super().on_finished()

    def drop_what_waits(self) -> None:
        """What waits is not due any more, what is on its way is awaited.

        Where the bank gave no answer the money may have moved: it is asked what became of it, and not told to pay.
        """
        for payment in list(self.state.payments):
            if payment.uncertain and payment.state is not PaymentState.UNDER_WAY:
                payment.state = PaymentState.UNDER_WAY
                self.errand("find_out", payment.number)
            elif payment.state is not PaymentState.UNDER_WAY:
                self.state.payments.remove(payment)
                self.record(
                    self.paying.kinds.PAYMENT_SETTLED,
                    payment=payment.number,
                    month=payment.month,
                    how="not_due",
                    cause=self.not_due_because,
                    **({} if payment.claim is None else {"number": payment.claim.number}),
                )

    # ---- one payment ----------------------------------------------------------------------------------------------

    def pay(
        self,
        month: str,
        amount_fen: int,
        part: PaymentPart = PaymentPart.WHOLE,
        paid_as: str | None = None,
        **facts: list[int],
    ) -> None:
        """Put a payment on its way. `paid_as`: by what name the bank pays it, if not by that of its part."""
        self.state.payments_made += 1
        number = self.state.payments_made
        benefit = paid_as or self.purpose_of(part)
        self.state.payments.append(
            Payment(
                number=number,
                month=month,
                benefit=benefit,
                part=part,
                amount_fen=amount_fen,
                due_since=self.now(),
            )
        )
        if not self.clocks.runs("pay"):
            tiers = self.procedure.timers["pay"].tiers_under(self.state.terms, self.state)
            self.clocks.start("pay", self.time_to_pay(month, part), "engine", tiers=tiers)
        self.record(
            self.paying.kinds.PAYMENT_DUE, payment=number, month=month, part=part, amount_fen=amount_fen, **facts
        )
        self.errand("pay", number)

    async def errand_pay(self, number: int) -> None:
        """Ask the bank to pay, once by this key."""
        for payment in [payment for payment in self.state.payments if payment.number == number]:
            if await self.rests(payment):
                continue
            receipt = await self.answer_after_due_clocks(
                steps.pay(
                    PayRequest(
                        case_id=self.state.case_id,
                        payee=self.state.payee,
                        payee_name=self.state.payee_name,
                        statement=self.state.statements.get(self.state.payee),
                        account=self.state.account,
                        amount_fen=payment.amount_fen,
                        benefit=payment.benefit,
                        month=payment.month,
                        occasion=self.occasion,
                        attempt=payment.attempt,
                        as_of=self.now(),
                    )
                )
            )
            self.take_receipt(payment, self.of_its_question(receipt, self.key_of(payment)))

    async def errand_find_out(self, number: int) -> None:
        """Ask the bank what became of a payment that is not due any more; without its word it is a person's to find out."""
        for payment in [payment for payment in self.state.payments if payment.number == number]:
            key = self.key_of(payment)
            asked = steps.payment_status(StatusRequest(case_id=self.state.case_id, payment_key=key))
            status = self.of_its_question(await self.answer_after_due_clocks(asked), key)
            if status.status is PayStatus.PAID:
                self.has_paid(payment, key, bank_reference=status.bank_reference)
            elif status.status is PayStatus.UNREACHABLE:
                self.put_to_a_person(payment)
            else:
                self.state.payments.remove(payment)
                self.record(
                    self.paying.kinds.PAYMENT_SETTLED,
                    payment=number,
                    month=payment.month,
                    how="not_due",
                    cause=self.not_due_because,
                )

    def key_of(self, payment: Payment) -> str:
        """The key under which the bank is asked, or was."""
        return payment_key(self.state.payee, payment.benefit, payment.month, payment.attempt, occasion=self.occasion)

    def attempt_of(self, payment: Payment, key: str) -> int:
        """The attempt that a key stands for."""
        first = payment_key(self.state.payee, payment.benefit, payment.month, occasion=self.occasion)
        return int(key.removeprefix(f"{first}.")) if key != first else 1

    def is_of_another(self, payment: Payment, key: str) -> bool:  # noqa: ARG002 - most pay one payee
        """Whether what came back under a key was for who is not paid any more. Never, unless the procedure says."""
        return False

    @staticmethod
    def of_its_question(answer: AnswerT, key: str) -> AnswerT:
        """The answer, if it is about this payment; else nobody knows whether the money moved."""
        if answer.payment_key == key or not workflow.patched(ANSWERS_ARE_OF_THEIR_QUESTION):
            return answer
        return type(answer)(payment_key=key, status=PayStatus.UNREACHABLE, code=OF_ANOTHER)

    def take_receipt(self, payment: Payment, receipt: PayReceipt) -> None:
        """What the bank said."""
        payment.tries += 1
        payment.last = receipt.status
        facts = {"payment": payment.number, "month": payment.month, "key": receipt.payment_key}
        if receipt.paid:
            self.has_paid(payment, receipt.payment_key, bank_reference=receipt.bank_reference)
            return
        payment.uncertain = receipt.status is PayStatus.UNREACHABLE
        payment.disputed = payment.disputed or receipt.status is PayStatus.CONFLICT
        self.record(self.paying.kinds.PAYMENT_FAILED, **facts, status=receipt.status, code=receipt.code)
        hopeless = receipt.status is PayStatus.CONFLICT or receipt.code in HOPELESS or self.state.closed_at is not None
        if hopeless or payment.tries >= self.state.terms.pay_attempts_at_most:
            self.put_to_a_person(payment)
        else:
            payment.attempt += not payment.uncertain
            self.try_later(payment)
        self.after_failure()

    def try_later(self, payment: Payment) -> None:
        """It is tried again by itself."""
        payment.state = PaymentState.WAITING
        if not self.clocks.runs("pay_again"):
            self.start_clock("pay_again")

    def has_paid(self, payment: Payment, key: str, **facts: str | int | None) -> None:
        """The month stands in the books."""
        self.is_paid_by(payment, key)
        self.state.payments.remove(payment)
        paid = PaidOut(key=key, amount_fen=payment.amount_fen, part=payment.part)
        self.state.paid.setdefault(payment.month, []).append(paid)
        self.record(
            self.paying.kinds.PAID,
            payment=payment.number,
            month=payment.month,
            amount_fen=payment.amount_fen,
            key=key,
            **facts,
        )
        self.notify(
            THE_REPORTER,
            "payment_made",
            year=int(payment.month[:4]),
            month=int(payment.month[5:]),
            yuan=payment.amount_fen // 100,
            fen=payment.amount_fen % 100,
        )
        self.is_settled(payment)

    def is_settled(self, payment: Payment) -> None:
        """A payment is over, well or not. What follows is the procedure's."""
        if not self.state.payments:
            self.clocks.stop("pay", "engine")
            self.clocks.stop("pay_again", "engine")
        if not self.state.with_a_person():
            self.waits_for_nobody()
        self.after_payment(payment)

    def put_to_a_person(self, payment: Payment) -> None:
        """The machine has done what it can."""
        payment.state = PaymentState.WITH_A_PERSON
        self.waits_for_a_person()
        self.record(
            self.paying.kinds.PAYMENT_WITH_A_PERSON, payment=payment.number, month=payment.month, last=payment.last
        )
        self.notify(
            self.paying.desk,
            "payment_with_a_person",
            payment=payment.number,
            year=int(payment.month[:4]),
            month=int(payment.month[5:]),
        )

    def pay_those_that_wait(self) -> None:
        """再次发放: those that did not succeed and may be tried again by themselves."""
        for payment in self.state.payments:
            if payment.state is PaymentState.WAITING and not self.state.is_held_back(payment):
                payment.state = PaymentState.UNDER_WAY
                self.record(
                    self.paying.kinds.PAYMENT_RETRIED,
                    payment=payment.number,
                    month=payment.month,
                    attempt=payment.attempt,
                )
                self.errand("pay", payment.number)

    # ---- what people do about payments ----------------------------------------------------------------------------

    def payment_meant(self, number: int | None, *, again: bool = False) -> Payment:
        """The payment that a person speaks of; the oldest one that waits (`again`: that may be tried again) when they name none.

        What came back of who is not paid any more is not meant before that, unless it is named.
        """
        every = self.state.payable() if again else self.state.waiting_payments()
        waiting = sorted(every, key=lambda payment: payment.of_another)
        return next((payment for payment in waiting if payment.number == number), waiting[0])

    def try_again(self, payment: Payment, by: Actor, account: TextReference | None = None) -> None:
        """Put a payment that waits for a person on its way once more."""
        if payment.last in (PayStatus.RETURNED, PayStatus.REFUSED):
            payment.attempt += 1
        payment.tries = 0
        payment.state = PaymentState.UNDER_WAY
        self.record(
            self.paying.kinds.PAYMENT_RETRIED,
            payment=payment.number,
            month=payment.month,
            attempt=payment.attempt,
            account=account,
            by=by.role,
        )
        self.errand("pay", payment.number)

    def payment_returned(self, command: PaymentReturned) -> None:
        """银行退回: the month is not paid after all; it is tried again, or put to a person."""
        found = [
            (month, paid)
            for month, parts in self.state.paid.items()
            for paid in parts
            if paid.key == command.payment_key
        ]
        self.record(
            self.paying.kinds.PAYMENT_RETURNED,
            key=command.payment_key,
            amount_fen=command.amount_fen,
            code=command.code,
            bank_reference=command.bank_reference,
            known=bool(found),
        )
        for month, paid in found:
            self.take_back(month, paid, command)
        self.after_return()

    def take_back(self, month: str, paid: PaidOut, returned: PaymentReturned) -> None:
        """Take a payment out of the books and put it on its way once more, with another attempt."""
        self.state.paid[month].remove(paid)
        if not self.state.paid[month]:
            del self.state.paid[month]
        self.pay(month, paid.amount_fen, paid.part, benefit_of(paid.key))
        payment = self.state.payments[-1]
        self.state.errands.remove(f"pay/{payment.number}")
        payment.attempt = self.attempt_of(payment, returned.payment_key) + 1
        payment.tries, payment.last = payment.attempt - 1, PayStatus.RETURNED
        if self.is_of_another(payment, returned.payment_key):
            payment.of_another = True
            self.put_to_a_person(payment)
            return
        if payment.tries >= self.state.terms.pay_attempts_at_most:
            payment.attempt -= 1
            self.put_to_a_person(payment)
            return
        self.notify(THE_REPORTER, "payment_came_back", year=int(month[:4]), month=int(month[5:]))
        self.try_later(payment)
