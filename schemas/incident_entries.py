"""What the ledger says of an incident, and what that is called on screens."""

from enum import StrEnum

from schemas.reference_facts import References, Refers, of_the_file

TEXT, PERSON, DOCUMENT = Refers.TEXT, Refers.PERSON, Refers.DOCUMENT


class Kind(StrEnum):
    """What the ledger says happened."""

    REPORTED = "incident:reported"
    DISPATCHED = "incident:dispatched"
    REDISPATCHED = "incident:redispatched"
    ORDER_RECEIVED = "incident:order_received"
    ORDER_REFUSED = "incident:order_refused"
    ORDER_RECALLED = "incident:order_recalled"
    SIGNED = "incident:signed"
    RETURNED = "incident:returned"
    ARBITRATED = "incident:arbitrated"
    ARRIVED = "incident:arrived"
    FINISHED = "incident:finished"
    VERIFIED = "incident:verified"
    VERIFICATION_FAILED = "incident:verification_failed"
    RATED = "incident:rated"
    NOT_RATED = "incident:not_rated"
    CLOSED = "incident:closed"
    REOPENED = "incident:reopened"
    URGED = "incident:urged"
    WITHDRAWN = "incident:withdrawn"
    REJECTED = "incident:rejected"
    UNRESOLVED = "incident:unresolved"
    REWORK_RECEIVED = "incident:rework_received"
    REWORK_REFUSED = "incident:rework_refused"
    EXTENSION_REQUESTED = "incident:extension:requested"
    EXTENSION_GRANTED = "incident:extension:granted"
    EXTENSION_REFUSED = "incident:extension:refused"
    SUSPENSION_REQUESTED = "incident:suspension:requested"
    SUSPENSION_GRANTED = "incident:suspension:granted"
    SUSPENSION_REFUSED = "incident:suspension:refused"
    REQUEST_LAPSED = "incident:request_lapsed"
    RESUMED = "incident:resumed"
    SUSPENSION_ENDED = "incident:suspension:ended"
    SUPERVISED = "incident:supervised"
    SUPERVISION_ANSWERED = "incident:supervision_answered"
    COMMENTED = "incident:commented"
    ATTACHED = "incident:attached"
    MERGED = "incident:merged"
    MERGE_TAKEN = "incident:merge:taken"
    MERGE_REFUSED = "incident:merge:refused"
    REPORT_MERGED = "incident:report_merged"
    REPORT_LEFT = "incident:report_left"
    REPORT_ADDED = "incident:report_added"
    REPORTER_LEFT = "incident:reporter_left"
    FOLLOWED = "incident:followed"
    FOLLOWING = "incident:following"
    FOLLOWS_NO_MORE = "incident:follows_no_more"
    WHISTLE_ASKED = "incident:whistle:asked"
    WHISTLED = "incident:whistle:waits"
    NOT_WAITING = "incident:whistle:goes_on"
    WHISTLE_ENDED = "incident:whistle:ended"


TITLES: dict[str, str] = {
    Kind.REPORTED: "受理",
    Kind.DISPATCHED: "派单",
    Kind.REDISPATCHED: "改派",
    Kind.ORDER_RECEIVED: "部门接单",
    Kind.ORDER_REFUSED: "派单未能送达",
    Kind.ORDER_RECALLED: "撤回派单",
    Kind.SIGNED: "签收",
    Kind.RETURNED: "退单",
    Kind.ARBITRATED: "裁定",
    Kind.ARRIVED: "到场",
    Kind.FINISHED: "办结",
    Kind.VERIFIED: "核查通过",
    Kind.VERIFICATION_FAILED: "核查不通过",
    Kind.RATED: "评价",
    Kind.NOT_RATED: "逾期未评价",
    Kind.CLOSED: "结案",
    Kind.REOPENED: "重启",
    Kind.URGED: "催办",
    Kind.WITHDRAWN: "撤回",
    Kind.REJECTED: "不予受理",
    Kind.UNRESOLVED: "终结",
    Kind.REWORK_RECEIVED: "部门接返工",
    Kind.REWORK_REFUSED: "返工通知未能送达",
    Kind.EXTENSION_REQUESTED: "申请延期",
    Kind.EXTENSION_GRANTED: "同意延期",
    Kind.EXTENSION_REFUSED: "不同意延期",
    Kind.SUSPENSION_REQUESTED: "申请挂账",
    Kind.SUSPENSION_GRANTED: "挂账",
    Kind.SUSPENSION_REFUSED: "不同意挂账",
    Kind.REQUEST_LAPSED: "申请失效",
    Kind.RESUMED: "恢复办理",
    Kind.SUSPENSION_ENDED: "挂账到期",
    Kind.SUPERVISED: "督办",
    Kind.SUPERVISION_ANSWERED: "督办反馈",
    Kind.COMMENTED: "备注",
    Kind.ATTACHED: "附件",
    Kind.MERGED: "并案",
    Kind.MERGE_TAKEN: "并案完成",
    Kind.MERGE_REFUSED: "并案未成",
    Kind.REPORT_MERGED: "并入他案上报",
    Kind.REPORT_LEFT: "并入的上报退出",
    Kind.REPORT_ADDED: "并入的上报有补充",
    Kind.REPORTER_LEFT: "撤回本人上报",
    Kind.FOLLOWED: "所并案件进展",
    Kind.FOLLOWING: "继续跟踪所并案件",
    Kind.FOLLOWS_NO_MORE: "所并案件中断,恢复单独办理",
    Kind.WHISTLE_ASKED: "请求吹哨",
    Kind.WHISTLED: "等候吹哨结果",
    Kind.NOT_WAITING: "不再等候吹哨",
    Kind.WHISTLE_ENDED: "吹哨结束",
}

REFERENCES: References = {
    **of_the_file("incident"),
    Kind.REPORTED: {"category_given": TEXT, "description": TEXT, "address": TEXT, "reporter": PERSON},
    Kind.REDISPATCHED: {"reason": TEXT},
    Kind.RETURNED: {"reason": TEXT, "legal_basis": TEXT},
    Kind.ARBITRATED: {"reason": TEXT},
    Kind.FINISHED: {"result": TEXT, "documents[].reference": DOCUMENT},
    Kind.VERIFICATION_FAILED: {"reason": TEXT},
    Kind.RATED: {"comment": TEXT},
    Kind.REOPENED: {"reason": TEXT},
    Kind.WITHDRAWN: {"reason": TEXT},
    Kind.REPORTER_LEFT: {"reason": TEXT},
    Kind.REJECTED: {"reason": TEXT},
    Kind.UNRESOLVED: {"reason": TEXT},
    Kind.EXTENSION_REQUESTED: {"reason": TEXT},
    Kind.EXTENSION_REFUSED: {"reason": TEXT},
    Kind.SUSPENSION_REQUESTED: {"reason": TEXT},
    Kind.SUSPENSION_GRANTED: {"reason": TEXT},
    Kind.SUSPENSION_REFUSED: {"reason": TEXT},
    Kind.SUPERVISED: {"order": TEXT},
    Kind.SUPERVISION_ANSWERED: {"answer": TEXT},
    Kind.MERGED: {"reason": TEXT},
    Kind.WHISTLE_ASKED: {"reason": TEXT},
    Kind.NOT_WAITING: {"reason": TEXT},
    Kind.WHISTLE_ENDED: {"results.*": TEXT},
}
"""Which facts of which entries hold references; `results` are texts of the departments that the whistle called."""
