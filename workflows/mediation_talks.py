"""mediation 人民调解, 3 to 5: what every side has to agree to, sessions together and apart, and danger."""

from datetime import timedelta
from typing import Any

from schemas.kernel.acts import Step, WithReason
from schemas.kernel.participants import Participant, role_code, side_code
from schemas.mediation import COMMITTEE, Kind
from schemas.mediation_sides import AgreeTo, DisagreeWith
from schemas.mediation_state import NEXT_LEVEL, Danger, Matter, Proposal, Session, Stage
from schemas.mediation_talks import (
    CallSession,
    ClearDanger,
    Escalate,
    GiveOpinion,
    Invite,
    PassOn,
    RecordSession,
    ReferDanger,
)
from schemas.parts.participants import SPECIALIST
from schemas.values.actor import Actor, Role
from workflows.mediation_case import MEDIATORS, OF_COMMITTEE
from workflows.mediation_sides import MediationSides


class MediationTalks(MediationSides):
    """Talking, together or apart."""

    # ---- 3. what every side agrees to -------------------------------------------------------------------------------

    def put_to_all(self, matter: Matter, by: Actor, **what: Any) -> None:
        """征求各方意见: done when every side has agreed, and not before."""
        self.state.proposals_made += 1
        number = self.state.proposals_made
        self.state.proposals.append(Proposal(number=number, matter=matter, by=by.subject, **what))
        self.start_clock("put_to_all")
        self.record_command(request=number, matter=matter)
        for told in self.all_addresses():
            self.notify(told, "mediation_put_to_all", matter=matter)

    def invite(self, command: Invite, by: Actor) -> None:
        """邀请: somebody with knowledge, for so many days."""
        self.put_to_all(Matter.INVITE, by, specialist=command.specialist, days=command.days)

    def escalate(self, command: Escalate, by: Actor) -> None:  # noqa: ARG002 - there is one next level
        """提级: offered, and never ordered."""
        self.put_to_all(Matter.ESCALATE, by)

    def ask_extension(self, command: WithReason, by: Actor) -> None:  # noqa: ARG002 - its entry says all
        """延期: if all consent."""
        self.put_to_all(Matter.EXTEND, by)

    def agree_to(self, command: AgreeTo, by: Actor) -> None:
        """一方同意: with the last side it is done."""
        proposal = next(each for each in self.state.proposals if each.number == command.request)
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        if side not in proposal.agreed:
            proposal.agreed.append(side)
        self.record(Kind.AGREED, request=proposal.number, side=side)
        if set(self.state.sides) <= set(proposal.agreed):
            self.nothing_is_put()
            getattr(self, f"all_agree_to_{proposal.matter}")(proposal)

    def disagree_with(self, command: DisagreeWith, by: Actor) -> None:
        """一方不同意: it is not done."""
        side = command.said_by(self.state, by)
        self.take_down(command, by, side)
        self.nothing_is_put()
        self.record(Kind.DISAGREED, request=command.request)
        for told in self.mediator_addresses():
            self.notify(told, "mediation_not_agreed")

    def not_all_spoke(self, step: Step) -> None:
        """征求意见期满: silence agrees to nothing, and keeps nothing else from being put to them."""
        requests = [each.number for each in self.state.proposals]
        self.nothing_is_put()
        self.record(self.entry_of(step), requests=requests)
        for told in (*self.mediator_addresses(), *self.all_addresses()):
            self.notify(told, "mediation_lapsed")

    def all_agree_to_invite(self, proposal: Proposal) -> None:
        """They have a seat for so long."""
        until = self.now() + timedelta(days=proposal.days)
        seat = self.seat(SPECIALIST, proposal.specialist, until=until)
        self.record(Kind.INVITED, seat=seat.number)
        self.notify(f"participant:{proposal.specialist}", "mediation_invited")

    def on_invitation_ended(self, seat: Participant) -> None:
        """邀请期满: they see nothing of it any more."""
        self.record(Kind.INVITATION_ENDED, seat=seat.number)

    def all_agree_to_escalate(self, proposal: Proposal) -> None:  # noqa: ARG002 - there is one next level
        """提级联合调解: its own time begins; who mediates stays, and the committee names others besides."""
        self.state.level = NEXT_LEVEL[self.state.level]
        self.start_clock("level")
        self.record(Kind.ESCALATED, level=self.state.level)
        self.notify(COMMITTEE, "mediation_escalated", level=self.state.level)

    def all_agree_to_extend(self, proposal: Proposal) -> None:  # noqa: ARG002 - by what the town's rules say
        """延长调解期限."""
        self.state.extensions += 1
        self.clocks.extend("whole", self.state.terms.extend_by, "engine")
        self.record(Kind.EXTENDED, extensions=self.state.extensions)

    def level_is_over(self, step: Step) -> None:  # noqa: ARG002 - it moves nothing
        """本级调解期满: the next level is offered; nobody is moved."""
        self.record(Kind.LEVEL_OVER, level=self.state.level)
        for told in (*self.mediator_addresses(), *self.all_addresses()):
            self.notify(told, "mediation_level_over")

    def give_opinion(self, command: GiveOpinion) -> None:
        """专业意见: for all sides, of whom none invited them alone."""
        self.state.lawyer_heard = self.state.lawyer_heard or command.lawyer
        self.record_command()

    # ---- 4. sessions ------------------------------------------------------------------------------------------------

    def call_session(self, command: CallSession) -> None:
        """约调: who is called is told."""
        number = len(self.state.sessions) + 1
        self.state.sessions.append(Session(number=number, at=command.at, joint=command.joint, sides=command.sides))
        with self.heard_only_by(*map(side_code, command.sides), MEDIATORS):
            self.record_command(session=number)
        for side in command.sides:
            for told in self.side_addresses(side):
                self.notify(told, "mediation_session")

    def record_session(self, command: RecordSession) -> None:
        """笔录: of a session apart, no other side hears; an offer in it is no admission."""
        session = self.state.sessions[command.session - 1]
        session.recorded = True
        with self.heard_only_by(*map(side_code, session.sides), MEDIATORS):
            self.record_command(joint=session.joint)

    def pass_on(self, command: PassOn) -> None:
        """转告: to these, and to no other."""
        with self.heard_only_by(*map(side_code, command.sides), MEDIATORS):
            self.record_command()

    def pause(self, by: Actor) -> None:
        """中止: its time rests, and somebody sees to it that it goes on."""
        for clock in ("whole", "level"):
            if self.clocks.runs(clock):
                self.clocks.pause(clock, by.subject)
        self.start_clock("pause")
        self.move(Stage.PAUSED, "role:mediator")
        self.record_command()

    def resume(self, by: Actor) -> None:
        """恢复: the time in between is not counted."""
        self.clocks.stop("pause", by.subject)
        for clock in ("whole", "level"):
            if clock in self.state.clocks and self.state.clocks[clock].status == "paused":
                self.clocks.go_on(clock, by.subject)
        self.move(Stage.MEDIATING, "role:mediator")
        self.record_command()

    # ---- 5. danger --------------------------------------------------------------------------------------------------

    def report_danger(self, by: Actor) -> None:
        """风险报告: nobody is asked. Help is called, with the number of the case and no word of it."""
        with self.heard_only_by(*self.of_speaker(by), role_code(Role.COORDINATOR)):
            number = self.danger_comes_up()
            self.record_command(danger=number)
        self.nobody_meets()

    def danger_comes_up(self) -> int:
        """All tiers are told at once, and the time runs within which somebody is on the way."""
        number = len(self.state.dangers) + 1
        self.state.dangers.append(Danger(number=number))
        self.start_clock(f"attend:{number}")
        for told in ("role:coordinator", "role:street_officer", "supervisor"):
            self.notify(told, "mediation_danger")
        return number

    def nobody_meets(self) -> None:
        """取消约调: joint sessions that were called do not take place; why, no side hears."""
        for session in [each for each in self.state.sessions if each.joint and not each.recorded]:
            session.recorded = True
            heard = (*map(side_code, session.sides), MEDIATORS)
            self.say_to(heard, Kind.SESSION_CALLED_OFF, session=session.number)
            for told in self.all_addresses():
                self.notify(told, "mediation_session_off")

    def refer_danger(self, command: ReferDanger, by: Actor) -> None:
        """联系处置: who was called; they are there in time."""
        self.state.dangers[command.danger - 1].referred = True
        self.clocks.stop(f"attend:{command.danger}", by.subject)
        self.start_clock(f"on_site:{command.danger}")
        with self.heard_only_by(MEDIATORS, OF_COMMITTEE, role_code(Role.COORDINATOR)):
            self.record_command()

    def clear_danger(self, command: ClearDanger, by: Actor) -> None:
        """解除风险: sides may meet again."""
        self.state.dangers[command.danger - 1].cleared = True
        self.clocks.stop(f"on_site:{command.danger}", by.subject)
        with self.heard_only_by(MEDIATORS, OF_COMMITTEE, role_code(Role.COORDINATOR)):
            self.record_command()
