"""What the ledger says of a recovery, and what that is called on screens."""

from enum import StrEnum

from schemas.reference_facts import References, Refers, of_the_file

TEXT, PERSON = Refers.TEXT, Refers.PERSON


class Kind(StrEnum):
    """What the ledger says happened."""

    DEMANDED = "recovery:demanded"
    REPAYMENT_CLAIMED = "recovery:repayment:claimed"
    REPAYMENT_DECLINED = "recovery:repayment:declined"
    REPAID_PART = "recovery:repaid_part"
    REPAID = "recovery:repaid"
    WRITE_OFF_PROPOSED = "recovery:write_off:proposed"
    WRITE_OFF_DECLINED = "recovery:write_off:declined"
    WRITE_OFF_LAPSED = "recovery:write_off:lapsed"
    HELD_OPEN = "recovery:held_open"
    WRITTEN_OFF = "recovery:written_off"
    UNRESOLVED = "recovery:unresolved"
    COMMENTED = "recovery:commented"
    ATTACHED = "recovery:attached"
    URGED = "recovery:urged"


TITLES: dict[str, str] = {
    Kind.DEMANDED: "通知退款",
    Kind.REPAYMENT_CLAIMED: "退款登记",
    Kind.REPAYMENT_DECLINED: "退款未确认",
    Kind.REPAID_PART: "部分退款",
    Kind.REPAID: "退款完毕",
    Kind.WRITE_OFF_PROPOSED: "申请核销",
    Kind.WRITE_OFF_DECLINED: "不同意核销",
    Kind.WRITE_OFF_LAPSED: "核销逾期无人决定,失效",
    Kind.HELD_OPEN: "退款待确认,暂不终结",
    Kind.WRITTEN_OFF: "核销",
    Kind.UNRESOLVED: "逾期终结",
    Kind.COMMENTED: "备注",
    Kind.ATTACHED: "附件",
    Kind.URGED: "催办",
}

REFERENCES: References = {
    **of_the_file("recovery"),
    Kind.DEMANDED: {"debtor": PERSON},
    Kind.REPAYMENT_DECLINED: {"reason": TEXT},
    Kind.WRITE_OFF_PROPOSED: {"reason": TEXT},
    Kind.WRITE_OFF_DECLINED: {"reason": TEXT},
}
"""Which facts of which entries hold references."""
