"""What an insider tries who wants a vote to come out otherwise, or to know it: each way is shut, by the door that people use."""

from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from typing import Any

import pytest

from schemas.ballot import BALLOT
from tests.api_driver import Step
from tests.bench_api import bench_door
from tests.box_town import lines
from tests.case_bench import case_bench
from tests.examples.ballot import A_TIE, COUNTED, FOR_IT, OPENED, POSTED, counted, once
from tests.paper_votes import ROLL
from tests.procedures.test_ballot import UNITS, Voting, struck, voting_town

pytestmark = pytest.mark.timeout(240)

LAST_MINUTE = {**ROLL, "units": 135, "voters": 135, "digest": "ef" * 32, "reason": "补列十五户"}
STUFFED = {"box": "mobile-9", "given": 10}


@pytest.fixture(scope="module")
async def paper(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voting]:
    """A town without a box."""
    async with case_bench(tmp_path_factory.mktemp("attacked"), sandbox=False) as bench:
        nobody: Any = None
        yield Voting(bench, nobody, bench_door(bench, BALLOT))


@pytest.fixture(scope="module")
async def voting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voting]:
    """A town with a box."""
    async with voting_town(tmp_path_factory.mktemp("attacked-box")) as opened:
        yield opened


async def walked(town: Voting, *steps: Step) -> str:
    """A vote that went this way."""
    case_id = await town.door.start()
    await town.door.go(case_id, steps)
    return case_id


async def refused(town: Voting, case_id: str, step: Step) -> str:
    """Why a command is refused; nothing has changed by it."""
    before = town.bench.tables.kinds(case_id)
    answer = await town.door.give(case_id, step)
    assert answer.status_code in {403, 409, 422}, f"{step.command}: {answer.status_code} {answer.text}"
    assert town.bench.tables.kinds(case_id) == before
    return answer.text


# ---- the roll ---------------------------------------------------------------------------------------------------------


async def test_a_roll_that_is_exchanged_at_the_last_minute_is_posted_anew(paper: Voting) -> None:
    """Whoever corrects it when its days are over opens no vote by that: everybody has the whole window to see the other one."""
    case_id = await walked(
        paper, POSTED, Step("object_to_roll", "clerk"), Step("correct_roll", "grid_worker", LAST_MINUTE)
    )
    told = zip(paper.bench.tables.kinds(case_id), paper.bench.tables.facts(case_id), strict=True)
    corrected = [facts for kind, facts in told if kind == "ballot:roll:corrected"]

    assert corrected[0]["clocks"]["roll"]["status"] == "running"
    assert paper.state(case_id).stage == "roll_posted"


async def test_nobody_makes_the_base_smaller_alone(paper: Voting) -> None:
    """Neither under another role; and what was asked for changes nothing before another person has looked."""
    case_id = await walked(paper, POSTED, Step("strike_unit", "grid_worker"))
    alone = await refused(paper, case_id, Step("confirm_strike", "grid_worker", {"request": 1, "right": True}))
    assert "does not confirm it" in alone
    assert paper.state(case_id).base_roll.voters == 120
    await paper.door.go(case_id, [Step("confirm_strike", "street_officer", {"request": 1, "right": False})])

    assert paper.state(case_id).base_roll.voters == 120
    await paper.door.go(case_id, struck("7-7-777", 2))
    assert paper.state(case_id).base_roll.voters == 119


async def test_a_unit_that_is_on_no_roll_makes_no_base_smaller(voting: Voting) -> None:
    """Two may strike what they like: the box knows the roll, and what is not on it stays in the base."""
    case_id = await voting.opened()
    await voting.door.go(case_id, struck("9-999", 1))
    await voting.bench.until_told(case_id, "ballot:unit:unknown")

    assert voting.state(case_id).base_roll.voters == UNITS


@pytest.mark.parametrize("command", ["post_roll", "strike_unit"])
async def test_an_owner_of_sixteen_flats_is_no_class_of_a_vote_by_households(paper: Voting, command: str) -> None:
    """Each unit votes once: fewer voters than units make the quorum smaller, and a struck unit of no voter the other way."""
    case_id = await paper.door.start()
    if command == "post_roll":
        said = await refused(paper, case_id, Step("post_roll", "grid_worker", {**ROLL, "voters": 16}))
    else:
        await paper.door.go(case_id, [POSTED])
        body = {"unit": "1-1", "voters": 0, "reason": "业主另有一户"}
        said = await refused(paper, case_id, Step("strike_unit", "grid_worker", body))

    assert "each unit votes once" in said


# ---- the count --------------------------------------------------------------------------------------------------------


async def test_no_box_comes_to_a_count_that_did_not_please(paper: Voting) -> None:
    """After a tie a recount is ordered: no further box is sealed then, for papers come in before the close."""
    case_id = await walked(paper, *OPENED, *counted(A_TIE), Step("recount", "street_officer"))

    assert "no box comes to them" in await refused(paper, case_id, Step("seal_box", "clerk", STUFFED))


async def test_a_recount_buries_no_challenge(paper: Voting) -> None:
    """Who challenged is owed a ruling, whatever the second count says; it is certified after that and not before."""
    case_id = await walked(paper, *COUNTED, Step("challenge", "clerk"), Step("recount", "street_officer"))
    await paper.door.go(case_id, [Step("count", "grid_worker", FOR_IT), Step("count", "coordinator", FOR_IT)])

    assert paper.state(case_id).stage == "challenged"
    assert paper.state(case_id).clocks["rule"].status == "running"
    await paper.door.go(case_id, [Step("rule", "street_officer")])
    assert paper.state(case_id).stage == "declared"


async def test_who_counted_orders_no_recount(paper: Voting) -> None:
    """A teller whom the result does not please would order another count, until it does."""
    case_id = await walked(
        paper, *OPENED, Step("count", "street_officer", once("closed", FOR_IT)), Step("count", "coordinator", FOR_IT)
    )

    assert "does not rule on the count" in await refused(paper, case_id, Step("recount", "street_officer"))


async def test_no_more_is_counted_than_there_are_voters(voting: Voting) -> None:
    """Sixteen online of twenty, and eight papers, that were all given: four voted twice, and the vote is void."""
    case_id = await voting.opened()
    await voting.vote(8, 8)
    await voting.door.go(case_id, [Step("seal_box", "clerk", {"box": "hall", "given": 8})])
    await voting.bench.until_told(case_id, "ballot:box:tallied")
    await voting.door.go(case_id, counted({"boxes": [{"box": "hall", "votes": [8, 0], "papers": 8}]}))

    assert voting.facts(case_id, "ballot:void")["why"] == "overcounted"


async def test_a_paper_of_a_unit_that_was_not_marked_for_one_does_not_decide(voting: Voting) -> None:
    """Twelve online, two units marked for a paper, and five papers: three are of nobody."""
    case_id = await voting.opened()
    await voting.vote(6, 6)
    for line in lines(UNITS)[12:14]:
        assert (await voting.box.town.issue(case_id, line.unit, None)).status_code == 200
    await voting.door.go(case_id, [Step("seal_box", "clerk", {"box": "hall", "given": 5})])
    await voting.bench.until_told(case_id, "ballot:box:tallied")
    await voting.door.go(case_id, counted({"boxes": [{"box": "hall", "votes": [5, 0], "papers": 5}]}))

    assert voting.facts(case_id, "ballot:void")["why"] == "overcounted"


# ---- who wants to know -------------------------------------------------------------------------------------------------


def hidden(facts: Mapping[str, Any]) -> set[str]:
    return {name for name, value in facts.items() if value is not None} - {"clocks"}


async def test_what_three_put_into_a_box_of_their_own_is_counted_with_others(paper: Voting) -> None:
    """Whichever is sealed first: no sheet, no history and no archive says what was in the box that was carried to three flats."""
    case_id = await walked(paper, POSTED, Step("seal_box", "clerk", once("opened", {"box": "mobile-1", "given": 3})))
    await paper.door.go(case_id, [Step("seal_box", "clerk", {"box": "hall", "given": 70})])
    await paper.door.go(case_id, [Step("seal_box", "clerk", {"box": "mobile-2", "given": 9})])
    apart = {
        "boxes": [{"box": box, "votes": [each, 0], "papers": each} for box, each in (("hall", 79), ("mobile-1", 3))]
    }
    await paper.bench.until_told(case_id, "ballot:closed")
    said = await refused(paper, case_id, Step("count", "grid_worker", apart))
    again = await refused(paper, case_id, Step("seal_box", "clerk", {"box": "mobile-1", "given": 3}))

    assert [(each.box, each.given) for each in paper.state(case_id).boxes] == [("hall", 82)]
    assert "every box that was sealed" in said
    assert "is sealed already" in again


async def test_no_small_figure_is_reckoned_from_a_ruling(paper: Voting) -> None:
    """80 for it and four against: that is hidden, and the margin, by which it could be reckoned, is not told either."""
    sheet = {"boxes": [{"box": "hall", "votes": [80, 4], "papers": 84}]}
    case_id = await walked(paper, *OPENED, *counted(sheet), Step("challenge", "supervisor"))
    await paper.door.go(case_id, [Step("rule", "street_officer", {"doubtful_units": 1, "reason": "一户无签名"})])

    assert paper.facts(case_id, "ballot:declared")["totals"] == {}
    assert "margin" not in hidden(paper.facts(case_id, "ballot:ruled"))


async def test_the_key_of_a_vote_is_told_by_its_case(voting: Voting) -> None:
    """A box that showed each voter another key would know each vote again: what the case told is what a voter compares."""
    case_id = await voting.opened()
    told = voting.facts(case_id, "ballot:box:opened")["key_digest"]
    shown = await voting.box.http.get(f"{voting.box.base}/ballots/{case_id}")

    assert told == voting.state(case_id).box_key
    assert sha256(shown.json()["public_key"].encode()).hexdigest() == told
