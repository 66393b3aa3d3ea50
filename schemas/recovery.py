"""recovery 追回多领款项: what was paid too much comes back, in parts if need be, or two people give it up; declared.

A case of it is started by the case that paid, and goes by its terms (schemas/recovery_parent.py): of welfare, and of whatever
procedure asks back. Source: 社会救助暂行办法 第六十八条
(what was obtained against the rules is paid back), L for the write-off by two. What is more than a line stands in
`workflows/recovery.py`.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from schemas.kernel.acts import WithReason, act, file_acts, step
from schemas.kernel.answers import UNNAMED, AnswerTo, SeenNumber
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    GRID_WORKER,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
)
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit
from schemas.parts.conditions import forbids, needs
from schemas.recovery_audit import why_demanded, why_left
from schemas.recovery_state import OPEN, RecoveryState, Stage
from schemas.values.foreign_code import KeptCode
from schemas.values.references import TextReference
from schemas.values.refusals import say


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


class AgreeWriteOff(AnswerTo):
    """同意核销: the second person gives it up too."""

    part = Part.WRITE_OFF_PROPOSED
    request: SeenNumber = UNNAMED


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


_a_claim_waits = needs(
    "_a_claim_waits",
    lambda state: state.claims,
    "没有待确认的退款",
    "no repayment waits to be confirmed",
)

_no_claim_waits = forbids(
    "_no_claim_waits",
    lambda state: state.claims,
    "尚有退款待确认",
    "a repayment still waits to be confirmed",
)


class Kind(EntryKinds, procedure="recovery"):
    """What the ledger says happened."""

    DEMANDED = entry("demanded", "通知退款", why_demanded, references={"debtor": Refers.PERSON})
    REPAYMENT_CLAIMED = entry("repayment:claimed", "退款登记")
    REPAYMENT_DECLINED = entry("repayment:declined", "退款未确认")
    REPAID_PART = entry("repaid_part", "部分退款", why_left)
    REPAID = entry("repaid", "退款完毕", why_left)
    WRITE_OFF_PROPOSED = entry("write_off:proposed", "申请核销", why_left)
    WRITE_OFF_DECLINED = entry("write_off:declined", "不同意核销")
    WRITE_OFF_LAPSED = entry("write_off:lapsed", "核销逾期无人决定,失效")
    HELD_OPEN = entry("held_open", "退款待确认,暂不终结")
    REPAYMENT_SEEN = entry("repayment:seen", "退款已由一人确认")
    WRITE_OFF_SEEN = entry("write_off:seen", "核销已由一人同意")
    WRITTEN_OFF = entry("written_off", "核销", why_left)
    UNRESOLVED = entry("unresolved", "逾期终结", why_left)


_parties = (Part.DEBTOR, Part.ENTERED, Part.KEPT_FROM_IT)
"""Who owes it, who entered the case that paid, and who was kept from its money."""

RECOVERY = declare(
    "recovery",
    "追回多领款项",
    parent="welfare",
    state=RecoveryState,
    stages=Stage,
    entries=Kind,
    opened=Kind.DEMANDED,
    timers={
        "repay": duty("退款", "repayment", "repay"),
        "confirm_repayment": duty("退款确认", "confirmation of a repayment", "confirm_repayment", beside=True),
        "write_off": duty("核销", "write-off", "countersign"),
        "final": last_limit("unresolved_after", runs_on=True),
    },
    lines=(
        act(
            Repay, "退款",
            by=(WINDOW_CLERK, CIVIL_AFFAIRS_OFFICER), at=OPEN, apart_from=(Part.KEPT_FROM_IT,), part=Part.REPAYMENT_CLAIMED,
            entry=Kind.REPAYMENT_CLAIMED,
        ),
        act(
            ConfirmRepayment, "确认退款",
            by=(WINDOW_CLERK, CIVIL_AFFAIRS_OFFICER), at=OPEN, to=Stage.REPAID, when=_a_claim_waits,
            moves_money=True, apart_from=(*_parties, Part.REPAYMENT_CLAIMED, Part.REPAYMENT_SEEN),
            part=Part.REPAYMENT_SEEN,
            answers=(Part.REPAYMENT_CLAIMED,),
        ),
        act(
            DeclineRepayment, "退款未到账",
            by=(WINDOW_CLERK, CIVIL_AFFAIRS_OFFICER), at=OPEN, when=_a_claim_waits, apart_from=(Part.DEBTOR, Part.KEPT_FROM_IT),
            entry=Kind.REPAYMENT_DECLINED,
        ),
        act(
            WithReason, "申请核销", name="propose_write_off", meaning="it cannot be had; a second person decides.",
            by=CIVIL_AFFAIRS_OFFICER, at=Stage.DEMANDED, to=Stage.WRITING_OFF, when=_no_claim_waits,
            apart_from=_parties, part=Part.WRITE_OFF_PROPOSED, entry=Kind.WRITE_OFF_PROPOSED,
        ),
        act(
            AgreeWriteOff, "同意核销",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.WRITING_OFF, to=Stage.WRITTEN_OFF,
            when=_no_claim_waits, moves_money=True,
            apart_from=(*_parties, Part.WRITE_OFF_PROPOSED, Part.WRITE_OFF_AGREED), part=Part.WRITE_OFF_AGREED,
            answers=(Part.WRITE_OFF_PROPOSED,), entry=Kind.WRITTEN_OFF,
        ),
        act(
            WithReason, "不同意核销", name="decline_write_off", meaning="it is to come back after all.",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.WRITING_OFF, to=Stage.DEMANDED,
            apart_from=(Part.DEBTOR, Part.KEPT_FROM_IT, Part.WRITE_OFF_PROPOSED), entry=Kind.WRITE_OFF_DECLINED,
        ),
        step("lapse_write_off", "核销逾期失效", at=Stage.WRITING_OFF, to=Stage.DEMANDED),
        step("expire", "逾期终结", at=Stage.DEMANDED, to=Stage.UNRESOLVED),
        *file_acts(
            Kind,
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR),
            at=OPEN,
            urged_by=(SUPERVISOR,),
        ),
    ),
    end_notice=EndNotice(THE_REPORTER),
)  # fmt: skip
