"""What the ledger says of a summons, and what that is called on screens."""

from enum import StrEnum

from schemas.reference_facts import References, Refers, of_the_file

TEXT, DOCUMENT = Refers.TEXT, Refers.DOCUMENT


class Kind(StrEnum):
    """What the ledger says happened."""

    SUMMONED = "summons:summoned"
    ORDER_RECEIVED = "summons:order_received"
    ORDER_REFUSED = "summons:order_refused"
    ORDER_RECALLED = "summons:order_recalled"
    RESPONDED = "summons:responded"
    DECLINED = "summons:declined"
    RULED = "summons:ruled"
    ARRIVED = "summons:arrived"
    FINISHED = "summons:finished"
    ABSENT = "summons:absent"
    UNFINISHED = "summons:unfinished"
    RELEASED = "summons:released"
    LEAD_CHANGED = "summons:lead_changed"
    SCORED = "summons:scored"
    CANCELLED = "summons:cancelled"
    URGED = "summons:urged"
    COMMENTED = "summons:commented"
    ATTACHED = "summons:attached"


TITLES: dict[str, str] = {
    Kind.SUMMONED: "召集",
    Kind.ORDER_RECEIVED: "部门接单",
    Kind.ORDER_REFUSED: "派单未能送达",
    Kind.ORDER_RECALLED: "撤回派单",
    Kind.RESPONDED: "响应",
    Kind.DECLINED: "反哨",
    Kind.RULED: "裁定",
    Kind.ARRIVED: "到场",
    Kind.FINISHED: "办结",
    Kind.ABSENT: "缺席",
    Kind.UNFINISHED: "未办结",
    Kind.RELEASED: "免于报到",
    Kind.LEAD_CHANGED: "牵头变更",
    Kind.SCORED: "评分",
    Kind.CANCELLED: "吹哨撤销",
    Kind.URGED: "催办",
    Kind.COMMENTED: "备注",
    Kind.ATTACHED: "附件",
}

REFERENCES: References = {
    **of_the_file("summons"),
    Kind.SUMMONED: {"matter": TEXT, "address": TEXT},
    Kind.DECLINED: {"reason": TEXT, "legal_basis": TEXT},
    Kind.RULED: {"reason": TEXT},
    Kind.FINISHED: {"result": TEXT, "documents[].reference": DOCUMENT},
    Kind.SCORED: {"reason": TEXT},
}
"""Which facts of which entries hold references; matter, address and the reason of a score are texts of the whistle."""
