"""How a vote comes about, who acts on it, what a right body of each command is, and the ways a vote can go: all on paper.

With the ballot box outside it goes in tests/procedures/test_ballot_box.py: who votes there is in no case.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local.council_walks import PEOPLE as COUNCIL_PEOPLE
from schemas.council import COUNCIL
from tests.api_driver import ApiDriver, Person, Step, Walk
from tests.examples.incident import CALENDAR, REASON, a_photo
from tests.paper_votes import ROLL

PEOPLE = {
    name: Person(each.subject, each.role.value, each.department, each.area) for name, each in COUNCIL_PEOPLE.items()
}
REPORTER = "grid_worker"
NOBODY_ANSWERS = "void"
ASKS_OUTSIDE = False
"""The box outside is asked when the days for objecting to the roll have passed."""
SPEED = 250_000
PARENTS_REPORT = {"motion": "小区主干道单侧停车,高峰时段禁停", "area": "320104.003.01"}
QUESTION = {"version": 1, "quorum_class": "residents_meeting", "base": "households"}
ROUND = {"present": 46, "minutes": "讨论单侧停车与消防通道"}


async def start(
    door: ApiDriver, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
) -> str:
    """Propose a motion, talk it over twice, put it to the vote, and return the ballot."""
    hall = ApiDriver(door.api, door.token, COUNCIL)
    who = REPORTER
    said = {**PARENTS_REPORT, **{name: value for name, value in (body or {}).items() if name in PARENTS_REPORT}}
    asked = {**QUESTION, **{name: value for name, value in (body or {}).items() if name in QUESTION}}
    motion = await hall.start(body=said, by=by or who, key=None if key is None else f"ballot-{key}")
    way = (
        Step("admit", "committee", {}),
        Step("record_round", "committee", ROUND),
        Step("record_round", "committee", ROUND),
        Step("call_ballot", "committee", asked),
    )
    for number, step in enumerate(way):
        answer = await hall.taken(motion, step, f"{key or motion}-{number}")
        assert answer.status_code == 200, answer.text
    case_id = f"{motion}.ballot-1"
    await door.comes(case_id)
    return case_id


Body = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]
FOR_IT = {"boxes": [{"box": "hall", "votes": [50, 30], "papers": 84, "abstained": 2, "spoilt": 2}]}
A_TIE = {"boxes": [{"box": "hall", "votes": [42, 42], "papers": 84}]}
ONE_MORE = {"boxes": [{"box": "hall", "votes": [51, 29], "papers": 84, "abstained": 2, "spoilt": 2}]}
TOO_MANY = {
    "boxes": [
        {"box": "hall", "votes": [50, 30], "papers": 80},
        {"box": "mobile-1", "votes": [12, 0], "papers": 12},
    ]
}


async def signed_paper(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """Who votes for whom, with what the voter signed."""
    shown = await a_photo(door, case_id, by)
    return {"unit": "3-2-501", "by": "3-2-502", "paper": shown["document"]}


def once(kind: str, body: Mapping[str, Any] | None = None, times: int = 1) -> Body:
    """A body that is given when the case has told an entry of this kind."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await door.passes(case_id, f"ballot:{kind}", times)
        return {} if body is None else body

    return given


BODIES: dict[str, Any] = {
    "post_roll": ROLL,
    "object_to_roll": {"reason": "3栋2单元502室漏列"},
    "keep_roll": {"reason": "经核对,该户无人居住"},
    "correct_roll": {**ROLL, "units": 121, "voters": 121, "digest": "ac" * 32, "reason": "补列3栋2单元502室"},
    "strike_unit": {"unit": "5-1-101", "reason": "独居老人去世,无其他家庭成员"},
    "confirm_strike": {"request": 1, "right": True},
    "name_proxy": signed_paper,
    "revoke_proxy": {"unit": "3-2-501"},
    "seal_box": {"box": "hall", "given": 84},
    "count": FOR_IT,
    "ask_box": {},
    "give_up_box": REASON,
    "call_off": {"reason": "居民要求先行协商"},
    "recount": {"reason": "监票人要求重计"},
    "challenge": {"reason": "有人代投未持委托书"},
    "rule": {"doubtful_units": 2, "reason": "两户委托书无签名"},
    "urge": {},
    "comment": {"text": "名册已张贴于公告栏"},
    "attach": a_photo,
    "replan": {"calendar": CALENDAR},
}

POSTED = Step("post_roll", "grid_worker")
OPENED = (POSTED, Step("seal_box", "clerk", once("opened", BODIES["seal_box"])))
FIRST = Step("count", "grid_worker", once("closed", FOR_IT))
COUNTED = (*OPENED, FIRST, Step("count", "coordinator"))


def counted(sheet: Mapping[str, Any]) -> tuple[Step, Step]:
    """Two tellers find the same."""
    return Step("count", "grid_worker", once("closed", sheet)), Step("count", "coordinator", sheet)


MAIN = Walk(
    "main",
    (
        Step("comment", "grid_worker"),
        POSTED,
        Step("object_to_roll", "clerk"),
        Step("correct_roll", "grid_worker"),
        Step("object_to_roll", "clerk"),
        Step("keep_roll", "grid_worker"),
        Step("name_proxy", "clerk"),
        Step("revoke_proxy", "clerk"),
        Step("strike_unit", "grid_worker"),
        Step("confirm_strike", "clerk"),
    ),
    "roll_posted",
)
WALKS = (
    MAIN,
    Walk("urged", (Step("urge", "supervisor"), Step("attach", "grid_worker"), Step("replan", "admin")), "preparing"),
    Walk("called off before it opens", (POSTED, Step("call_off", "grid_worker")), "void"),
    Walk("passed", COUNTED, "declared", waits=True),
    Walk("a tie", (*OPENED, *counted(A_TIE)), "declared", waits=True),
    Walk(
        "sheets that differ",
        (*OPENED, FIRST, Step("count", "coordinator", ONE_MORE), Step("count", "clerk"), Step("count", "grid_worker")),
        "declared",
        waits=True,
    ),
    Walk(
        "a box with more papers than were given",
        (
            *OPENED,
            Step("seal_box", "grid_worker", {"box": "mobile-1", "given": 10}),
            *counted(TOO_MANY),
        ),
        "declared",
        waits=True,
    ),
    Walk(
        "too few, and open for longer",
        (
            POSTED,
            Step("seal_box", "clerk", once("opened", {"box": "hall", "given": 40})),
            Step("comment", "clerk", once("extended", {"text": "已逐户通知"})),
            Step("seal_box", "clerk", {"box": "mobile-1", "given": 44}),
            *counted(
                {
                    "boxes": [
                        {"box": "hall", "votes": [30, 10], "papers": 40},
                        {"box": "mobile-1", "votes": [30, 14], "papers": 44},
                    ]
                }
            ),
        ),
        "declared",
        waits=True,
    ),
    Walk(
        "challenged in vain",
        (*COUNTED, Step("challenge", "supervisor"), Step("rule", "street_officer")),
        "declared",
        waits=True,
    ),
    Walk(
        "challenged, counted again and void",
        (
            *COUNTED,
            Step("challenge", "clerk"),
            Step("recount", "street_officer"),
            Step("count", "grid_worker"),
            Step("count", "coordinator"),
            Step("challenge", "supervisor"),
            Step("rule", "street_officer", {"doubtful_units": 20, "reason": "二十张票来源不明"}),
        ),
        "void",
        waits=True,
    ),
)

EXPLAINED: dict[str, dict[str, str]] = {}
"""A vote is declared after a window: where time is real nobody waits for that."""
