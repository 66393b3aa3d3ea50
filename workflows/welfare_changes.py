"""What would pay more is asked for and decided on by others: reviewed, asked of the registers anew, confirmed, countersigned.

    report_change, reassess with facts that raise, and arrears above the amount of a second signature, are requests
    asked -> (registers that the facts touch answer) -> review_change -> confirm_change -> (countersign_change) -> counts
          -> refuse_change: with its reason; what is paid stays as it is
          -> dropped: newer facts in their place, or the entitlement ends

Meanwhile the old amount is paid on, and nothing that was stated counts. Arrears alone are the asker's word and one other's.
Confirmed, the difference is paid for the months since, as far back as the policy says. While payment rests, nobody decides and
the clocks rest too.
"""

from collections.abc import Iterable, Mapping

from schemas.actor import Actor
from schemas.clocks import Status
from schemas.parts.payments import PaymentPart
from schemas.welfare_entitlement import ConfirmChange, CountersignChange, RefuseChange, ReviewChange
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Check, Fact
from schemas.welfare_rules import Assessment, assess, month_at, months_back, touched_checks, underpaid
from schemas.welfare_state import ChangeAsked, Checked, Stage
from workflows.case import command
from workflows.welfare_checks import Checks
from workflows.welfare_duties import APPLICANT, CIVIL_AFFAIRS, STREET

DUTIES = ("review_change", "confirm_change", "countersign_change")
PAUSED = "payment_suspended"


class Changes(Checks):
    """The part of a case that lets nobody raise an amount alone."""

    # ---- asked for ------------------------------------------------------------------------------------------------

    def ask_for_change(
        self, cause: str, since: str, stated: Mapping[str, int], by: Actor, months: tuple[str, ...] = ()
    ) -> None:
        """申请调整: in place of one that was asked for before; the registers whose answers it touches are asked anew."""
        self.drop_change("replaced")
        self.state.changes_asked += 1
        arrears = self.arrears_of(months)
        change = ChangeAsked(
            number=self.state.changes_asked,
            cause=cause,
            since=since,
            stated=dict(stated),
            months=list(months),
            before_fen=self.state.granted_fen,
            amount_fen=arrears.amount_fen,
            asked_by=by.subject,
            asked_at=self.now(),
        )
        self.state.change = change
        asked = self.amount_asked() if stated else arrears
        change.amount_fen = asked.amount_fen
        touched = self.checks_a_change_touches(stated)
        change.checked = {check.source: Checked(source=check.source) for check in touched}
        self.record(
            Kind.CHANGE_ASKED,
            number=change.number,
            cause=cause,
            since=since,
            stated=dict(stated),
            months=list(months),
            arrears_fen=arrears.amount_fen,
            before_fen=change.before_fen,
            amount_fen=change.amount_fen,
            arithmetic=asked.arithmetic,
            asked_again=[check.source for check in touched],
            by=by.role,
        )
        self.notify(APPLICANT, "change_asked", cause=cause)
        self.ask(touched)
        if stated:
            self.change_may_be_reviewed()
        else:
            self.await_confirmation_of_change()

    def amount_asked(self) -> Assessment:
        """The amount a month as the change that waits would have it."""
        return assess(self.state.rules, self.state.household_asked, month_at(self.now()))

    def arrears_of(self, months: Iterable[str]) -> Assessment:
        """What months that were left out come to, as things stand."""
        due = {month: assess(self.state.rules, self.state.household, month).amount_fen for month in months}
        return Assessment(amount_fen=sum(due.values()), arithmetic={"rule": "arrears", **due})

    def checks_a_change_touches(self, stated: Mapping[str, int]) -> list[Check]:
        """The registers whose answers depend on what is stated other than before."""
        changed = [fact for fact in Fact if stated.get(fact, getattr(self.state, fact)) != getattr(self.state, fact)]
        return list(touched_checks(self.state.needed(self.now()), changed))

    def change_may_be_reviewed(self) -> None:
        """The registers have answered: somebody of the street looks at it, within the limit."""
        change = self.state.change
        if change is None or not change.stated or change.reviewed_by is not None or change.unanswered():
            return
        known = self.state.clocks.get("review_change")
        if known is None or known.status is Status.STOPPED:
            self.stop_duty("ask_again", "engine")
            self.start_change_duty("review_change")
            self.notify(STREET, "change_review_due")

    def start_change_duty(self, name: str) -> None:
        """Start a clock of somebody who decides on a change; while payment rests, it rests too."""
        limit = {
            "review_change": self.state.terms.review_change,
            "confirm_change": self.state.terms.confirm_change,
            "countersign_change": self.state.terms.countersign,
        }[name]
        self.start_duty(name, limit)
        if self.state.stage == Stage.PAYMENT_SUSPENDED:
            self.clocks.pause(name, "engine", reason=PAUSED)

    # ---- decided on -----------------------------------------------------------------------------------------------

    @command
    def review_change(self, command: ReviewChange, by: Actor) -> None:
        """调整初审: not by who asked; then civil affairs confirms."""
        change = self.change_that_waits()
        change.reviewed_by = by.subject
        amount = self.amount_asked()
        self.stop_duty("review_change", by.subject)
        self.record(
            Kind.CHANGE_REVIEWED,
            number=change.number,
            opinion=command.opinion,
            amount_fen=amount.amount_fen,
            arithmetic=amount.arithmetic,
            before_fen=change.before_fen,
        )
        self.await_confirmation_of_change()

    def await_confirmation_of_change(self) -> None:
        """Civil affairs decides within its limit."""
        self.start_change_duty("confirm_change")
        self.notify(CIVIL_AFFAIRS, "change_confirmation_due")

    @command
    def confirm_change(self, command: ConfirmChange, by: Actor) -> None:
        """确认调整: not by who asked or reviewed; above the amount of the policy somebody else signs too."""
        change = self.change_that_waits()
        change.confirmed_by = by.subject
        self.stop_duty("confirm_change", by.subject)
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

    @command
    def countersign_change(self, command: CountersignChange, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """双签调整: a second person agrees too."""
        change = self.change_that_waits()
        self.stop_duty("countersign_change", by.subject)
        self.record(Kind.CHANGE_COUNTERSIGNED, number=change.number, by=by.role)
        self.change_counts()

    @command
    def refuse_change(self, command: RefuseChange, by: Actor) -> None:
        """不予调整: what is paid stays as it is; months whose payment was asked for are not paid."""
        change = self.change_that_waits()
        self.forget_change(by.subject)
        self.record(
            Kind.CHANGE_REFUSED, number=change.number, reason=command.reason, months=list(change.months), by=by.role
        )
        self.notify(APPLICANT, "change_refused")

    def change_that_waits(self) -> ChangeAsked:
        """The change that is decided on."""
        change = self.state.change
        assert change is not None, "the table takes it only while one waits"  # noqa: S101
        return change

    # ---- counts ---------------------------------------------------------------------------------------------------

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

    # ---- rests, or does not wait any more ---------------------------------------------------------------------------

    def hold_change(self) -> None:
        """Nobody decides on a change while payment rests."""
        for name in DUTIES:
            if self.clocks.runs(name):
                self.clocks.pause(name, "engine", reason=PAUSED)

    def go_on_with_change(self) -> None:
        """Payment goes on, and the time for deciding on a change with it."""
        for name in DUTIES:
            if name in self.state.clocks and self.state.clocks[name].status is Status.PAUSED:
                self.clocks.go_on(name, "engine")

    def drop_change_of(self, stated: Mapping[str, int]) -> None:
        """Newer facts stand in place of those that were asked for; months that are to be paid are asked for on."""
        change = self.state.change
        if change is not None and not change.months and set(change.stated) & set(stated):
            self.drop_change("replaced")

    def drop_change(self, why: str) -> None:
        """A change that waits is not decided on any more; whoever asked is told."""
        change = self.state.change
        if change is None:
            return
        self.forget_change("engine")
        self.record(Kind.CHANGE_DROPPED, number=change.number, why=why)
        self.notify(APPLICANT, "change_dropped", why=why)

    def forget_change(self, by: str) -> None:
        """No change waits; its clocks stop, and answers of registers that were asked for it come too late."""
        change, self.state.change = self.state.change, None
        for name in (*DUTIES, *(f"check:{source}" for source in (change.checked if change else ()))):
            self.stop_duty(name, by)
        self.stop_duty("ask_again", by)
