"""recovery 追回多领款项: what was paid too much comes back, in parts if need be, or two people give it up.

A case of it is started by a welfare case and goes by its terms (policies/welfare.yaml). Source: 社会救助暂行办法 第六十八条
(what was obtained against the rules is paid back), L for the write-off by two.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from schemas.actor import Actor, Role
from schemas.answers import UNNAMED, AnswerTo, SeenNumber
from schemas.case import CaseState
from schemas.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.choices import Bounds, Choices
from schemas.foreign_code import KeptCode
from schemas.people import Part
from schemas.procedure import Command, Procedure
from schemas.recovery_audit import EXPLANATIONS, limits_under
from schemas.recovery_entries import REFERENCES, TITLES
from schemas.recovery_state import OPEN, RecoveryState, Stage
from schemas.references import TextReference
from schemas.refusals import say
from schemas.rules import By, Rule, RulesTable, Scope


class Repay(Command):
    """退款: a part, or all of it, is said to have come back; another person confirms it. `receipt`: the treasury's number."""

    amount_fen: Annotated[int, Field(strict=True, gt=0, le=10**10)]
    receipt: KeptCode

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No more than is left, with what was recorded and waits to be confirmed."""
        if not isinstance(state, RecoveryState):
            return {}
        left = state.left_fen - state.claimed_fen
        reason = say(f"超过尚欠的{left}分", f"is more than the {left} fen that are left")
        return {"amount_fen": Bounds(1, left, reason, say("请核对金额", "look at the amount again"))}


class ProposeWriteOff(Command):
    """申请核销: it cannot be had; a second person decides."""

    reason: TextReference


class AgreeWriteOff(AnswerTo):
    """同意核销: the second person gives it up too."""

    part = Part.WRITE_OFF_PROPOSED
    request: SeenNumber = UNNAMED


class DeclineWriteOff(Command):
    """不同意核销: it is to come back after all."""

    reason: TextReference


ClaimNumber = Annotated[int, Field(strict=True, ge=1)]


class OfClaim(Command):
    """A command about a repayment that was recorded; without a number, the oldest that waits."""

    repayment: ClaimNumber | None = None

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """The repayments that wait to be confirmed."""
        if not isinstance(state, RecoveryState):
            return {}
        reason = say("该笔退款不在待确认之列", "is no repayment that waits to be confirmed")
        return {"repayment": Choices(tuple(claim.number for claim in state.claims), reason)}


class ConfirmRepayment(AnswerTo):
    """确认退款到账: a second person has seen it in the treasury's books; only now the debt is less. `repayment`: which was seen."""

    part = Part.REPAYMENT_CLAIMED
    number_in = "repayment"
    repayment: SeenNumber = None


class DeclineRepayment(OfClaim):
    """退款未到账: what was recorded has not come; the debt is what it was."""

    reason: TextReference


def _a_claim_waits(state: RecoveryState, _actor: Actor, _now: datetime) -> str | None:
    return None if state.claims else say("没有待确认的退款", "no repayment waits to be confirmed")


def _no_claim_waits(state: RecoveryState, _actor: Actor, _now: datetime) -> str | None:
    return say("尚有退款待确认", "a repayment still waits to be confirmed") if state.claims else None


_debtor = By(Role.RESIDENT, Scope.REPORTER)
_clerk = By(Role.WINDOW_CLERK)
_civil_affairs = By(Role.CIVIL_AFFAIRS_OFFICER)
_supervisor = By(Role.SUPERVISOR)
_engine = By(Role.ENGINE, Scope.ENGINE)
_everybody = (_debtor, _clerk, By(Role.GRID_WORKER), By(Role.STREET_OFFICER), _civil_affairs, _supervisor)

_parties = (Part.DEBTOR, Part.ENTERED)

RULES = RulesTable(
    (
        Rule("repay", "退款", (_clerk, _civil_affairs), OPEN, part=Part.REPAYMENT_CLAIMED),
        Rule(
            "confirm_repayment",
            "确认退款",
            (_clerk, _civil_affairs),
            OPEN,
            (Stage.REPAID,),
            (_a_claim_waits,),
            moves_money=True,
            apart_from=(*_parties, Part.REPAYMENT_CLAIMED),
            answers=(Part.REPAYMENT_CLAIMED,),
        ),
        Rule(
            "decline_repayment",
            "退款未到账",
            (_clerk, _civil_affairs),
            OPEN,
            conditions=(_a_claim_waits,),
            apart_from=(Part.DEBTOR,),
        ),
        Rule(
            "propose_write_off",
            "申请核销",
            (_civil_affairs,),
            (Stage.DEMANDED,),
            (Stage.WRITING_OFF,),
            (_no_claim_waits,),
            apart_from=_parties,
            part=Part.WRITE_OFF_PROPOSED,
        ),
        Rule(
            "agree_write_off",
            "同意核销",
            (_civil_affairs, _supervisor),
            (Stage.WRITING_OFF,),
            (Stage.WRITTEN_OFF,),
            (_no_claim_waits,),
            moves_money=True,
            apart_from=(*_parties, Part.WRITE_OFF_PROPOSED),
            answers=(Part.WRITE_OFF_PROPOSED,),
        ),
        Rule(
            "decline_write_off",
            "不同意核销",
            (_civil_affairs, _supervisor),
            (Stage.WRITING_OFF,),
            (Stage.DEMANDED,),
            apart_from=(Part.DEBTOR, Part.WRITE_OFF_PROPOSED),
        ),
        Rule("lapse_write_off", "核销逾期失效", (_engine,), (Stage.WRITING_OFF,), (Stage.DEMANDED,)),
        Rule("expire", "逾期终结", (_engine,), (Stage.DEMANDED,), (Stage.UNRESOLVED,)),
        Rule("urge", "催办", (_supervisor,), OPEN),
        Rule("comment", "备注", _everybody, OPEN),
        Rule("attach", "附件", _everybody, OPEN, conditions=(room_for_a_document,)),
        Rule("replan", "重排期限", (By(Role.ADMIN),), OPEN),
    )
)

RECOVERY = Procedure(
    name="recovery",
    title="追回多领款项",
    state=RecoveryState,
    parent="welfare",
    titles=TITLES,
    references=REFERENCES,
    stages=Stage,
    rules=RULES,
    explanations=EXPLANATIONS,
    limits=limits_under,
    commands={
        "repay": Repay,
        "confirm_repayment": ConfirmRepayment,
        "decline_repayment": DeclineRepayment,
        "propose_write_off": ProposeWriteOff,
        "agree_write_off": AgreeWriteOff,
        "decline_write_off": DeclineWriteOff,
        "urge": Urge,
        "comment": Comment,
        "attach": Attach,
        "replan": Replan,
    },
)
