"""A vote as a case: from the roll to the certified result, with the ballot box outside and on paper."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from activities.ballots import BallotBoxes
from audit.archive.decoded import decoded_events
from audit.replay.replay import runs_of
from engine.execution.codec import data_converter
from local.ballot_box.roll_file import roll_of
from schemas.ballot import BALLOT
from schemas.ballot_state import BallotState, OnlineBox
from schemas.council import COUNCIL
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.box_town import BoxTown, box_town, lines
from tests.case_bench import CaseBench, case_bench
from tests.examples.ballot import A_TIE, COUNTED, FIRST, ONE_MORE, OPENED, POSTED, TOO_MANY, counted
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(240)

UNITS = 20


@dataclass
class Voting:
    """A bench with a ballot box beside it."""

    bench: CaseBench
    box: BoxTown
    door: ApiDriver

    async def called(self) -> str:
        """A vote that waits for its roll, whose units the box has."""
        case_id = await self.door.start()
        self.box.ballot, self.box.ballots = case_id, {}
        assert (await self.box.town.keep_roll(case_id, lines(UNITS))).status_code == 200
        return case_id

    async def posted(self, **more: Any) -> str:
        """The same, with its roll posted."""
        case_id, roll = await self.called(), roll_of(lines(UNITS))
        body = {"digest": roll.digest, "units": roll.units, "voters": roll.voters, **more}
        await self.door.go(case_id, [Step("post_roll", "grid_worker", body)])
        return case_id

    async def opened(self) -> str:
        """The same, open for votes."""
        case_id = await self.posted()
        await self.bench.until_told(case_id, "ballot:box:opened")
        return case_id

    async def vote(self, approve: int, oppose: int) -> None:
        """So many take their ballot and cast it."""
        for number in range(approve + oppose):
            unit = lines(UNITS)[number].unit
            assert (await self.box.take(unit)).status_code == 200
            cast = await self.box.vote(unit, "approve" if number < approve else "oppose")
            assert cast.status_code == 201

    def state(self, case_id: str) -> BallotState:
        """A vote as it last told of itself."""
        state = self.bench.state(case_id)
        assert isinstance(state, BallotState)
        return state

    def facts(self, case_id: str, kind: str) -> Mapping[str, Any]:
        """What the last entry of a kind says."""
        told = zip(self.bench.tables.kinds(case_id), self.bench.tables.facts(case_id), strict=True)
        found: Mapping[str, Any] = [facts for each, facts in told if each == kind][-1]
        return found


@pytest.fixture(scope="module")
async def voting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voting]:
    """A town with a box."""
    async with voting_town(tmp_path_factory.mktemp("voting")) as opened:
        yield opened


@asynccontextmanager
async def voting_town(folder: Path) -> AsyncIterator[Voting]:
    """A bench whose votes are opened in a box of their own."""

    def uncounted(*_what: str) -> None:
        pass

    async with box_town(folder / "box") as box:
        doers = BallotBoxes(box.policy, box.gateway, uncounted)
        async with case_bench(folder / "bench", ballots=doers) as bench:
            yield Voting(bench, box, bench_door(bench, BALLOT))


async def test_a_vote_in_the_box_decides_the_motion(voting: Voting) -> None:
    """Opened with its roll, closed at the end of its window, declared, certified; the motion hears it, and strict replay agrees."""
    case_id = await voting.opened()
    await voting.vote(12, 4)
    await voting.bench.until_told(case_id, "ballot:declared")
    late = await voting.box.take(lines(UNITS)[19].unit)
    assert late.json()["code"] == "closed"
    declared = voting.facts(case_id, "ballot:declared")
    assert (declared["passed"], declared["took_part"], declared["of_how_many"]) == (True, 16, UNITS)
    assert declared["totals"] == {}  # four against it are fewer than ten: nothing that tells them
    assert declared["merkle_root"] == voting.facts(case_id, "ballot:box:tallied")["merkle_root"]
    await voting.bench.until_told(case_id, "ballot:certified")
    motion = case_id.removesuffix(".ballot-1")
    await eventually(lambda: voting.bench.tables.kinds(motion).count("council:publicised") == 1)
    ended = voting.facts(motion, "council:ballot:ended")

    assert (ended["passed"], ended["void"], ended["took_part"]) == (True, None, 16)
    await voting.bench.until_ended(case_id)
    assert await voting.bench.faults(case_id) == []


async def test_nothing_in_the_town_says_who_voted_or_for_what(voting: Voting) -> None:
    """Histories, ledger, rows and notices of vote and motion: no unit, no serial, no signature, no single choice."""
    case_id = await voting.opened()
    await voting.vote(11, 5)
    await voting.bench.until_told(case_id, "ballot:declared")
    await voting.bench.until_ended(case_id)
    codec = data_converter(voting.bench.keys).payload_codec
    assert codec is not None
    kept = []
    for case in (case_id, case_id.removesuffix(".ballot-1")):
        runs = await runs_of(voting.bench.client, case)
        kept += [json.dumps(await decoded_events(list(run.events), codec), default=str) for run in runs]
        tables = voting.bench.tables
        kept.append(json.dumps([tables.chain(case), tables.rows[case]], default=str))
    everything = "\n".join(kept)
    secret = [
        secret
        for unit, ballot in voting.box.ballots.items()
        for secret in (
            f'"{unit}"',
            ballot.serial.hex(),
            ballot.signature.hex(),
            ballot.blinded.message.hex(),
            base64.b64encode(ballot.serial).decode(),
        )
    ]

    assert len(secret) > 16 * 5 - 1
    assert [each for each in secret if each in everything] == []
    assert '"approve": 11' in everything  # it was looked for where totals stand


async def test_too_few_leave_it_open_for_longer_once(voting: Voting) -> None:
    """Eight of twenty: seven days more, and votes that come then count; then it is closed, however many came."""
    case_id = await voting.opened()
    await voting.vote(8, 0)
    await voting.bench.until_told(case_id, "ballot:extended")
    assert voting.state(case_id).issued == 8
    assert (await voting.box.take(lines(UNITS)[9].unit)).status_code == 200
    await voting.bench.until_told(case_id, "ballot:declared")

    assert voting.facts(case_id, "ballot:closed")["extended"] is True
    declared = voting.facts(case_id, "ballot:declared")
    assert (declared["quorum"], declared["passed"], declared["took_part"]) == (False, False, 8)


async def test_papers_and_the_box_are_counted_together(voting: Voting) -> None:
    """A unit marked for a paper takes none online; declared when both are counted, of both."""
    case_id = await voting.opened()
    await voting.vote(6, 4)
    for line in lines(UNITS)[10:14]:
        assert (await voting.box.town.issue(case_id, line.unit, None)).status_code == 200
    assert (await voting.box.take(lines(UNITS)[10].unit)).json()["code"] == "already-taken"
    sheet = {"boxes": [{"box": "hall", "votes": [4, 0], "papers": 4}]}
    await voting.door.go(case_id, [Step("seal_box", "clerk", {"box": "hall", "given": 4})])
    await voting.bench.until_told(case_id, "ballot:box:tallied")
    assert "ballot:declared" not in voting.bench.tables.kinds(case_id)
    await voting.door.go(case_id, counted(sheet))
    state = voting.state(case_id)

    assert (state.cast.choices, state.cast.papers) == ({"approve": 10, "oppose": 4}, 14)
    assert voting.facts(case_id, "ballot:box:tallied")["marked_for_paper"] == 4


async def test_a_box_with_another_roll_leaves_the_vote_on_paper(voting: Voting) -> None:
    """What is posted is not what the box has: it does not open there, the committee is told, and papers are counted."""
    case_id = await voting.posted(digest="cd" * 32)
    await voting.bench.until_told(case_id, "ballot:box:refused")
    assert voting.facts(case_id, "ballot:box:refused")["code"] == "another-roll"
    assert voting.state(case_id).online is OnlineBox.NONE
    sheet = {"boxes": [{"box": "hall", "votes": [12, 2], "papers": 14}]}
    await voting.door.go(case_id, [Step("seal_box", "clerk", {"box": "hall", "given": 14})])
    await voting.door.go(case_id, counted(sheet))

    assert voting.facts(case_id, "ballot:declared")["merkle_root"] is None
    assert voting.facts(case_id, "ballot:declared")["passed"] is True


def struck(unit: str, number: int) -> list[Step]:
    """A unit is struck by two: the number is that of what the first one asked for."""
    asked = Step("strike_unit", "grid_worker", {"unit": unit, "reason": "空户"})
    return [asked, Step("confirm_strike", "clerk", {"request": number, "right": True})]


async def test_a_struck_unit_takes_no_ballot_and_one_that_has_its_ballot_stays(voting: Voting) -> None:
    """Before it opens or after: the box gives it none; too late, it stays in the base, on the record."""
    case_id = await voting.posted()
    early, late, taken = (line.unit for line in lines(UNITS)[:3])
    await voting.door.go(case_id, struck(early, 1))
    await voting.bench.until_told(case_id, "ballot:box:opened")
    assert (await voting.box.take(taken)).status_code == 200
    for number, unit in enumerate((late, taken), start=2):
        await voting.door.go(case_id, struck(unit, number))
    await voting.bench.until_told(case_id, "ballot:unit:took_ballot")
    await voting.bench.at_rest(case_id)
    assert [(await voting.box.take(unit)).json()["code"] for unit in (early, late)] == ["already-taken"] * 2

    assert voting.facts(case_id, "ballot:unit:took_ballot")["unit"] == taken
    assert voting.state(case_id).base_roll.voters == UNITS - 2


async def test_a_motion_that_is_to_be_corrected_calls_its_vote_off(voting: Voting) -> None:
    """Void, and why; the box takes no more votes, and the motion hears nothing of it any more."""
    case_id = await voting.opened()
    motion = case_id.removesuffix(".ballot-1")
    await bench_door(voting.bench, COUNCIL).go(motion, [Step("order_correction", "street_officer")])
    await eventually(lambda: "ballot:void" in voting.bench.tables.kinds(case_id))
    await voting.bench.until_ended(case_id)

    assert voting.facts(case_id, "ballot:void")["why"] == "called_off"
    assert (await voting.box.take(lines(UNITS)[0].unit)).json()["code"] == "closed"
    assert "council:ballot:ended" not in voting.bench.tables.kinds(motion)


# ---- on paper ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def paper(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Voting]:
    """A town without a box."""
    async with case_bench(tmp_path_factory.mktemp("paper")) as bench:
        nobody: Any = None
        yield Voting(bench, nobody, bench_door(bench, BALLOT))


async def walked(paper: Voting, *steps: Step) -> str:
    """A vote that went this way."""
    case_id = await paper.door.start()
    await paper.door.go(case_id, steps)
    return case_id


async def test_a_tie_is_not_passed(paper: Voting) -> None:
    """42 to 42 of 120 households: enough came, and it is not passed."""
    case_id = await walked(paper, *OPENED, *counted(A_TIE))
    declared = paper.facts(case_id, "ballot:declared")

    assert (declared["quorum"], declared["passed"]) == (True, False)
    assert declared["totals"] == {
        "oppose": 42
    }  # nobody abstained: three figures that come to less than ten are told by the sum


async def test_a_box_with_more_papers_than_were_given_does_not_count(paper: Voting) -> None:
    """Twelve in a box of ten: none of them counts, the other box does."""
    case_id = await walked(
        paper, *OPENED, Step("seal_box", "grid_worker", {"box": "mobile-1", "given": 10}), *counted(TOO_MANY)
    )

    assert paper.facts(case_id, "ballot:sheets:agree")["void_boxes"] == ["mobile-1"]
    assert paper.state(case_id).cast.choices == {"approve": 50, "oppose": 30}


async def test_two_tellers_count_apart_and_have_to_find_the_same(paper: Voting) -> None:
    """Of the first sheet it is told that it is there; nobody counts twice; different sheets are both put aside."""
    case_id = await walked(paper, *OPENED, FIRST)
    first = paper.facts(case_id, "ballot:counted")
    assert set(first) - {"clocks"} == {"sheet", "count"}
    again = await paper.door.give(case_id, Step("count", "grid_worker"))
    assert again.status_code == 409
    await paper.door.go(case_id, [Step("count", "coordinator", ONE_MORE)])

    assert paper.state(case_id).paper_cast is None
    assert "ballot:declared" not in paper.bench.tables.kinds(case_id)
    await paper.door.go(case_id, counted(A_TIE))
    assert paper.facts(case_id, "ballot:declared")["passed"] is False


async def test_a_doubt_that_could_turn_it_voids_it_and_a_smaller_one_does_not(paper: Voting) -> None:
    """50 for it of 84: without 15 it is 35 of 69, more than half; without 16 it is 34 of 68, and no majority."""
    case_id = await walked(paper, *COUNTED, Step("challenge", "supervisor"))
    refused = await paper.door.give(case_id, Step("rule", "grid_worker"))
    assert refused.status_code == 403
    await paper.door.go(case_id, [Step("rule", "street_officer", {"doubtful_units": 15, "reason": "委托书无签名"})])
    assert paper.state(case_id).stage == "declared"
    await paper.door.go(case_id, [Step("challenge", "clerk")])
    await paper.door.go(case_id, [Step("rule", "street_officer", {"doubtful_units": 16, "reason": "票根不符"})])

    assert paper.facts(case_id, "ballot:void")["why"] == "challenged"


@pytest.mark.parametrize(
    ("unit", "by", "said"),
    [
        ("1-1", "1-1", "unit itself"),
        ("1-1", "1-3", "has a proxy already"),
        ("1-4", "1-2", "holds 1 already"),
        ("1-4", "1-1", "not passed on"),
        ("1-2", "1-4", "not passed on"),
    ],
)
async def test_a_proxy_is_one_for_one_and_not_passed_on(paper: Voting, unit: str, by: str, said: str) -> None:
    """One proxy a unit, one unit a proxy, nobody for themselves."""
    given: dict[str, Mapping[str, Any]] = {}

    async def naming(door: ApiDriver, case_id: str, who: str) -> Mapping[str, Any]:
        given["paper"] = (await door.examples.BODIES["name_proxy"](door, case_id, who))["paper"]
        return {"unit": "1-1", "by": "1-2", "paper": given["paper"]}

    case_id = await walked(paper, POSTED, Step("name_proxy", "clerk", naming))
    refused = await paper.door.give(
        case_id, Step("name_proxy", "clerk", {"unit": unit, "by": by, "paper": given["paper"]})
    )

    assert refused.status_code == 422
    assert said in refused.text


async def test_an_empty_unit_leaves_the_base_and_no_other_way_does(paper: Voting) -> None:
    """Struck once, before the count; the quorum is of those who are left."""
    case_id = await walked(paper, POSTED, Step("strike_unit", "grid_worker"), Step("confirm_strike", "clerk"))
    twice = await paper.door.give(case_id, Step("strike_unit", "clerk"))
    assert twice.status_code == 422
    await paper.bench.until_told(case_id, "ballot:opened")

    assert paper.facts(case_id, "ballot:opened")["voters"] == 119
    assert paper.state(case_id).base_roll.voters == 119


async def test_a_vote_that_nobody_prepares_is_void_and_the_motion_not_passed(paper: Voting) -> None:
    """Left alone it ends, and whoever called it hears why."""
    case_id = await paper.door.start()
    await paper.bench.until_ended(case_id)
    motion = case_id.removesuffix(".ballot-1")
    await eventually(lambda: "council:not_passed" in paper.bench.tables.kinds(motion))

    assert paper.facts(motion, "council:ballot:ended")["void"] == "unresolved"
