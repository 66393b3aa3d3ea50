"""What the entries are called that every case can have, whichever its procedure; its own are in its table of titles."""

OF_EVERY_CASE = {
    "clock:warning": "临期预警",
    "clock:breach": "逾期",
    "clock:tier": "逾期上报",
    "clock:replanned": "重排期限",
    "clock:final_limit": "最终期限开始",
    "case:set_aside": "一项操作未能办理,已暂存",
    "case:ended": "案件终结",
    "case:confidential": "保密记录",
    "case:terminated": "案件被系统管理员强行终止",
    "case:reset": "案件被系统管理员回退",
}
