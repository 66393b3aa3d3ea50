"""提请回避: a tie of a juror that neither team nor juror has named; two people say so before it counts.

Source: domain (kin, household, employer, donor and team are out for that proposal). The team names whom it is tied to, a juror says
so themselves; what both leave out, committee or street name with a reason, and another person confirms. Nobody is put out of a
jury on one word, nor by who is of the team, of the carrier or of the jury; beyond a third of those who were announced not without
a supervisor. Who puts one out does not choose who comes instead.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from schemas.kernel.answers import AnswerTo, RequestNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.parts.conditions import forbids
from schemas.proposal_state import ProposalState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Role
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FieldWords


class NameTie(Command):
    """提请评委回避: a juror is said to be tied to the team or the carrier, and how; another person looks into it."""

    juror: Annotated[AccountCode, FieldWords("评委账号", "account of the juror")]
    reason: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those who judge it."""
        if not isinstance(state, ProposalState):
            return {}
        return {"juror": Choices(state.jurors, say("不是本案评委", "does not judge this proposal"))}


class ConfirmTie(AnswerTo):
    """确认评委回避: another person has looked; `right`: the juror is out with their sheet, else all stays as it was."""

    part = Part.TIE_NAMED
    request: RequestNumber
    right: Annotated[bool, FieldWords("是否属实", "it is so")]
    finding: TextReference

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:
        """Beyond a third of the announced jury, it is a supervisor who finds it right."""
        found = super().not_theirs(state, actor, now)
        if not isinstance(state, ProposalState) or not self.right or actor.role is Role.SUPERVISOR:
            return found
        if THIRD * (len(state.put_out) + 1) <= state.jury_size:
            return found
        said = say(
            "已有评委经确认回避,再次回避须由督导确认", "so many of the jury are out: a supervisor confirms any other"
        )
        return (*found, Fault(field="right", reason=said, remedy=say("请提请督导核实", "let a supervisor look")))


THIRD = 3
"""So many jurors were announced for each who is put out without a supervisor."""

no_tie_waits = forbids(
    "no_tie_waits", lambda state: state.tie, "已提请评委回避,待确认", "a tie that was named waits to be confirmed"
)
