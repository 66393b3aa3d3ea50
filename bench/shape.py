"""The standard case, in words that every contender understands: what is given, in which order."""

COMMANDS = ("sign", "finish", "verify", "rate")
"""Four commands after the report; the dispatch over HTTP is the case's own."""

REPORT = {
    "category": "环境卫生",
    "description": "小区垃圾堆积未清理,已有三天",
    "location": {"address": "幸福小区3号楼", "lat": 32.06, "lon": 118.79},
    "channel": "app",
}

BODIES: dict[str, dict[str, object]] = {
    "sign": {},
    "finish": {"result": "垃圾已清运,现场已冲洗"},
    "verify": {"passed": True},
    "rate": {"solved": "solved", "satisfied": "satisfied"},
}
