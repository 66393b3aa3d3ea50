"""Whole rounds on the time-skipping server: who wins, within which money, by whose votes, and that each has its answer."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from local.round_walks import ENTRY, WALKS
from schemas.kernel.visibility import may_see, shown_facts, sight_of
from schemas.proposal import PROPOSAL
from schemas.round import ROUND
from schemas.round_commands import Announce
from schemas.round_policy import RoundPolicy
from schemas.round_state import RoundState
from schemas.values.actor import Actor, Role
from schemas.values.references import WITHHELD
from schemas.values.refusals import Fault
from tests.api_driver import Step
from tests.case_bench import CaseBench, case_bench
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

BETTER = {"need": 25, "novel": 10}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("round")) as found:
        yield found


def offered(hall: RoundBench) -> list[str]:
    """Who was offered the money, in order."""
    return [str(said["proposal"]) for said in hall.facts(hall.case, "round:offered")]


async def test_the_pool_is_given_down_the_order_and_a_free_place_moves_on(bench: CaseBench) -> None:
    """Two are offered what they cost, the third waits; when the first is withdrawn it has the place. The pool is never passed."""
    hall = RoundBench(bench)
    await hall.opened({}, {}, {})
    await hall.judged(BETTER, {"novel": 10}, {})
    await hall.voted([40, 30, 20])
    await hall.told(hall.case, "round:offered", 2)

    assert offered(hall) == ["proposal-1", "proposal-2"]
    assert hall.round.left_fen == 0
    await hall.told(hall.number(3), "proposal:reserved")

    await hall.told(hall.number(1), "proposal:publicised")
    await hall.in_proposal(1, Step("withdraw", "applicant"))
    await hall.told(hall.case, "round:offered", 3)
    await hall.told(hall.number(3), "proposal:publicised")

    assert offered(hall) == ["proposal-1", "proposal-2", "proposal-3"]
    shares = [unit for number in (2, 3) for unit in hall.proposal(number).reserved_units]
    assert sum(unit.amount or 0 for unit in shares) == hall.round.pool_fen
    await bench.until_ended(hall.case)
    assert await bench.faults(hall.case) == []


async def test_each_milestone_is_a_share_of_the_pool_in_the_table_of_the_town(bench: CaseBench) -> None:
    """Besides what the round reckons: by the key of the round and within its pool, over all its proposals."""
    hall = RoundBench(bench)
    await hall.opened({}, pool_fen=150000, cap_fen=150000)
    await hall.judged({})
    await hall.told(hall.number(1), "proposal:publicised")
    held = hall.proposal(1).reserved_units

    assert [unit.amount for unit in held] == [50000, 30000, 20000]
    assert {unit.limit for unit in held} == {150000}
    assert {unit.key for unit in held} == {hall.case}


async def test_votes_that_nobody_may_be_told_count_in_the_order(bench: CaseBench) -> None:
    """Six votes and three are figures of a few: no entry of the round says them, and they decide between two equals."""
    hall = RoundBench(bench)
    await hall.opened({}, {})
    await hall.judged({}, {})
    await hall.voted([3, 6], papers=9)
    await hall.told(hall.case, "round:ranked")
    (ended,) = hall.facts(hall.case, "round:ballot:ended")
    (ranked,) = hall.facts(hall.case, "round:ranked")

    assert "counted" not in ended
    assert ended["totals"] == {}
    assert ranked["order"] == ["proposal-2", "proposal-1"]


async def test_too_few_who_voted_leave_it_to_the_jury(bench: CaseBench) -> None:
    """Four of 120 are under the floor: all of them for the second, and the first is first by the jury."""
    hall = RoundBench(bench)
    await hall.opened({}, {})
    await hall.judged({"novel": 8}, {})
    await hall.voted([0, 4], papers=4)
    await hall.told(hall.case, "round:ranked")

    assert hall.facts(hall.case, "round:ranked")[0]["order"] == ["proposal-1", "proposal-2"]


async def test_a_round_ends_only_when_each_proposal_has_its_answer(bench: CaseBench) -> None:
    """While one is open the report is refused, whoever gives it; with the last answer it is asked for."""
    hall = RoundBench(bench)
    await hall.opened({}, {})
    await hall.in_proposal(1, Step("refuse", "committee", {"ground": "private-cost", "reason": "应由个人承担"}))
    await hall.screened(2)
    await hall.in_proposal(2, *(Step("score", f"juror_{each}") for each in range(1, 6)))
    await hall.told(hall.number(2), "proposal:publicised")

    assert "1" in await hall.refused(hall.case, ROUND, Step("report_round", "street_officer"))
    await hall.in_proposal(2, Step("withdraw", "neighbour"))
    await hall.told(hall.case, "round:all_answered")
    await hall.door(ROUND).go(hall.case, [Step("report_round", "supervisor")])
    assert hall.round.stage == "closed"
    assert {hall.proposal(number).ended or hall.proposal(number).closed_at is not None for number in (1, 2)} == {True}


async def test_a_cancelled_round_tells_each_proposal(bench: CaseBench) -> None:
    """Nobody waits for a round that is called off."""
    hall = RoundBench(bench)
    await hall.opened({}, {})
    await hall.door(ROUND).go(hall.case, [Step("cancel", "street_officer")])
    for number in (1, 2):
        await hall.told(hall.number(number), "proposal:cancelled")


async def test_a_round_without_its_money_is_cancelled(bench: CaseBench) -> None:
    """What the rounds of a year have together in a street is not passed by one more, of whatever community of it."""
    hall, policy = RoundBench(bench), cast("RoundPolicy", bench.policies["round"])
    most = policy.terms.pool_at_most_fen
    await hall.opened(area="320104.003.01")
    case = await hall.door(ROUND).start(body={**WALKS.opening, "area": "320104.003.02", "pool_fen": most})
    await hall.told(case, "round:cancelled")

    assert hall.facts(case, "round:cancelled")[0]["cause"] == "over-limit"


async def test_who_may_hand_in_what(bench: CaseBench) -> None:
    """No juror in a team, nobody is of two, nobody of the staff for a team of their own, and no more than the cap."""
    hall = RoundBench(bench)
    await hall.opened({})

    async def said(**entry: Any) -> str:
        given = {**ENTRY, "team": ["resident-a", "resident-b", "resident-c"], **entry}
        return await hall.refused(hall.case, ROUND, Step("submit", "clerk", given))

    assert "juror" in await said(team=["resident-a", "juror-1", "resident-c"])
    assert "another proposal" in await said(team=["resident-a", "resident-b", "resident-he"])
    assert "not of the team" in await said(team=["resident-a", "resident-b", "clerk-qian"])
    assert "different people" in await said(team=["resident-a", "resident-a", "resident-c"])
    assert "150000" in await said(cost_fen=150001)
    assert "100 fen" in await said(cost_fen=99)
    assert "juror" in await said(kin=["resident-x"])


async def test_jurors_see_no_round(bench: CaseBench) -> None:
    """Where everything stands that was handed in, a juror does not look; in the proposals of others neither."""
    hall = RoundBench(bench)
    await hall.opened({})
    juror = Actor(subject="juror-1", role=Role.SPECIALIST)

    assert not may_see(sight_of(hall.round), juror)
    assert not may_see(sight_of(hall.proposal(1)), juror)
    assert "unknown-case" in await hall.refused(hall.number(1), PROPOSAL, Step("score", "juror_1"))


def announced(**said: Any) -> list[Fault]:
    """What the town finds wrong with an announcement."""
    body = {**WALKS.opening, "title": f"text:{'0' * 26}", **said}
    return list(Announce.model_validate(body).town_faults(load_policy(ROUND, PROJECT / "policies", ())))


def odd_juries() -> Iterator[list[str]]:
    """Juries that the town does not take."""
    yield [f"juror-{each}" for each in range(4)]
    yield [f"juror-{each}" for each in range(6)]
    yield [f"juror-{each}" for each in range(11)]
    yield ["juror-1", "juror-1", "juror-2", "juror-3", "juror-4"]


@pytest.mark.parametrize("jury", list(odd_juries()), ids=json.dumps)
def test_a_jury_is_odd_and_each_of_it_another_person(jury: list[str]) -> None:
    """Five to nine, an odd number, nobody twice."""
    assert [each.field for each in announced(jury=jury)] == ["jury"]


def test_the_street_is_a_third_of_a_jury_at_most() -> None:
    """One of five is; two are too many, and so is one who is not of the jury."""
    assert announced() == []
    assert announced(street_jurors=["juror-1"]) == []
    assert [each.field for each in announced(street_jurors=["juror-1", "juror-2"])] == ["street_jurors"]
    assert [each.field for each in announced(street_jurors=["street-feng"])] == ["street_jurors"]


def test_a_round_costs_no_more_than_the_town_has() -> None:
    """Neither pool nor cap pass what the policy says, and no proposal gets more than the pool."""
    assert [each.field for each in announced(pool_fen=50000001)] == ["pool_fen"]
    assert [each.field for each in announced(pool_fen=10000, cap_fen=10001)] == ["cap_fen"]
    assert [each.field for each in announced(cap_fen=99)] == ["cap_fen"]
    assert [each.field for each in announced(pool_fen=50000000, cap_fen=5000001)] == ["cap_fen"]


async def test_who_withdraws_while_a_lot_is_to_be_drawn_leaves_the_others_their_places(bench: CaseBench) -> None:
    """Two are equal; one withdraws, and there is nothing to draw: the other one is awarded, and nobody waits for a lot."""
    hall = RoundBench(bench)
    await hall.opened({}, {})
    await hall.judged({}, {})
    await hall.voted([40, 40], papers=80)
    await hall.told(hall.case, "round:ballot:ended")
    assert hall.round.stage == "drawing"
    await hall.in_proposal(1, Step("withdraw", "applicant"))
    await hall.told(hall.case, "round:ranked")

    assert hall.round.stage == "running"
    assert offered(hall) == ["proposal-2"]


def test_all_rounds_of_a_street_and_a_year_share_one_sum() -> None:
    """Neither a year that somebody types nor the exact area makes another one; the year is that of the town's clock."""
    late = datetime(2026, 12, 31, 17, tzinfo=UTC)  # new year in the town
    areas = ("320104.003", "320104.003.01", "320104.003.01.2")
    said: list[dict[str, Any]] = [{"area": each, "opened_at": late} for each in areas]
    keys = {RoundState.model_construct(**each).years_money for each in said}

    assert keys == {"320104.003/2027"}
    assert "year" not in Announce.model_fields


def test_a_round_is_opened_for_nobody_who_would_read_what_others_hand_in() -> None:
    """Whoever it was announced for would be its reporter; and what is handed in is withheld from residents besides."""
    assert [each.field for each in announced(on_behalf_of="resident-he")] == ["on_behalf_of"]
    facts = dict.fromkeys(("team", "kin", "plan", "account"), "x")
    shown = shown_facts("round:submitted", facts, Actor(subject="resident-he", role=Role.RESIDENT))
    assert set(shown.values()) == {WITHHELD}
