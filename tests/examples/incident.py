"""How an incident starts, who acts on it, what a right body of each command is, and the ways a case can go."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from local.simulation.pictures import PICTURE
from tests.api_driver import ApiDriver, Person, Step, Walk
from tests.waiting import eventually

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
    "street_officer": Person("street-feng", "street_officer"),
    "clerk": Person("clerk-qian", "window_clerk"),
    "coordinator": Person("coordinator-sun", "coordinator"),
    "supervisor": Person("supervisor-zhou", "supervisor"),
    "admin": Person("admin-wu", "admin"),
    "auditor": Person("auditor-zheng", "auditor"),
}
GUESTS = {"guest": Person("guest:0f1e2d3c4b5a69788796a5b4c3d2e1f0", "resident")}
"""Who has no account: nobody can sign in as one of them."""

REPORTER = "reporter"
NOBODY_ANSWERS = "unresolved"

REASON = {"reason": "情况说明"}
PHOTO = PICTURE + bytes(40)
CALENDAR = {"version": "tests.1", "years": [2026], "provisional": [], "holidays": [], "makeup": []}


@cache
def _others() -> dict[tuple[str, str], Mapping[str, Any]]:
    """Bodies that were made for a case: the same command again has the same body."""
    return {}


async def document(door: ApiDriver, by: str, content: bytes = PHOTO) -> Mapping[str, Any]:
    """Send a file as somebody and return what it got; the same file again gets the same."""
    answer = await door.api.post(
        "/api/v1/documents", content=content, headers=door.headers(by) | {"Content-Type": "image/png"}
    )
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def a_photo(door: ApiDriver, _case_id: str, by: str) -> Mapping[str, Any]:
    """An attachment of the giver's own; for those who may send none, one that stands in a case they see."""
    if door.examples.PEOPLE[by].role in ("admin", "auditor"):
        if ("", "attach") not in _others():
            shown = {"document": await document(door, "coordinator")}
            await door.give(await door.start(), Step("attach", "coordinator", shown))
            _others()["", "attach"] = shown
        return _others()["", "attach"]
    return {"document": await document(door, by), "note": "现场照片"}


async def into_another(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A merge into another report of the same matter, which is made for it."""
    if (case_id, "merge") not in _others():
        _others()[case_id, "merge"] = {"into": await door.start(), **REASON}
    return _others()[case_id, "merge"]


async def after_another_came_in(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A comment, after another report was merged into this case."""
    if (case_id, "comment") not in _others():
        other = await door.start()
        await door.give(other, Step("merge", "coordinator", {"into": case_id}))
        _others()[case_id, "comment"] = {"text": f"已并入 {other}"}
    return _others()[case_id, "comment"]


async def whistled(door: ApiDriver, case_id: str) -> str:
    """Let the street blow a whistle for this incident, once however often it is asked; its id, when the incident waits."""
    call = {
        "type": "enforcement",
        "matter": "多部门联合整治",
        "location": {"address": "幸福小区3号楼"},
        "departments": ["urban-management", "justice-office"],
        "lead": "urban-management",
        "incident": case_id,
    }
    headers = door.headers("street_officer", key=f"whistle-{case_id}")
    answer = await door.api.post("/api/v1/whistles", json=call, headers=headers)
    assert answer.status_code in (200, 201, 202), answer.text

    async def has_waited() -> bool:
        return "incident:whistle:waits" in await door.kinds(case_id)

    await eventually(has_waited)
    return str(answer.json()["case_id"])


async def while_it_waits(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A reason, given while the incident waits for a whistle."""
    await whistled(door, case_id)
    return REASON


async def after_the_whistle(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A comment, when a whistle that was born of the incident has ended."""
    whistle = await whistled(door, case_id)
    headers = door.headers("street_officer", key=f"cancel-{case_id}")
    answer = await door.api.post(f"/api/v1/cases/{whistle}/commands/cancel", json=REASON, headers=headers)
    assert answer.status_code == 200, answer.text

    async def goes_on() -> bool:
        return "incident:whistle:ended" in await door.kinds(case_id)

    await eventually(goes_on)
    return {"text": "吹哨已结束"}


BODIES: dict[str, Any] = {
    "admit": {},
    "ask_whistle": REASON,
    "stop_waiting": REASON,
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
    "request_extension": {"working_days": 2, **REASON},
    "grant_extension": {},
    "refuse_extension": REASON,
    "request_suspension": REASON,
    "grant_suspension": {},
    "refuse_suspension": REASON,
    "resume": {},
    "supervise": {"order": "请三日内书面反馈"},
    "answer_supervision": {"answer": "已安排人员今日处理"},
    "comment": {"text": "居民来电补充"},
    "attach": a_photo,
    "merge": into_another,
}

FINISHED = (Step("sign", "officer"), Step("finish", "officer"))
RATED = (Step("verify", "grid_worker"), Step("rate", REPORTER))
NOT_SOLVED = {"solved": "not", "satisfied": "not", "comment": "臭味还在"}
FAILED = {"passed": False, "reason": "现场仍有垃圾"}

MAIN = Walk("main", (Step("sign", "officer"), Step("arrive", "officer"), Step("finish", "officer"), *RATED), "closed")
UNKNOWN = (
    Walk(
        "without an account",
        (
            Step("admit", "coordinator"),
            *FINISHED,
            Step("verify", "grid_worker"),
            Step("rate", "guest", NOT_SOLVED),
            Step("finish", "officer"),
            Step("verify", "coordinator"),
            Step("rate", "guest"),
            Step("reopen", "guest"),
        ),
        "dispatched",
        by="guest",
    ),
    Walk(
        "without an account and rejected",
        (Step("comment", "guest"), Step("urge", "guest"), Step("reject", "coordinator")),
        "rejected",
        by="guest",
    ),
    Walk("without an account and taken back", (Step("withdraw", "guest"),), "withdrawn", by="guest"),
    Walk("without an account and merged", (Step("merge", "coordinator"),), "merged", by="guest"),
    Walk("without an account and left alone", (), "screening", by="guest"),
)
WALKS = (
    MAIN,
    *UNKNOWN,
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
    Walk(
        "reworked twice",
        (
            *FINISHED,
            Step("verify", "grid_worker", FAILED),
            Step("finish", "officer"),
            Step("verify", "coordinator"),
            Step("rate", REPORTER, NOT_SOLVED),
            Step("finish", "officer"),
            *RATED,
        ),
        "closed",
    ),
    Walk("withdrawn while it is handled", (Step("sign", "officer"), Step("withdraw", REPORTER)), "withdrawn"),
    Walk("reopened", (*FINISHED, *RATED, Step("reopen", REPORTER), *FINISHED), "verifying"),
    Walk("withdrawn", (Step("urge", REPORTER), Step("withdraw", REPORTER)), "withdrawn"),
    Walk("rejected", (Step("reject", "coordinator"),), "rejected"),
    Walk("unresolved", (Step("sign", "officer"), Step("close_unresolved", "coordinator")), "unresolved"),
    Walk(
        "extended",
        (
            Step("sign", "officer"),
            Step("request_extension", "officer"),
            Step("refuse_extension", "supervisor"),
            Step("request_extension", "officer"),
            Step("grant_extension", "supervisor"),
            Step("finish", "officer"),
        ),
        "verifying",
    ),
    Walk(
        "suspended and resumed",
        (
            Step("sign", "officer"),
            Step("request_suspension", "officer"),
            Step("refuse_suspension", "coordinator"),
            Step("request_suspension", "officer"),
            Step("grant_suspension", "coordinator"),
            Step("resume", "officer"),
            Step("finish", "officer"),
        ),
        "verifying",
    ),
    Walk(
        "left suspended",
        (Step("sign", "officer"), Step("request_suspension", "officer"), Step("grant_suspension", "coordinator")),
        "suspended",
    ),
    Walk(
        "a request that lapses",
        (Step("sign", "officer"), Step("request_extension", "officer"), Step("redispatch", "coordinator")),
        "dispatched",
    ),
    Walk(
        "supervised",
        (
            Step("supervise", "supervisor"),
            Step("sign", "officer"),
            Step("answer_supervision", "officer"),
            Step("supervise", "supervisor"),
            Step("finish", "officer"),
        ),
        "verifying",
    ),
    Walk(
        "commented and shown",
        (Step("comment", REPORTER), Step("sign", "officer"), Step("attach", "officer")),
        "handling",
    ),
    Walk("merged", (Step("sign", "officer"), Step("merge", "coordinator")), "merged"),
    Walk("another report merged in", (Step("comment", "coordinator", after_another_came_in),), "dispatched"),
    Walk(
        "a whistle asked for and its end",
        (
            Step("sign", "officer"),
            Step("ask_whistle", "officer"),
            Step("comment", "street_officer", after_the_whistle),
            Step("finish", "officer"),
        ),
        "verifying",
    ),
    Walk(
        "no longer waiting for a whistle",
        (
            Step("ask_whistle", "grid_worker"),
            Step("stop_waiting", "coordinator", while_it_waits),
            Step("sign", "officer"),
        ),
        "handling",
    ),
    Walk("replanned", (Step("replan", "admin"), Step("sign", "officer")), "handling"),
)

EXPLAINED = {
    "a ruling that binds": {
        "incident:dispatched": "紧急程度 ordinary:响应 1个工作日",
        "incident:arbitrated": "与权责清单一致:urban-management",
    },
}
"""By walk: what the arithmetic of an entry says, by kind; of several entries of a kind, in the last."""
