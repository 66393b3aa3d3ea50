"""团队成员: asked one by one, and counted when the judging begins (schemas/proposal_members.py)."""

from typing import TypeVar

from schemas.kernel.people import same_person
from schemas.proposal import Kind
from schemas.proposal_state import ProposalState, Stage
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=ProposalState)


class Members(DeclaredCase[StateT]):
    """The part of a proposal in which those who are named say whether they are of the team."""

    def report(self) -> None:
        """Tell the round where it stands, and who is of it."""
        raise NotImplementedError

    def ask_members(self) -> None:
        """Tell each who is named, and has not said so by handing it in."""
        for member in self.state.silent:
            self.notify(f"participant:{member}", "proposal_member_asked")

    def join(self, by: Actor) -> None:
        """同意加入团队: by the own word."""
        joined = [*(self.state.joined or []), by.subject]
        self.state.joined = joined
        self.apply(joined=len(joined), named=len(self.state.team))

    def decline_membership(self, by: Actor) -> None:
        """不参加团队: out, and free to be of another one."""
        self.state.team = tuple(each for each in self.state.team if not same_person(each, by.subject))
        self.state.joined = [each for each in self.state.joined or [] if not same_person(each, by.subject)]
        self.state.declined.append(by.subject)
        self.apply(joined=len(self.state.joined), named=len(self.state.team))
        self.notify(f"participant:{by.subject}", "proposal_member_out")
        self.report()

    def count_members(self) -> bool:
        """团队确定: whoever was silent is no member; say whether enough are left. If not, it is over."""
        state = self.state
        if not state.team_stands:
            self.finish_as(Stage.REFUSED, Kind.TOO_FEW, joined=len(state.joined or []), named=len(state.team))
            return False
        silent = state.silent
        state.team = tuple(each for each in state.team if each not in silent)
        for member in silent:
            self.notify(f"participant:{member}", "proposal_member_out")
        return True
