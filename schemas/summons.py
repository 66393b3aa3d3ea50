"""summons 部门报到: one department that a whistle calls, and the table of who may do what, when.

A child of the whistle: started by it, with an id, clocks and a timeline of its own, and no policy but the whistle's. Its
state, commands and entries stand beside it: `summons_state`, `summons_commands`, `summons_entries`.
"""

from datetime import datetime

from schemas.actor import Actor, Role
from schemas.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.department import CallbackAct
from schemas.procedure import Procedure
from schemas.refusals import say
from schemas.rules import By, Rule, RulesTable, Scope
from schemas.summons_audit import EXPLANATIONS, limits_under
from schemas.summons_commands import Arrive, Decline, Finish, Respond, Ruling
from schemas.summons_entries import REFERENCES, TITLES, Kind
from schemas.summons_state import AWAITED, FINAL, OPEN, PRESENT, SETTLED, Stage, SummonsState

__all__ = [
    "AWAITED",
    "FINAL",
    "OPEN",
    "PRESENT",
    "RULES",
    "SETTLED",
    "SUMMONS",
    "TITLES",
    "Arrive",
    "Decline",
    "Finish",
    "Kind",
    "Respond",
    "Ruling",
    "Stage",
    "SummonsState",
]


def _may_still_decline(state: SummonsState, _actor: Actor, _now: datetime) -> str | None:
    if state.binding:
        return say("裁定具有约束力,须按时报到", "the ruling binds: the department has to come")
    return None


def _whistle_not_over(state: SummonsState, _actor: Actor, _now: datetime) -> str | None:
    return say("吹哨已结束", "the whistle is over") if state.over else None


_department = By(Role.DEPARTMENT_OFFICER, Scope.HOLDER)
_coordinator = By(Role.COORDINATOR)
_street_officer = By(Role.STREET_OFFICER)
_supervisor = By(Role.SUPERVISOR)
_grid_worker = By(Role.GRID_WORKER)
_admin = By(Role.ADMIN)
_engine = By(Role.ENGINE, Scope.ENGINE)
_everybody = (_department, _street_officer, _coordinator, _supervisor, _grid_worker)
_COMING = (Stage.SUMMONED, Stage.RESPONDED)

RULES = RulesTable(
    (
        Rule("respond", "响应", (_department,), (Stage.SUMMONED,), (Stage.RESPONDED,)),
        Rule("decline", "反哨", (_department,), (Stage.SUMMONED,), (Stage.DECLINED,), (_may_still_decline,)),
        Rule("arbitrate", "裁定", (_coordinator,), (Stage.DECLINED,), (Stage.RELEASED, Stage.SUMMONED)),
        Rule("arrive", "到场", (_department,), (*_COMING, Stage.ABSENT), (Stage.ARRIVED,), (_whistle_not_over,)),
        Rule("finish", "办结", (_department,), (Stage.ARRIVED, Stage.UNFINISHED), (Stage.DONE,), (_whistle_not_over,)),
        Rule("give_up", "缺席", (_engine,), _COMING, (Stage.ABSENT,)),
        Rule("give_up", "未办结", (_engine,), (Stage.ARRIVED,), (Stage.UNFINISHED,)),
        Rule("release", "逾期未裁定,免于报到", (_engine,), (Stage.DECLINED,), (Stage.RELEASED,)),
        Rule("score", "评分(街道)", (_engine,), (Stage.ARRIVED, *SETTLED), (Stage.SCORED,)),
        Rule("cancel", "吹哨撤销", (_engine,), OPEN, (Stage.CANCELLED,)),
        Rule("urge", "催办", (_street_officer, _coordinator, _supervisor), OPEN),
        Rule("comment", "备注", _everybody, OPEN),
        Rule("attach", "附件", _everybody, OPEN, conditions=(room_for_a_document,)),
        Rule("replan", "重排期限", (_admin,), OPEN),
    )
)

SUMMONS = Procedure(
    name="summons",
    title="部门报到",
    parent="whistle",
    state=SummonsState,
    titles=TITLES,
    references=REFERENCES,
    stages=Stage,
    rules=RULES,
    explanations=EXPLANATIONS,
    limits=limits_under,
    callbacks={
        CallbackAct.SIGNED: "respond",
        CallbackAct.RETURNED: "decline",
        CallbackAct.ARRIVED: "arrive",
        CallbackAct.FINISHED: "finish",
    },
    commands={
        "respond": Respond,
        "decline": Decline,
        "arbitrate": Ruling,
        "arrive": Arrive,
        "finish": Finish,
        "urge": Urge,
        "comment": Comment,
        "attach": Attach,
        "replan": Replan,
    },
)
