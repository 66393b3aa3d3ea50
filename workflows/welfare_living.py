"""The entitlement while it lives: granted, changed, suspended, reassessed, ended.

    granted -> paying <-> payment_suspended -> ended
    report_change: death and move end it, income and household adjust it by the rule of the benefit
    reassess: yearly, half-yearly where income is unstable; overdue, payment rests, and is made good when it goes on
    what would pay more, or pay much of what was left out, is asked for and decided on by others (`welfare_changes`)

It is final when every month that is due has been paid or settled. What was paid beyond that comes back as a recovery.
"""

from collections.abc import Mapping
from typing import Any

from schemas.actor import Actor, Role
from schemas.parts.payments import Payment, PaymentPart, PaymentState
from schemas.welfare_entitlement import Change, EndEntitlement, Reassess, ReportChange, ResumePayment, SuspendPayment
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Cadence
from schemas.welfare_rules import (
    Assessment,
    Circumstances,
    advance_of,
    assess,
    month_at,
    month_before,
    next_month,
    overpaid,
)
from schemas.welfare_state import LIVING, Stage
from workflows.case import command
from workflows.welfare_duties import (
    AN_ADVANCE_COUNTS_WHO_CONSENTED,
    AN_ADVANCE_COUNTS_WHO_IS_NAMED,
    AN_ADVANCE_HAS_A_CEILING,
    APPLICANT,
    CIVIL_AFFAIRS,
    TWO_DECIDE_ON_A_RAISE,
    TWO_SAY_THAT_IT_ENDS,
)
from workflows.welfare_payments import Payments


class Entitlement(Payments):
    """The part of a case that lives for years."""

    # ---- granting -------------------------------------------------------------------------------------------------

    def grant(self) -> None:
        """给予救助: monthly from the month after, or once. What urgent aid paid first is part of it."""
        granted = self.state.assessed(self.now())
        self.state.granted = granted
        self.clocks.stop("whole", "engine")
        self.goes_to(Stage.PAYING, CIVIL_AFFAIRS if self.state.with_a_person() else "")
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

    def pay_first(self) -> None:
        """先行救助: urgent aid is paid at acceptance, up to its ceiling; everything else is looked at afterwards."""
        household, who = self.paid_first_for()
        advance = advance_of(self.state.rules, household).amount_fen
        one_signature = self.state.rules.second_signature_above_fen
        if advance > one_signature and self.law_holds(AN_ADVANCE_HAS_A_CEILING):
            advance = one_signature  # rules from before the ceiling: no more than one person grants
        if advance:
            self.pay(month_at(self.now()), advance, PaymentPart.FIRST, None, **who)

    def paid_first_for(self) -> tuple[Circumstances, dict[str, list[int]]]:
        """For whom is paid first: the applicant, minors, and adults who consented; and the numbers of all others, for the entry.

        Whoever has consented is held by this case when it is accepted, so that nobody counts in two advances. Heads that
        somebody corrected are no people: nobody has named them, and who accepted has not seen them. Nor can a child without a
        number be told from one in another case. They wait for the review.
        """
        household, state = self.state.household, self.state
        named, members = 1 + len(state.members), state.advance_members
        known = [member for member in members if member.numbered]
        if (household.household_size > named or known != members) and self.law_holds(AN_ADVANCE_COUNTS_WHO_IS_NAMED):
            members = known
            household = household.model_copy(update={"household_size": min(household.household_size, named)})
        without = [member.number for member in state.household_members if member not in members]
        if not without or not self.law_holds(AN_ADVANCE_COUNTS_WHO_CONSENTED):
            return household, {}
        heads = max(1, household.household_size - len(without))
        return household.model_copy(update={"household_size": heads}), {"without_consent": without}

    def advance_fen(self) -> int:
        """What was paid first, or is on its way."""
        coming = [payment.amount_fen for payment in self.state.payments if payment.part is PaymentPart.FIRST]
        return self.advance_paid_fen() + sum(coming)

    def advance_paid_fen(self) -> int:
        """What was paid first."""
        parts = [part for parts in self.state.paid.values() for part in parts]
        return sum(part.amount_fen for part in parts if part.part is PaymentPart.FIRST)

    def recover_advance(self, amount_fen: int) -> None:
        """Ask back what was paid first and should not have been."""
        for month, parts in sorted(self.state.paid.items()):
            if any(part.part is PaymentPart.FIRST for part in parts):
                self.recover("advance", {month: amount_fen})

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

    # ---- changes --------------------------------------------------------------------------------------------------

    @command
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

    def takes_two_to_end(self, command: ReportChange, by: Actor) -> bool:
        """Whether a report alone ends nothing: not the payee's own word on their own life, nor what the register knows."""
        dead = command.change is Change.DEATH
        known = self.state.death_registered if dead else by.role is Role.RESIDENT
        return not known and self.law_holds(TWO_SAY_THAT_IT_ENDS)

    def ask_for_end(self, cause: str, last_due: str, by: Actor, stated: Mapping[str, int] | None = None) -> None:
        """Payment rests until another person, or the register, has said so too."""
        raise NotImplementedError

    def forget_the_end_asked(self, by: str) -> None:
        """A reported end does not wait any more."""
        raise NotImplementedError

    def take_facts(self, stated: Mapping[str, int]) -> None:
        """From now on these facts are what the amount is reckoned from."""
        for fact, value in stated.items():
            setattr(self.state, fact, value)

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

    def ask_for_change(
        self, cause: str, since: str, stated: Mapping[str, int], by: Actor, months: tuple[str, ...] = ()
    ) -> None:
        """Ask for a change that would pay more: others decide on it."""
        raise NotImplementedError

    def drop_change_of(self, stated: Mapping[str, int]) -> None:
        """A change that waits is not asked for any more where newer facts were stated in place of its own."""
        raise NotImplementedError

    def drop_change(self, why: str) -> None:
        """A change that waits is not decided on any more."""
        raise NotImplementedError

    def demand_old_consents(self) -> None:
        """Adults of an entitlement from before consent, before a register is asked about them again."""
        raise NotImplementedError

    def hold_change(self) -> None:
        """Nobody decides on a change while payment rests."""
        raise NotImplementedError

    def go_on_with_change(self) -> None:
        """Payment goes on, and the time for deciding on a change with it."""
        raise NotImplementedError

    def rest_for_a_death(self, payment: Payment) -> None:
        """The register knows of a death: the month is not paid, and somebody finds out since when."""
        self.state.payments.remove(payment)
        if self.law_holds_here(TWO_SAY_THAT_IT_ENDS):
            self.state.death_registered = True
        if self.state.stage == Stage.PAYING:
            self.suspend("death_registered")
        self.skip(payment.month, "death_registered")
        self.is_settled(payment)

    # ---- suspension and reassessment ------------------------------------------------------------------------------

    def suspend(self, why: str, **facts: str) -> None:
        """暂停发放: months are left out until it goes on; rested too long, it ends."""
        self.start_window("suspended", self.state.terms.suspended_at_most)
        self.hold_change()
        self.goes_to(Stage.PAYMENT_SUSPENDED, CIVIL_AFFAIRS)
        self.record(Kind.SUSPENDED, why=why, **facts)
        self.notify(APPLICANT, "payment_suspended", why=why)
        self.notify(CIVIL_AFFAIRS, "payment_suspended", why=why)

    def goes_on(self) -> None:
        """Payment goes on."""
        self.clocks.stop("suspended", "engine")
        self.state.overdue = False
        self.goes_to(Stage.PAYING, CIVIL_AFFAIRS if self.state.with_a_person() else "")
        self.go_on_with_change()

    @command
    def suspend_payment(self, command: SuspendPayment, by: Actor) -> None:
        """暂停发放: by a person, while something is looked into."""
        self.suspend("by_a_person", reason=command.reason, by=by.role)

    @command
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

    def start_reassessment(self) -> None:
        """定期复核: yearly; half-yearly where income is unstable."""
        if self.state.rules.cadence is Cadence.MONTHLY:
            rules = self.state.rules
            self.start_duty("reassess", rules.reassess if self.state.income_stable else rules.reassess_unstable)

    def reassessment_is_overdue(self) -> None:
        """逾期未复核: payment rests; the household is told, and gets what was left out when it goes on."""
        if self.state.stage == Stage.PAYING:
            self.state.overdue = True
            self.suspend("reassessment_overdue")

    @command
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

    # ---- the end --------------------------------------------------------------------------------------------------

    @command
    def end_entitlement(self, command: EndEntitlement, by: Actor) -> None:
        """终止救助: by a person, with its reason and legal basis; this month is the last."""
        self.ends(
            month_at(self.now()), "by_a_person", reason=command.reason, legal_basis=command.legal_basis, by=by.role
        )

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
            self.comes_to_rest(Stage.ENDED)

    def after_payment(self, payment: Payment) -> None:
        """What was on its way when the entitlement ended, or the case was refused, comes back if it was not due."""
        last_due, paid = self.state.last_due, self.state.paid_fen()
        if self.not_granted:
            self.recover_advance(self.advance_paid_fen())
        elif last_due is not None and payment.month > last_due and payment.month in paid:
            self.recover("paid_after_the_end", {payment.month: paid[payment.month]})
        self.end_if_settled()

    @property
    def not_granted(self) -> bool:
        """The case ended without a grant: whatever was paid first comes back."""
        return self.state.refusal_final or self.state.stage in (Stage.WITHDRAWN, Stage.UNRESOLVED)

    def wind_up(self) -> None:
        """Without a grant: what waits is not paid, and an advance that was paid comes back."""
        self.drop_what_waits()
        self.recover_advance(self.advance_paid_fen())
