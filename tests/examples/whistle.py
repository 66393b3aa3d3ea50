"""How a whistle is blown, who acts on it, what a right body of each command is, and the ways a whistle can go.

What the departments do on their summonses happens between the steps: a body that says `after(...)` waits for it.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from schemas.summons import SUMMONS
from tests.api_driver import ApiDriver, Person, Step, Walk
from tests.examples.incident import CALENDAR, REASON, a_photo
from tests.waiting import eventually

PATH = "/api/v1/whistles"
LEAD, OTHER, THIRD = "urban-management", "justice-office", "ecology-environment"
REPORT = {
    "type": "demand",
    "matter": "夜市占道经营,油烟扰民,多次劝导无效",
    "location": {"address": "平安街夜市", "lat": 32.06, "lon": 118.79},
    "departments": [LEAD, OTHER],
    "lead": LEAD,
}

PEOPLE = {
    "street_officer": Person("street-feng", "street_officer"),
    "other_street": Person("street-he", "street_officer", area="999999.001"),
    "officer": Person("officer-cheng", "department_officer", department=LEAD),
    "other_officer": Person("officer-si", "department_officer", department=OTHER),
    "third_officer": Person("officer-lv", "department_officer", department=THIRD),
    "grid_worker": Person("grid-zhao", "grid_worker"),
    "coordinator": Person("coordinator-sun", "coordinator"),
    "supervisor": Person("supervisor-zhou", "supervisor"),
    "admin": Person("admin-wu", "admin"),
    "auditor": Person("auditor-zheng", "auditor"),
    "stranger": Person("resident-li", "resident"),
}
REPORTER = "street_officer"
SPEED = 250_000
NOBODY_ANSWERS = "unresolved"
OFFICERS = {LEAD: "officer", OTHER: "other_officer", THIRD: "third_officer"}

BODIES: dict[str, Any] = {
    "summon_more": {"departments": [THIRD], **REASON},
    "hand_over_lead": {"department": OTHER, **REASON},
    "begin_work": {},
    "score": {"department": LEAD, "score": 90},
    "cancel": REASON,
    "urge": {},
    "comment": {"text": "商户代表已约谈"},
    "attach": a_photo,
    "replan": {"calendar": CALENDAR},
}
SUMMONS_BODIES: dict[str, Any] = {
    "respond": {},
    "arrive": {},
    "finish": {"result": "已取缔占道摊位"},
    "decline": {"legal_basis": "《权责清单》第三条", **REASON},
    "arbitrate": {"upheld": True, **REASON},
}


async def stands(door: ApiDriver, whistle: str, department: str) -> str:
    """Wait until the case of a department stands, and the whistle knows it; its id."""

    async def known() -> bool:
        standing = await door.facts(whistle, "whistle:summons_stands")
        shown = await door.api.get(f"/api/v1/cases/{whistle}.{department}", headers=door.headers("auditor"))
        return shown.status_code == 200 and department in [each["department"] for each in standing]

    await eventually(known, within=30)
    return f"{whistle}.{department}"


async def report_in(door: ApiDriver, whistle: str, department: str, *commands: str) -> None:
    """Let a department act on its summons, once however often it is asked, and the whistle hear of it."""
    case_id = await stands(door, whistle, department)
    summons = ApiDriver(door.api, door.token, SUMMONS)
    for command in commands:
        who = "coordinator" if command == "arbitrate" else OFFICERS[department]
        step = Step(command, who, SUMMONS_BODIES[command])
        answer = await summons.taken(case_id, step, key=f"{case_id}-{command}")
        assert answer.status_code in (200, 409), answer.text  # by a fast clock the department may have been given up
        told = answer.json()
        stage = told["accepted"]["stage"] if answer.status_code == 200 else told["stage"]

    async def heard() -> bool:
        reports = await door.facts(whistle, "whistle:department_reported")
        return any((each["department"], each["stage"]) == (department, stage) for each in reports)

    await eventually(heard, within=30)


def after(
    body: Mapping[str, Any], *acts: tuple[str, ...]
) -> Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]:
    """A body that is given when departments have acted: `after({}, (LEAD, "arrive"))`."""

    async def acted(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        for department, *commands in acts:
            await report_in(door, case_id, department, *commands)
        return body

    return acted


BOTH_ARRIVE = ((LEAD, "respond", "arrive"), (OTHER, "arrive"))
BEGIN = Step("begin_work", "officer", after({}, *BOTH_ARRIVE))
SCORE_LEAD = Step("score", "street_officer", after(BODIES["score"], (LEAD, "finish"), (OTHER, "finish")))
SCORE_OTHER = Step("score", "street_officer", {"department": OTHER, "score": 55, "reason": "到场迟缓"})

# The first step needs nobody else: a worker that dies under it keeps no department from acting.
MAIN = Walk("main", (Step("comment", "street_officer"), BEGIN, SCORE_LEAD, SCORE_OTHER), "closed")
WALKS = (
    MAIN,
    Walk(
        "a further department is summoned",
        (
            BEGIN,
            Step("summon_more", "street_officer"),
            SCORE_LEAD,
            SCORE_OTHER,
            Step("score", "street_officer", after({"department": THIRD, "score": 80}, (THIRD, "arrive", "finish"))),
        ),
        "closed",
    ),
    Walk(
        "the lead is handed over",
        (
            Step("hand_over_lead", "street_officer"),
            Step("begin_work", "other_officer", after({}, *BOTH_ARRIVE)),
            Step("hand_over_lead", "coordinator", {"department": LEAD, **REASON}),
        ),
        "working",
    ),
    Walk(
        "one declines and is released",
        (Step("begin_work", "street_officer", after({}, (OTHER, "decline", "arbitrate"), (LEAD, "arrive"))),),
        "working",
    ),
    Walk("cancelled", (Step("urge", "supervisor"), Step("cancel", "street_officer")), "cancelled"),
    Walk("cancelled by the coordinator at work", (BEGIN, Step("cancel", "coordinator")), "cancelled"),
    Walk(
        "commented and shown",
        (Step("comment", "officer"), Step("attach", "street_officer"), Step("replan", "admin")),
        "summoning",
    ),
    Walk(
        "begun by the first task that is done",
        (Step("comment", "grid_worker", after(BODIES["comment"], *BOTH_ARRIVE, (OTHER, "finish"))),),
        "working",
    ),
)

EXPLAINED = {"main": {"whistle:gathered": "应到 2,实到 2", "whistle:evaluated": "/ 2 ="}}
"""By walk: what the arithmetic of an entry says, by kind; of several entries of a kind, in the last."""


async def blow(door: ApiDriver, key: str | None = None, by: str = REPORTER, **other: Any) -> str:
    """Blow a whistle that is right but for what a test changes; its id."""
    answer = await door.api.post(
        PATH, json=REPORT | other, headers=_headers(door, by) | {"Idempotency-Key": key or str(uuid.uuid4())}
    )
    assert answer.status_code in (200, 201, 202), answer.text
    return str(answer.json()["case_id"])


def _headers(door: ApiDriver, by: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {door.token(PEOPLE[by])}"}
