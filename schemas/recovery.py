"""recovery 追回多领款项: what was paid too much comes back, in parts if need be, or two people give it up.

A case of it is started by a welfare case and goes by its terms (policies/welfare.yaml). Source: 社会救助暂行办法 第六十八条
(what was obtained against the rules is paid back), L for the write-off by two.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from schemas.actor import Actor, Role
from schemas.case import CaseState
from schemas.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.foreign_code import KeptCode
from schemas.people import same_person
from schemas.procedure import Command, Procedure
from schemas.recovery_audit import EXPLANATIONS, limits_under
from schemas.recovery_entries import REFERENCES, TITLES
from schemas.recovery_state import OPEN, RecoveryState, Stage
from schemas.references import TextReference
from schemas.refusals import Fault, say
from schemas.rules import By, Rule, RulesTable, Scope


class Repay(Command):
    """退款: a part, or all of it. `receipt`: the treasury's number."""

    amount_fen: Annotated[int, Field(strict=True, gt=0, le=10**10)]
    receipt: KeptCode

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Refuse more than is left."""
        if not isinstance(state, RecoveryState) or self.amount_fen <= state.left_fen:
            return ()
        return (
            Fault(
                field="amount_fen",
                reason=say(f"超过尚欠的{state.left_fen}分", f"is more than the {state.left_fen} fen that are left"),
                remedy=say("请核对金额", "look at the amount again"),
            ),
        )


class ProposeWriteOff(Command):
    """申请核销: it cannot be had; a second person decides."""

    reason: TextReference


class AgreeWriteOff(Command):
    """同意核销: the second person gives it up too."""


class DeclineWriteOff(Command):
    """不同意核销: it is to come back after all."""

    reason: TextReference


def _not_the_debtor(state: RecoveryState, actor: Actor, _now: datetime) -> str | None:
    if same_person(actor.subject, state.reporter_subject):
        return say("不得办理本人的案件", "nobody gives up what they owe")
    return None


def _another_person(state: RecoveryState, actor: Actor, _now: datetime) -> str | None:
    if same_person(actor.subject, state.written_off_by):
        return say("须由另一人决定", "the second person is another one")
    return None


_debtor = By(Role.RESIDENT, Scope.REPORTER)
_clerk = By(Role.WINDOW_CLERK)
_civil_affairs = By(Role.CIVIL_AFFAIRS_OFFICER)
_supervisor = By(Role.SUPERVISOR)
_engine = By(Role.ENGINE, Scope.ENGINE)
_everybody = (_debtor, _clerk, By(Role.GRID_WORKER), By(Role.STREET_OFFICER), _civil_affairs, _supervisor)

RULES = RulesTable(
    (
        Rule("repay", "退款", (_clerk, _civil_affairs), OPEN, (Stage.REPAID,)),
        Rule(
            "propose_write_off",
            "申请核销",
            (_civil_affairs,),
            (Stage.DEMANDED,),
            (Stage.WRITING_OFF,),
            (_not_the_debtor,),
        ),
        Rule(
            "agree_write_off",
            "同意核销",
            (_civil_affairs, _supervisor),
            (Stage.WRITING_OFF,),
            (Stage.WRITTEN_OFF,),
            (_not_the_debtor, _another_person),
        ),
        Rule(
            "decline_write_off",
            "不同意核销",
            (_civil_affairs, _supervisor),
            (Stage.WRITING_OFF,),
            (Stage.DEMANDED,),
            (_another_person,),
        ),
        Rule("expire", "逾期终结", (_engine,), OPEN, (Stage.UNRESOLVED,)),
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
        "propose_write_off": ProposeWriteOff,
        "agree_write_off": AgreeWriteOff,
        "decline_write_off": DeclineWriteOff,
        "urge": Urge,
        "comment": Comment,
        "attach": Attach,
        "replan": Replan,
    },
)
