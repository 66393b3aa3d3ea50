"""How motions go: as their walks in words say (local/council_walks.py), and those for which a vote is held on the way."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from local.council_walks import TALKED
from local.stories.walks import walk
from schemas.council import COUNCIL
from tests.api_driver import ApiDriver, Step, Walk
from tests.examples.incident import document
from tests.paper_votes import hold_vote
from tests.told_examples import told_examples

Body = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]

_told = told_examples(COUNCIL)
PEOPLE, REPORTER, REPORT, MAIN = _told.PEOPLE, _told.REPORTER, _told.REPORT, _told.MAIN
NOBODY_ANSWERS, ASKS_OUTSIDE, EXPLAINED = _told.NOBODY_ANSWERS, _told.ASKS_OUTSIDE, _told.EXPLAINED
prepared = _told.prepared
SPEED = 250_000

FOR_IT = {"boxes": [{"box": "hall", "votes": [50, 30], "papers": 84, "abstained": 2, "spoilt": 2}]}
A_TIE = {"boxes": [{"box": "hall", "votes": [42, 42], "papers": 84}]}
UPHELD = {"upheld": True, "finding": "名册漏列一栋", "legal_basis": "《居民委员会组织法》第九条"}
OBJECTION = {"reason": "未通知三号楼", "contact": "三号楼李女士"}
ORDER = {"legal_basis": "《村民委员会组织法》第二十七条", "reason": "设定罚款"}
DUTY = {"duty": "signs"}


def voted(body: Mapping[str, Any], sheet: Mapping[str, Any] = FOR_IT) -> Body:
    """A body that is given when the vote has been held."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await hold_vote(door, case_id, sheet)
        return body

    return given


async def a_task(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """What is to be done within a month, once the decision is in force."""
    await hold_vote(door, case_id, FOR_IT)
    await door.passes(case_id, "council:adopted")
    told = await door.api.get(f"/api/v1/cases/{case_id}/timeline", headers=door.headers("auditor"))
    adopted = next(each for each in told.json()["items"] if each["kind"] == "council:adopted")
    due = datetime.fromisoformat(adopted["at"]).date() + timedelta(days=90)
    return {"task": "signs", "what": "安装单侧停车标识", "holder": "grid-qian", "due": due.isoformat()}


async def a_ruling(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """The court's ruling, as the window has it."""
    await hold_vote(door, case_id, FOR_IT)
    return {**ORDER, "documents": [await document(door, by)]}


async def a_late_ruling(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """The same, when everything was done and judged."""
    await door.passes(case_id, "council:closed")
    return {**ORDER, "documents": [await document(door, by)]}


async def into_another(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A merge into another motion on the same matter, which is made for it; the same however often it is asked."""
    other = await door.start(key=f"other-than-{case_id}")
    await door.stands(other)
    return {"into": other, "reason": "同一停车事项"}


BODIES: dict[str, Any] = {
    **_told.BODIES,
    "merge": into_another,
    "order_correction": ORDER,
    "assign_task": {"task": "signs", "what": "安装单侧停车标识", "holder": "grid-qian", "due": "2036-05-01"},
    "report_task": {**DUTY, "progress": "标识已订制"},
    "prove_duty": {**DUTY, "proof": "标识已安装"},
    "waive_duty": {**DUTY, "reason": "标识改由市政安装"},
    "annul": {"request": 1, "reason": "据生效裁判撤销"},
    "conclude": {"result": "停车有序"},
    "evaluate": {"done": "done", "worth_it": True},
    "object": OBJECTION,
    "investigate": {"upheld": False, "finding": "已逐户通知"},
}


def shape(command: str) -> Mapping[str, Any]:
    """The body of a command, before its documents are uploaded."""
    body = BODIES[command]
    return body if isinstance(body, Mapping) else _told.shape(command)


def _steps(way: str) -> tuple[Step, ...]:
    return tuple(Step(each.command, each.by) for each in walk("way", way, "").steps)


ANNUL = Step("annul", "street_officer")

TO_THE_VOTE = _steps(f"{TALKED}, committee call_ballot")
DONE = (
    *TO_THE_VOTE,
    Step("assign_task", "committee", a_task),
    *_steps("grid_worker report_task, grid_worker prove_duty"),
    Step("reject_duty", "street_officer", {"reason": "东侧缺一块"}),
    *_steps(
        "grid_worker prove_duty, applicant vouch_task, supervisor accept_duty, committee conclude, applicant evaluate"
    ),
)

WALKS = (
    *_told.WALKS,
    Walk("merged", (Step("merge", "committee"),), "merged"),
    Walk(
        "done and judged, and annulled",
        (*DONE, Step("file_ruling", "clerk", a_late_ruling), ANNUL),
        "annulled",
        waits=True,
    ),
    Walk(
        "not passed",
        (*TO_THE_VOTE, Step("comment", "committee", voted({"text": "差一票,继续协商"}, A_TIE))),
        "deliberating",
        waits=True,
    ),
    Walk(
        "an objection upheld",
        (*TO_THE_VOTE, Step("object", "clerk", voted(OBJECTION)), Step("investigate", "street_officer", UPHELD)),
        "deliberating",
        waits=True,
    ),
    Walk(
        "corrected",
        (*TO_THE_VOTE, Step("assign_task", "committee", a_task), Step("order_correction", "street_officer")),
        "deliberating",
        waits=True,
    ),
    Walk(
        "a task waived",
        (*TO_THE_VOTE, Step("assign_task", "committee", a_task), Step("waive_duty", "supervisor")),
        "executing",
        waits=True,
    ),
    Walk("annulled", (*TO_THE_VOTE, Step("file_ruling", "clerk", a_ruling), ANNUL), "annulled", waits=True),
)
