"""What codes are called for people: entries on screens, stages and promises for residents.

Declared procedures bring their own words (schemas/kernel/words.py); STAGES are those of the others. Tests check that every
kind of every procedure has a title, and every stage words.
"""

from collections.abc import Mapping

from schemas.department_policy import Name
from schemas.entry_titles import OF_EVERY_CASE
from schemas.procedure import Procedure

STAGES: Mapping[str, Name] = {
    "withdrawn": Name(zh="已撤回", en="withdrawn"),
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
}


def title_of(procedure: Procedure, kind: str) -> str:
    """Return the title of an entry's kind; the kind itself while it has none."""
    return procedure.titles.get(kind) or OF_EVERY_CASE.get(kind, kind)


def words_for_residents(stage: str, procedure: Procedure) -> Name:
    """Return what a stage is called for a resident; the code itself while it has no words."""
    declared = procedure.stage_words.get(stage)
    if declared is not None:
        return Name(zh=declared.zh, en=declared.en)
    return STAGES.get(stage) or Name(zh=stage, en=stage)
