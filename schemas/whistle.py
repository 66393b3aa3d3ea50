"""whistle 吹哨报到: a street calls departments to a matter that it cannot settle alone, declared: who may do what, and when.

Sources: the seed documents (网格员发现-街乡吹哨-部门报到), the domain's three types. Each department that is called is a case
of its own (`summons`). Policy, state, commands and the pure rules of gathering stand beside it: `whistle_policy`,
`whistle_state`, `whistle_commands`, `whistle_gathering`; what is more than a line in `workflows/whistle.py`.
"""

from schemas.kernel.acts import Nothing, WithReason, act, file_acts, step
from schemas.kernel.because import by_policy
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    COORDINATOR,
    GRID_WORKER,
    HOLDING_DEPARTMENT,
    STREET_OFFICER,
    SUPERVISOR,
    desk_of,
)
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit
from schemas.whistle_audit import why_evaluated, why_gathered, why_scored, why_summoned
from schemas.whistle_call import BLOW, BLOWERS, WhistleCall
from schemas.whistle_commands import HandOverLead, Score, SummonMore
from schemas.whistle_policy import WhistlePolicy
from schemas.whistle_state import OPEN, Stage, WhistleState


class Kind(EntryKinds, procedure="whistle"):
    """What the ledger says happened; the `result` of a department is a text of its summons."""

    BLOWN = entry("blown", "吹哨", references={"matter": Refers.TEXT, "address": Refers.TEXT})
    SUMMONED = entry("summoned", "召集部门", why_summoned)
    SUMMONS_STANDS = entry("summons_stands", "报到立案")
    REPORTED = entry("department_reported", "部门报告", references={"result": Refers.TEXT})
    GATHERED = entry("gathered", "集结", why_gathered)
    LEAD_HANDED_OVER = entry("lead_handed_over", "移交牵头")
    LEAD_MISSING = entry("lead_missing", "牵头部门免于报到")
    WORK_BEGUN = entry("work_begun", "开展处置")
    ALL_SETTLED = entry("all_settled", "各部门任务了结")
    SCORED = entry("scored", "评分", why_scored)
    EVALUATED = entry("evaluated", "评价完成", why_evaluated)
    CLOSED = entry("closed", "销哨")
    CANCELLED = entry("cancelled", "撤销吹哨")
    UNRESOLVED = entry(
        "unresolved",
        "未解决终结",
        by_policy(
            "whistle", "unresolved_after", "末级上报后 {limit} 仍无进展则终结", "ends {limit} after the last tier"
        ),
    )
    INCIDENT_WAITS = entry("incident:waits", "事件等候吹哨结果")
    INCIDENT_GOES_ON = entry("incident:goes_on", "事件不等候")
    INCIDENT_ENDED = entry("incident:ended", "事件已先行了结")


WHISTLE = declare(
    "whistle",
    "吹哨报到",
    policy=WhistlePolicy,
    state=WhistleState,
    stages=Stage,
    entries=Kind,
    opened=Kind.BLOWN,
    opens=Opens(
        WhistleCall, BLOW, "吹哨", "blow whistles", BLOWERS, "whistles",
        areas=("location.area",),
        unasked=frozenset({"location.lat", "location.lon"}),  # nobody knows them by heart
    ),
    keep_years=3,
    timers={
        "gather": duty("集结", "gathering", "types.{type}.arrive", "types.{type}.tiers"),
        "begin": duty("开展处置", "beginning of work", "types.{type}.begin", "types.{type}.tiers"),
        "score": duty("评分", "scoring", "types.{type}.score", lambda terms, state: terms.street_tiers_of(state.type)),
        "final": last_limit("unresolved_after", runs_on=True),
    },
    lines=(
        step("summon", "召集部门", at=Stage.BLOWN, to=Stage.SUMMONING),
        act(SummonMore, "增派部门", by=STREET_OFFICER, at=OPEN, entry=Kind.SUMMONED),
        act(HandOverLead, "移交牵头", by=(STREET_OFFICER, COORDINATOR), at=OPEN, entry=Kind.LEAD_HANDED_OVER),
        step("gather", "集结", at=Stage.SUMMONING, to=Stage.GATHERED),
        act(
            Nothing, "开展处置", name="begin_work", meaning="whoever had to come has come, and the work begins.",
            by=(STREET_OFFICER, HOLDING_DEPARTMENT), at=Stage.GATHERED, to=Stage.WORKING, entry=Kind.WORK_BEGUN,
        ),
        step("begin", "首个任务办结即开展", at=Stage.GATHERED, to=Stage.WORKING),
        act(Score, "评分", by=STREET_OFFICER, at=Stage.WORKING, to=(Stage.WORKING, Stage.EVALUATED), entry=Kind.SCORED),
        step("close", "销哨", at=Stage.EVALUATED, to=Stage.CLOSED),
        act(
            WithReason, "撤销吹哨", name="cancel", meaning="nobody has to come any more; everybody is told.",
            by=(STREET_OFFICER, COORDINATOR), at=OPEN, to=Stage.CANCELLED, entry=Kind.CANCELLED,
        ),
        step("expire", "逾期终结", at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind,
            by=(STREET_OFFICER, COORDINATOR, HOLDING_DEPARTMENT, SUPERVISOR, GRID_WORKER),
            at=OPEN,
            urged_by=(STREET_OFFICER, GRID_WORKER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(desk_of(STREET_OFFICER)),
)  # fmt: skip
