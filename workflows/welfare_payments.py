"""The payments of an entitlement: each month once, for as long as it lives. Nobody is paid twice, nobody is forgotten.

    due -> paid                                      the bank has paid; the month stands in the books
        -> unreachable: again, under the same key    the money may have moved: never another key
        -> returned, refused: a new attempt          nothing was paid; after so many, or at once where it cannot help,
        -> with a person: retry_payment | settle_payment: not due, or said to be paid by hand, which another person confirms

The key is person + benefit + month, and the case where it is paid once. Before a month is paid, it is looked at anew: alive,
not suspended, still entitled.
"""

from typing import TypeVar

from temporalio import workflow

from schemas.clocks.limits import Limit
from schemas.contracts.means import CheckRequest
from schemas.contracts.payment import (
    PaymentStatus,
    PayReceipt,
    PayRequest,
    PayStatus,
    StatusRequest,
    benefit_of,
    payment_key,
)
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.welfare_entitlement import PaymentReturned
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Cadence
from schemas.welfare_rules import next_month, pay_deadline, pay_time, until
from schemas.welfare_state import LIVING, PaidOut, Payment, PaymentPart, PaymentState, Stage
from workflows.kernel import steps
from workflows.kernel.case import command
from workflows.welfare_duties import APPLICANT, CIVIL_AFFAIRS, Duties

HOPELESS = frozenset({"no-bank", "person-erased", "account-withheld"})
"""What no new attempt could help: a person has to find another way."""

ALIVE_CHECKS = 1000
"""The askings before payments are numbered from here on, apart from those of the application."""

DEATH_REGISTERED = "death_registered"

ANSWERS_ARE_OF_THEIR_QUESTION = "payment-answers-are-of-their-question"
"""Patch: before, what was said of another payment was taken for this one, and its key went into the books."""

OF_ANOTHER = "another-payment"
"""The code under which it is kept that an answer was about another payment: of this one nobody has said anything."""


AnswerT = TypeVar("AnswerT", PayReceipt, PaymentStatus)


class Payments(Duties):
    """The part of a case that pays."""

    # ---- the month ------------------------------------------------------------------------------------------------

    def set_payday(self, month: str) -> None:
        """The next month that is paid, on its day."""
        terms = self.state.terms
        self.state.month = month
        day = pay_time(month, terms.pay_on, terms.pay_by, self.state.charter.calendar)
        self.start_window("payday", until(self.now(), day))

    def pay_the_month(self) -> None:
        """It is pay day: the month is due, or is left out with its reason; then comes the next month, in a new run."""
        month = self.state.month
        assert month is not None, "the clock of a pay day has its month"  # noqa: S101 - both are set together
        if self.state.stage == Stage.PAYMENT_SUSPENDED:
            self.skip(month, "suspended")
        else:
            self.pay_for_month(month)
        if self.state.stage in LIVING and self.state.last_due is None:
            self.set_payday(next_month(month))
        self.state.month_over = True

    def pay_for_month(self, month: str) -> None:
        """Pay what the rule gives in that month: an age reached, for instance, raises it by itself."""
        raise NotImplementedError

    def skip(self, month: str, why: str) -> None:
        """The month is not paid now; should payment go on, it is paid then."""
        self.state.skipped.append(month)
        self.record(Kind.PAYMENT_SKIPPED, month=month, why=why)
        self.notify(CIVIL_AFFAIRS, "payment_skipped", year=int(month[:4]), month=int(month[5:]))

    def pay_arrears(self) -> None:
        """补发: the months that were left out."""
        skipped, self.state.skipped = self.state.skipped, []
        for month in skipped:
            self.pay_for_month(month)

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
        benefit = paid_as or (f"{self.state.benefit}-rest" if part is PaymentPart.REST else self.state.benefit)
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
            self.start_duty("pay", self.time_to_pay(month, part))
        self.record(Kind.PAYMENT_DUE, payment=number, month=month, part=part, amount_fen=amount_fen, **facts)
        self.errand("pay", number)

    def time_to_pay(self, month: str, part: PaymentPart) -> Limit:
        """By when the bank must have paid."""
        if part is PaymentPart.FIRST:
            return self.state.terms.pay_first
        if self.state.rules.cadence is Cadence.ONCE or part is PaymentPart.ARREARS:
            return self.state.terms.pay_once
        return until(self.now(), pay_deadline(month, self.state.terms.pay_by))

    async def errand_pay(self, number: int) -> None:
        """Ask whether the person lives, and the bank to pay."""
        for payment in [payment for payment in self.state.payments if payment.number == number]:
            if not payment.uncertain and await self.death_is_registered(payment):
                self.rest_for_a_death(payment)
                continue
            if self.state.is_held_back(payment):
                payment.state = PaymentState.WAITING
                continue
            receipt = await self.answer_after_due_clocks(
                steps.pay(
                    PayRequest(
                        case_id=self.state.case_id,
                        payee=self.state.reporter,
                        statement=self.state.statements.get(self.state.reporter),
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
                    Kind.PAYMENT_SETTLED, payment=number, month=payment.month, how="not_due", cause="not_granted"
                )

    @property
    def occasion(self) -> str | None:
        """What stands in the keys of a benefit that is paid once, so that it can be needed again in the same month."""
        once = self.state.rules.cadence is Cadence.ONCE
        return self.state.case_id if once and self.state.charter.once_keys_name_case else None

    def key_of(self, payment: Payment) -> str:
        """The key under which the bank is asked, or was."""
        return payment_key(self.state.reporter, payment.benefit, payment.month, payment.attempt, occasion=self.occasion)

    def attempt_of(self, payment: Payment, key: str) -> int:
        """The attempt that a key stands for."""
        first = payment_key(self.state.reporter, payment.benefit, payment.month, occasion=self.occasion)
        return int(key.removeprefix(f"{first}.")) if key != first else 1

    @staticmethod
    def of_its_question(answer: AnswerT, key: str) -> AnswerT:
        """The answer, if it is about this payment; else nobody knows whether the money moved."""
        if answer.payment_key == key or not workflow.patched(ANSWERS_ARE_OF_THEIR_QUESTION):
            return answer
        return type(answer)(payment_key=key, status=PayStatus.UNREACHABLE, code=OF_ANOTHER)

    async def death_is_registered(self, payment: Payment) -> bool:
        """Look before each monthly payment. A register that does not answer holds up nobody's money."""
        source = self.state.terms.alive_by
        if source is None or payment.part is not PaymentPart.WHOLE or self.state.rules.cadence is Cadence.ONCE:
            return False
        answer = await self.answer_after_due_clocks(
            steps.ask_source(
                CheckRequest(
                    case_id=self.state.case_id,
                    check=source,
                    number=ALIVE_CHECKS + payment.number,
                    person=self.state.reporter,
                    statements=self.state.statements_of(self.state.reporter),
                    as_of=self.now(),
                )
            )
        )
        return answer.facts.get(DEATH_REGISTERED, 0) > 0

    def rest_for_a_death(self, payment: Payment) -> None:
        """The register knows of a death: nothing is paid until a person has looked."""
        raise NotImplementedError

    def take_receipt(self, payment: Payment, receipt: PayReceipt) -> None:
        """What the bank said."""
        payment.tries += 1
        payment.last = receipt.status
        facts = {"payment": payment.number, "month": payment.month, "key": receipt.payment_key}
        if receipt.paid:
            self.has_paid(payment, receipt.payment_key, bank_reference=receipt.bank_reference)
            return
        payment.uncertain = receipt.status is PayStatus.UNREACHABLE
        self.record(Kind.PAYMENT_FAILED, **facts, status=receipt.status, code=receipt.code)
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
            self.start_window("pay_again", self.state.terms.pay_again)

    def after_failure(self) -> None:
        """What a payment that did not succeed means for an entitlement that ends."""
        raise NotImplementedError

    def has_paid(self, payment: Payment, key: str, **facts: str | int | None) -> None:
        """The month stands in the books."""
        self.state.payments.remove(payment)
        paid = PaidOut(key=key, amount_fen=payment.amount_fen, part=payment.part)
        self.state.paid.setdefault(payment.month, []).append(paid)
        self.record(
            Kind.PAID, payment=payment.number, month=payment.month, amount_fen=payment.amount_fen, key=key, **facts
        )
        self.notify(
            APPLICANT,
            "payment_made",
            year=int(payment.month[:4]),
            month=int(payment.month[5:]),
            yuan=payment.amount_fen // 100,
            fen=payment.amount_fen % 100,
        )
        self.is_settled(payment)

    def is_settled(self, payment: Payment) -> None:
        """A payment is over, well or not. What follows for the entitlement is the other part's."""
        if not self.state.payments:
            self.clocks.stop("pay", "engine")
            self.clocks.stop("pay_again", "engine")
        if self.state.stage in LIVING and not self.state.with_a_person() and self.state.holder == CIVIL_AFFAIRS:
            self.state.holder = ""
        self.after_payment(payment)

    def after_payment(self, payment: Payment) -> None:
        """What a payment that is over means for the entitlement."""
        raise NotImplementedError

    def put_to_a_person(self, payment: Payment) -> None:
        """The machine has done what it can."""
        payment.state = PaymentState.WITH_A_PERSON
        if self.state.stage in LIVING:
            self.state.holder = CIVIL_AFFAIRS
        self.record(Kind.PAYMENT_WITH_A_PERSON, payment=payment.number, month=payment.month, last=payment.last)
        self.notify(
            CIVIL_AFFAIRS,
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
                self.record(Kind.PAYMENT_RETRIED, payment=payment.number, month=payment.month, attempt=payment.attempt)
                self.errand("pay", payment.number)

    # ---- what people do about payments ----------------------------------------------------------------------------

    def payment_meant(self, number: int | None) -> Payment:
        """The payment that a person speaks of; the oldest one that waits when they name none."""
        waiting = self.state.waiting_payments()
        return next((payment for payment in waiting if payment.number == number), waiting[0])

    def try_again(self, payment: Payment, by: Actor, account: TextReference | None = None) -> None:
        """Put a payment that waits for a person on its way once more."""
        if payment.last in (PayStatus.RETURNED, PayStatus.REFUSED):
            payment.attempt += 1
        payment.tries = 0
        payment.state = PaymentState.UNDER_WAY
        self.record(
            Kind.PAYMENT_RETRIED,
            payment=payment.number,
            month=payment.month,
            attempt=payment.attempt,
            account=account,
            by=by.role,
        )
        self.errand("pay", payment.number)

    @command
    def payment_returned(self, command: PaymentReturned, by: Actor) -> None:  # noqa: ARG002 - the bank's own word
        """银行退回: the month is not paid after all; it is tried again, or put to a person."""
        found = [
            (month, paid)
            for month, parts in self.state.paid.items()
            for paid in parts
            if paid.key == command.payment_key
        ]
        self.record(
            Kind.PAYMENT_RETURNED,
            key=command.payment_key,
            amount_fen=command.amount_fen,
            code=command.code,
            bank_reference=command.bank_reference,
            known=bool(found),
        )
        for month, paid in found:
            self.take_back(month, paid, command)

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
        if payment.tries >= self.state.terms.pay_attempts_at_most:
            payment.attempt -= 1
            self.put_to_a_person(payment)
            return
        self.notify(APPLICANT, "payment_came_back", year=int(month[:4]), month=int(month[5:]))
        self.try_later(payment)
