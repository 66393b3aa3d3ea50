"""whistle 吹哨报到: a street calls departments to a matter that it cannot settle alone, and the table of who may do what.

Sources: the seed documents (网格员发现-街乡吹哨-部门报到), the domain's three types. Each department that is called is a case
of its own (`summons`). Policy, state, commands, entries and the pure rules of gathering stand beside it: `whistle_policy`,
`whistle_state`, `whistle_commands`, `whistle_entries`, `whistle_gathering`.
"""

from schemas.actor import Role
from schemas.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.procedure import Procedure
from schemas.rules import By, Rule, RulesTable, Scope
from schemas.whistle_audit import EXPLANATIONS, limits_under
from schemas.whistle_commands import BeginWork, Cancel, HandOverLead, Score, SummonMore
from schemas.whistle_entries import REFERENCES, TITLES, Kind
from schemas.whistle_policy import WhistlePolicy
from schemas.whistle_state import FINAL, OPEN, Stage, Summoned, WhistleState

__all__ = [
    "FINAL",
    "OPEN",
    "RULES",
    "TITLES",
    "WHISTLE",
    "BeginWork",
    "Cancel",
    "HandOverLead",
    "Kind",
    "Score",
    "Stage",
    "SummonMore",
    "Summoned",
    "WhistlePolicy",
    "WhistleState",
]

_street_officer = By(Role.STREET_OFFICER)
_coordinator = By(Role.COORDINATOR)
_lead = By(Role.DEPARTMENT_OFFICER, Scope.HOLDER)
_supervisor = By(Role.SUPERVISOR)
_grid_worker = By(Role.GRID_WORKER)
_admin = By(Role.ADMIN)
_engine = By(Role.ENGINE, Scope.ENGINE)
_everybody = (_street_officer, _coordinator, _lead, _supervisor, _grid_worker)

RULES = RulesTable(
    (
        Rule("summon", "召集部门", (_engine,), (Stage.BLOWN,), (Stage.SUMMONING,)),
        Rule("summon_more", "增派部门", (_street_officer,), OPEN),
        Rule("hand_over_lead", "移交牵头", (_street_officer, _coordinator), OPEN),
        Rule("gather", "集结", (_engine,), (Stage.SUMMONING,), (Stage.GATHERED,)),
        Rule("begin_work", "开展处置", (_street_officer, _lead), (Stage.GATHERED,), (Stage.WORKING,)),
        Rule("begin", "首个任务办结即开展", (_engine,), (Stage.GATHERED,), (Stage.WORKING,)),
        Rule("score", "评分", (_street_officer,), (Stage.WORKING,), (Stage.WORKING, Stage.EVALUATED)),
        Rule("close", "销哨", (_engine,), (Stage.EVALUATED,), (Stage.CLOSED,)),
        Rule("cancel", "撤销吹哨", (_street_officer, _coordinator), OPEN, (Stage.CANCELLED,)),
        Rule("expire", "逾期终结", (_engine,), OPEN, (Stage.UNRESOLVED,)),
        Rule("urge", "催办", (_street_officer, _grid_worker, _supervisor), OPEN),
        Rule("comment", "备注", _everybody, OPEN),
        Rule("attach", "附件", _everybody, OPEN, conditions=(room_for_a_document,)),
        Rule("replan", "重排期限", (_admin,), OPEN),
    )
)

WHISTLE = Procedure(
    name="whistle",
    title="吹哨报到",
    policy=WhistlePolicy,
    state=WhistleState,
    titles=TITLES,
    references=REFERENCES,
    stages=Stage,
    rules=RULES,
    explanations=EXPLANATIONS,
    limits=limits_under,
    commands={
        "summon_more": SummonMore,
        "hand_over_lead": HandOverLead,
        "begin_work": BeginWork,
        "score": Score,
        "cancel": Cancel,
        "urge": Urge,
        "comment": Comment,
        "attach": Attach,
        "replan": Replan,
    },
)
