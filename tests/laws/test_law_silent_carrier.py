"""沉默的承接方: who owes the word on which money waits holds up neither work nor their own debt (schemas/proposal_carrier.py)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.round_walks import ENTRY
from schemas.contracts.payment import PayStatus
from schemas.kernel.people import Part
from schemas.parts.payments import AccountAsked, Payment, PaymentState, SettlementClaimed
from schemas.proposal import PROPOSAL
from schemas.proposal_carrier import more_time_is_still_of_use, nothing_is_on_its_way, what_goes_over_is_what_was_asked
from schemas.proposal_commands import AskChange
from schemas.proposal_state import ChangeAsked, ProposalState
from schemas.values.actor import Actor, Role
from tests.api_driver import Step
from tests.bench_bank import SayingBank
from tests.case_bench import CaseBench, case_bench
from tests.examples.proposal import ANOTHER, REACHED, by_hand
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
TEXT = "text:" + "0" * 26
STREET = Actor(subject="street-feng", role=Role.STREET_OFFICER)
SIGNED = (
    Step("offer_contract", "committee"),
    Step("sign_contract", "applicant"),
    Step("sign_for_carrier", "partner"),
    Step("confirm_authority", "street_officer"),
)
ASKS, GRANTS = Step("ask_change", "applicant", ANOTHER), Step("grant_change", "street_officer")
TAKES_OVER = (Step("accept_carriage", "new_carrier"), Step("confirm_authority", "second_street"))
LIES = Payment(
    number=1,
    month="2026-05",
    benefit="round-1",
    amount_fen=50000,
    due_since=NOON,
    state=PaymentState.WITH_A_PERSON,
    last=PayStatus.REFUSED,
)
ASKED = AccountAsked(number=1, account=TEXT, asked_by="clerk-qian", asked_at=NOON)
AGREED = ASKED.model_copy(update={"agreed": True})
WISHED = ChangeAsked(number=1, by="resident-he", carrier=ANOTHER["carrier"], carrier_person="partner-lin")


def proposal(**said: Any) -> ProposalState:
    """A proposal of which only this is looked at."""
    return ProposalState.model_construct(**said)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town: its bank has no way to the carrier, so that each instalment lies with a person."""
    async with case_bench(tmp_path_factory.mktemp("silent")) as found:
        yield found


async def with_an_instalment_that_lies(bench: CaseBench, *before: Step) -> RoundBench:
    """A round whose one proposal has reached a milestone that the bank could not pay."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.judged({})
    await bench.until_told(hall.number(1), "proposal:selected")
    await hall.in_proposal(1, *SIGNED, *before, *REACHED)
    await bench.until_told(hall.number(1), "proposal:payment:with_a_person", 1 + len(before) // (len(REACHED) + 2))
    return hall


async def test_an_organisation_whose_person_has_left_names_another_one_while_its_money_lies(bench: CaseBench) -> None:
    """The account is closed, and nobody is there to agree to another: the next one is granted whatever lies, and agrees."""
    hall = await with_an_instalment_that_lies(bench)
    person = Step("ask_change", "applicant", {"reason": "原代表离职", "carrier_person": "partner-lin"})
    releases = Step("release_carriage", "partner")
    await hall.in_proposal(1, person, *TAKES_OVER, releases, GRANTS)
    await hall.in_proposal(1, Step("change_account", "clerk"), Step("agree_account", "new_carrier"))
    state = hall.proposal(1)

    assert (state.carrier, state.carrier_person, len(state.payments)) == (ENTRY["carrier"], "partner-lin", 1)
    assert not state.account_awaits_payee


@pytest.mark.parametrize(
    "paid", [{"state": PaymentState.UNDER_WAY}, {"last": PayStatus.UNREACHABLE, "uncertain": True}]
)
def test_another_person_of_the_same_carrier_waits_for_no_payment(paid: dict[str, Any]) -> None:
    """What is under way or uncertain is the same organisation's, whoever speaks for it."""
    change = ChangeAsked(number=1, by="resident-he", carrier_person="partner-lin")
    state = proposal(payments=[LIES.model_copy(update=paid)], change=change, carrier_person="partner-chen")

    assert nothing_is_on_its_way(state, STREET, NOON) is None


@pytest.mark.parametrize("reached", [1, 3], ids=["the first milestone", "the last one"])
async def test_a_silent_carrier_holds_up_no_earned_money(bench: CaseBench, reached: int) -> None:
    """Its account is closed and nobody answers: found so by one of the town, another carrier is granted by another, and is paid."""
    paid = [step for number in range(1, reached) for step in (*REACHED, *by_hand(number))]
    hall = await with_an_instalment_that_lies(bench, *paid)
    case = hall.number(1)
    await hall.in_proposal(1, ASKS, *TAKES_OVER)
    assert "present carrier has not agreed" in await hall.refused(case, PROPOSAL, GRANTS)
    await bench.until_told(case, "clock:breach")
    await hall.in_proposal(1, Step("find_carrier_silent", "supervisor"), GRANTS)
    await hall.told(case, "proposal:payment:failed", reached + 1)

    keys = [str(said["key"]) for said in hall.facts(case, "proposal:payment:failed")]
    assert [ANOTHER["carrier"] in key for key in keys] == [False] * reached + [True]
    lying = hall.proposal(1).milestones[reached - 1].amount_fen
    assert [said["goes_over_fen"] for said in hall.facts(case, "proposal:change:asked")] == [lying]


@pytest.mark.parametrize(
    ("payment", "free"),
    [
        (LIES, True),
        (LIES.model_copy(update={"last": PayStatus.RETURNED}), True),
        (LIES.model_copy(update={"last": PayStatus.UNREACHABLE, "uncertain": True}), False),
        (LIES.model_copy(update={"last": PayStatus.CONFLICT}), False),
        (LIES.model_copy(update={"disputed": True}), False),
        (LIES.model_copy(update={"asked_first": "org-52320104MJA000001L.round-1.2026-05"}), False),
        (LIES.model_copy(update={"state": PaymentState.WAITING}), False),
        (LIES.model_copy(update={"state": PaymentState.UNDER_WAY}), False),
        (LIES.model_copy(update={"claim": SettlementClaimed(number=1, reason=TEXT, by="civil", at=NOON)}), False),
    ],
    ids=[
        "nothing was paid",
        "it came back",
        "it may have moved",
        "the bank holds something else",
        "the bank has held something else once",
        "the bank is to be asked of the key before",
        "it is tried again",
        "it is under way",
        "said to be paid by hand",
    ],
)
def test_nothing_that_may_have_moved_goes_to_another_one(payment: Payment, *, free: bool) -> None:
    """No instalment is paid twice: what anybody says may be with the old carrier is settled before."""
    change = ChangeAsked(number=1, by="resident-he", carrier=ANOTHER["carrier"], carrier_person="partner-lin")
    state = proposal(payments=[payment], change=change, carrier_person="partner-chen")

    assert (nothing_is_on_its_way(state, STREET, NOON) is None) == free
    more_time = state.model_copy(update={"change": ChangeAsked(number=1, by="resident-he")})
    assert nothing_is_on_its_way(more_time, STREET, NOON) is not None


@pytest.mark.parametrize("after_all", [False, True], ids=["nothing was paid", "it was paid after all"])
async def test_no_instalment_is_paid_to_two(tmp_path: Path, *, after_all: bool) -> None:
    """Before a new carrier is paid, the bank is asked once more of the old one's key: paid after all, that one answers for it."""
    bank = SayingBank()
    async with case_bench(tmp_path, bank=bank) as bench:
        hall = await with_an_instalment_that_lies(bench)
        *_, old = (str(said["key"]) for said in hall.facts(hall.number(1), "proposal:payment:failed"))
        bank.found, bank.pays = {old: PayStatus.PAID} if after_all else {}, {ANOTHER["carrier"]}
        await hall.in_proposal(1, ASKS, *TAKES_OVER, Step("release_carriage", "partner"), GRANTS)
        await bench.until_told(hall.number(1), "proposal:payment:paid")
        state = hall.proposal(1)

    assert bank.asked == [old]
    paid = [str(said["key"]) for said in hall.facts(hall.number(1), "proposal:payment:paid")]
    assert [ANOTHER["carrier"] in key for key in paid] == [not after_all]
    owed = [state.unspent_by(str(each)) for each in (ENTRY["carrier"], ANOTHER["carrier"])]
    assert owed == ([50000, 0] if after_all else [0, 50000])
    assert not any(body.replaces for key, body in bank.told.items() if ANOTHER["carrier"] in key)


async def test_what_goes_over_is_what_each_side_gave_its_word_on(bench: CaseBench) -> None:
    """Asked for while nothing lay, the released carrier has earned an instalment since: the wish is asked, and answered, anew."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.judged({})
    case, releases = hall.number(1), Step("release_carriage", "partner")
    await bench.until_told(case, "proposal:selected")
    await hall.in_proposal(1, *SIGNED, ASKS, *TAKES_OVER, releases, *REACHED)
    await hall.told(case, "proposal:payment:with_a_person")
    assert "another sum would go over" in await hall.refused(case, PROPOSAL, GRANTS)
    await hall.in_proposal(1, Step("take_back_change", "applicant"), ASKS, *TAKES_OVER)
    assert "present carrier has not agreed" in await hall.refused(case, PROPOSAL, GRANTS)
    await hall.in_proposal(1, releases, GRANTS)

    assert hall.proposal(1).carrier == ANOTHER["carrier"]


@pytest.mark.parametrize(
    ("asked", "lies", "free"),
    [([], [], True), ([1], [LIES], True), ([], [LIES], False), ([1], [], False), (None, [LIES], True)],
    ids=["nothing", "the same", "it was earned since", "it was paid since", "asked before that was so"],
)
def test_a_wish_stands_as_it_was_asked(asked: list[int] | None, lies: list[Payment], *, free: bool) -> None:
    """What is more than the wish says was not agreed to; what is less the new one had counted on."""
    change = ChangeAsked(number=1, by="a", carrier=ANOTHER["carrier"], carrier_person="partner-lin", goes_over=asked)
    state = proposal(payments=lies, change=change, carrier_person="partner-chen")

    assert (what_goes_over_is_what_was_asked(state, STREET, NOON) is None) == free


async def test_a_carrier_that_says_no_is_not_silent(bench: CaseBench) -> None:
    """Its no is heard and stands, whatever time passes; its own yes alone ends it."""
    hall = await with_an_instalment_that_lies(bench)
    case, keeps = hall.number(1), Step("keep_carriage", "partner")
    await hall.in_proposal(1, ASKS, *TAKES_OVER, keeps)
    told = " ".join(bench.tables.told(case))
    assert "reporter proposal_carriage_kept" in told
    assert "role:street_officer proposal_carriage_kept" in told
    assert "has said no" in await hall.refused(case, PROPOSAL, keeps)
    await bench.until_told(case, "clock:breach")
    assert "has said no" in await hall.refused(case, PROPOSAL, Step("find_carrier_silent", "supervisor"))
    assert "present carrier has not agreed" in await hall.refused(case, PROPOSAL, GRANTS)
    await hall.in_proposal(1, Step("release_carriage", "partner"), GRANTS)

    assert hall.proposal(1).carrier == ANOTHER["carrier"]


@pytest.mark.parametrize(("goes_over", "kept"), [([], ("street-he",)), (None, ())], ids=["new", "from before"])
def test_one_official_does_not_seat_another_carrier(goes_over: list[int] | None, *, kept: tuple[str, ...]) -> None:
    """Who confirms the new one's authority does not find the old one silent, nor the other way round; a third one grants."""
    change = ChangeAsked(number=1, by="a", carrier_person="partner-lin", confirmed_by="street-he", goes_over=goes_over)
    state = proposal(change=change)
    rules = {rule.command: set(rule.apart_from) for rule in PROPOSAL.rules if rule.part is not Part.AGREEMENT_PROPOSED}

    assert tuple(change.vouched_by) == kept
    assert Part.CARRIAGE_VOUCHED in rules["find_carrier_silent"] & rules["confirm_authority"]
    assert {Part.CARRIAGE_RELEASED, Part.AUTHORITY_CONFIRMED} <= rules["grant_change"]
    assert state.change is change


async def test_its_silence_saves_it_from_nothing(bench: CaseBench) -> None:
    """It had one instalment, shows nothing for it, and agrees to no account for the next: it ends, and that one is asked back."""
    hall = await with_an_instalment_that_lies(bench, *REACHED, *by_hand(1))
    await hall.in_proposal(1, Step("change_account", "clerk"))
    await bench.until_ended(hall.number(1))
    state = hall.proposal(1)

    assert (state.stage, [each.amount_fen for each in state.recoveries]) == ("unresolved", [50000])
    assert await bench.faults(hall.number(1)) == []


async def test_its_no_saves_it_from_nothing(bench: CaseBench) -> None:
    """The same where it refuses the account that the window asks for, and names no other."""
    hall = await with_an_instalment_that_lies(bench, *REACHED, *by_hand(1))
    await hall.in_proposal(1, Step("change_account", "clerk"), Step("refuse_account", "partner"))
    await bench.until_ended(hall.number(1))

    assert [each.amount_fen for each in hall.proposal(1).recoveries] == [50000]


@pytest.mark.parametrize(
    "said",
    [(), (ASKS, Step("keep_carriage", "partner")), (Step("change_account", "applicant"),)],
    ids=["nothing was asked", "it said no to another one in its place", "the team alone asked for another account"],
)
async def test_what_nobody_of_the_town_moved_is_asked_back_of_nobody(bench: CaseBench, said: tuple[Step, ...]) -> None:
    """The same without a word that the carrier owes: the town left it lying; no wish of the team makes an honest one pay."""
    hall = await with_an_instalment_that_lies(bench, *REACHED, *by_hand(1))
    await hall.in_proposal(1, *said)
    await bench.until_ended(hall.number(1))

    assert (hall.proposal(1).stage, hall.proposal(1).recoveries) == ("unresolved", [])


@pytest.mark.parametrize(
    ("said", "owes"),
    [
        ({"payments": [LIES]}, False),
        ({"payments": [LIES.model_copy(update={"last": PayStatus.RETURNED})]}, True),
        ({"payments": [LIES.model_copy(update={"last": PayStatus.RETURNED})], "account_asked": ASKED}, True),
        ({"payments": [LIES.model_copy(update={"last": PayStatus.RETURNED})], "account_asked": AGREED}, False),
        ({"payments": [LIES], "account_asked": ASKED}, True),
        ({"payments": [LIES], "account_asked": ASKED.model_copy(update={"asked_by": "resident-he"})}, False),
        ({"payments": [LIES], "change": WISHED}, True),
        ({"payments": [LIES], "change": WISHED.model_copy(update={"kept": True})}, False),
        ({"payments": [LIES], "account_declined": True}, True),
        ({"payments": [LIES], "account_declined": True, "carrier_person": None}, False),
    ],
)
def test_whether_an_instalment_lies_with_its_carrier(said: dict[str, Any], *, owes: bool) -> None:
    """By what the bank and the carrier have said, and what they were asked by the town; not by who was asked last."""
    state = proposal(**{"carrier_person": "partner-chen", "team": ("resident-he",), "clocks": {}, **said})

    assert state.owes_its_word(NOON) == owes


async def test_a_wish_that_nobody_answers_is_taken_back(bench: CaseBench) -> None:
    """By whoever asked, and nobody else; who was asked is told and sees it no longer, and another wish has the place."""
    hall = await with_an_instalment_that_lies(bench)
    await hall.in_proposal(1, ASKS, Step("accept_carriage", "new_carrier"))
    case = hall.number(1)
    assert "somebody else asked" in await hall.refused(case, PROPOSAL, Step("take_back_change", "committee"))
    await hall.in_proposal(1, Step("take_back_change", "applicant"))
    told = " ".join(bench.tables.told(case))
    for who in ("partner-lin", "partner-chen"):
        assert f"participant:{who} proposal_change_taken_back" in told
    state = hall.proposal(1)

    assert (state.change, state.authority, state.carrier) == (None, None, ENTRY["carrier"])
    assert "unknown-case" in await hall.refused(case, PROPOSAL, Step("accept_carriage", "new_carrier"))
    await hall.in_proposal(1, ASKS)


@pytest.mark.parametrize(("stage", "free"), [("running", True), ("accounting", False)])
def test_more_time_is_granted_only_while_a_milestone_is_to_come(stage: str, *, free: bool) -> None:
    """Asked for while the last one ran, and granted when it was accepted, its clock would run where nothing stops it."""
    state = proposal(
        stage=stage, payments=[], change=ChangeAsked(number=1, by="resident-he"), carrier_person="partner-chen"
    )
    (grants,) = [rule for rule in PROPOSAL.rules if rule.command == "grant_change"]
    said = {condition(state, STREET, NOON) for condition in grants.conditions}
    person = state.model_copy(update={"change": ChangeAsked(number=1, by="a", carrier_person="partner-lin")})

    assert (said == {None}) == free
    assert more_time_is_still_of_use(person, STREET, NOON) is None


def test_more_time_is_asked_for_only_while_a_milestone_is_to_come() -> None:
    """All reached, a change is of another carrier or person; and of use while anything is to be paid."""
    state = proposal(
        stage="accounting", team=("resident-he",), jury=(), carrier=ENTRY["carrier"], carrier_person="partner-chen"
    )
    body: dict[str, Any] = {"reason": TEXT}

    assert [each.field for each in AskChange.model_validate(body).faults(state)] == ["carrier"]
    assert AskChange.model_validate({**body, "carrier_person": "partner-lin"}).faults(state) == ()
