"""What entries are called on screens, in Chinese. A test checks that every kind of every procedure has a title."""

from schemas.procedure import Procedure

OF_EVERY_CASE = {
    "clock:warning": "临期预警",
    "clock:breach": "逾期",
    "clock:tier": "逾期上报",
    "clock:replanned": "重排期限",
    "clock:final_limit": "最终期限开始",
    "case:ended": "案件终结",
}


def title_of(procedure: Procedure, kind: str) -> str:
    """Return the title of an entry's kind; the kind itself while it has none."""
    return procedure.titles.get(kind) or OF_EVERY_CASE.get(kind, kind)
