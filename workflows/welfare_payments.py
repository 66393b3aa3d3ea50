"""The months of an entitlement: each is looked at anew, and paid, or left out with its reason. Nobody is forgotten.

How one payment is paid is the part's (workflows/parts/payments.py); its key is person + benefit + month, and the case where it is
paid once. Before a month is paid, it is looked at anew: alive, not suspended, still entitled.
"""

from schemas.clocks.limits import Limit
from schemas.clocks.months import next_month
from schemas.contracts.means import CheckRequest
from schemas.parts.payments import Payment, PaymentPart, PaymentState
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Cadence
from schemas.welfare_rules import pay_deadline, pay_time, until
from schemas.welfare_state import LIVING, Stage
from workflows.kernel import steps
from workflows.welfare_duties import CIVIL_AFFAIRS, Duties

ALIVE_CHECKS = 1000
"""The askings before payments are numbered from here on, apart from those of the application."""

DEATH_REGISTERED = "death_registered"


class Payments(Duties):
    """The part of a case that pays month by month."""

    not_due_because = "not_granted"

    # ---- the month ------------------------------------------------------------------------------------------------

    def set_payday(self, month: str) -> None:
        """The next month that is paid, on its day."""
        terms = self.state.terms
        self.state.month = month
        day = pay_time(month, terms.pay_on, terms.pay_by, self.state.charter.calendar)
        self.start_clock("payday", limit=until(self.now(), day))

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

    def time_to_pay(self, month: str, part: PaymentPart) -> Limit:
        """By when the bank must have paid."""
        if part is PaymentPart.FIRST:
            return self.state.terms.pay_first
        if self.state.rules.cadence is Cadence.ONCE or part is PaymentPart.ARREARS:
            return self.state.terms.pay_once
        return until(self.now(), pay_deadline(month, self.state.terms.pay_by))

    @property
    def occasion(self) -> str | None:
        """What stands in the keys of a benefit that is paid once, so that it can be needed again in the same month."""
        once = self.state.rules.cadence is Cadence.ONCE
        return self.state.case_id if once and self.state.charter.once_keys_name_case else None

    def purpose_of(self, part: PaymentPart) -> str:
        """The benefit; what an advance has left has a name of its own."""
        return f"{self.state.benefit}-rest" if part is PaymentPart.REST else self.state.benefit

    async def rests(self, payment: Payment) -> bool:
        """A registered death, or a reported end, holds it back; of money that may have moved the bank is asked all the same."""
        if not payment.uncertain and await self.death_is_registered(payment):
            self.rest_for_a_death(payment)
            return True
        if self.state.is_held_back(payment):
            payment.state = PaymentState.WAITING
            return True
        return False

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

    # ---- while it lives, somebody holds it when a payment needs a person ------------------------------------------

    def waits_for_a_person(self) -> None:
        """It is with civil affairs."""
        if self.state.stage in LIVING:
            self.state.holder = CIVIL_AFFAIRS

    def waits_for_nobody(self) -> None:
        """It is with nobody again."""
        if self.state.stage in LIVING and self.state.holder == CIVIL_AFFAIRS:
            self.state.holder = ""
