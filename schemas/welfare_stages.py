"""Where an application stands, and later the entitlement: the stages of welfare, each with its words."""

from schemas.kernel.words import DeclaredStage


class Stage(DeclaredStage):
    """Where an application, and later the entitlement, stands."""

    APPLIED = "applied", "待受理", "申请已收到,等待受理", "received, about to be accepted"
    CORRECTING = "correcting", "补正中", "请补交材料", "waiting for your documents"
    CHECKING = "checking", "核对调查", "正在核对和入户调查", "registers are asked and you are visited"
    SURVEYED = "surveyed", "待初审", "等待初审", "about to be reviewed"
    PUBLICISED = "publicised", "公示中", "正在公示", "posted for everybody to see"
    OBJECTED = "objected", "异议调查", "公示有异议,正在调查", "somebody objected; it is looked into"
    CONFIRMING = "confirming", "待确认", "等待审核确认", "about to be confirmed"
    CONFIRMED = "confirmed", "待双签", "等待第二签", "waiting for a second signature"
    PAYING = "paying", "发放中", "正在发放", "being paid"
    PAYMENT_SUSPENDED = "payment_suspended", "暂停发放", "暂停发放", "payment is suspended"
    REFUSED = "refused", "不予确认", "不予确认", "refused"
    APPEALED = "appealed", "申诉中", "申诉正在审查", "your appeal is looked at"
    ENDED = "ended", "已终止", "救助已终止", "the benefit has ended"
    WITHDRAWN = "withdrawn", "已撤回", "已撤回", "withdrawn"
    UNRESOLVED = "unresolved", "未解决终结", "未能解决,已终结", "ended without a solution"


BEFORE_REVIEW = (Stage.APPLIED, Stage.CHECKING, Stage.SURVEYED)
UNDECIDED = (*BEFORE_REVIEW, Stage.CORRECTING, Stage.PUBLICISED, Stage.OBJECTED, Stage.CONFIRMING, Stage.CONFIRMED)
LIVING = (Stage.PAYING, Stage.PAYMENT_SUSPENDED)
OPEN = (*UNDECIDED, Stage.APPEALED, *LIVING)
FINAL = (Stage.ENDED, Stage.WITHDRAWN, Stage.UNRESOLVED)
