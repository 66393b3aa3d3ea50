"""mediation 人民调解, 1 and 2: every side consents for itself; who mediates is chosen by all."""

from schemas.clocks.clocks import Status
from schemas.kernel.acts import Step
from schemas.kernel.participants import Participant, role_code, side_code
from schemas.kernel.people import same_account
from schemas.mediation import COMMITTEE, Kind
from schemas.mediation_agreement import WayOut
from schemas.mediation_sides import (
    AcceptMediator,
    AddParty,
    AppointAgent,
    AppointMediator,
    ChooseMediator,
    Consent,
    Decline,
    ObjectMediator,
    OfOneSide,
    RevokeAgent,
    VisitParty,
)
from schemas.mediation_state import Stage, Tie
from schemas.parts.participants import AGENT, MEDIATOR, OF_A_SIDE, PARTY
from schemas.values.actor import Actor, Role
from workflows.mediation_case import MEDIATORS, OF_COMMITTEE, MediationCase


class MediationSides(MediationCase):
    """Its sides, and who stands between them."""

    # ---- 1. consent -----------------------------------------------------------------------------------------------

    def accept(self, by: Actor) -> None:
        """受理: from now on the others have seats; every side is told what it is about, and its rights."""
        for number, each in enumerate(self.state.respondents, start=1):
            taken = each.account is None or self.state.has_seat(each.account)
            self.seat(PARTY, None if taken else each.account, side=f"b{number}")
        self.clocks.stop("accept", by.subject)
        self.start_clock("consult")
        self.move(Stage.CONSULTING, "reporter")
        self.record_command(matter=self.state.matter)
        for told in self.all_addresses():
            self.notify(told, "mediation_asked")

    def take_down(self, command: OfOneSide, by: Actor, side: str) -> None:
        """窗口代为登记: the paper that a side has signed is for that side and the committee."""
        if by.role is Role.WINDOW_CLERK and command.paper is not None:
            self.wrote_for(side, by)
            self.keep_document(command.paper)
            paper = command.paper.model_dump(mode="json")
            heard = (side_code(side), OF_COMMITTEE, role_code(Role.WINDOW_CLERK))
            self.say_to(heard, Kind.TAKEN_DOWN, side=side, paper=paper)

    def consent(self, command: Consent, by: Actor) -> None:
        """同意调解: with the last one it is accepted, and the sides choose who mediates."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        if side not in self.state.consented:
            self.state.consented.append(side)
        self.record(Kind.CONSENTED, side=side, by_window=by.role is Role.WINDOW_CLERK)
        if self.state.stage == Stage.CONSULTING and self.state.all_consented:
            for clock in ("consult", "reach"):
                self.clocks.stop(clock, by.subject)
            for clock in ("choose", "whole"):
                self.start_clock(clock)
            self.move(Stage.ACCEPTED, "reporter")
            for told in self.all_addresses():
                self.notify(told, "mediation_choose")

    def decline(self, command: Decline, by: Actor) -> None:
        """拒绝、要求终止: it ends for all, and no entry says whose word it was. Who had not joined yet just stays away."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        if self.state.stage == Stage.CONSULTING:
            self.finish_as(Stage.DECLINED, Kind.DECLINED, reached=True)
        elif side not in self.state.consented:
            for seat in [each for each in self.state.seats_of(*OF_A_SIDE) if each.side == side]:
                self.unseat(seat)
            self.record(Kind.PARTY_LEFT, side=side)
        else:
            self.finish_as(Stage.FAILED, Kind.FAILED, way_out=WayOut.COURT)

    def visit_is_wanted(self, step: Step) -> None:
        """须上门告知: a side has not answered, which is not a no: somebody goes there."""
        self.clocks.stop("consult", "engine")
        self.start_clock("reach")
        self.record(self.entry_of(step))
        self.notify("role:grid_worker", "mediation_visit")

    def visit_party(self, command: VisitParty) -> None:  # noqa: ARG002 - its entry says all
        """上门告知: what was found is for the committee, and nobody's consent."""
        with self.heard_only_by(OF_COMMITTEE, MEDIATORS, role_code(Role.GRID_WORKER)):
            self.record_command()

    def appoint_agent(self, command: AppointAgent, by: Actor) -> None:
        """委托代理人: speaks for that side, and hears what it hears."""
        self.keep_document(command.written)
        side = self.state.side_of(by.subject)
        self.seat(AGENT, command.agent, side=side)
        self.record(Kind.AGENT_APPOINTED, side=side, agent=command.agent)
        heard = (side_code(side or ""), MEDIATORS, OF_COMMITTEE)
        self.say_to(heard, Kind.AGENT_WRITTEN, side=side, paper=command.written.model_dump(mode="json"))

    def revoke_agent(self, command: RevokeAgent) -> None:
        """撤销委托: they see and say nothing of it any more."""
        for seat in [each for each in self.state.seats_of(AGENT) if same_account(each.subject, command.agent)]:
            self.record_command(side=seat.side)
            self.unseat(seat)

    def add_party(self, command: AddParty) -> None:
        """追加当事人: nothing is done with another side before it has consented."""
        number = len({each.side for each in self.state.participants if each.kind == PARTY})
        seat = self.seat(PARTY, command.account, side=f"b{number}")
        with self.heard_only_by(OF_COMMITTEE, MEDIATORS):
            self.record_command(side=seat.side)
        for told in self.side_addresses(f"b{number}"):
            self.notify(told, "mediation_asked")

    # ---- 2. who mediates --------------------------------------------------------------------------------------------

    def choose_mediator(self, command: ChooseMediator, by: Actor) -> None:
        """选择调解员: whom every side names."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        self.state.wishes[side] = command.mediator
        self.record(Kind.MEDIATOR_CHOSEN, side=side, mediator=command.mediator)
        if {self.state.wishes.get(each) for each in self.state.sides} == {command.mediator}:
            self.begin_with((command.mediator,))

    def appointment_is_due(self, step: Step) -> None:
        """须指定调解员: the sides have not named the same one in time."""
        self.clocks.stop("choose", "engine")
        self.start_clock("appoint")
        self.move(Stage.ACCEPTED, COMMITTEE)
        self.record(self.entry_of(step))
        self.notify(COMMITTEE, "mediation_appoint")

    def appoint_mediator(self, command: AppointMediator) -> None:
        """指定调解员: one to three."""
        self.begin_with(command.mediators)

    def begin_with(self, mediators: tuple[str, ...]) -> None:
        """确定调解员: mediation begins, or goes on with somebody else."""
        for each in mediators:
            self.seat(MEDIATOR, each)
        for clock in ("choose", "appoint"):
            self.clocks.stop(clock, "engine")
        self.start_clock("level")
        self.move(Stage.MEDIATING, "role:mediator")
        self.record(Kind.MEDIATOR_APPOINTED, mediators=list(mediators))
        for told in (*self.mediator_addresses(), *self.all_addresses()):
            self.notify(told, "mediation_begins")

    def disclose(self, by: Actor) -> None:
        """披露: nothing of this mediator's goes on until every side has accepted them in writing."""
        self.state.ties.append(Tie(mediator=by.subject))
        self.record_command(mediator=by.subject)
        for told in self.all_addresses():
            self.notify(told, "mediation_tie")

    def accept_mediator(self, command: AcceptMediator, by: Actor) -> None:
        """书面接受: one side's word on every tie of that mediator."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        self.keep_document(command.written)
        for tie in self.state.ties:
            if tie.mediator == command.mediator and side not in tie.accepted:
                tie.accepted.append(side)
        self.record(Kind.MEDIATOR_ACCEPTED, side=side, mediator=command.mediator)

    def object_mediator(self, command: ObjectMediator, by: Actor) -> None:
        """申请更换: they go at once; why is for the committee and for nobody else."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        if self.state.tie_of(command.mediator) is None:
            self.state.objections[side] = self.state.objections.get(side, 0) + 1
        said = {"side": side, "mediator": command.mediator, "reason": command.reason}
        self.say_to((side_code(side), OF_COMMITTEE), Kind.MEDIATOR_OBJECTED, **said)
        seat = next(each for each in self.state.seats_of(MEDIATOR) if same_account(each.subject, command.mediator))
        self.replace(seat)

    def replace(self, seat: Participant) -> None:
        """更换: with nobody left, the committee appoints somebody, and what was drafted begins anew."""
        self.unseat(seat)
        self.state.ties = [each for each in self.state.ties if not same_account(each.mediator, seat.subject)]
        if any(same_account(each.by, seat.subject) for each in self.state.proposals):
            self.nothing_is_put()
        self.record(Kind.MEDIATOR_REPLACED, mediator=seat.subject)
        if self.state.mediators:
            return
        self.nothing_is_put()
        self.state.draft, self.state.signed, self.state.wishes = None, [], {}
        for clock in ("sign", "level", "pause"):
            self.clocks.stop(clock, "engine")
        if self.state.clocks["whole"].status is Status.PAUSED:
            self.clocks.go_on("whole", "engine")
        self.start_clock("appoint")
        self.move(Stage.ACCEPTED, COMMITTEE)
        self.notify(COMMITTEE, "mediation_appoint")
