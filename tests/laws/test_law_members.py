"""团队成员: who is named in a team is of it by their own word alone (schemas/proposal_members.py)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from local.round_walks import ENTRY, TEAMS
from schemas.kernel.visibility import may_see, sight_of
from schemas.proposal import PROPOSAL
from schemas.round import ROUND
from schemas.round_policy import RoundPolicy, RoundTerms
from schemas.round_state import Entrant
from schemas.values.actor import Actor, Role, Stamp
from tests.api_driver import Step
from tests.case_bench import CaseBench, case_bench
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

TIAN = Actor(subject="resident-tian", role=Role.RESIDENT)
JOINS = {name: Step("join", name) for name in TEAMS[0]}
SCREENS, OUT = Step("screen", "committee"), "participant:resident-tian proposal_member_out"
FOUR = {"team": ["resident-he", "resident-ma", "resident-lu", "resident-tian"]}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("members")) as found:
        yield found


async def test_nobodys_silence_makes_them_a_member(bench: CaseBench) -> None:
    """Four are named, three say so: they are the team; the fourth has no seat, is told, and the round knows it."""
    hall = RoundBench(bench)
    await hall.opened(FOUR)
    await hall.in_proposal(1, JOINS["applicant"], JOINS["ma"], Step("join", "lu"), SCREENS)
    assert may_see(sight_of(hall.proposal(1)), TIAN)
    assert "participant:resident-tian proposal_member_asked" in " ".join(bench.tables.told(hall.number(1)))
    await bench.until_told(hall.case, "round:collected")
    await hall.told(hall.number(1), "proposal:judging")
    await hall.told(hall.case, "round:proposal:reported")

    assert hall.proposal(1).team == ("resident-he", "resident-ma", "resident-lu")
    assert not may_see(sight_of(hall.proposal(1)), TIAN)
    assert OUT in " ".join(bench.tables.told(hall.number(1)))
    assert hall.round.entrants[0].team == hall.proposal(1).team


async def test_too_few_words_are_no_team(bench: CaseBench) -> None:
    """Named three and joined two: whatever the committee found, it is not judged."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.in_proposal(1, JOINS["applicant"], JOINS["ma"], SCREENS)
    await bench.until_told(hall.case, "round:collected")
    await hall.told(hall.number(1), "proposal:too_few")

    assert (hall.proposal(1).stage, hall.proposal(1).sheets) == ("refused", [])
    assert hall.facts(hall.number(1), "proposal:judging") == []


async def test_without_whoever_speaks_for_it_there_is_no_team(bench: CaseBench) -> None:
    """Three of four have joined, and the one whom a clerk has named to speak for them has said nothing."""
    hall = RoundBench(bench)
    await hall.opened(FOUR)
    await hall.in_proposal(1, JOINS["ma"], Step("join", "lu"), JOINS["tian"], SCREENS)
    await bench.until_told(hall.case, "round:collected")
    await hall.told(hall.number(1), "proposal:too_few")

    assert hall.proposal(1).stage == "refused"


async def handed_in_late(bench: CaseBench) -> RoundBench:
    """A round to which one proposal was handed in so late that it collects no more before its members' time is over."""
    hall = RoundBench(bench)
    await hall.opened()
    await bench.let_pass(timedelta(days=25))
    await hall.door(ROUND).go(hall.case, [Step("submit", "clerk", ENTRY)])
    await hall.told(hall.number(1), "proposal:submitted")
    await hall.told(hall.case, "round:proposal:stands")
    return hall


@pytest.mark.parametrize("early", [True, False], ids=["screened at once", "screened when it is closed"])
async def test_no_minute_of_the_screening_takes_anybodys_time(bench: CaseBench, *, early: bool) -> None:
    """Asked on the last days, they may say so after the round has closed, whenever an officer passed it; then it is judged."""
    hall = await handed_in_late(bench)
    await hall.in_proposal(1, JOINS["applicant"], JOINS["ma"], *([SCREENS] if early else []))
    await bench.until_told(hall.case, "round:collected")
    for case in (hall.case, hall.number(1)):
        await bench.at_rest(case)
    await hall.in_proposal(1, *([] if early else [SCREENS]))
    assert (hall.proposal(1).stage, hall.proposal(1).counted) == ("screened", False)
    await hall.in_proposal(1, JOINS["tian"])
    await hall.told(hall.number(1), "proposal:judging")

    assert len(hall.proposal(1).team) == 3


async def test_no_delay_of_the_screening_gives_anybody_more_time(bench: CaseBench) -> None:
    """Not screened yet, the team is counted by the same day: a friend in the office waits for nobody's word."""
    hall = await handed_in_late(bench)
    await hall.in_proposal(1, JOINS["applicant"], JOINS["ma"])
    await bench.until_told(hall.number(1), "proposal:too_few")

    assert (hall.proposal(1).stage, hall.proposal(1).screened_by) == ("refused", [])


async def test_a_team_that_is_counted_stands(bench: CaseBench) -> None:
    """Four named, three joined, nobody has screened it: with the day the fourth is out, and nobody joins or leaves any more."""
    hall = RoundBench(bench)
    await hall.opened(FOUR)
    await hall.in_proposal(1, JOINS["applicant"], JOINS["ma"], Step("join", "lu"))
    await hall.door(PROPOSAL).go(hall.number(1), [Step("return_plan", "committee"), Step("revise", "applicant")])
    await bench.until_told(hall.case, "round:collected")
    await hall.told(hall.number(1), "proposal:team_stands")
    assert hall.proposal(1).team == ("resident-he", "resident-ma", "resident-lu")
    assert "the team stands" in await hall.refused(hall.number(1), PROPOSAL, Step("decline_membership", "ma"))
    await hall.in_proposal(1, SCREENS)
    await hall.told(hall.number(1), "proposal:judging")

    assert hall.round.entrants[0].team == hall.proposal(1).team


def test_rounds_from_before_that_time_count_as_they_did() -> None:
    """Their rules know no such time: no clock runs, and silence ends with the screening."""
    terms = cast("RoundPolicy", load_policy(ROUND, PROJECT / "policies", ())).terms
    before = terms.model_copy(update={"members": None})

    assert RoundTerms.model_validate(before.model_dump(exclude={"members"})).members is None
    assert terms.members is not None


@pytest.mark.parametrize(
    ("by", "person", "joined"),
    [
        (Actor(subject="resident-he", role=Role.RESIDENT), "partner-chen", ["resident-he"]),
        (Actor(subject="clerk-qian", role=Role.WINDOW_CLERK), "partner-chen", []),
        (Actor(subject="resident-he", role=Role.COMMITTEE_OFFICER), "partner-chen", []),
        (Actor(subject="resident-he", role=Role.RESIDENT), None, None),
    ],
    ids=["for the own team", "by a clerk", "in another role", "from before"],
)
def test_only_who_hands_it_in_themselves_has_said_so(by: Actor, person: str | None, joined: list[str] | None) -> None:
    """A resident who sends it for the own team is not asked once more; everybody else is, and in cases from before nobody."""
    said: dict[str, Any] = {"carrier_person": person, "team": ("resident-he", "resident-ma", "resident-tian")}

    stamped: dict[str, Any] = {"actor": by}

    assert Entrant.model_construct(**said, stamp=Stamp.model_construct(**stamped)).joined == joined


async def test_who_says_no_is_out_told_and_free(bench: CaseBench) -> None:
    """Also after a yes; the lead hears of it, and another team of the round may have them."""
    hall = RoundBench(bench)
    await hall.opened({})
    leaves = Step("decline_membership", "tian")
    rival = {**ENTRY, "team": ["resident-wan", "resident-qiu", "resident-tian"]}
    assert "another proposal" in await hall.refused(hall.case, ROUND, Step("submit", "clerk", rival))
    await hall.in_proposal(1, JOINS["tian"], leaves)
    await hall.told(hall.case, "round:proposal:reported")
    told = " ".join(bench.tables.told(hall.number(1)))

    assert (hall.proposal(1).team, hall.proposal(1).joined) == (("resident-he", "resident-ma"), [])
    assert OUT in told
    assert "reporter proposal_member_declined" in told
    assert may_see(sight_of(hall.proposal(1)), TIAN)
    assert "not-your-case" in await hall.refused(hall.number(1), PROPOSAL, JOINS["tian"])
    await hall.door(ROUND).go(hall.case, [Step("submit", "clerk", rival)])


async def test_each_speaks_for_themselves_once_and_the_lead_does_not_leave(bench: CaseBench) -> None:
    """Nobody joins twice or for another, no stranger joins, and who speaks for it withdraws it instead of leaving it."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.in_proposal(1, JOINS["ma"])

    assert "said yes already" in await hall.refused(hall.number(1), PROPOSAL, JOINS["ma"])
    assert "unknown-case" in await hall.refused(hall.number(1), PROPOSAL, Step("join", "stranger"))
    assert "not-your-role" in await hall.refused(hall.number(1), PROPOSAL, Step("join", "clerk"))
    assert "withdraw" in await hall.refused(hall.number(1), PROPOSAL, Step("decline_membership", "applicant"))


async def test_with_the_judging_the_team_stands(bench: CaseBench) -> None:
    """Nobody leaves or joins what is being judged, and who said no before sees it no longer."""
    hall = RoundBench(bench)
    await hall.opened({"team": ["resident-he", "resident-ma", "resident-tian", "resident-shen"]})
    await hall.in_proposal(1, Step("decline_membership", "shen"))
    await hall.screened(1)
    assert not may_see(sight_of(hall.proposal(1)), Actor(subject="resident-shen", role=Role.RESIDENT))

    assert "not-now" in await hall.refused(hall.number(1), PROPOSAL, Step("decline_membership", "ma"))
