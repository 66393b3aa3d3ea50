"""mediation 人民调解, 6 and 7: the agreement is in force with the last signature; its duties are kept, or not."""

from schemas.clocks.calendar import in_shanghai
from schemas.clocks.clock_schedule import last_moment
from schemas.clocks.clocks import Status
from schemas.kernel.acts import Step, WithReason
from schemas.kernel.entries import EntryKind
from schemas.kernel.participants import role_code
from schemas.kernel.timers import TimerKind
from schemas.mediation import FOLLOW_UPS, Kind
from schemas.mediation_agreement import Acknowledge, DraftAgreement, FollowUp, RecordOral, RefuseSign, Sign, Vary
from schemas.mediation_state import Clause, Confirmation, Matter, Proposal, Stage
from schemas.parts.agreed import OPEN, Agreed, DatedDuty, Standing
from schemas.parts.duties import AcceptDuty, DutyEntries, ProveDuty, RejectDuty
from schemas.values.actor import Actor, Role
from schemas.values.references import TextReference
from workflows.mediation_case import OF_COMMITTEE
from workflows.mediation_talks import MediationTalks

OF_NO_SIDE = {Role.MEDIATOR: "mediator", Role.COMMITTEE_OFFICER: "seal"}
"""As what those sign who are of no side."""


class MediationAgreement(MediationTalks):
    """What is agreed, and what becomes of it."""

    # ---- 6. agreed --------------------------------------------------------------------------------------------------

    def draft_agreement(self, command: DraftAgreement) -> None:
        """协议草案: every side reads it before it signs."""
        self.state.draft, self.state.clauses = command.text, command.clauses
        self.state.acceleration, self.state.signed = command.acceleration, []
        self.start_clock("sign")
        self.move(Stage.SIGNING, "reporter")
        self.record_command()
        for told in self.all_addresses():
            self.notify(told, "mediation_sign")

    def sign(self, command: Sign, by: Actor) -> None:
        """签署: in force with the last of them."""
        who = OF_NO_SIDE.get(by.role) or command.said_by(self.state, by)
        if who not in OF_NO_SIDE.values():
            self.take_down(command, by, who)
        if who not in self.state.signed:
            self.state.signed.append(who)
        self.record(Kind.SIGNED, who=who)
        if {*self.state.sides, *OF_NO_SIDE.values()} <= set(self.state.signed) and self.state.draft is not None:
            self.comes_into_force(self.state.draft, self.state.clauses)

    def refuse_sign(self, command: RefuseSign, by: Actor) -> None:
        """拒签: the draft is gone."""
        self.take_down(command, by, command.said_by(self.state, by))
        self.draft_is_gone()

    def not_signed_in_time(self, step: Step) -> None:  # noqa: ARG002 - as if somebody had refused
        """逾期未签署: likewise."""
        self.draft_is_gone()

    def draft_is_gone(self) -> None:
        """Mediation goes on; nobody is bound by what was drafted."""
        self.state.draft, self.state.clauses, self.state.signed = None, (), []
        self.clocks.stop("sign", "engine")
        self.move(Stage.MEDIATING, "role:mediator")
        self.record(Kind.NOT_SIGNED)
        for told in (*self.mediator_addresses(), *self.all_addresses()):
            self.notify(told, "mediation_not_signed")

    def record_oral(self, command: RecordOral, by: Actor) -> None:
        """口头协议: every side hears what was taken down, and agrees to that."""
        self.put_to_all(Matter.ORAL, by, text=command.text, clauses=command.clauses)

    def all_agree_to_oral(self, proposal: Proposal) -> None:
        """In force at once (人民调解法 30)."""
        assert proposal.text is not None  # noqa: S101 - `record_oral` puts it there
        self.state.oral, self.state.clauses = True, proposal.clauses
        self.comes_into_force(proposal.text, proposal.clauses)

    def comes_into_force(self, text: TextReference, clauses: tuple[Clause, ...]) -> None:
        """协议生效: its duties run, the way to the court is open, and somebody else will ask whether it is kept."""
        self.nothing_is_put()
        for clock in ("sign", "whole", "level"):
            self.clocks.stop(clock, "engine")
        self.state.agreement, self.state.in_force_at = text, self.now()
        self.start_clock("confirm_window")
        self.start_clock("follow_up")
        self.move(Stage.PERFORMING, "reporter")
        self.record(Kind.IN_FORCE, text=text, oral=self.state.oral, clauses=len(clauses))
        self.owe(clauses, text)
        for told in self.all_addresses():
            self.notify(told, "mediation_in_force")

    def owe(self, clauses: tuple[Clause, ...], text: TextReference) -> None:
        """Each clause is a duty with its days."""
        today = in_shanghai(self.now()).date()
        self.agree_on(
            Agreed(code=each.code, what=text, first_on=each.begins_on(today), recurs=each.recurs, times=each.times)
            for each in clauses
        )

    # ---- 7. kept, or not --------------------------------------------------------------------------------------------

    def prove_duty(self, command: ProveDuty, by: Actor) -> None:
        """举证履行: with a slip, silence of the other side is its word; without one, a mediator looks."""
        self.state.shown = [each for each in self.state.shown if each != command.duty]
        if command.documents:
            self.state.shown.append(command.duty)
        super().prove_duty(command, by)

    def accept_duty(self, command: AcceptDuty, by: Actor) -> None:
        """认可履行: whoever it is owed to, or a mediator who has looked."""
        self.looked_at(command.request, by)
        super().accept_duty(command, by)

    def reject_duty(self, command: RejectDuty, by: Actor) -> None:
        """不予认可: likewise."""
        self.looked_at(command.request, by)
        super().reject_duty(command, by)

    def looked_at(self, request: int, by: Actor) -> None:
        """Nobody has to look any more."""
        self.clocks.stop(f"look:{self.proved_as(request).code}", by.subject)
        self.somebody_has_acted(self.state.stage)

    def is_settled_by_time(self, code: str, kind: EntryKind, ended_as: Standing) -> None:
        """Silence settles nothing of which nothing was shown, or of who was not told: a mediator looks, as their duty.

        A side without an account is told by somebody who calls on it; that it said nothing is not its word.
        """
        creditor_knows = code in self.state.shown and bool(self.state.accounts_on(self.state.clause_of(code).creditor))
        if kind != DutyEntries.DUTY_UNCONTESTED or creditor_knows:
            super().is_settled_by_time(code, kind, ended_as)
            return
        self.start_clock(f"look:{code}")
        self.record(Kind.LOOK_WANTED, duty=code)
        for told in self.mediator_addresses():
            self.notify(told, "mediation_look")

    def on_duty_settled(self, duty: DatedDuty, ended_as: Standing) -> None:
        """Broken, the agreement is; else it may be over."""
        if ended_as is Standing.BROKEN:
            self.is_broken(duty)
        else:
            self.may_close()

    def is_broken(self, duty: DatedDuty) -> None:
        """违约: where it was agreed so, all that is left of it falls due. Who mediated tells the remedies."""
        left = [(duty, 1)]
        if self.state.acceleration:
            debtor = self.state.clause_of(duty.code).debtor
            left = [(each, self.falls_due(each, broken=each is duty)) for each in self.owed(debtor, duty)]
        self.state.broken += [each.code for each, _ in left]
        if self.state.stage == Stage.PERFORMING:
            self.start_clock("remedy")
            self.move(Stage.BREACHED, "role:mediator")
        fen = sum((self.state.clause_of(each.code).amount_fen or 0) * times for each, times in left)
        self.record(Kind.BREACHED, duty=duty.code, times=sum(times for _, times in left), left_fen=fen)
        for told in (*self.all_addresses(), *self.mediator_addresses()):
            self.notify(told, "mediation_breached")

    def owed(self, debtor: str, broken: DatedDuty) -> list[DatedDuty]:
        """What a side still owes: what was broken now, and what is not proved."""
        open_ones = (each for each in self.state.duties_being(Standing.DUE, Standing.MISSED) if each is not broken)
        return [broken, *(each for each in open_ones if self.state.clause_of(each.code).debtor == debtor)]

    def falls_due(self, duty: DatedDuty, *, broken: bool) -> int:
        """全部到期: nothing of it is waited for any more; how many of its times are left."""
        left = duty.agreed.times - len(duty.ended_as) + broken
        self.stop_clocks_of(duty, "engine")
        self.clocks.stop(f"look:{duty.code}", "engine")
        duty.standing = Standing.BROKEN
        return left

    def acknowledge(self, command: Acknowledge) -> None:
        """确认已履行: after all."""
        duty = self.state.duty_of(command.duty)
        if not duty.open:
            duty.standing = Standing.KEPT
        self.state.broken = [each for each in self.state.broken if each != command.duty]
        self.record_command()
        if not self.state.broken:
            self.goes_on_performing()
            self.may_close()

    def goes_on_performing(self) -> None:
        """Nothing is broken any more."""
        self.clocks.stop("remedy", "engine")
        self.somebody_has_acted(Stage.PERFORMING)

    def somebody_has_acted(self, stage: str) -> None:
        """The last limit does not run any more; a duty that has climbed all its tiers gets its time anew, so that it ends."""
        self.move(stage, "reporter" if stage == Stage.PERFORMING else "role:mediator")
        for name, clock in list(self.state.clocks.items()):
            timer = self.timer_of(name)
            left = clock.status is Status.RUNNING and last_moment(clock.tiers) in clock.fired
            if left and timer.kind is TimerKind.DUTY and not timer.beside:
                self.start_clock(name)

    def vary(self, command: Vary, by: Actor) -> None:
        """变更协议: other duties, if every side agrees."""
        self.put_to_all(Matter.VARY, by, text=command.text, clauses=command.clauses)

    def all_agree_to_vary(self, proposal: Proposal) -> None:
        """What is not settled is replaced; what a court has confirmed is confirmed anew, or not at all."""
        assert proposal.text is not None  # noqa: S101 - `vary` puts it there
        self.nothing_is_owed()
        self.state.clauses = (*self.state.clauses, *proposal.clauses)
        self.state.agreement, self.state.in_force_at = proposal.text, self.now()
        self.not_before_the_court()
        self.start_clock("confirm_window")
        self.goes_on_performing()
        self.record(Kind.VARIED, text=proposal.text)
        self.owe(proposal.clauses, proposal.text)

    def remediate(self, command: WithReason, by: Actor) -> None:  # noqa: ARG002 - its entry says all
        """再调解: if every side agrees."""
        self.put_to_all(Matter.REMEDIATE, by)

    def all_agree_to_remediate(self, proposal: Proposal) -> None:  # noqa: ARG002 - there is one way
        """The agreement is given up, and mediation begins once more."""
        self.nothing_is_owed()
        self.not_before_the_court()
        self.state.draft, self.state.agreement, self.state.in_force_at, self.state.signed = None, None, None, []
        for clock in ("remedy", "follow_up", "confirm_window"):
            self.clocks.stop(clock, "engine")
        for clock in ("whole", "level"):
            self.start_clock(clock)
        self.move(Stage.MEDIATING, "role:mediator")
        self.record(Kind.TAKEN_UP_AGAIN)

    def nothing_is_owed(self) -> None:
        """What is open is waived, for something else is agreed on in its place."""
        for duty in self.state.duties_being(*OPEN):
            self.stop_clocks_of(duty, "engine")
            self.clocks.stop(f"look:{duty.code}", "engine")
            duty.standing = Standing.WAIVED
            self.record_duty(DutyEntries.DUTY_WAIVED, duty)
        self.state.broken = []

    def not_before_the_court(self) -> None:
        """Confirmed is what was agreed then; it is asked for anew, or not at all."""
        if self.state.confirmation == Confirmation.FILED:
            self.take_back_the_order()
        self.clocks.stop("court", "engine")
        self.state.confirmation, self.state.confirmation_asked, self.state.department = Confirmation.NONE, [], None

    # ---- followed up ------------------------------------------------------------------------------------------------

    def follow_up(self, command: FollowUp, by: Actor) -> None:
        """回访: by who did not mediate, and not for the ears of who did. A dispute that nobody had is told upwards."""
        self.state.follow_ups += 1
        self.clocks.stop("follow_up", by.subject)
        if self.state.follow_ups < FOLLOW_UPS:
            self.start_clock("follow_up")
        self.somebody_has_acted(self.state.stage)
        with self.heard_only_by(OF_COMMITTEE, role_code(Role.GRID_WORKER)):
            self.record_command()
        if not command.was_so or not command.kept:
            self.notify("supervisor", "mediation_contradicted")
        self.may_close()

    def may_close(self) -> None:
        """结案: all duties are settled, and both follow-ups done."""
        done = self.state.duties_settled and self.state.follow_ups >= FOLLOW_UPS
        if self.state.stage == Stage.PERFORMING and done:
            self.finish_as(Stage.CLOSED, Kind.CLOSED)
