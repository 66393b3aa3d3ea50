"""Whole motions on the time-skipping server: from the proposal to the file, with the vote on the way, and back to the talks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from local.council_walks import TALKED, WALKS
from local.stories.walks import walk
from schemas.ballot import BALLOT
from schemas.clocks.calendar import in_shanghai
from schemas.council import COUNCIL
from schemas.council_state import CouncilState
from tests.api_driver import Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.examples.ballot import A_TIE, BODIES, FOR_IT
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

TO_THE_VOTE = f"{TALKED}, committee call_ballot"


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("council")) as found:
        yield found


def steps(way: str) -> list[Step]:
    """A way in words, as steps with the bodies of the walks."""
    return [Step(each.command, each.by, WALKS.bodies.get(each.command, {})) for each in walk("way", way, "").steps]


async def motion(bench: CaseBench, way: str, **opening: Any) -> str:
    """A motion that has come so far; its number."""
    door = bench_door(bench, COUNCIL)
    case = await door.start(body={**WALKS.opening, **opening})
    await door.go(case, steps(way))
    return case


async def voted(bench: CaseBench, case: str, sheet: Mapping[str, Any], number: int = 1) -> None:
    """The vote on it, on paper, to its certified end."""
    door, ballot = bench_door(bench, BALLOT), f"{case}.ballot-{number}"
    await eventually(lambda: ballot in bench.tables.rows)
    await door.go(ballot, [Step("post_roll", "grid_worker", BODIES["post_roll"])])
    await bench.until_told(ballot, "ballot:opened")
    await door.go(ballot, [Step("seal_box", "clerk", BODIES["seal_box"])])
    await bench.until_told(ballot, "ballot:closed")
    await door.go(ballot, [Step("count", "grid_worker", sheet), Step("count", "coordinator", sheet)])
    await bench.until_told(ballot, "ballot:certified")
    await eventually(lambda: bench.tables.kinds(case).count("council:ballot:ended") == number)
    await bench.at_rest(case)


def facts(bench: CaseBench, case: str, kind: str) -> list[Mapping[str, Any]]:
    """What the entries of a kind say, in order."""
    chain = zip(bench.tables.kinds(case), bench.tables.facts(case), strict=True)
    return [said for each, said in chain if each == f"council:{kind}"]


async def refused(bench: CaseBench, case: str, step: Step) -> str:
    """Why a command is refused; nothing has changed by it."""
    before = bench.tables.kinds(case)
    answer = await bench_door(bench, COUNCIL).taken(case, step)
    assert answer.status_code in {403, 409, 422}, answer.text
    assert bench.tables.kinds(case) == before
    said = answer.json()
    return " ".join([said["detail"], *(each["reason"] for each in said.get("faults", ()))])


def state(bench: CaseBench, case: str) -> CouncilState:
    """The motion as it last told of itself."""
    return cast("CouncilState", bench.state(case))


async def left_alone(bench: CaseBench, case: str) -> None:
    """Let time skip until the motion has ended; chain, history and strict replay are whole."""
    await bench.until_ended(case)
    assert await bench.faults(case) == []


def due_in(bench: CaseBench, case: str, days: int) -> str:
    """A day to come, by the clock of the case."""
    return (
        (in_shanghai(state(bench, case).last_at or state(bench, case).opened_at) + timedelta(days=days))
        .date()
        .isoformat()
    )


async def test_a_motion_is_talked_over_voted_on_done_and_filed_away(bench: CaseBench) -> None:
    """Every opinion is answered before the vote, the text voted on is the one posted, the task is accepted by two others."""
    door = bench_door(bench, COUNCIL)
    case = await motion(bench, "committee admit, applicant opine, committee record_round, committee record_round")
    assert "1" in await refused(bench, case, Step("call_ballot", "committee", WALKS.bodies["call_ballot"]))
    await door.go(case, steps("committee answer_opinion, committee call_ballot"))
    await voted(bench, case, FOR_IT)
    (posted,), (called,) = facts(bench, case, "text_posted"), facts(bench, case, "ballot:called")
    assert called["text_digest"] == posted["text_digest"] == facts(bench, case, "publicised")[0]["text_digest"]
    assert called["question"] == posted["text"]

    await bench.until_told(case, "council:adopted")
    task = {"task": "signs", "what": "安装单侧停车标识", "holder": "grid-qian", "due": due_in(bench, case, 20)}
    await door.go(case, [Step("assign_task", "committee", task)])
    await door.go(case, [Step("report_task", "grid_worker", {"duty": "signs", "progress": "标识已订制"})])
    await door.go(case, [Step("prove_duty", "grid_worker", {"duty": "signs", "proof": "标识已安装", "documents": []})])
    await refused(bench, case, Step("vouch_task", "grid_worker", {"request": 1}))
    await refused(bench, case, Step("accept_duty", "street_officer", {"request": 1}))
    assert "task" in await refused(bench, case, Step("conclude", "committee", {"result": "已办"}))
    await door.go(
        case, [Step("vouch_task", "applicant", {"request": 1}), Step("accept_duty", "street_officer", {"request": 1})]
    )
    await door.go(case, [Step("conclude", "committee", {"result": "停车有序"})])
    await door.go(case, [Step("evaluate", "applicant", {"done": "done", "worth_it": True})])
    await refused(bench, case, Step("evaluate", "applicant", {"done": "done", "worth_it": True}))
    await bench.until_told(case, "council:closed")
    (closed,) = facts(bench, case, "closed")

    assert (closed["rounds"], closed["opinions"], closed["taken"]) == (2, 1, {"partly": 1})
    assert (closed["tasks"], closed["tasks_kept"], closed["score"]["done"]) == (1, 1, 1)
    await left_alone(bench, case)
    assert bench.tables.rows[case]["stage"] == "archived"


async def test_what_was_not_passed_is_talked_over_again_and_voted_on_after_ninety_days(bench: CaseBench) -> None:
    """A tie is not passed; a vote at once is refused, and a changed text asks for a further round besides."""
    case = await motion(bench, TO_THE_VOTE)
    await voted(bench, case, A_TIE)
    vote = Step("call_ballot", "committee", {**WALKS.bodies["call_ballot"], "version": 2})

    assert bench.tables.rows[case]["stage"] == "deliberating"
    assert "90" in await refused(bench, case, Step("call_ballot", "committee", WALKS.bodies["call_ballot"]))
    await bench_door(bench, COUNCIL).go(case, steps("applicant amend"))
    assert "3" in await refused(bench, case, vote)
    first, second = facts(bench, case, "text_posted")
    assert (first["version"], second["version"]) == (1, 2)
    assert first["text_digest"] != second["text_digest"]
    await left_alone(bench, case)


async def test_an_objection_that_is_upheld_brings_it_back_to_the_talks(bench: CaseBench) -> None:
    """What was decided is not in force; one round more, and it can be voted on at once."""
    door = bench_door(bench, COUNCIL)
    case = await motion(bench, TO_THE_VOTE)
    await voted(bench, case, FOR_IT)
    upheld = {"upheld": True, "finding": "名册漏列一栋", "legal_basis": "《居民委员会组织法》第九条"}
    await door.go(
        case,
        [
            Step("object", "clerk", {"reason": "未通知三号楼", "contact": "三号楼李女士"}),
            Step("investigate", "street_officer", upheld),
        ],
    )

    assert bench.tables.rows[case]["stage"] == "deliberating"
    assert "3" in await refused(bench, case, Step("call_ballot", "committee", WALKS.bodies["call_ballot"]))
    await door.go(case, steps("committee record_round, committee call_ballot"))
    await left_alone(bench, case)


CORRECTED: Sequence[Step] = (
    Step("order_correction", "street_officer", {"legal_basis": "《村民委员会组织法》第二十七条", "reason": "设定罚款"}),
)


async def test_an_order_to_correct_ends_what_is_being_done(bench: CaseBench) -> None:
    """Its open task ends as waived, no clock of it goes on, and the talks begin anew."""
    door = bench_door(bench, COUNCIL)
    case = await motion(bench, TO_THE_VOTE)
    await voted(bench, case, FOR_IT)
    await bench.until_told(case, "council:adopted")
    task = {"task": "signs", "what": "安装单侧停车标识", "holder": "grid-qian", "due": due_in(bench, case, 20)}
    await door.go(case, [Step("assign_task", "committee", task), *CORRECTED])
    running = {clock.name for clock in state(bench, case).clocks.values() if clock.status == "running"}

    assert bench.tables.rows[case]["stage"] == "deliberating"
    assert running == {"deliberate"}
    assert state(bench, case).duties_settled
    await left_alone(bench, case)
