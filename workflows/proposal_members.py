"""团队成员: asked one by one, and counted when their time is over and the round collects no more (schemas/proposal_members.py)."""

from typing import TypeVar

from schemas.kernel.acts import Step
from schemas.kernel.people import same_person
from schemas.proposal import Kind
from schemas.proposal_state import SCREENING, ProposalState, Stage
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

MEMBERS = "members"
"""The clock by which those who are named say so; a case from before it has none."""

StateT = TypeVar("StateT", bound=ProposalState)


class Members(DeclaredCase[StateT]):
    """The part of a proposal in which those who are named say whether they are of the team."""

    def report(self) -> None:
        """Tell the round where it stands, and who is of it."""
        raise NotImplementedError

    def begin_judging(self) -> None:
        """Go on: it is screened, and the team stands."""
        raise NotImplementedError

    def await_members(self) -> None:
        """成员确认: those who are named have a time of their own, whenever somebody screens it."""
        if self.state.silent and self.state.terms.members is not None:
            self.start_clock(MEMBERS)

    def ask_members(self) -> None:
        """Tell each who is named, and has not said so by handing it in."""
        for member in self.state.silent:
            self.notify(f"participant:{member}", "proposal_member_asked")

    def join(self, by: Actor) -> None:
        """同意加入团队: by the own word."""
        joined = [*(self.state.joined or []), by.subject]
        self.state.joined = joined
        self.apply(joined=len(joined), named=len(self.state.team))
        self.one_has_said_so(by)

    def decline_membership(self, by: Actor) -> None:
        """不参加团队: out, and free to be of another one."""
        self.state.team = tuple(each for each in self.state.team if not same_person(each, by.subject))
        self.state.joined = [each for each in self.state.joined or [] if not same_person(each, by.subject)]
        self.state.declined.append(by.subject)
        self.apply(joined=len(self.state.joined), named=len(self.state.team))
        self.notify(f"participant:{by.subject}", "proposal_member_out")
        self.report()
        self.one_has_said_so(by)

    def one_has_said_so(self, by: Actor) -> None:
        """With the last one nobody is waited for."""
        if not self.state.silent and self.clocks.runs(MEMBERS):
            self.clocks.stop(MEMBERS, by.subject)
            self.look_at_members()

    def end_joining(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """成员确认期满: who is silent is no member as soon as the round collects no more."""
        self.clocks.stop(MEMBERS, "engine")
        self.look_at_members()

    def look_at_members(self) -> None:
        """Count when nobody has time left, whatever the minute at which somebody screens it; what is screened is judged then."""
        state = self.state
        if not state.judging_open or self.clocks.runs(MEMBERS):
            return
        if state.stage == Stage.SCREENED:
            self.begin_judging()
        elif state.stage in SCREENING and MEMBERS in state.clocks and self.count_members():
            self.record(Kind.TEAM_STANDS, joined=len(state.joined or []))
            self.report()

    def count_members(self) -> bool:
        """团队确定: whoever was silent is no member; say whether enough are left. If not, it is over."""
        state = self.state
        if state.counted:
            return True
        if not state.team_stands:
            self.finish_as(Stage.REFUSED, Kind.TOO_FEW, joined=len(state.joined or []), named=len(state.team))
            return False
        silent, state.counted = state.silent, state.terms.members is not None
        state.team = tuple(each for each in state.team if each not in silent)
        for member in silent:
            self.notify(f"participant:{member}", "proposal_member_out")
        return True
