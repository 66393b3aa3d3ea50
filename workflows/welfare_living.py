"""The entitlement while it lives: granted, changed, reassessed, ended.

    granted -> paying <-> payment_suspended -> ended
    report_change: death and move end it, income and household adjust it by the rule of the benefit
    reassess: yearly, half-yearly where income is unstable; overdue, payment rests, and is made good when it goes on
    what would pay more, or pay much of what was left out, is asked for and decided on by others (`welfare_changes`)

It is final when every month that is due has been paid or settled. What was paid beyond that comes back as a recovery.
"""

from typing import Any

from schemas.clocks.months import month_at, month_before, next_month
from schemas.parts.payments import Payment, PaymentPart, PaymentState
from schemas.values.actor import Actor
from schemas.welfare_entitlement import Change, EndEntitlement, ReportChange
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Cadence
from schemas.welfare_rules import Assessment, assess, overpaid
from schemas.welfare_state import LIVING, Stage, WelfareState
from workflows.welfare_duties import APPLICANT, CIVIL_AFFAIRS, TWO_DECIDE_ON_A_RAISE
from workflows.welfare_rest import Rest


class Entitlement(Rest):
    """The part of a case that lives for years."""

    # ---- granting ---------------------------------------------------------------------------------------------------

    def __init__(self, state: WelfareState) -> None:
        state.month_over = False
        super().__init__(state)

    def grant(self) -> None:
        """给予救助: monthly from the month after, or once. What urgent aid paid first is part of it."""
        granted = self.state.assessed(self.now())
        self.state.granted = granted
        self.clocks.stop("whole", "engine")
        self.move(Stage.PAYING, CIVIL_AFFAIRS if self.state.with_a_person() else "")
        self.start_reassessment()
        first = next_month(month_at(self.now()))
        monthly = self.state.rules.cadence is Cadence.MONTHLY
        if monthly:
            self.set_payday(first)
        self.record(
            Kind.GRANTED,
            amount_fen=granted.amount_fen,
            arithmetic=granted.arithmetic,
            cadence=self.state.rules.cadence,
            first_month=first if monthly else None,
        )
        self.notify(APPLICANT, "welfare_granted", yuan=granted.amount_fen // 100, fen=granted.amount_fen % 100)
        if not monthly:
            self.pay_the_rest(granted.amount_fen)

    def start_reassessment(self) -> None:
        """定期复核: yearly; half-yearly where income is unstable."""
        if self.state.rules.cadence is Cadence.MONTHLY:
            self.start_clock("reassess")

    def pay_the_rest(self, amount_fen: int) -> None:
        """一次性救助: all of it, or what the advance has left; an advance that was too high comes back in part."""
        advance = self.advance_fen()
        month = month_at(self.now())
        if amount_fen > advance:
            self.pay(month, amount_fen - advance, PaymentPart.REST if advance else PaymentPart.WHOLE)
        elif amount_fen < advance:
            self.recover_advance(advance - amount_fen)
        self.state.last_due = month
        self.end_if_settled()

    def pay_for_month(self, month: str) -> None:
        """Look at the month anew: an age reached raises the amount, or nothing is due any more."""
        due = assess(self.state.rules, self.state.household, month)
        if due.amount_fen != self.state.granted_fen:
            self.grant_anew(due, "by_rule", month=month)
        if due.amount_fen:
            self.pay(month, due.amount_fen)
        else:
            self.ends(month_before(month), "not_entitled")

    def grant_anew(self, due: Assessment, cause: str, **facts: Any) -> None:
        """From now on so much is granted; `facts` say since when and for what."""
        before, self.state.granted = self.state.granted_fen, due
        self.record(
            Kind.ADJUSTED,
            before_fen=before,
            amount_fen=due.amount_fen,
            arithmetic=due.arithmetic,
            cause=cause,
            **facts,
        )

    def tell_amount(self, due: Assessment) -> None:
        """The applicant hears how much it is."""
        self.notify(APPLICANT, "welfare_adjusted", yuan=due.amount_fen // 100, fen=due.amount_fen % 100)

    # ---- changes ----------------------------------------------------------------------------------------------------

    def report_change(self, command: ReportChange, by: Actor) -> None:
        """报告变化: what lowers counts at once, and what was paid beyond it comes back; what raises is asked for."""
        self.record(Kind.CHANGE_REPORTED, change=command.change, since=command.since, note=command.note, by=by.role)
        if command.ends:
            self.report_end(command, command.since, by)
        elif not self.law_holds(TWO_DECIDE_ON_A_RAISE):
            self.take_facts(command.stated)
            self.adjust_before_two_people(command.since, command.change)
        elif self.state.raised_by(command.stated, self.now()) and not self.state.paid_once:
            self.ask_for_change(command.change, command.since, command.stated, by)
        elif self.state.comes_to_nothing(command.stated, self.now()) and self.takes_two_to_end(command, by):
            self.drop_change_of(command.stated)
            self.ask_for_end(command.change, month_before(command.since), by, command.stated)
        else:
            self.drop_change_of(command.stated)
            self.take_facts(command.stated)
            self.lower(command.since, command.change)

    def report_end(self, command: ReportChange, last_due: str, by: Actor) -> None:
        """A death or a move: payment rests until somebody else says so too; or it ends, on the payee's or the register's word."""
        if self.takes_two_to_end(command, by):
            self.ask_for_end(command.change, last_due, by)
        else:
            self.state.alive = command.change != Change.DEATH and self.state.alive
            self.ends(last_due, command.change)

    def lower(self, since: str, cause: str) -> None:
        """Reckon the amount anew, by the rule: it falls, or without an amount the benefit ends. It never rises here."""
        due = assess(self.state.rules, self.state.household, month_at(self.now()))
        if not due.amount_fen:
            self.ends(month_before(since), cause)
        elif due.amount_fen < self.state.granted_fen:
            self.grant_anew(due, cause, since=since)
            self.tell_amount(due)
            if not self.state.paid_once:
                self.recover(cause, overpaid(self.state.paid_fen(), since, due.amount_fen))

    def adjust_before_two_people(self, since: str, cause: str) -> None:
        """As it was: the amount is reckoned anew and paid, higher or lower."""
        due = assess(self.state.rules, self.state.household, month_at(self.now()))
        if not due.amount_fen:
            self.ends(month_before(since), cause)
            return
        if due.amount_fen == self.state.granted_fen:
            return
        self.grant_anew(due, cause, since=since)
        self.tell_amount(due)
        if self.state.rules.cadence is Cadence.MONTHLY:
            self.recover(cause, overpaid(self.state.paid_fen(), since, due.amount_fen))

    # ---- the end ----------------------------------------------------------------------------------------------------

    def end_entitlement(self, command: EndEntitlement, by: Actor) -> None:
        """终止救助: by a person, with its reason and legal basis; this month is the last."""
        self.ends(
            month_at(self.now()), "by_a_person", reason=command.reason, legal_basis=command.legal_basis, by=by.role
        )

    def rested_too_long(self) -> None:
        """停发逾期: a benefit that rests does not wait for ever; the month that would be paid next is its last."""
        self.ends(self.state.month or "", "suspended_too_long")

    def ends(self, last_due: str, cause: str, **facts: str) -> None:
        """The last month that is due is known: what was paid after it comes back, what is due is still paid."""
        self.state.last_due = min(last_due, self.state.last_due or last_due)
        for name in ("payday", "reassess", "suspended"):
            self.clocks.stop(name, "engine")
        self.state.skipped = []
        self.drop_change("ended")
        self.forget_the_end_asked("engine")
        self.record(Kind.ENDED, last_due=self.state.last_due, cause=cause, **facts)
        self.notify(APPLICANT, "welfare_ended", cause=cause)
        self.recover(cause, {month: fen for month, fen in self.state.paid_fen().items() if month > last_due})
        self.drop_what_is_not_due()
        self.end_if_settled()

    def after_failure(self) -> None:
        """A month that is not due any more is not tried again, once it is certain that no money moved."""
        self.drop_what_is_not_due()
        self.end_if_settled()

    def drop_what_is_not_due(self) -> None:
        """Payments after the last month that is due, if it is certain that no money moved."""
        last_due = self.state.last_due
        for payment in list(self.state.payments):
            certain = payment.state is not PaymentState.UNDER_WAY and not payment.uncertain and payment.claim is None
            if last_due is not None and payment.month > last_due and certain:
                self.state.payments.remove(payment)
                self.record(
                    Kind.PAYMENT_SETTLED, payment=payment.number, month=payment.month, how="not_due", cause="ended"
                )

    def end_if_settled(self) -> None:
        """The entitlement is over, and every payment with it."""
        over = self.state.last_due is not None and not self.state.payments and self.state.end_asked is None
        if self.state.stage in LIVING and over:
            self.is_final_at(Stage.ENDED)

    def after_payment(self, payment: Payment) -> None:
        """What was on its way when the entitlement ended, or the case was refused, comes back if it was not due."""
        last_due, paid = self.state.last_due, self.state.paid_fen()
        if self.not_granted:
            self.recover_advance(self.advance_paid_fen())
        elif last_due is not None and payment.month > last_due and payment.month in paid:
            self.recover("paid_after_the_end", {payment.month: paid[payment.month]})
        self.end_if_settled()
