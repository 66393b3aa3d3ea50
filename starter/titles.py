"""What codes are called for people: entries on screens, stages and promises for residents.

Tests check that every kind of every procedure has a title, and every stage words.
"""

from collections.abc import Mapping

from schemas.department_policy import Name
from schemas.procedure import Procedure

OF_EVERY_CASE = {
    "clock:warning": "临期预警",
    "clock:breach": "逾期",
    "clock:tier": "逾期上报",
    "clock:replanned": "重排期限",
    "clock:final_limit": "最终期限开始",
    "case:ended": "案件终结",
}

STAGES: Mapping[str, Name] = {
    "reported": Name(zh="已受理,正在派单", en="received, about to be sent to a department"),
    "dispatched": Name(zh="已派单,等待部门签收", en="sent to a department, which has to sign for it"),
    "returned": Name(zh="正在重新协调承办部门", en="the coordination centre decides who deals with it"),
    "handling": Name(zh="部门正在办理", en="a department is dealing with it"),
    "suspended": Name(zh="因故暂缓办理", en="put off for a stated reason"),
    "verifying": Name(zh="部门已办结,正在核查", en="reported done; somebody else is looking"),
    "calling_back": Name(zh="等待您的评价", en="waiting for your answer: solved? satisfied?"),
    "closed": Name(zh="已结案", en="closed"),
    "merged": Name(zh="已并入同一事项的案件", en="merged into a case of the same matter"),
    "withdrawn": Name(zh="已撤回", en="withdrawn"),
    "rejected": Name(zh="不予受理", en="not accepted"),
    "unresolved": Name(zh="未能解决,已终结", en="ended without a solution"),
}

PROMISES: Mapping[str, Name] = {
    "respond": Name(zh="部门响应", en="the department responds"),
    "finish": Name(zh="办理完毕", en="it is dealt with"),
    "verify": Name(zh="核查完毕", en="the result is verified"),
    "rate": Name(zh="请您评价", en="you say whether it is solved"),
    "reopen": Name(zh="可要求重新办理", en="you can have it taken up again"),
}
"""The clocks that are a promise to the resident, or theirs to use; the others are the town's own business."""


def title_of(procedure: Procedure, kind: str) -> str:
    """Return the title of an entry's kind; the kind itself while it has none."""
    return procedure.titles.get(kind) or OF_EVERY_CASE.get(kind, kind)


def words_for_residents(stage: str, procedure: str = "") -> Name:
    """Return what a stage is called for a resident; the code itself while it has no words.

    A stage that is called otherwise in one procedure stands in STAGES as `PROCEDURE:STAGE`.
    """
    return STAGES.get(f"{procedure}:{stage}") or STAGES.get(stage) or Name(zh=stage, en=stage)
