"""What entries are called on screens, in Chinese. A test checks that every kind of every procedure has a title."""

TITLES = {
    "incident:reported": "受理",
    "incident:dispatched": "派单",
    "incident:redispatched": "改派",
    "incident:order_received": "部门接单",
    "incident:order_refused": "派单未能送达",
    "incident:order_recalled": "撤回派单",
    "incident:signed": "签收",
    "incident:returned": "退单",
    "incident:arbitrated": "裁定",
    "incident:arrived": "到场",
    "incident:finished": "办结",
    "incident:verified": "核查通过",
    "incident:verification_failed": "核查不通过",
    "incident:rated": "评价",
    "incident:not_rated": "逾期未评价",
    "incident:closed": "结案",
    "incident:reopened": "重启",
    "incident:urged": "催办",
    "incident:withdrawn": "撤回",
    "incident:rejected": "不予受理",
    "incident:unresolved": "终结",
    "clock:warning": "临期预警",
    "clock:breach": "逾期",
    "clock:tier": "逾期上报",
    "clock:replanned": "重排期限",
    "clock:final_limit": "最终期限开始",
    "case:ended": "案件终结",
}


def title_of(kind: str) -> str:
    """The title of an entry's kind; the kind itself while it has none."""
    return TITLES.get(kind, kind)
