"""How a partnership goes on: broken duties, a breach, the end of a term and its renewal (workflows/partnership.py)."""

from collections.abc import Sequence
from typing import TypeVar

from schemas.clocks.calendar import DAY, in_shanghai
from schemas.clocks.clock_facts import Status
from schemas.clocks.limits import Limit
from schemas.clocks.moments import days_before, end_of_day, end_of_term
from schemas.kernel.acts import Step, WithReason
from schemas.kernel.parties import COMMITTEE_OFFICER, THE_REPORTER, desk_of
from schemas.partnership import Kind
from schemas.partnership_commands import (
    AcceptAmends,
    AgreeRenewal,
    AnswerBreach,
    ConfirmHandBack,
    DeclareBreach,
    DropBreach,
    Evaluate,
    HandBack,
    ProposeBreach,
    ProposeRenewal,
    Suspend,
)
from schemas.partnership_rules import Broken
from schemas.partnership_state import PERFORMED, Asked, BreachProposed, PartnershipState, Stage
from schemas.parts.agreed import DatedDuty, Side, Standing, limit_until
from schemas.parts.duties import ACCEPT, CURE
from schemas.values.actor import Actor
from workflows.parts.counter_duties import CounterDuties
from workflows.parts.postings import Postings
from workflows.recovery_parent import Recoveries

COMMITTEE = desk_of(COMMITTEE_OFFICER)
LEFT_OPEN = "left_open"
"""Why it is asked back: what residents have prepaid, or the town is owed, when a partnership ends."""

StateT = TypeVar("StateT", bound=PartnershipState)


class Endings(CounterDuties[StateT], Recoveries[StateT], Postings[StateT]):
    """The part of a partnership that begins with the agreement in force."""

    duties_owed_by = THE_REPORTER
    duties_accepted_by = COMMITTEE

    async def story(self) -> None:
        """Until it has ended, and what it left open stands in a case of its own."""
        await super().story()
        for asked in self.state.recoveries:
            await self.errand_done(self.child_errand, asked.number)

    # ---- a term -----------------------------------------------------------------------------------------------------

    def begin_term(self, months: int) -> None:
        """协议生效: from the day after, to the day before so many months later; the days of both its clocks are fixed thereby."""
        first = (self.state.term_last or in_shanghai(self.now()).date()) + DAY
        self.state.term_first, self.state.term_last = first, end_of_term(first, months)
        self.state.terms_begun += 1
        self.state.settled_before = {each.code: len(each.ended_as) for each in self.state.duties}
        self.state.evaluated, self.state.renewal, self.state.renewed_months = False, None, 0
        opens = days_before(self.state.term_last, self.state.terms.renew_before_days)
        self.start_clock("renewal", limit=limit_until(self.now(), opens))
        self.start_clock("term", limit=limit_until(self.now(), end_of_day(self.state.term_last)))
        told = {"term_first": first.isoformat(), "term_last": self.state.term_last.isoformat()}
        self.record(Kind.TERM_BEGUN, term=self.state.terms_begun, months=months, **told)
        for duty in self.state.duties:
            self.prolong_duty(duty, self.state.term_last)
        self.agree_on(each.agreed(first, self.state.term_last) for each in self.state.drafts)
        self.state.drafts = []
        self.notify(THE_REPORTER, "partnership_term_begun", term_first=told["term_first"], term_last=told["term_last"])
        self.go_on_performing()

    def go_on_performing(self) -> None:
        """Where it stands while it is performed: a duty is being cured, or none is; the end of the term goes before both."""
        missed = self.state.duties_being(Standing.MISSED)
        opened = self.state.clocks["renewal"].status is not Status.RUNNING
        if opened and not self.state.renewed_months:
            self.renewal_opens()
        else:
            self.move(Stage.CURING if missed else Stage.ACTIVE, self.owed_by(missed[0])[0] if missed else "")

    # ---- duties -----------------------------------------------------------------------------------------------------

    def on_duty_changed(self, duty: DatedDuty) -> None:  # noqa: ARG002 - what counts is whether any is missed
        """履行中, 补救中: by itself, as duties are missed and cured."""
        if self.state.stage in (Stage.ACTIVE, Stage.CURING):
            self.go_on_performing()

    def on_duty_settled(self, duty: DatedDuty, ended_as: Standing) -> None:
        """A broken one counts; too often, and somebody has to decide within the time for it."""
        if ended_as is Standing.BROKEN and duty.agreed.side is Side.PARTY:
            self.state.broken.append(Broken(duty=duty.code, on=in_shanghai(self.now()).date()))
            if self.state.breach_rule_met and not self.clocks.runs("decide"):
                self.start_clock("decide")
                self.record(Kind.BREACH_DUE, broken=[each.model_dump(mode="json") for each in self.state.broken])
                self.notify(COMMITTEE, "partnership_breach_due")
        self.on_duty_changed(duty)

    def cure_limit(self, duty: DatedDuty) -> Limit | None:
        """For money there is more time."""
        limit: Limit = self.state.terms.cure_money if duty.agreed.is_money else self.state.terms.cure
        return limit

    def on_clock(self, clock: str, milestone: str, recipient: str) -> None:
        """Nobody holds it while it is performed or judged: whose clock it is hears that it ran out, else the committee."""
        super().on_clock(clock, milestone, recipient or self.warned_of(clock) or COMMITTEE)

    def urged(self) -> Sequence[str]:
        """Who is urged where nobody holds it: the committee, which answers to the partner."""
        return super().urged() if self.state.holder else (COMMITTEE,)

    # ---- suspended --------------------------------------------------------------------------------------------------

    def suspend(self, command: Suspend, by: Actor) -> None:  # noqa: ARG002 - the ground stands in the entry
        """暂停: what waits to be cured or accepted waits on; what falls due meanwhile was not to be done."""
        self.pause_duties(by)
        self.apply()

    def go_on(self, by: Actor) -> None:
        """恢复: the time that was left for it goes on."""
        self.clocks.stop("suspension", by.subject)
        self.duties_go_on(by)
        self.go_on_performing()
        self.record_command()

    def pause_duties(self, by: Actor) -> None:
        """No time for curing or accepting runs."""
        for name in self.clocks_of_duties(Status.RUNNING):
            self.clocks.pause(name, by.subject)

    def duties_go_on(self, by: Actor) -> None:
        """It runs on."""
        for name in self.clocks_of_duties(Status.PAUSED):
            self.clocks.go_on(name, by.subject)

    def clocks_of_duties(self, status: Status) -> list[str]:
        """The clocks of what was missed, or proved, that stand so."""
        return [
            name
            for name, clock in self.state.clocks.items()
            if name.partition(":")[0] in (CURE, ACCEPT) and clock.status is status
        ]

    # ---- a breach ---------------------------------------------------------------------------------------------------

    def propose_breach(self, command: ProposeBreach, by: Actor) -> None:
        """提议认定违约: the partner has the word."""
        self.state.asked += 1
        self.state.breach = BreachProposed(number=self.state.asked, by=by.subject, ground=command.ground)
        self.start_clock("hear", by.subject)
        self.record_command(request=self.state.asked)
        self.notify(THE_REPORTER, "partnership_breach_proposed")

    def answer_breach(self, command: AnswerBreach, by: Actor) -> None:  # noqa: ARG002 - the answer stands in the entry
        """申辩: it is heard."""
        if self.state.breach is not None:
            self.state.breach.heard = True
        self.clocks.stop("hear", by.subject)
        self.record_command()

    def drop_breach(self, command: DropBreach, by: Actor) -> None:  # noqa: ARG002 - the reason stands in the entry
        """不予认定: what was broken stays on record, and a further one is looked at anew."""
        self.forget_breach(by)
        self.record_command()

    def declare_breach(self, command: DeclareBreach, by: Actor) -> None:  # noqa: ARG002 - the reason stands in the entry
        """认定违约: notice or amends within the time for it."""
        breach = self.state.breach
        self.forget_breach(by)
        self.clocks.stop("suspension", by.subject)
        self.pause_duties(by)
        self.start_clock("notice")
        self.move(Stage.BREACHED, COMMITTEE)
        self.record_command(ground=None if breach is None else breach.ground, heard=breach is not None and breach.heard)
        self.notify(THE_REPORTER, "partnership_breached")

    def forget_breach(self, by: Actor) -> None:
        """Nobody waits for a word on it."""
        self.state.breach = None
        for clock in ("hear", "decide"):
            self.clocks.stop(clock, by.subject)

    def accept_amends(self, command: AcceptAmends, by: Actor) -> None:  # noqa: ARG002 - they stand in the entry
        """接受整改: what was broken before does not count any more."""
        self.clocks.stop("notice", by.subject)
        self.state.broken = []
        self.duties_go_on(by)
        self.go_on_performing()
        self.record_command()

    def give_notice(self, command: WithReason, by: Actor) -> None:  # noqa: ARG002 - the reason stands in the entry
        """解除: nothing is due any more but what is open."""
        self.record_command()
        self.clocks.stop("notice", by.subject)
        self.hand_over()

    # ---- the end of a term --------------------------------------------------------------------------------------------

    def open_renewal(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """可以续约: both sides are told that it ends without an act."""
        self.clocks.stop("renewal", "engine")
        self.renewal_opens()

    def renewal_opens(self) -> None:
        """Now, or when it goes on after a rest."""
        self.move(Stage.RENEWING, COMMITTEE)
        last = self.state.term_last.isoformat() if self.state.term_last else ""
        self.record(Kind.RENEWAL_OPENED, term_last=last)
        for told in (THE_REPORTER, COMMITTEE):
            self.notify(told, "partnership_renewal_opened", term_last=last)

    def evaluate(self, command: Evaluate) -> None:  # noqa: ARG002 - what it was worth stands in the entry
        """评价: how many duties each side kept is reckoned, and nobody's opinion."""
        self.state.evaluated = True
        kept = {side: self.state.kept(side) for side in Side}
        self.record_command(
            kept=kept[Side.PARTY].kept,
            counted=kept[Side.PARTY].counted,
            community_kept=kept[Side.COUNTERPARTY].kept,
            community_counted=kept[Side.COUNTERPARTY].counted,
        )

    def propose_renewal(self, command: ProposeRenewal, by: Actor) -> None:
        """提议续约: the partner has the word; silence renews nothing."""
        self.state.asked += 1
        self.state.renewal = Asked(number=self.state.asked, by=by.subject, months=command.months)
        self.record_command(request=self.state.asked)
        self.notify(THE_REPORTER, "partnership_renewal_asked", months=command.months)

    def agree_renewal(self, command: AgreeRenewal) -> None:  # noqa: ARG002 - it stands in the entry
        """同意续约: posted like the first agreement; the new term begins with the end of this one."""
        self.state.renewed_months = 0 if self.state.renewal is None else self.state.renewal.months
        self.record_command(months=self.state.renewed_months)
        self.publicise()

    def end_term(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """协议到期: a renewal that everybody has seen begins; without one it is over."""
        self.clocks.stop("term", "engine")
        if self.state.renewed_months and self.state.stage in PERFORMED:
            self.begin_term(self.state.renewed_months)
            return
        self.record(Kind.LAPSED, term=self.state.terms_begun)
        if self.state.space is None and not self.state.open_sums_fen:
            self.finish_as(Stage.ENDED, Kind.ENDED, owed_fen=0)
        else:
            self.hand_over()

    def hand_over(self) -> None:
        """交还清算: what was given is handed back."""
        self.clocks.stop_all()
        self.state.breach = None
        self.start_clock("hand_back")
        self.move(Stage.TERMINATING, THE_REPORTER)
        self.notify(THE_REPORTER, "partnership_terminating")

    def hand_back(self, command: HandBack, by: Actor) -> None:
        """交还: another person looks."""
        for document in command.documents:
            self.keep_document(document)
        self.state.asked += 1
        self.state.handed_back = Asked(number=self.state.asked, by=by.subject)
        self.move(Stage.TERMINATING, COMMITTEE)
        self.record_command(request=self.state.asked)

    def confirm_hand_back(self, command: ConfirmHandBack) -> None:
        """确认交还: what stays open is asked back."""
        self.state.handed_back = None
        if command.owed_fen:
            self.recover(LEFT_OPEN, {f"{in_shanghai(self.now()):%Y-%m}": command.owed_fen})
        self.apply()
