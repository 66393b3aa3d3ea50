"""提请回避: nobody judges what they are tied to, and nobody is put out of a jury on one word (schemas/proposal_ties.py)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.kernel.visibility import may_see, shown_facts, sight_of
from schemas.proposal import PROPOSAL
from schemas.proposal_commands import ConfirmJuror
from schemas.proposal_state import JurorAsked, ProposalState
from schemas.round import ROUND
from schemas.round_policy import RoundPolicy
from schemas.values.actor import Actor, Role
from tests.api_driver import Step
from tests.case_bench import CaseBench, case_bench
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

NAMED = Step("name_tie", "committee", {"juror": "juror-3", "reason": "与承接方负责人同住"})
SEVEN = [f"juror-{each}" for each in range(1, 8)]
FOUND = {"right": True, "finding": "户籍档案核实"}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("ties")) as found:
        yield found


async def judging(bench: CaseBench, *scored: int, kin: Sequence[str] = (), **opening: object) -> RoundBench:
    """A round whose one proposal is being judged, and was scored by these jurors."""
    hall = RoundBench(bench)
    await hall.opened({"kin": list(kin)}, **opening)
    await hall.screened(1)
    await hall.in_proposal(1, *(Step("score", f"juror_{each}") for each in scored))
    return hall


async def test_one_word_puts_nobody_out(bench: CaseBench) -> None:
    """Who names a tie does not confirm it, nor does a juror; until another one has looked, seat and sheet are theirs."""
    hall = await judging(bench, 1, 3)
    await hall.in_proposal(1, NAMED)
    confirms = Step("confirm_tie", "committee", FOUND)

    assert "who names a tie" in await hall.refused(hall.number(1), PROPOSAL, confirms)
    assert "juror-3" in hall.proposal(1).jurors
    assert [each.by for each in hall.proposal(1).sheets] == ["juror-1", "juror-3"]
    assert "waits to be confirmed" in await hall.refused(hall.number(1), PROPOSAL, Step("name_tie", "street_officer"))


async def test_two_words_put_a_juror_out_with_what_they_gave(bench: CaseBench) -> None:
    """Out, as who says so themselves: no seat, no sheet, a place for somebody else, and nobody names them again."""
    hall = await judging(bench, 1, 3)
    await hall.in_proposal(1, NAMED, Step("confirm_tie", "supervisor", FOUND))
    state = hall.proposal(1)

    assert (state.related, state.seats_free, [each.by for each in state.sheets]) == (["juror-3"], 1, ["juror-1"])
    assert not may_see(sight_of(state), Actor(subject="juror-3", role=Role.SPECIALIST))
    assert any("participant:juror-3 proposal_excused" in each for each in bench.tables.told(state.case_id))
    assert "does not judge" in await hall.refused(hall.number(1), PROPOSAL, NAMED)
    again = Step("seat_juror", "street_officer", {"juror": "juror-3"})
    assert "tied to it" in await hall.refused(hall.number(1), PROPOSAL, again)


async def test_what_is_not_so_changes_nothing(bench: CaseBench) -> None:
    """Looked into and not found, the juror judges on."""
    hall = await judging(bench, 3)
    await hall.in_proposal(1, NAMED, Step("confirm_tie", "supervisor", {"right": False, "finding": "同名"}))
    state = hall.proposal(1)

    assert (state.related, state.tie, [each.by for each in state.sheets]) == ([], None, ["juror-3"])


async def test_the_scores_wait_while_a_tie_is_looked_into(bench: CaseBench) -> None:
    """All six have scored, and nothing is concluded over a tie that waits; the look concludes it, by the five who are left."""
    hall = await judging(bench, *range(1, 6), jury=SEVEN, kin=["juror-7"])
    await hall.in_proposal(1, NAMED, Step("score", "juror_6"))
    assert (hall.proposal(1).stage, hall.proposal(1).awaited) == ("judging", ())
    await hall.in_proposal(1, Step("confirm_tie", "supervisor", FOUND))

    assert hall.proposal(1).stage == "judged"
    assert hall.facts(hall.number(1), "proposal:judged")[0]["sheets"] == 5


async def test_a_look_that_nobody_takes_holds_nothing_up_for_ever(bench: CaseBench) -> None:
    """The time for judging over, all six sheets count: silence puts nobody out."""
    hall = await judging(bench, *range(1, 6), jury=SEVEN, kin=["juror-7"])
    await hall.in_proposal(1, NAMED, Step("score", "juror_6"))
    await bench.until_told(hall.number(1), "proposal:judged")

    assert (hall.proposal(1).tie, hall.proposal(1).related) == (None, ["juror-7"])
    assert hall.facts(hall.number(1), "proposal:judged")[0]["sheets"] == 6


async def test_a_dummy_that_was_withdrawn_bars_nobody(bench: CaseBench) -> None:
    """Whoever is of a team that lives judges no rival; whoever was named in one that has gone may."""
    hall = RoundBench(bench)
    await hall.opened({}, {}, {"team": ["resident-li", "juror-6", "resident-shen"]})
    await hall.in_proposal(3, Step("withdraw", "stranger"))
    await hall.told(hall.case, "round:proposal:reported")
    await hall.screened(1, 2)
    rivals = hall.proposal(1).rivals

    assert "resident-wan" in rivals
    assert "juror-6" not in rivals


async def test_who_puts_a_juror_out_chooses_nobody_instead(bench: CaseBench) -> None:
    """Neither who named the tie nor who confirmed it names or confirms a substitute; two others do."""
    hall = await judging(bench, 1)
    await hall.in_proposal(1, NAMED, Step("confirm_tie", "street_officer", FOUND))
    sixth = {"juror": "juror-6"}
    for who in ("committee", "street_officer"):
        names = Step("seat_juror", who, sixth)
        assert "who put a juror out" in await hall.refused(hall.number(1), PROPOSAL, names)
    await hall.in_proposal(1, Step("seat_juror", "second_street", sixth))
    confirms = Step("confirm_juror", "street_officer")
    assert "who put a juror out" in await hall.refused(hall.number(1), PROPOSAL, confirms)
    await hall.in_proposal(1, Step("confirm_juror", "supervisor"))

    assert "juror-6" in hall.proposal(1).jurors


async def test_beyond_a_third_a_supervisor_looks(bench: CaseBench) -> None:
    """One of five is put out by committee and street; for the second they need somebody over them, but to find it is not so."""
    hall = await judging(bench, 1)
    again = Step("name_tie", "committee", {"juror": "juror-4", "reason": "与团队同事"})
    await hall.in_proposal(1, NAMED, Step("confirm_tie", "street_officer", FOUND), again)
    finds = Step("confirm_tie", "second_street", FOUND)
    assert "a supervisor confirms" in await hall.refused(hall.number(1), PROPOSAL, finds)
    await hall.in_proposal(1, Step("confirm_tie", "second_street", {"right": False, "finding": "同名"}), again)
    await hall.in_proposal(1, Step("confirm_tie", "supervisor", FOUND))

    assert [each.juror for each in hall.proposal(1).put_out] == ["juror-3", "juror-4"]


async def test_a_jury_is_never_larger_than_announced(bench: CaseBench) -> None:
    """One who did not score in time and is found tied besides leaves one seat; it is confirmed to nobody once it is filled."""
    hall = await judging(bench, *range(1, 5))
    await bench.until_told(hall.number(1), "clock:breach")
    assert (hall.proposal(1).missing, hall.proposal(1).seats_free) == (1, 1)
    tied = Step("name_tie", "committee", {"juror": "juror-5", "reason": "与团队同事"})
    await hall.in_proposal(1, tied, Step("confirm_tie", "supervisor", FOUND))
    await hall.in_proposal(1, Step("seat_juror", "second_street", {"juror": "juror-6"}))
    assert (hall.proposal(1).missing, hall.proposal(1).seats_free) == (0, 1)
    await hall.in_proposal(1, Step("confirm_juror", "street_officer"))

    assert hall.proposal(1).seats_free == 0


def test_somebody_is_left_to_seat_a_juror() -> None:
    """Where the officers of a street have put one out, or are tied to it, coordinator and supervisor name another one."""
    (names,) = [rule for rule in PROPOSAL.rules if rule.command == "seat_juror"]

    assert {Role.COORDINATOR, Role.SUPERVISOR} <= {each.role for each in names.by}


def test_a_seat_is_looked_at_again_when_it_is_confirmed() -> None:
    """What was free when somebody was named may be filled, or the share of the street used up, by then."""
    terms = cast("RoundPolicy", load_policy(ROUND, PROJECT / "policies", ())).terms
    seat = JurorAsked(number=1, by="committee-yu", juror="j-6", of_street=False, looked_at_anew=True)
    whole: dict[str, Any] = {
        "terms": terms,
        "jury": tuple(f"j-{each}" for each in range(1, 6)),
        "jury_size": 5,
        "team": ("a",),
        "seat": seat,
    }
    full = ProposalState.model_construct(**whole)
    one_out = full.model_copy(update={"related": ["j-5"]})
    of_street = one_out.model_copy(
        update={"seat": seat.model_copy(update={"of_street": True}), "street_jurors": ("j-1",)}
    )
    yes, no = (ConfirmJuror(request=1, right=each) for each in (True, False))

    assert [[each.field for each in yes.faults(state)] for state in (full, one_out, of_street)] == [
        ["right"],
        [],
        ["right"],
    ]
    assert no.faults(full) == ()
    of_before = full.model_copy(update={"seat": seat.model_copy(update={"looked_at_anew": False})})
    assert yes.faults(of_before) == ()


def test_no_juror_learns_of_whom_it_was_said_nor_why() -> None:
    """It would tell whose proposal they judge; the town reads it."""
    for kind, facts in (
        ("proposal:tie:named", {"juror": "juror-3", "reason": "text:" + "0" * 26}),
        ("proposal:tie:decided", {"juror": "juror-3", "finding": "text:" + "0" * 26}),
    ):
        for role in (Role.SPECIALIST, Role.RESIDENT):
            assert set(shown_facts(kind, facts, Actor(subject="juror-1", role=role)).values()).isdisjoint(
                facts.values()
            )
        assert shown_facts(kind, facts, Actor(subject="s", role=Role.SUPERVISOR)) == facts
