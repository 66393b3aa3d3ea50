"""承接方: an organisation is bound, and its money moved, by its own word alone (schemas/proposal_carrier.py)."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from local.round_walks import ENTRY
from schemas.kernel.people import Part
from schemas.kernel.visibility import may_see, shown_facts, sight_of
from schemas.parts.payments import AccountAsked, own_wish_of_another
from schemas.proposal import PROPOSAL
from schemas.proposal_carrier import CARRIER, NEW_CARRIER
from schemas.proposal_commands import AskChange
from schemas.proposal_state import ChangeAsked, ProposalState
from schemas.round import ROUND
from schemas.values.actor import Actor, Role
from tests.api_driver import Step
from tests.case_bench import CaseBench, case_bench
from tests.examples.proposal import ANOTHER
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
PARTNER = Actor(subject="partner-chen", role=Role.PARTNER)
OFFERED = Step("offer_contract", "committee")
CONFIRMS, SEES = Step("confirm_authority", "street_officer"), Step("confirm_authority", "supervisor")
RELEASES = Step("release_carriage", "partner")
TEAM_SIGNS, CARRIER_SIGNS = Step("sign_contract", "applicant"), Step("sign_for_carrier", "partner")


def proposal(**said: Any) -> ProposalState:
    """A proposal of which only this is looked at."""
    return ProposalState.model_construct(**said)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("carrier")) as found:
        yield found


async def selected(bench: CaseBench) -> RoundBench:
    """A round whose one proposal is selected, and waits for its contract."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.judged({})
    await bench.until_told(hall.number(1), "proposal:selected")
    return hall


# ---- who may speak for it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"carrier_person": "resident-ma"}, "not of the team"),
        ({"carrier_person": "department:urban-management/resident-ma"}, "not of the team"),
        ({"carrier_person": "juror-3"}, "a juror"),
        ({"carrier_person": "committee-yu"}, "announced the round"),
        ({"carrier_person": "clerk-qian"}, "who enters it"),
        ({"carrier_person": None}, "bad-request"),
    ],
)
async def test_nobody_is_two_sides(bench: CaseBench, entry: Mapping[str, Any], why: str) -> None:
    """Whoever speaks for the carrier is named, and is of no other side: neither of the team, nor its judge, nor of the town."""
    hall = RoundBench(bench)
    await hall.opened()
    said = {**ENTRY, **entry}

    assert why in await hall.refused(hall.case, ROUND, Step("submit", "clerk", said))


async def test_whoever_is_named_sees_nothing_and_decides_nothing_before_there_is_a_contract(bench: CaseBench) -> None:
    """Being named is no seat, and keeps nobody of the town from their work: the team does not choose who looks at it."""
    hall = RoundBench(bench)
    await hall.opened({"carrier_person": "street-feng"})

    assert not may_see(sight_of(hall.proposal(1)), Actor(subject="street-feng", role=Role.PARTNER))
    await hall.joined(1)
    await hall.in_proposal(1, Step("screen", "street_officer"))

    assert hall.proposal(1).stage == "screened"


def test_who_has_had_another_sides_word_speaks_for_no_carrier() -> None:
    """Named, they may still do the town's work; having done it, they do not sign or take over."""
    signs = {rule.command: set(rule.apart_from) for rule in PROPOSAL.rules if {CARRIER, NEW_CARRIER} & set(rule.by)}

    for command in ("sign_for_carrier", "accept_carriage"):
        assert {Part.SCREENED, Part.JUDGED, Part.INVESTIGATED, Part.TEAM, Part.ENTERED} <= signs[command]


@pytest.mark.parametrize(("signed", "kept"), [(False, ()), (True, ("partner-lin",))])
def test_who_is_asked_is_kept_from_nothing_before_they_agreed(*, signed: bool, kept: tuple[str, ...]) -> None:
    """And whoever spoke for a carrier before is kept from the town's word on its money for good."""
    change = ChangeAsked(number=1, by="resident-he", carrier_person="partner-lin", signed=signed)
    state = proposal(carrier_person="partner-chen", carrier_signed=True, carriers_before=["partner-wu"], change=change)

    assert state.carriers_bound == ("partner-chen", *kept, "partner-wu")


def test_a_juror_does_not_learn_who_speaks_for_the_carrier() -> None:
    """It would tell whose proposal they judge, in whatever role they look."""
    for role in (Role.SPECIALIST, Role.RESIDENT, Role.PARTNER):
        for kind in ("round:submitted", "proposal:submitted"):
            shown = shown_facts(kind, {"carrier_person": "partner-chen"}, Actor(subject="juror-1", role=role))
            assert "partner-chen" not in str(shown)


def test_no_member_reads_to_which_account_a_carrier_changes() -> None:
    """It is the organisation's; whoever speaks for it and the town read it."""
    facts = {"account": "text:" + "0" * 26}
    for kind in ("account:asked", "account_changed", "payment:retried", "change:asked", "change:granted"):
        for role, reads in ((Role.RESIDENT, False), (Role.PARTNER, True), (Role.CIVIL_AFFAIRS_OFFICER, True)):
            assert (shown_facts(f"proposal:{kind}", facts, Actor(subject="x", role=role)) == facts) == reads


# ---- the contract --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [TEAM_SIGNS, CARRIER_SIGNS], ids=["the team first", "the carrier first"])
async def test_a_contract_stands_with_the_word_of_both(bench: CaseBench, first: Step) -> None:
    """One signature starts nothing and cannot be given twice or taken back; with the other one the first milestone runs."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, first)
    assert (hall.proposal(1).stage, hall.proposal(1).contracted) == ("signing", False)
    assert "you have signed" in await hall.refused(hall.number(1), PROPOSAL, first)
    assert "you have signed" in await hall.refused(hall.number(1), PROPOSAL, Step("decline_contract", first.by))
    await hall.in_proposal(1, CARRIER_SIGNS if first is TEAM_SIGNS else TEAM_SIGNS)
    assert hall.proposal(1).holder == "role:street_officer"
    await hall.in_proposal(1, CONFIRMS)

    assert (hall.proposal(1).stage, hall.proposal(1).contracted) == ("running", True)
    milestones = [each["milestones"] for each in bench.tables.facts(hall.number(1)) if "milestones" in each][1:]
    assert milestones == [[50000, 30000, 20000]]


async def test_the_carrier_is_told_and_shown_where_the_money_goes(bench: CaseBench) -> None:
    """With the contract it has a seat, hears of it, and reads code, account and sum: it sees what it signs."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED)
    state = hall.proposal(1)
    (offered,) = hall.facts(hall.number(1), "proposal:contract:offered")

    assert may_see(sight_of(state), PARTNER)
    shown = shown_facts("proposal:contract:offered", offered, PARTNER)
    assert {shown["carrier"], shown["account"], shown["budget_fen"]} == {ENTRY["carrier"], state.account, 100000}
    assert any(
        "participant:partner-chen proposal_contract_for_carrier" in each for each in bench.tables.told(state.case_id)
    )


async def test_each_side_hears_that_the_word_is_its_own(bench: CaseBench) -> None:
    """Nobody loses a place by not knowing that the other one has signed; committee and street hear of each signature."""
    for first, other in ((TEAM_SIGNS, "participant:partner-chen"), (CARRIER_SIGNS, "reporter")):
        hall = await selected(bench)
        await hall.in_proposal(1, OFFERED, first)
        told = " ".join(bench.tables.told(hall.number(1)))

        for who in (other, "role:committee_officer"):
            assert f"{who} proposal_one_has_signed" in told
        assert "role:street_officer proposal_" in told.partition("contract:offered")[2]


async def test_a_carrier_that_declines_makes_both_sign_anew(bench: CaseBench) -> None:
    """The team's word on a contract that the carrier did not want is no word on the next one."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, Step("decline_contract", "partner"), OFFERED, CARRIER_SIGNS)

    assert (hall.proposal(1).stage, hall.proposal(1).team_signed) == ("signing", False)


async def test_a_carrier_that_never_signs_costs_the_place_and_no_money(bench: CaseBench) -> None:
    """The time for signing runs out as it does for the team: silence is no word."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS)
    await bench.until_told(hall.number(1), "proposal:lapsed")

    assert (hall.proposal(1).stage, hall.proposal(1).paid, hall.proposal(1).payments) == ("lapsed", {}, [])


async def test_nobody_else_signs_for_the_carrier(bench: CaseBench) -> None:
    """Another partner has no seat, and does not even see the case."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED)

    assert "unknown-case" in await hall.refused(hall.number(1), PROPOSAL, Step("sign_for_carrier", "new_carrier"))
    assert "not-your-role" in await hall.refused(hall.number(1), PROPOSAL, Step("sign_for_carrier", "applicant"))


async def test_somebody_else_speaks_for_a_carrier_that_has_not_signed(bench: CaseBench) -> None:
    """Who left the organisation costs nobody the place; the seat and the word are the other one's, until one of them has signed."""
    hall = await selected(bench)
    names = Step("name_carrier_person", "applicant")
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, names)
    told = " ".join(bench.tables.told(hall.number(1)))
    assert "participant:partner-lin proposal_contract_for_carrier" in told
    assert "unknown-case" in await hall.refused(hall.number(1), PROPOSAL, CARRIER_SIGNS)
    for person, why in (("resident-ma", "not of the team"), ("committee-yu", "who announced the round")):
        other = Step("name_carrier_person", "applicant", {"carrier_person": person})
        assert why in await hall.refused(hall.number(1), PROPOSAL, other)
    assert hall.proposal(1).holder == "participant:partner-lin"
    assert "participant:partner-chen proposal_carrier_person_replaced" in told
    await hall.in_proposal(1, Step("sign_for_carrier", "new_carrier"), CONFIRMS)

    assert hall.proposal(1).contracted
    assert "not-now" in await hall.refused(hall.number(1), PROPOSAL, names)


async def test_a_carrier_that_has_signed_is_bound_by_who_signed(bench: CaseBench) -> None:
    """Its word stands: nobody else is put in the place of who gave it while the team has not signed yet."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, CARRIER_SIGNS)

    assert "has signed" in await hall.refused(hall.number(1), PROPOSAL, Step("name_carrier_person", "applicant"))


async def test_the_word_of_whom_the_lead_names_counts_when_the_town_has_seen_their_authority(bench: CaseBench) -> None:
    """One person with two accounts gives both signatures: no money runs for it, and what was not found right is signed anew."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS)
    assert "participant:" not in hall.proposal(1).holder
    assert (hall.proposal(1).contracted, hall.proposal(1).clocks["contract"].status) == (False, "paused")
    assert "not-your-role" in await hall.refused(hall.number(1), PROPOSAL, Step("confirm_authority", "committee"))
    await hall.in_proposal(1, Step("confirm_authority", "supervisor", {"right": False, "finding": "该单位从未授权"}))
    assert (hall.proposal(1).carrier_signed, hall.proposal(1).clocks["contract"].status) == (False, "running")
    late = Step("confirm_authority", "street_officer", {"right": True, "finding": "已核实", "request": 2})
    assert "nothing waits" in await hall.refused(hall.number(1), PROPOSAL, late)
    await hall.in_proposal(1, CARRIER_SIGNS, CONFIRMS)

    assert hall.proposal(1).contracted


async def test_a_carriers_no_is_not_gone_round_by_naming_somebody_else(bench: CaseBench) -> None:
    """Declined, whoever speaks for it next is named by itself; the lead's word is no way round it."""
    hall = await selected(bench)
    names = {"carrier_person": "partner-lin"}
    await hall.in_proposal(1, OFFERED, Step("decline_contract", "partner"), OFFERED)
    lead = Step("name_carrier_person", "applicant", names)
    assert "the carrier has declined" in await hall.refused(hall.number(1), PROPOSAL, lead)
    await hall.in_proposal(1, Step("name_carrier_person", "partner", names))

    assert hall.proposal(1).carrier_person == "partner-lin"


async def test_a_new_carriers_word_counts_when_the_town_has_seen_its_authority(bench: CaseBench) -> None:
    """One looks at the authority, and another one grants: what was agreed to by a stranger is as if nobody had agreed."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("ask_change", "applicant", ANOTHER))
    await hall.in_proposal(1, RELEASES, Step("accept_carriage", "new_carrier"))
    grants = Step("grant_change", "supervisor")
    assert "not confirmed" in await hall.refused(hall.number(1), PROPOSAL, grants)
    await hall.in_proposal(1, Step("confirm_authority", "supervisor", {"right": False, "finding": "公章不符"}))
    assert "not agreed" in await hall.refused(hall.number(1), PROPOSAL, grants)
    await hall.in_proposal(1, Step("accept_carriage", "new_carrier"), SEES)
    assert "confirmed the authority" in await hall.refused(hall.number(1), PROPOSAL, grants)
    await hall.in_proposal(1, Step("grant_change", "street_officer"))

    assert hall.proposal(1).carrier_person == "partner-lin"


# ---- another carrier, another account ------------------------------------------------------------------------------------


async def test_an_account_is_never_another_one_without_the_carriers_word(bench: CaseBench) -> None:
    """Asked for by the team, the town alone cannot confirm it, nor can the carrier alone; both together can."""
    hall = await selected(bench)
    before = hall.proposal(1).account
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("change_account", "applicant"))
    confirms = Step("confirm_account", "street_officer")
    assert "not agreed" in await hall.refused(hall.number(1), PROPOSAL, confirms)
    await hall.in_proposal(1, Step("agree_account", "partner"))
    assert hall.proposal(1).account == before
    await hall.in_proposal(1, confirms)

    assert hall.proposal(1).account != before


async def test_the_carriers_own_wish_waits_for_the_town_alone(bench: CaseBench) -> None:
    """What the organisation asks for it need not agree to once more; the town still looks, and what it refuses stays as it was."""
    hall = await selected(bench)
    before = hall.proposal(1).account
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("change_account", "partner"))
    assert hall.proposal(1).account == before
    assert hall.proposal(1).account_awaits_payee is False
    await hall.in_proposal(1, Step("confirm_account", "street_officer"))

    assert hall.proposal(1).account != before


async def test_nobody_keeps_a_carrier_from_its_own_account(bench: CaseBench) -> None:
    """Neither team nor window refuses what it asked for, or puts another one in its place; the town decides, and it is told."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("change_account", "partner"))
    for who in ("applicant", "clerk"):
        refuses = Step("refuse_account", who)
        assert "the town decides" in await hall.refused(hall.number(1), PROPOSAL, refuses)
        other = Step("change_account", who, {"account": "6222020000000000041"})
        assert "asked for another one itself" in await hall.refused(hall.number(1), PROPOSAL, other)
    await hall.in_proposal(1, Step("refuse_account", "street_officer"))
    told = bench.tables.told(hall.number(1))
    assert any("participant:partner-chen account_refused" in each for each in told)
    await hall.in_proposal(1, Step("change_account", "partner"), Step("refuse_account", "partner"))

    assert hall.proposal(1).account_asked is None


@pytest.mark.parametrize(
    ("role", "who", "kept"),
    [
        (Role.STREET_OFFICER, "street-feng", False),
        (Role.STREET_OFFICER, "resident-ma", True),
        (Role.CIVIL_AFFAIRS_OFFICER, "juror-1", True),
        (Role.STREET_OFFICER, "partner-wu", True),
        (Role.WINDOW_CLERK, "clerk-qian", True),
        (Role.PARTNER, "partner-chen", False),
    ],
)
def test_an_own_wish_is_no_other_sides_to_refuse(role: Role, who: str, *, kept: bool) -> None:
    """Whoever is of the team or the jury, in whatever office; of what others ask for, everybody may say no."""
    asked = AccountAsked(number=1, account="text:" + "0" * 26, asked_by="partner-chen", asked_at=NOON, own=True)
    sides: dict[str, Any] = {
        "team": ("resident-ma",),
        "jury": ("juror-1",),
        "carrier_person": "partner-chen",
        "carriers_before": ["partner-wu"],
    }
    state = proposal(account_asked=asked, **sides)
    of_another = proposal(account_asked=asked.model_copy(update={"own": False}), **sides)

    assert state.keeps_own_wish_from(Actor(subject=who, role=role)) == kept
    assert not of_another.keeps_own_wish_from(Actor(subject=who, role=role))


@pytest.mark.parametrize("wish", [("partner",), ("clerk", "partner")], ids=["its own wish", "one it agreed to"])
async def test_what_a_person_who_has_gone_said_of_the_account_is_no_word_any_more(
    bench: CaseBench, wish: tuple[str, ...]
) -> None:
    """Dismissed, nobody sends the money to where they wished: it waits for the word of who speaks now, who may say no."""
    hall = await selected(bench)
    agrees = [Step("agree_account", who) for who in wish[1:]]
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("change_account", wish[0]), *agrees)
    person = Step("ask_change", "applicant", {"reason": "原代表离职", "carrier_person": "partner-lin"})
    await hall.in_proposal(1, person, Step("accept_carriage", "new_carrier"), SEES, RELEASES)
    await hall.in_proposal(1, Step("grant_change", "street_officer"))
    case = hall.number(1)
    assert "participant:partner-lin proposal_account_to_agree" in " ".join(bench.tables.told(case))
    assert "not agreed" in await hall.refused(case, PROPOSAL, Step("confirm_account", "street_officer"))
    await hall.in_proposal(1, Step("refuse_account", "new_carrier"))

    assert hall.proposal(1).account_asked is None


async def test_a_second_wish_needs_a_second_word(bench: CaseBench) -> None:
    """The carrier has agreed to one account: another one that is asked for in its place is not that one."""
    hall = await selected(bench)
    other = Step("change_account", "clerk", {"account": "6222020000000000041"})
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("change_account", "clerk"))
    await hall.in_proposal(1, Step("agree_account", "partner"), other)

    assert "not agreed" in await hall.refused(hall.number(1), PROPOSAL, Step("confirm_account", "street_officer"))


async def test_a_new_carrier_is_bound_by_nobody_elses_word(bench: CaseBench) -> None:
    """Asked of, it may say no, and nothing has changed; while it is asked it sees what it would take over, and afterwards not."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("ask_change", "applicant", ANOTHER))
    asked = Actor(subject="partner-lin", role=Role.PARTNER)
    assert may_see(sight_of(hall.proposal(1)), asked)
    assert "not-your-case" in await hall.refused(hall.number(1), PROPOSAL, Step("accept_carriage", "partner"))
    await hall.in_proposal(1, Step("decline_carriage", "new_carrier"))

    assert (hall.proposal(1).carrier, hall.proposal(1).change) == (ENTRY["carrier"], None)
    assert not may_see(sight_of(hall.proposal(1)), asked)


async def test_with_the_new_carrier_the_old_one_has_no_word_any_more(bench: CaseBench) -> None:
    """It loses its seat, and hears of it; another account is from now on the new one's to agree to."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("ask_change", "applicant", ANOTHER))
    await hall.in_proposal(
        1, Step("accept_carriage", "new_carrier"), SEES, RELEASES, Step("grant_change", "street_officer")
    )
    state = hall.proposal(1)

    assert (state.carrier_person, may_see(sight_of(state), PARTNER)) == ("partner-lin", False)
    assert any("participant:partner-chen proposal_carrier_changed" in each for each in bench.tables.told(state.case_id))


async def test_a_carrier_is_taken_out_by_its_own_word_alone(bench: CaseBench) -> None:
    """It hears of the wish when it is asked; team, new carrier and town together do not do without it while it may still answer."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("ask_change", "applicant", ANOTHER))
    told = " ".join(bench.tables.told(hall.number(1)))
    assert "participant:partner-chen proposal_carriage_to_release" in told
    await hall.in_proposal(1, Step("accept_carriage", "new_carrier"), SEES)
    grants, silent = Step("grant_change", "street_officer"), Step("find_carrier_silent", "second_street")
    assert "present carrier has not agreed" in await hall.refused(hall.number(1), PROPOSAL, grants)
    assert "may still answer" in await hall.refused(hall.number(1), PROPOSAL, silent)
    assert "not-your-case" in await hall.refused(hall.number(1), PROPOSAL, Step("release_carriage", "new_carrier"))
    await hall.in_proposal(1, RELEASES, grants)

    assert hall.proposal(1).carrier == ANOTHER["carrier"]


async def test_of_a_silent_carrier_three_of_the_town_decide(bench: CaseBench) -> None:
    """Once the time for an answer is over one person says what was found there, and another one grants."""
    hall = await selected(bench)
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS, Step("ask_change", "applicant", ANOTHER))
    await hall.in_proposal(1, Step("accept_carriage", "new_carrier"), Step("confirm_authority", "second_street"))
    await bench.until_told(hall.number(1), "clock:breach")
    same = await hall.refused(hall.number(1), PROPOSAL, Step("find_carrier_silent", "second_street"))
    assert "two people" in same
    await hall.in_proposal(1, Step("find_carrier_silent", "supervisor"))
    same = await hall.refused(hall.number(1), PROPOSAL, Step("grant_change", "supervisor"))
    assert "found the carrier silent" in same
    await hall.in_proposal(1, Step("grant_change", "street_officer"))

    assert hall.proposal(1).carrier_person == "partner-lin"


async def test_another_person_of_the_same_carrier_moves_no_account(bench: CaseBench) -> None:
    """The code stays, and where the money goes with it: for that there is `change_account`, which the carrier agrees to."""
    hall = await selected(bench)
    before = hall.proposal(1).account
    person = {"reason": "原代表离职", "carrier_person": "partner-lin"}
    await hall.in_proposal(1, OFFERED, TEAM_SIGNS, CARRIER_SIGNS, CONFIRMS)
    same = Step("ask_change", "applicant", {**ANOTHER, "carrier": ENTRY["carrier"]})
    assert "it is the present carrier" in await hall.refused(hall.number(1), PROPOSAL, same)
    assert "the team" in await hall.refused(hall.number(1), PROPOSAL, Step("ask_change", "committee", person))
    await hall.in_proposal(
        1, Step("ask_change", "applicant", person), Step("accept_carriage", "new_carrier"), SEES, RELEASES
    )
    await hall.in_proposal(1, Step("grant_change", "street_officer"))

    state = hall.proposal(1)
    assert (state.carrier, state.account, state.carrier_person) == (ENTRY["carrier"], before, "partner-lin")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({**ANOTHER, "carrier_person": None}, "is named with whoever speaks for it"),
        ({**ANOTHER, "carrier": ENTRY["carrier"]}, "it is the present carrier"),
        ({"reason": "离职", "carrier_person": "partner-chen"}, "they speak for the present carrier"),
        ({**ANOTHER, "carrier_person": "resident-ma"}, "not of the team"),
        ({**ANOTHER, "carrier_person": "juror-1"}, "a juror"),
        ({**ANOTHER, "carrier_person": "committee-yu"}, "who announced the round"),
    ],
)
def test_another_carrier_is_named_with_whoever_speaks_for_it(said: Mapping[str, Any], why: str) -> None:
    """Whole or not at all, and by nobody of another side."""
    texts = {name: "text:" + "0" * 26 for name in ("reason", "carrier_name", "account") if said.get(name)}
    asked = AskChange.model_validate({**said, **texts})
    state = proposal(
        team=("resident-he", "resident-ma"),
        jury=("juror-1",),
        carrier=ENTRY["carrier"],
        carrier_person="partner-chen",
        announced_by="committee-yu",
    )

    assert [why in fault.reason for fault in asked.faults(state)] == [True]


def test_what_an_old_case_took_stays_right_when_a_late_clock_has_it_looked_at_anew() -> None:
    """There nobody spoke for a carrier: another one was named with code, name and account, and a replay has to find no fault."""
    texts = dict.fromkeys(("reason", "carrier_name", "account"), "text:" + "0" * 26)
    asked = AskChange.model_validate({**ANOTHER, **texts, "carrier_person": None})
    old = proposal(team=("resident-he",), jury=("juror-1",), carrier_person=None)

    assert asked.faults(old) == ()


@pytest.mark.parametrize("who", ["resident-he", "clerk-qian"])
def test_what_was_asked_before_a_wish_was_its_own_is_refused_and_replaced_as_it_was(who: str) -> None:
    """What a state of before holds has no such mark: a replay beside a late clock finds nothing against what was taken then."""
    asked = AccountAsked.model_validate(
        {"number": 1, "account": "text:" + "0" * 26, "asked_by": "partner-chen", "asked_at": NOON, "agreed": True}
    )
    state = proposal(account_asked=asked, carrier_person="partner-chen", team=("resident-he",))
    other = Actor(subject=who, role=Role.WINDOW_CLERK)

    assert not state.keeps_own_wish_from(other)
    assert list(own_wish_of_another(state, other)) == []


# ---- cases from before, and the table ------------------------------------------------------------------------------------


def test_a_case_from_before_waits_for_nobodys_word() -> None:
    """Where nobody speaks for the carrier there is no seat, and nothing waits for a word that cannot come."""
    asked = AccountAsked(number=1, account="text:" + "0" * 26, asked_by="a", asked_at=NOON)
    change = ChangeAsked(number=2, by="a", carrier=ENTRY["carrier"])
    before = proposal(stage="running", contracted=True, account_asked=asked, change=change)

    assert (before.carriers, before.account_awaits_payee) == ([], False)


def test_no_line_of_the_town_is_open_to_who_speaks_for_the_carrier() -> None:
    """What is kept from the team is kept from the carrier: nobody accepts, grants or pays what they get themselves."""
    rows = [rule for rule in PROPOSAL.rules if Part.TEAM in rule.apart_from]
    own = [rule for rule in rows if {CARRIER, NEW_CARRIER} & set(rule.by)]

    assert [rule.command for rule in rows if rule not in own and Part.CARRIER not in rule.apart_from] == []
    assert {rule.command for rule in own} <= {"sign_for_carrier", "accept_carriage", "release_carriage"}
