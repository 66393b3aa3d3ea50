"""What clocks are doing, and what the facts of entries are called, on screens: of the terminal and of the console alike."""

from schemas.clocks.clocks import Status
from schemas.values.both import Both, spoken

STATUS_WORDS = {
    Status.IDLE: "未开始",
    Status.RUNNING: "计时中",
    Status.PAUSED: "已暂停",
    Status.STOPPED: "已停止",
}

FACT_WORDS = {
    "address": "地址", "area": "区域", "by": "操作角色", "calendar": "日历版本", "category": "类别",
    "category_given": "原述类别", "channel": "渠道", "clock": "期限", "comment": "备注", "department": "部门",
    "description": "描述", "holder": "责任方", "legal_basis": "依据", "listed": "清单内", "moment": "时点",
    "on_behalf": "代为上报", "order": "派单序号", "passed": "通过", "policy": "政策版本", "reason": "理由",
    "receipt": "回执", "reporter": "报事人", "result": "办理结果", "reworks": "返工次数", "satisfied": "满意",
    "after": "之后", "answer": "答复", "before": "之前", "code": "代码", "document": "附件", "in_all": "累计",
    "into": "并入", "limit": "期限长度", "reports": "并入上报", "request": "申请", "solved": "解决", "stage": "环节",
    "asked_about": "核对成员", "member": "家庭成员序号", "without_consent": "未授权成员",
    "text": "内容", "working_days": "工作日", "told": "告知", "urgency": "紧急程度", "act": "操作", "case": "关联案件",
    "proposed": "派单建议", "proposal": "建议序位", "taken": "采纳", "model": "模型", "version": "版本", "first": "建议",
    "permille": "可能性(千分)", "department_permille": "部门可能性(千分)", "takes_above_permille": "采纳门槛(千分)", "rank": "序位",
    "kind": "种类", "months": "月份", "outcome": "结果", "returns": "退单次数",
    "behind_it": "附议人数", "cause": "原因", "text_digest": "文本摘要", "online": "线上", "round": "轮次",
    "sheet": "计票表", "count": "张数", "digest": "摘要", "roll": "名册", "units": "单元数", "voters": "表决人数",
    "took_part": "参加", "of_how_many": "应参加", "totals": "各选项", "quorum": "达到法定人数", "merkle_root": "汇总根值",
    "issued": "线上发票", "marked_for_paper": "领纸票", "papers": "纸票", "given": "发出", "void_boxes": "作废票箱",
    "boxes": "票箱数", "extended": "已延长", "margin": "差额", "void": "无效", "why": "缘由", "ballot": "表决",
    "led": "转出案件", "procedure": "业务", "anew": "新立", "confirmation": "司法确认", "question": "表决事项",
    "challenge": "质疑序号", "objection": "异议序号", "area_hundredths": "面积(0.01平方米)", "struck": "除名",
    "proxy": "受托", "due_on": "到期日", "rounds": "轮数", "invited": "受邀方", "month": "月份", "sitting": "次序",
}  # fmt: skip
"""What facts of entries are called; one that is missing here is shown under its code."""

VALUE_WORDS = {
    "urgency": {"ordinary": "一般", "complex": "复杂", "urgent": "紧急", "emergency": "突发"},
    "taken": {"given": "上报人选定", "proposed": "按首条建议", "left_open": "由综合协调决定"},
}
"""What values of a fact are called that are codes of ours."""


def status_said(status: Status) -> str:
    """What a clock is doing: in Chinese where there is room for one language, and known in English."""
    return Both(STATUS_WORDS[status], spoken(status), STATUS_WORDS[status])
