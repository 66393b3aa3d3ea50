"""What codes are called for people: entries on screens, stages and promises for residents.

Declared procedures bring their own words (schemas/kernel/words.py); STAGES are those of the others. Tests check that every
kind of every procedure has a title, and every stage words.
"""

from collections.abc import Mapping

from schemas.department_policy import Name
from schemas.entry_titles import OF_EVERY_CASE
from schemas.procedure import Procedure

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
    "applied": Name(zh="申请已收到,等待受理", en="received, about to be accepted"),
    "correcting": Name(zh="请补交材料", en="waiting for your documents"),
    "checking": Name(zh="正在核对和入户调查", en="registers are asked and you are visited"),
    "surveyed": Name(zh="等待初审", en="about to be reviewed"),
    "publicised": Name(zh="正在公示", en="posted for everybody to see"),
    "objected": Name(zh="公示有异议,正在调查", en="somebody objected; it is looked into"),
    "confirming": Name(zh="等待审核确认", en="about to be confirmed"),
    "confirmed": Name(zh="等待第二签", en="waiting for a second signature"),
    "paying": Name(zh="正在发放", en="being paid"),
    "payment_suspended": Name(zh="暂停发放", en="payment is suspended"),
    "refused": Name(zh="不予确认", en="refused"),
    "appealed": Name(zh="申诉正在审查", en="your appeal is looked at"),
    "ended": Name(zh="救助已终止", en="the benefit has ended"),
    "demanded": Name(zh="请退回多领款项", en="please pay back what was paid too much"),
    "writing_off": Name(zh="正在审批核销", en="whether the rest is given up is being decided"),
    "repaid": Name(zh="已退清", en="all is paid back"),
    "written_off": Name(zh="已核销", en="the rest is given up"),
    "whistled": Name(zh="等候吹哨", en="waiting for the departments that the street has called"),
    "blown": Name(zh="已吹哨", en="the street has blown the whistle"),
    "summoning": Name(zh="召集中", en="departments are on their way"),
    "gathered": Name(zh="已集结", en="the departments have come"),
    "working": Name(zh="联合处置", en="the departments are at work"),
    "evaluated": Name(zh="已评价", en="scored, about to be closed"),
    "cancelled": Name(zh="已撤销", en="called off"),
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


def words_for_residents(stage: str, procedure: Procedure) -> Name:
    """Return what a stage is called for a resident; the code itself while it has no words."""
    declared = procedure.stage_words.get(stage)
    if declared is not None:
        return Name(zh=declared.zh, en=declared.en)
    return STAGES.get(stage) or Name(zh=stage, en=stage)
