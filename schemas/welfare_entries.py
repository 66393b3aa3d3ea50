"""What the ledger says of a welfare application, and what that is called on screens."""

from enum import StrEnum

from schemas.reference_facts import References, Refers, of_the_file

TEXT, PERSON, DOCUMENT = Refers.TEXT, Refers.PERSON, Refers.DOCUMENT


class Kind(StrEnum):
    """What the ledger says happened."""

    APPLIED = "welfare:applied"
    ACCEPTED = "welfare:accepted"
    IDENTIFIED = "welfare:identified"
    CORRECTION_ASKED = "welfare:correction:asked"
    HANDED_IN = "welfare:handed_in"
    CORRECTED = "welfare:correction:done"
    FACTS_CORRECTED = "welfare:facts_corrected"
    RELATION_DECLARED = "welfare:relation_declared"
    CONSENT_RECORDED = "welfare:consent:recorded"
    CONSENT_DEMANDED = "welfare:consent:demanded"
    MEMBER_CONFIRMED = "welfare:member:confirmed"
    CHECK_ASKED = "welfare:check:asked"
    CHECK_ANSWERED = "welfare:check:answered"
    CHECK_FAILED = "welfare:check:failed"
    CHECK_SUPERSEDED = "welfare:check:superseded"
    CHECK_RECORDED = "welfare:check:recorded"
    VISITED = "welfare:visited"
    SURVEYED = "welfare:surveyed"
    REVIEWED = "welfare:reviewed"
    PUBLICISED = "welfare:publicised"
    OBJECTED = "welfare:publicity:objected"
    OBJECTED_AGAIN = "welfare:publicity:objected_again"
    INVESTIGATED = "welfare:publicity:investigated"
    PUBLICITY_ENDED = "welfare:publicity:ended"
    CONFIRMED = "welfare:confirmed"
    COUNTERSIGNED = "welfare:countersigned"
    SENT_BACK = "welfare:sent_back"
    EXTENDED = "welfare:extended"
    GRANTED = "welfare:granted"
    REFUSED = "welfare:refused"
    NOTICE_SERVED = "welfare:notice_served"
    NOTICE_NOT_SERVED = "welfare:notice_not_served"
    APPEALED = "welfare:appealed"
    APPEAL_DECIDED = "welfare:appeal_decided"
    APPEAL_LAPSED = "welfare:appeal_lapsed"
    WITHDRAWN = "welfare:withdrawn"
    UNRESOLVED = "welfare:unresolved"
    PAYMENT_DUE = "welfare:payment:due"
    PAYMENT_SKIPPED = "welfare:payment:skipped"
    PAID = "welfare:payment:paid"
    PAYMENT_FAILED = "welfare:payment:failed"
    PAYMENT_WITH_A_PERSON = "welfare:payment:with_a_person"
    PAYMENT_RETRIED = "welfare:payment:retried"
    PAYMENT_SETTLED = "welfare:payment:settled"
    SETTLEMENT_CLAIMED = "welfare:payment:settlement_claimed"
    SETTLEMENT_DECLINED = "welfare:payment:settlement_declined"
    PAYMENT_RETURNED = "welfare:payment:returned"
    ACCOUNT_CHANGED = "welfare:account_changed"
    ACCOUNT_ASKED = "welfare:account:asked"
    ACCOUNT_REFUSED = "welfare:account:refused"
    PAYEE_TOLD = "welfare:account:payee_told"
    CHANGE_REPORTED = "welfare:change_reported"
    CHANGE_ASKED = "welfare:change:asked"
    CHANGE_REVIEWED = "welfare:change:reviewed"
    CHANGE_CONFIRMED = "welfare:change:confirmed"
    CHANGE_COUNTERSIGNED = "welfare:change:countersigned"
    CHANGE_REFUSED = "welfare:change:refused"
    CHANGE_DROPPED = "welfare:change:dropped"
    ADJUSTED = "welfare:adjusted"
    SUSPENDED = "welfare:suspended"
    RESUMED = "welfare:resumed"
    REASSESSED = "welfare:reassessed"
    END_ASKED = "welfare:end:asked"
    END_CONFIRMED = "welfare:end:confirmed"
    END_REFUSED = "welfare:end:refused"
    ENDED = "welfare:ended"
    RECOVERY_ASKED = "welfare:recovery:asked"
    RECOVERY_OPENED = "welfare:recovery:opened"
    RECOVERY_TOLD = "welfare:recovery:told"
    COMMENTED = "welfare:commented"
    ATTACHED = "welfare:attached"
    URGED = "welfare:urged"


TITLES: dict[str, str] = {
    Kind.APPLIED: "申请",
    Kind.ACCEPTED: "受理",
    Kind.IDENTIFIED: "核验身份",
    Kind.CORRECTION_ASKED: "通知补正",
    Kind.HANDED_IN: "补交材料",
    Kind.CORRECTED: "补正完成",
    Kind.FACTS_CORRECTED: "更正信息",
    Kind.RELATION_DECLARED: "近亲属备案",
    Kind.CONSENT_RECORDED: "登记同意",
    Kind.CONSENT_DEMANDED: "要求补交授权书",
    Kind.MEMBER_CONFIRMED: "查验成员材料",
    Kind.CHECK_ASKED: "发起核对",
    Kind.CHECK_ANSWERED: "核对答复",
    Kind.CHECK_FAILED: "核对未答复",
    Kind.CHECK_SUPERSEDED: "核对答复已过时",
    Kind.CHECK_RECORDED: "人工核对",
    Kind.VISITED: "入户调查",
    Kind.SURVEYED: "调查核对完成",
    Kind.REVIEWED: "初审",
    Kind.PUBLICISED: "公示",
    Kind.OBJECTED: "公示异议",
    Kind.OBJECTED_AGAIN: "再次异议,公示照常",
    Kind.INVESTIGATED: "异议调查",
    Kind.PUBLICITY_ENDED: "公示期满",
    Kind.CONFIRMED: "审核确认",
    Kind.COUNTERSIGNED: "双签",
    Kind.SENT_BACK: "双签退回",
    Kind.EXTENDED: "延期",
    Kind.GRANTED: "给予救助",
    Kind.REFUSED: "不予确认",
    Kind.NOTICE_SERVED: "书面告知",
    Kind.NOTICE_NOT_SERVED: "未能书面告知",
    Kind.APPEALED: "申诉",
    Kind.APPEAL_DECIDED: "申诉决定",
    Kind.APPEAL_LAPSED: "申诉期满",
    Kind.WITHDRAWN: "撤回申请",
    Kind.UNRESOLVED: "逾期终结",
    Kind.PAYMENT_DUE: "应发放",
    Kind.PAYMENT_SKIPPED: "当月未发放",
    Kind.PAID: "已发放",
    Kind.PAYMENT_FAILED: "发放未成功",
    Kind.PAYMENT_WITH_A_PERSON: "发放转人工",
    Kind.PAYMENT_RETRIED: "重新发放",
    Kind.PAYMENT_SETTLED: "发放人工处理",
    Kind.SETTLEMENT_CLAIMED: "登记已另行发放",
    Kind.SETTLEMENT_DECLINED: "未另行发放",
    Kind.PAYMENT_RETURNED: "银行退回",
    Kind.ACCOUNT_CHANGED: "变更账户",
    Kind.ACCOUNT_ASKED: "申请变更账户",
    Kind.ACCOUNT_REFUSED: "不予变更账户",
    Kind.PAYEE_TOLD: "告知领取人",
    Kind.CHANGE_REPORTED: "报告变化",
    Kind.CHANGE_ASKED: "申请调整",
    Kind.CHANGE_REVIEWED: "调整初审",
    Kind.CHANGE_CONFIRMED: "确认调整",
    Kind.CHANGE_COUNTERSIGNED: "双签调整",
    Kind.CHANGE_REFUSED: "不予调整",
    Kind.CHANGE_DROPPED: "调整失效",
    Kind.ADJUSTED: "调整金额",
    Kind.SUSPENDED: "暂停发放",
    Kind.RESUMED: "恢复发放",
    Kind.REASSESSED: "定期复核",
    Kind.END_ASKED: "报告终止,暂停发放",
    Kind.END_CONFIRMED: "确认终止",
    Kind.END_REFUSED: "不予终止",
    Kind.ENDED: "终止救助",
    Kind.RECOVERY_ASKED: "追回多领款项",
    Kind.RECOVERY_OPENED: "追回立案",
    Kind.RECOVERY_TOLD: "追回结果",
    Kind.COMMENTED: "备注",
    Kind.ATTACHED: "附件",
    Kind.URGED: "催办",
}

REFERENCES: References = {
    **of_the_file("welfare"),
    Kind.APPLIED: {
        "applicant": PERSON,
        "members[]": PERSON,
        "account": TEXT,
        "address": TEXT,
        "reason": TEXT,
        "relation": TEXT,
        "documents.*": DOCUMENT,
    },
    Kind.CORRECTION_ASKED: {"reason": TEXT},
    Kind.HANDED_IN: {"document.reference": DOCUMENT},
    Kind.FACTS_CORRECTED: {"reason": TEXT},
    Kind.RELATION_DECLARED: {"relation": TEXT},
    Kind.CONSENT_RECORDED: {"document.reference": DOCUMENT},
    Kind.CHECK_RECORDED: {"note": TEXT},
    Kind.VISITED: {"finding": TEXT},
    Kind.REVIEWED: {"opinion": TEXT},
    Kind.OBJECTED: {"reason": TEXT, "contact": TEXT},
    Kind.OBJECTED_AGAIN: {"reason": TEXT, "contact": TEXT},
    Kind.INVESTIGATED: {"finding": TEXT, "appraisal": TEXT},
    Kind.CONFIRMED: {"opinion": TEXT},
    Kind.SENT_BACK: {"reason": TEXT},
    Kind.EXTENDED: {"reason": TEXT},
    Kind.REFUSED: {"reason": TEXT, "legal_basis": TEXT},
    Kind.APPEALED: {"reason": TEXT, "against": TEXT},
    Kind.APPEAL_DECIDED: {"reason": TEXT, "legal_basis": TEXT},
    Kind.WITHDRAWN: {"reason": TEXT},
    Kind.PAYMENT_RETRIED: {"account": TEXT},
    Kind.PAYMENT_SETTLED: {"reason": TEXT},
    Kind.SETTLEMENT_CLAIMED: {"reason": TEXT},
    Kind.SETTLEMENT_DECLINED: {"reason": TEXT},
    Kind.ACCOUNT_CHANGED: {"account": TEXT},
    Kind.ACCOUNT_ASKED: {"account": TEXT},
    Kind.ACCOUNT_REFUSED: {"reason": TEXT},
    Kind.PAYEE_TOLD: {"note": TEXT},
    Kind.CHANGE_REPORTED: {"note": TEXT},
    Kind.CHANGE_REVIEWED: {"opinion": TEXT},
    Kind.CHANGE_CONFIRMED: {"opinion": TEXT},
    Kind.CHANGE_REFUSED: {"reason": TEXT},
    Kind.SUSPENDED: {"reason": TEXT},
    Kind.RESUMED: {"reason": TEXT},
    Kind.REASSESSED: {"opinion": TEXT, "legal_basis": TEXT},
    Kind.END_REFUSED: {"reason": TEXT},
    Kind.ENDED: {"reason": TEXT, "legal_basis": TEXT},
}
"""Which facts of which entries hold references."""
