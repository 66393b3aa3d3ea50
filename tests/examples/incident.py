"""How an incident starts, who acts on it, what a right body of each command is, and the ways a case can go."""

from tests.door import Person, Step, Walk

PATH = "/api/v1/incidents"
REPORT = {
    "category": "环境卫生",
    "description": "小区垃圾堆积未清理,已有三天",
    "location": {"address": "幸福小区3号楼", "lat": 32.06, "lon": 118.79},
    "reporter": {"name": "王小明", "phone": "13912345678"},
    "channel": "app",
}

PEOPLE = {
    "reporter": Person("resident-wang", "resident"),
    "stranger": Person("resident-li", "resident"),
    "officer": Person("officer-cheng", "department_officer", department="urban-management"),
    "other_officer": Person("officer-si", "department_officer", department="justice-office"),
    "grid_worker": Person("grid-zhao", "grid_worker"),
    "clerk": Person("clerk-qian", "window_clerk"),
    "coordinator": Person("coordinator-sun", "coordinator"),
    "supervisor": Person("supervisor-zhou", "supervisor"),
    "admin": Person("admin-wu", "admin"),
    "auditor": Person("auditor-zheng", "auditor"),
}
REPORTER = "reporter"

REASON = {"reason": "情况说明"}
CALENDAR = {"version": "tests.1", "years": [2026], "provisional": [], "holidays": [], "makeup": []}
BODIES = {
    "redispatch": {"department": "justice-office", **REASON},
    "sign": {},
    "return_order": {"legal_basis": "《权责清单》第三条", **REASON},
    "arbitrate": {"department": "urban-management", **REASON},
    "arrive": {},
    "finish": {"result": "垃圾已清运,现场已冲洗"},
    "verify": {"passed": True},
    "rate": {"solved": "solved", "satisfied": "satisfied"},
    "reopen": REASON,
    "urge": {},
    "withdraw": REASON,
    "reject": REASON,
    "close_unresolved": REASON,
    "replan": {"calendar": CALENDAR},
}

FINISHED = (Step("sign", "officer"), Step("finish", "officer"))
RATED = (Step("verify", "grid_worker"), Step("rate", REPORTER))
NOT_SOLVED = {"solved": "not", "satisfied": "not", "comment": "臭味还在"}
FAILED = {"passed": False, "reason": "现场仍有垃圾"}

MAIN = Walk("main", (Step("sign", "officer"), Step("arrive", "officer"), Step("finish", "officer"), *RATED), "closed")
WALKS = (
    MAIN,
    Walk(
        "returned and sent elsewhere",
        (
            Step("return_order", "officer"),
            Step("redispatch", "coordinator"),
            Step("sign", "other_officer"),
            Step("finish", "other_officer"),
            *RATED,
        ),
        "closed",
    ),
    Walk(
        "a ruling that binds",
        (Step("return_order", "officer"), Step("arbitrate", "coordinator"), *FINISHED),
        "verifying",
    ),
    Walk("rework", (*FINISHED, Step("verify", "grid_worker", FAILED), Step("finish", "officer"), *RATED), "closed"),
    Walk(
        "not solved twice",
        (
            *FINISHED,
            Step("verify", "grid_worker"),
            Step("rate", REPORTER, NOT_SOLVED),
            Step("finish", "officer"),
            Step("verify", "coordinator"),
            Step("rate", "clerk", NOT_SOLVED),
        ),
        "returned",
    ),
    Walk("reopened", (*FINISHED, *RATED, Step("reopen", REPORTER), *FINISHED), "verifying"),
    Walk("withdrawn", (Step("urge", REPORTER), Step("withdraw", REPORTER)), "withdrawn"),
    Walk("rejected", (Step("reject", "coordinator"),), "rejected"),
    Walk("unresolved", (Step("sign", "officer"), Step("close_unresolved", "coordinator")), "unresolved"),
    Walk("replanned", (Step("replan", "admin"), Step("sign", "officer")), "handling"),
)
