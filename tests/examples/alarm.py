"""How an alarm comes about, who acts on it, what a right body of each command is, and the ways an alarm can go."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from schemas.care import CARE
from tests.api_driver import ApiDriver, Step, Walk
from tests.examples import care
from tests.examples.incident import CALENDAR, a_photo

Body = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]

PEOPLE = care.PEOPLE
REPORTER = "clerk"
NOBODY_ANSWERS = "closed"
ASKS_OUTSIDE = False
PARENTS_REPORT = care.REPORT
SPEED = 600
"""Ten minutes in a second: the first minute of an alarm is a tenth of one."""

KIND = "alarm_kind"
"""In what a walk starts with: the kind of its alarm, beside what opens the file."""


async def start(
    door: ApiDriver, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
) -> str:
    """Open a file, and call for help without waiting for consent; the alarm."""
    said = dict(body or {})
    kind = said.pop(KIND, "sos")
    files = replace(door, procedure=CARE)
    file = await files.start(body={**PARENTS_REPORT, **said}, by=by or REPORTER, key=f"alarm-{key}" if key else None)
    await files.stands(file)
    raised = await files.taken(
        file, Step("raise_alarm", "clerk", {"alarm_kind": kind, "words": "来电求助"}), key=f"raise-{key or file}"
    )
    assert raised.status_code == 200, raised.text
    alarm = f"{file}.alarm-1"

    await door.comes(alarm)
    return alarm


BODIES: dict[str, Any] = {
    "answer": {"said": "help"},
    "accept_call": {},
    "pass_on": {"reason": "车辆故障"},
    "arrive": {},
    "call_emergency": {"service": "medical_120", "order_number": "JZ-2027-0008"},
    "call_contact": {"contact": 1, "result": "coming"},
    "contact_reported": {"number": 1, "result": "acknowledged", "at": "2027-03-05T02:10:00+08:00"},
    "resolve": {"result": "helped", "what": "扶起,无外伤"},
    "mark_false": {"known_by": "voice", "name_asked": True},
    "follow_up": {"finding": "精神良好"},
    "urge": {},
    "comment": {"text": "家属已在路上"},
    "attach": a_photo,
    "replan": {"calendar": CALENDAR},
}
ENDED_BY = (
    Step("accept_call", "grid_worker"),
    Step("arrive", "grid_worker"),
    Step("resolve", "grid_worker"),
    Step("follow_up", "grid_worker"),
)
NOTHING = {"said": "no_danger"}


def once(kind: str, body: Mapping[str, Any]) -> Body:
    """A body that is given when the case has told this."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await door.passes(case_id, kind)
        return body

    return given


MAIN = Walk("main", (Step("answer", "coordinator"), *ENDED_BY), "closed")
WALKS = (
    MAIN,
    Walk(
        "a mistake, by voice",
        (Step("answer", "coordinator", NOTHING), Step("mark_false", "coordinator")),
        "resolved",
    ),
    Walk(
        "a fall is looked at",
        (
            Step("answer", "street_officer", NOTHING),
            Step("arrive", "grid_worker"),
            Step("mark_false", "grid_worker", {"known_by": "sight", "name_asked": True}),
        ),
        "resolved",
        {KIND: "fall"},
    ),
    Walk(
        "passed on, with an ambulance",
        (
            Step("answer", "coordinator", {"said": "no_voice"}),
            Step("call_emergency", "coordinator"),
            Step("call_contact", "coordinator"),
            Step("accept_call", "grid_worker"),
            Step("pass_on", "grid_worker"),
            Step("accept_call", "next_worker"),
        ),
        "responding",
    ),
    Walk(
        "nobody is found",
        (
            Step("arrive", "grid_worker"),
            Step("resolve", "grid_worker", {"result": "not_found", "what": "家中无人"}),
            Step("resolve", "grid_worker", {"result": "hospital", "what": "邻居已送市第一医院"}),
        ),
        "resolved",
    ),
    Walk(
        "nobody answers, and somebody goes",
        (
            Step("accept_call", "grid_worker", once("alarm:unanswered", {})),
            Step("arrive", "grid_worker"),
            Step("resolve", "grid_worker", {"result": "hospital", "what": "送市第一医院"}),
        ),
        "resolved",
        waits=True,
    ),
    Walk(
        "nobody goes",
        (
            Step("answer", "coordinator"),
            Step("call_emergency", "coordinator", once("clock:final_limit", BODIES["call_emergency"])),
            Step("arrive", "grid_worker"),
        ),
        "on_site",
        waits=True,
    ),
    Walk(
        "silence, until somebody answers",
        (Step("answer", "coordinator", once("alarm:called_again", {"said": "no_voice"})),),
        "answered",
        waits=True,
    ),
    Walk(
        "urged and replanned",
        (Step("urge", "supervisor"), Step("attach", "grid_worker"), Step("replan", "admin")),
        "raised",
    ),
)

EXPLAINED: dict[str, dict[str, str]] = {}
"""What the explanation of an entry says to auditors: nothing beyond its rule."""
