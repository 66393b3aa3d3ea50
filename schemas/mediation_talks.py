"""mediation 人民调解: what mediators do between the sides - sessions together and apart, invitations, dangers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.contracts.department import Code
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.procedure import Command
from schemas.mediation_sides import OfOneSide, seated_already
from schemas.mediation_state import NEXT_LEVEL, Level, MediationState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say


class Invite(Command):
    """邀请: somebody with knowledge, for so many days; every side agrees first (People's Mediation Law, 20)."""

    specialist: AccountCode
    days: Annotated[int, Field(strict=True, ge=1, le=365)]
    text: TextReference

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Somebody who has no seat yet."""
        return tuple(seated_already(state, "specialist", self.specialist))


class GiveOpinion(Command):
    """专业意见: what somebody invited says. `lawyer`: it is a lawyer's view of the draft or the sum."""

    opinion: TextReference
    lawyer: bool = False


class Escalate(Command):
    """提级联合调解: to the next level, if every side agrees; committees have no ranks."""

    level: Level
    text: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The next level."""
        after = NEXT_LEVEL.get(state.level) if isinstance(state, MediationState) else None
        return {"level": Choices(() if after is None else (after,), say("不是下一级", "is not the next level"))}


class CallSession(Command):
    """约调: together, or with one side apart; so many hours ahead."""

    at: datetime
    joint: bool
    sides: Annotated[tuple[Code, ...], Field(min_length=1, max_length=40)]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sides that have consented."""
        if not isinstance(state, MediationState):
            return {}
        ready = tuple(side for side in state.sides if side in state.consented)
        return {"sides": Choices(ready, say("本案没有这一方,或其尚未同意", "is no side here, or has not consented"))}

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - of everybody
        """In time for everybody to come."""
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        hours = state.terms.session_notice_hours
        if self.at >= now + timedelta(hours=hours):
            return ()
        said = say(f"须提前{hours}小时通知", f"it is called {hours} hours ahead")
        return (Fault(field="at", reason=said, remedy=say("请另约时间", "choose a later time")),)

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Nobody is brought together with whom they fear; apart is one side."""
        assert isinstance(state, MediationState)  # noqa: S101 - of mediation
        found = list(super().faults(state))
        if self.joint and state.in_danger:
            said = say("风险未解除,不得安排各方同场", "a danger was reported: nobody meets until it is cleared")
            found.append(Fault(field="joint", reason=said, remedy=say("请分别约调", "call one side at a time")))
        if self.joint != (len(self.sides) > 1):
            said = say("同场须有两方以上,分别则为一方", "together are two sides or more, apart is one")
            found.append(Fault(field="sides", reason=said, remedy=say("请核对", "name them so")))
        return tuple(found)


class RecordSession(Command):
    """笔录: what was said; heard by who was called, and by nobody else. An offer is no admission."""

    session: Annotated[int, Field(strict=True, ge=1)]
    minutes: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sessions that were called, and not written down yet."""
        waiting = (
            [each.number for each in state.sessions if not each.recorded] if isinstance(state, MediationState) else []
        )
        return {"session": Choices(tuple(waiting), say("没有这次约调,或已有笔录", "was not called, or is recorded"))}


class PassOn(Command):
    """转告: what a mediator says to some sides, and to no other."""

    text: TextReference
    sides: Annotated[tuple[Code, ...], Field(min_length=1, max_length=40)]

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The sides of the case."""
        known = OfOneSide.allowed(state).get("side")
        return {} if known is None else {"sides": known}


class ReportDanger(Command):
    """风险报告: somebody may come to harm. No consent is needed (People's Mediation Law, article 25)."""

    text: TextReference


class Called(StrEnum):
    """Who is called when somebody may come to harm (人民调解法 25: police and others concerned)."""

    POLICE = "police"
    PSYCHOLOGY = "psychology"
    HOTLINE = "hotline-12356"
    HOSPITAL = "hospital"


class ReferDanger(Command):
    """联系处置: who was called, and is on the way."""

    danger: Annotated[int, Field(strict=True, ge=1)]
    called: Called

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those for which nobody was called yet."""
        return {"danger": _dangers(state, referred=False)}


class ClearDanger(Command):
    """解除风险: somebody has looked, and says what they found."""

    danger: Annotated[int, Field(strict=True, ge=1)]
    finding: TextReference

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those that were referred."""
        return {"danger": _dangers(state, referred=True)}


def _dangers(state: CaseState, *, referred: bool) -> Choices:
    of_case = state.dangers if isinstance(state, MediationState) else []
    open_ones = (each.number for each in of_case if not each.cleared and each.referred == referred)
    return Choices(tuple(open_ones), say("没有待办的这一项", "nothing of this number waits"))
