"""What the ledger says of a whistle, and what that is called on screens."""

from enum import StrEnum

from schemas.reference_facts import References, Refers, of_the_file

TEXT = Refers.TEXT


class Kind(StrEnum):
    """What the ledger says happened."""

    BLOWN = "whistle:blown"
    SUMMONED = "whistle:summoned"
    SUMMONS_STANDS = "whistle:summons_stands"
    REPORTED = "whistle:department_reported"
    GATHERED = "whistle:gathered"
    LEAD_HANDED_OVER = "whistle:lead_handed_over"
    LEAD_MISSING = "whistle:lead_missing"
    WORK_BEGUN = "whistle:work_begun"
    ALL_SETTLED = "whistle:all_settled"
    SCORED = "whistle:scored"
    EVALUATED = "whistle:evaluated"
    CLOSED = "whistle:closed"
    CANCELLED = "whistle:cancelled"
    UNRESOLVED = "whistle:unresolved"
    INCIDENT_WAITS = "whistle:incident:waits"
    INCIDENT_GOES_ON = "whistle:incident:goes_on"
    INCIDENT_ENDED = "whistle:incident:ended"
    URGED = "whistle:urged"
    COMMENTED = "whistle:commented"
    ATTACHED = "whistle:attached"


TITLES: dict[str, str] = {
    Kind.BLOWN: "吹哨",
    Kind.SUMMONED: "召集部门",
    Kind.SUMMONS_STANDS: "报到立案",
    Kind.REPORTED: "部门报告",
    Kind.GATHERED: "集结",
    Kind.LEAD_HANDED_OVER: "移交牵头",
    Kind.LEAD_MISSING: "牵头部门免于报到",
    Kind.WORK_BEGUN: "开展处置",
    Kind.ALL_SETTLED: "各部门任务了结",
    Kind.SCORED: "评分",
    Kind.EVALUATED: "评价完成",
    Kind.CLOSED: "销哨",
    Kind.CANCELLED: "撤销吹哨",
    Kind.UNRESOLVED: "未解决终结",
    Kind.INCIDENT_WAITS: "事件等候吹哨结果",
    Kind.INCIDENT_GOES_ON: "事件不等候",
    Kind.INCIDENT_ENDED: "事件已先行了结",
    Kind.URGED: "催办",
    Kind.COMMENTED: "备注",
    Kind.ATTACHED: "附件",
}

REFERENCES: References = {
    **of_the_file("whistle"),
    Kind.BLOWN: {"matter": TEXT, "address": TEXT},
    Kind.SUMMONED: {"reason": TEXT},
    Kind.REPORTED: {"result": TEXT},
    Kind.LEAD_HANDED_OVER: {"reason": TEXT},
    Kind.SCORED: {"reason": TEXT},
    Kind.CANCELLED: {"reason": TEXT},
}
"""Which facts of which entries hold references; the `result` of a department is a text of its summons."""
