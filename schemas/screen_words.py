"""What codes are called on screens, in Chinese: stages, clocks, moments and who holds a case.

For those who read without our tables: the Temporal UI, the terminal. A code that has no word here is shown as it is.
"""

from schemas.actor import Role

STAGES = {
    "reported": "已上报",
    "dispatched": "已派单",
    "returned": "已退单",
    "handling": "处置中",
    "suspended": "已挂账",
    "verifying": "核查中",
    "calling_back": "回访中",
    "closed": "已结案",
    "withdrawn": "已撤回",
    "merged": "已并案",
    "rejected": "不予受理",
    "unresolved": "未解决终结",
}

CLOCKS = {
    "sign": "签收",
    "respond": "响应",
    "finish": "办结",
    "arbitrate": "裁定",
    "suspension": "挂账",
    "verify": "核查",
    "rate": "评价",
    "reopen": "可重启",
    "supervise": "督办",
    "final": "最终期限",
}

MOMENTS = {"warning": "预警", "breach": "到期", "tier": "上报"}

WINDOW_ENDS = {"reopen": "重启期满"}
"""Windows are nobody's duty and warn nobody: whatever moment of theirs is waited for, it is their end."""

ROLES = {
    Role.RESIDENT: "居民",
    Role.GRID_WORKER: "网格员",
    Role.WINDOW_CLERK: "窗口人员",
    Role.STREET_OFFICER: "街道干部",
    Role.DEPARTMENT_OFFICER: "部门经办人",
    Role.COORDINATOR: "综合协调",
    Role.CIVIL_AFFAIRS_OFFICER: "民政干部",
    Role.SUPERVISOR: "督办人员",
    Role.AUDITOR: "审计",
    Role.ADMIN: "管理员",
    Role.ENGINE: "系统",
}

_HOLDERS = {"reporter": "报事人", "duty_leader": "部门值班领导", "district_office": "区级办公室"}


def stage_words(stage: str, procedure: str = "") -> str:
    """`处置中 handling`. A stage that is called otherwise in one procedure stands in STAGES as `PROCEDURE:STAGE`."""
    return _beside(STAGES.get(f"{procedure}:{stage}") or STAGES.get(stage), stage)


def clock_words(clock: str) -> str:
    """`办结 finish`."""
    return _beside(CLOCKS.get(clock), clock)


def moment_words(clock: str, moment: str) -> str:
    """`办结预警 finish warning`; the tiers after a breach keep their number: `办结上报1 finish tier:1`."""
    kind, _, number = moment.partition(":")
    known = CLOCKS.get(clock), MOMENTS.get(kind)
    chinese = WINDOW_ENDS.get(clock) or (f"{known[0]}{known[1]}{number}" if all(known) else None)
    return _beside(chinese, f"{clock} {moment}")


def holder_words(holder: str) -> str:
    """Who has to act: `部门 urban-management`, `网格员 grid_worker`, `报事人 reporter`; a dash where nobody has."""
    kind, _, code = holder.partition(":")
    if kind == "department":
        return _beside("部门", code)
    if kind == "role":
        return role_words(code)
    return _beside(_HOLDERS.get(holder), holder) if holder else "-"


def role_words(role: str) -> str:
    """`网格员 grid_worker`."""
    known = {str(each): word for each, word in ROLES.items()}
    return _beside(known.get(role), role)


def _beside(chinese: str | None, code: str) -> str:
    return f"{chinese} {code}" if chinese else code
