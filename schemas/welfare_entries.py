"""What the ledger says of a welfare case, declared: what each is called, why it is so, and what it refers to."""

from schemas.kernel.entries import EntryKinds, entry
from schemas.parts.payments import PaymentEntries
from schemas.parts.postings import PostingEntries
from schemas.reference_facts import Refers
from schemas.welfare_audit import why_amount, why_appeal_decided, why_extended, why_refused

TEXT, PERSON, DOCUMENT = Refers.TEXT, Refers.PERSON, Refers.DOCUMENT


class Kind(PostingEntries, PaymentEntries, EntryKinds, procedure="welfare"):
    """What the ledger says happened."""

    APPLIED = entry(
        "applied",
        "申请",
        references={
            "applicant": PERSON,
            "members[]": PERSON,
            "account": TEXT,
            "address": TEXT,
            "reason": TEXT,
            "relation": TEXT,
            "documents.*": DOCUMENT,
        },
    )
    ACCEPTED = entry("accepted", "受理")
    IDENTIFIED = entry("identified", "核验身份")
    CORRECTION_ASKED = entry("correction:asked", "通知补正")
    HANDED_IN = entry("handed_in", "补交材料")
    CORRECTED = entry("correction:done", "补正完成")
    FACTS_CORRECTED = entry("facts_corrected", "更正信息")
    RELATION_DECLARED = entry("relation_declared", "近亲属备案")
    CONSENT_RECORDED = entry("consent:recorded", "登记同意")
    CONSENT_DEMANDED = entry("consent:demanded", "要求补交授权书")
    MEMBER_CONFIRMED = entry("member:confirmed", "查验成员材料")
    CHECK_ASKED = entry("check:asked", "发起核对")
    CHECK_ANSWERED = entry("check:answered", "核对答复")
    CHECK_FAILED = entry("check:failed", "核对未答复")
    CHECK_SUPERSEDED = entry("check:superseded", "核对答复已过时")
    CHECK_RECORDED = entry("check:recorded", "人工核对")
    VISITED = entry("visited", "入户调查")
    SURVEYED = entry("surveyed", "调查核对完成")
    REVIEWED = entry("reviewed", "初审", why_amount, references={"opinion": TEXT})
    CONFIRMED = entry("confirmed", "审核确认", why_amount)
    COUNTERSIGNED = entry("countersigned", "双签")
    SENT_BACK = entry("sent_back", "双签退回")
    EXTENDED = entry("extended", "延期", why_extended)
    GRANTED = entry("granted", "给予救助", why_amount)
    REFUSED = entry("refused", "不予确认", why_refused)
    NOTICE_SERVED = entry("notice_served", "书面告知")
    NOTICE_NOT_SERVED = entry("notice_not_served", "未能书面告知")
    APPEALED = entry("appealed", "申诉", references={"against": TEXT})
    APPEAL_DECIDED = entry("appeal_decided", "申诉决定", why_appeal_decided)
    APPEAL_LAPSED = entry("appeal_lapsed", "申诉期满")
    WITHDRAWN = entry("withdrawn", "撤回申请")
    UNRESOLVED = entry("unresolved", "逾期终结")
    PAYMENT_SKIPPED = entry("payment:skipped", "当月未发放")
    CHANGE_REPORTED = entry("change_reported", "报告变化")
    CHANGE_ASKED = entry("change:asked", "申请调整", why_amount)
    CHANGE_REVIEWED = entry("change:reviewed", "调整初审", why_amount)
    CHANGE_CONFIRMED = entry("change:confirmed", "确认调整", why_amount)
    CHANGE_COUNTERSIGNED = entry("change:countersigned", "双签调整")
    CHANGE_REFUSED = entry("change:refused", "不予调整")
    CHANGE_DROPPED = entry("change:dropped", "调整失效")
    ADJUSTED = entry("adjusted", "调整金额", why_amount)
    SUSPENDED = entry("suspended", "暂停发放")
    RESUMED = entry("resumed", "恢复发放")
    REASSESSED = entry("reassessed", "定期复核")
    END_ASKED = entry("end:asked", "报告终止,暂停发放")
    END_CONFIRMED = entry("end:confirmed", "确认终止")
    END_REFUSED = entry("end:refused", "不予终止")
    ENDED = entry("ended", "终止救助")
    RECOVERY_ASKED = entry("recovery:asked", "追回多领款项")
    RECOVERY_OPENED = entry("recovery:opened", "追回立案")
    RECOVERY_TOLD = entry("recovery:told", "追回结果")
