"""Whole proposals on the time-skipping server: who may judge, accept and pay, what a juror learns, and where the money stays."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from local.round_walks import ENTRY
from schemas.clocks.clock_facts import Status
from schemas.contracts.payment import ReceiptLine
from schemas.kernel.people import Part
from schemas.kernel.timers import TimerKind
from schemas.kernel.visibility import may_see, shown_facts, sight_of, withholds_from
from schemas.parts.incoming import ExpectedMoney, MoneyCame
from schemas.parts.instalments import MILESTONE
from schemas.parts.payments import PaidOut, Payment
from schemas.parts.ranking import Trimmed
from schemas.proposal import POSTING, PROPOSAL
from schemas.proposal_commands import SeatJuror
from schemas.proposal_state import RESTING, Asked, ProposalState
from schemas.recovery_state import RecoveryState
from schemas.round import ROUND
from schemas.round_messages import Placed
from schemas.round_policy import RoundPolicy
from schemas.values.actor import Actor, Role
from tests.api_driver import Step
from tests.case_bench import CaseBench, case_bench
from tests.examples.proposal import ANOTHER, BODIES, FAR, REACHED, an_invoice, by_hand, with_one
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
DUE = Payment(number=1, month="2026-05", benefit="round-1", amount_fen=50000, due_since=NOON)

JUROR = Actor(subject="juror-1", role=Role.SPECIALIST)


def proposal(**said: Any) -> ProposalState:
    """A proposal of which only this is looked at."""
    return ProposalState.model_construct(**said)


OFFERED = Step("offer_contract", "committee")
SIGNED = (
    OFFERED,
    Step("sign_contract", "applicant"),
    Step("sign_for_carrier", "partner"),
    Step("confirm_authority", "street_officer"),
)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("proposal")) as found:
        yield found


async def selected(bench: CaseBench, **entry: object) -> RoundBench:
    """A round whose one proposal is selected, and waits for its contract."""
    hall = RoundBench(bench)
    await hall.opened(entry)
    await hall.judged({})
    await bench.until_told(hall.number(1), "proposal:selected")
    return hall


async def test_who_is_tied_to_the_team_judges_nothing(bench: CaseBench) -> None:
    """A juror of whom the team says that they are kin has no seat; who says so themselves has their sheet taken back."""
    hall = RoundBench(bench)
    await hall.opened({"kin": ["juror-1"]})
    await hall.screened(1)
    assert "unknown-case" in await hall.refused(hall.number(1), PROPOSAL, Step("score", "juror_1"))

    await hall.in_proposal(1, Step("score", "juror_2"), Step("declare_relation", "juror_2"))
    assert hall.proposal(1).sheets == []
    assert "unknown-case" in await hall.refused(hall.number(1), PROPOSAL, Step("score", "juror_2"))

    tied = Step("seat_juror", "street_officer", {"juror": "juror-1"})
    assert "tied to it" in await hall.refused(hall.number(1), PROPOSAL, tied)


async def test_nobody_of_the_team_accepts_a_milestone_or_screens(bench: CaseBench) -> None:
    """A grid worker of the town who is of the team does neither, whatever role they act in."""
    hall = RoundBench(bench)
    await hall.opened({"team": ["resident-he", "resident-ma", "grid-zhao", "street-feng"]})
    assert "of the team" in await hall.refused(hall.number(1), PROPOSAL, Step("screen", "street_officer"))
    await hall.judged({})
    await bench.until_told(hall.number(1), "proposal:selected")
    signed = [replace(step, by="supervisor") if step.command == "confirm_authority" else step for step in SIGNED]
    await hall.in_proposal(1, *signed, Step("claim_milestone", "applicant"))

    for who in ("grid_worker", "street_officer"):
        assert "of the team" in await hall.refused(hall.number(1), PROPOSAL, Step("verify_milestone", who))
    assert "screened" in await hall.refused(hall.number(1), PROPOSAL, Step("verify_milestone", "committee"))
    assert hall.proposal(1).payments == []


async def test_who_claims_a_milestone_accepts_none(bench: CaseBench) -> None:
    """Nobody is paid on one word: a grid worker who claims it leaves the look to another one."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, Step("claim_milestone", "grid_worker"))

    assert "claimed" in await hall.refused(hall.number(1), PROPOSAL, Step("verify_milestone", "grid_worker"))
    await hall.in_proposal(1, Step("verify_milestone", "street_officer"))
    assert hall.proposal(1).payments == []
    assert "verified" in await hall.refused(hall.number(1), PROPOSAL, Step("confirm_milestone", "street_officer"))
    await hall.in_proposal(1, Step("confirm_milestone", "supervisor"))
    (payment,) = hall.proposal(1).payments
    assert (payment.amount_fen, payment.benefit) == (50000, "round-1")


async def test_a_juror_never_learns_whose_it_is(bench: CaseBench) -> None:
    """What a juror is shown of a proposal has neither team nor carrier, account, ties, papers, nor what another one gave it."""
    hall = RoundBench(bench)
    await hall.opened({"kin": ["juror-5"]})
    await hall.in_proposal(1, Step("comment", "applicant"), Step("attach", "clerk"))
    await hall.screened(1)
    await hall.in_proposal(1, *(Step("score", f"juror_{each}") for each in (1, 2)))
    state = hall.proposal(1)
    chain = zip(bench.tables.kinds(state.case_id), bench.tables.facts(state.case_id), strict=True)
    shown = json.dumps([shown_facts(kind, facts, JUROR) for kind, facts in chain], ensure_ascii=False)
    hidden = [*state.team, "juror-5", state.carrier, state.carrier_name, state.account, state.documents[0].reference]

    assert may_see(sight_of(state), JUROR)
    assert state.plan in shown
    assert [each for each in hidden if each in shown] == []
    assert '"novel": 7' not in shown
    as_neighbour = Actor(subject="juror-1", role=Role.RESIDENT)
    chain = zip(bench.tables.kinds(state.case_id), bench.tables.facts(state.case_id), strict=True)
    shown = json.dumps([shown_facts(kind, facts, as_neighbour) for kind, facts in chain], ensure_ascii=False)
    assert [each for each in hidden[:-1] if each in shown] == []
    assert not may_see(sight_of(state), Actor(subject="juror-5", role=Role.SPECIALIST))


async def test_the_jury_sees_it_no_longer_when_the_scores_are_in(bench: CaseBench) -> None:
    """With the last sheet their seats are nobody's; the team keeps its own, and the carrier has one for its contract."""
    hall = await selected(bench)
    seats = {seat.subject for seat in hall.proposal(1).seats()}

    assert not may_see(sight_of(hall.proposal(1)), JUROR)
    assert seats == {*hall.proposal(1).team, hall.proposal(1).carrier_person}


async def test_best_and_worst_are_off_and_enough_are_enough_when_the_time_is_over(bench: CaseBench) -> None:
    """Seven jurors, five sheets: none is missed any more when the time for it has passed, and the outer two do not count."""
    hall = RoundBench(bench)
    await hall.opened({}, jury=[f"juror-{each}" for each in range(1, 8)])
    await hall.screened(1)
    near = {**BODIES["score"], "novel": 0}
    steps = [Step("score", f"juror_{each}") for each in range(1, 5)]
    await hall.in_proposal(1, *steps, Step("score", "juror_5", near))
    assert hall.proposal(1).stage == "judging"
    await bench.until_told(hall.number(1), "proposal:judged")
    (judged,) = hall.facts(hall.number(1), "proposal:judged")

    assert (judged["sheets"], judged["mean_hundredths"], judged["spread"]) == (5, 8200, 7)


async def test_far_apart_they_talk_once_and_then_it_stands(bench: CaseBench) -> None:
    """Sixty points between two sheets: all score anew, without the old sheets; the second time it counts."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.screened(1)
    apart = [*(Step("score", f"juror_{each}") for each in range(1, 5)), Step("score", "juror_5", FAR)]
    await hall.in_proposal(1, *apart)
    assert hall.proposal(1).sheets == []
    await hall.in_proposal(1, *apart)
    await hall.told(hall.number(1), "proposal:judged")

    assert len(hall.facts(hall.number(1), "proposal:talked")) == 1


async def test_an_invoice_counts_once_over_all_cases(bench: CaseBench) -> None:
    """What one proposal has shown, another one does not show again: the street hears of it, and nothing is proved by it."""
    invoice = Step("file_invoice", "applicant", with_one(invoice="01234567890123456789", amount_fen=60000))
    first = await selected(bench)
    await first.in_proposal(1, *SIGNED, invoice)
    await first.told(first.number(1), "proposal:unit:held", 4)
    await first.in_proposal(1, Step("accept_invoice", "committee"))
    second = await selected(bench)
    await second.in_proposal(1, *SIGNED, invoice)
    await second.told(second.number(1), "proposal:invoice:refused")

    assert (first.proposal(1).proved_fen, second.proposal(1).proved_fen) == (60000, 0)


async def test_an_invoice_that_nobody_accepted_proves_nothing(bench: CaseBench) -> None:
    """Who filed it does not accept it, nor does the team; refused, all that was paid comes back."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, *by_hand(1), Step("file_invoice", "grid_worker", an_invoice(50000)))
    await hall.told(hall.number(1), "proposal:unit:held", 4)
    assert hall.proposal(1).proved_fen == 0
    await hall.in_proposal(1, Step("halt", "committee"))

    assert "invoice" in await hall.refused(hall.number(1), PROPOSAL, Step("terminate", "supervisor"))
    await hall.in_proposal(1, Step("refuse_invoice", "street_officer"), Step("terminate", "supervisor"))
    assert [each.amount_fen for each in hall.proposal(1).money] == [50000]


async def test_a_halt_that_runs_out_counts_no_invoice_that_waits(bench: CaseBench) -> None:
    """Nobody looked at it: by itself it saves nobody from giving back what was paid."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, *by_hand(1), Step("file_invoice", "applicant", an_invoice(50000)))
    await hall.told(hall.number(1), "proposal:unit:held", 4)
    await hall.in_proposal(1, Step("halt", "committee"))
    await bench.until_told(hall.number(1), "proposal:refund_due")

    assert hall.facts(hall.number(1), "proposal:refund_due")[0]["unspent_fen"] == 50000


async def test_what_was_not_spent_comes_back_by_the_word_of_the_bank(bench: CaseBench) -> None:
    """Fifty thousand paid and none shown to be spent: called off by two, it ends when the bank has the line, and no sooner."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, *by_hand(1), Step("halt", "committee"))
    await hall.in_proposal(1, Step("terminate", "supervisor"))
    (money,) = hall.proposal(1).money
    assert (money.amount_fen, hall.proposal(1).stage) == (50000, "refunding")
    await hall.told(hall.number(1), "proposal:incoming:not_yet")

    line = ReceiptLine(receipt="R-1", amount_fen=50000, at=hall.proposal(1).last_at)
    bench.tables.incoming[money.reference] += [line]
    await hall.in_proposal(1, Step("look_for_money", "civil"))
    await hall.told(hall.number(1), "proposal:terminated")

    assert hall.proposal(1).recoveries == []
    await bench.until_ended(hall.number(1))
    assert await bench.faults(hall.number(1)) == []


async def test_money_that_does_not_come_back_is_asked_back_once(bench: CaseBench) -> None:
    """The time for it over, a recovery of its own asks the carrier for what is left, and the proposal ends."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, *by_hand(1), Step("halt", "committee"))
    await bench.until_ended(hall.number(1))
    state = hall.proposal(1)

    assert state.stage == "terminated"
    assert [(each.amount_fen, each.cause) for each in state.recoveries] == [(50000, "not_spent")]
    recovery = f"{hall.number(1)}.recovery-1"
    await hall.told(recovery, "recovery:demanded")
    assert await bench.faults(hall.number(1)) == []

    (demanded,) = hall.facts(recovery, "recovery:demanded")
    told = " ".join(bench.tables.told(recovery))
    assert (demanded["payer"], "debtor" in demanded) == (f"organisation:{ENTRY['carrier']}", False)
    assert "participant:partner-chen recovery_demanded" in told
    assert "reporter recovery_of_the_carrier" in told
    owed = cast("RecoveryState", bench.state(recovery))
    assert may_see(sight_of(owed), Actor(subject="partner-chen", role=Role.PARTNER))
    assert "partner-chen" in owed.took_part()[Part.DEBTOR]


async def test_another_carrier_is_paid_from_the_next_instalment_on(bench: CaseBench) -> None:
    """Asked for by whoever signed for the team, agreed to by the new one, and granted by a third; until then the first is paid."""
    hall = await selected(bench)
    another = ANOTHER
    await hall.in_proposal(1, *SIGNED)
    assert "the team" in await hall.refused(hall.number(1), PROPOSAL, Step("ask_change", "committee", another))
    await hall.in_proposal(1, Step("ask_change", "applicant", another))
    granted = Step("grant_change", "street_officer")
    assert "not agreed" in await hall.refused(hall.number(1), PROPOSAL, granted)
    assert hall.proposal(1).carrier == ENTRY["carrier"]
    await hall.in_proposal(
        1,
        Step("accept_carriage", "new_carrier"),
        Step("confirm_authority", "supervisor"),
        Step("release_carriage", "partner"),
        granted,
    )

    assert hall.proposal(1).payee == "organisation:52320104MJA000002P"
    assert hall.proposal(1).account_asked is None


async def test_no_other_carrier_while_money_is_on_its_way(bench: CaseBench) -> None:
    """What is being paid is paid to whom it was due, under one key: the change waits."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, Step("ask_change", "applicant"))

    assert "under way" in await hall.refused(hall.number(1), PROPOSAL, Step("grant_change", "street_officer"))


async def test_a_halt_stops_what_is_on_its_way_and_going_on_lets_it_go(bench: CaseBench) -> None:
    """What the bank did not take waits while it is halted, and nobody tries it again there; called off, it is not due any more."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, Step("halt", "committee"))
    with_it = bench.tables.kinds(hall.number(1)).count("proposal:payment:retried")
    await hall.refused(hall.number(1), PROPOSAL, Step("retry_payment", "civil"))
    await hall.in_proposal(1, Step("terminate", "supervisor"))

    await hall.told(hall.number(1), "proposal:terminated")
    assert bench.tables.kinds(hall.number(1)).count("proposal:payment:retried") == with_it
    assert hall.proposal(1).money == []


def test_nothing_is_paid_while_it_is_halted_or_called_off() -> None:
    """Neither again by itself nor on one person's word; how it is settled by hand is said there as before."""
    rules = {rule.command: rule for rule in PROPOSAL.rules if rule.command in {"retry_payment", "settle_payment"}}

    assert not set(RESTING) & set(rules["retry_payment"].at)
    assert set(RESTING) <= set(rules["settle_payment"].at)


def test_what_is_found_out_when_it_is_over_is_asked_back_besides() -> None:
    """What the bank says late is owed still; what was asked back before, or has come, is not asked back again."""
    paid = {"2026-05": [PaidOut(key="k", amount_fen=50000)]}
    came = ExpectedMoney(number=1, what_for="not-spent", amount_fen=20000, reference="R")
    came.came.append(MoneyCame(receipt="1", amount_fen=15000, at=NOON))
    state = proposal(stage="terminated", paid=paid, money=[came], invoices=[], recoveries=[], carrier=ENTRY["carrier"])

    assert state.unspent_fen == 50000
    assert state.still_owed_by(str(ENTRY["carrier"])) == 35000
    assert [state.model_copy(update={"stage": each}).is_held_back(DUE) for each in ("running", *RESTING)] == [
        False,
        True,
        True,
    ]


def test_two_people_accept_a_milestone_and_neither_settles_the_account_whose_word_was_first() -> None:
    """Only the second word pays; who verified is kept from it, and from the final account."""
    rules = {rule.command: rule for rule in PROPOSAL.rules}

    assert [rules[each].moves_money for each in ("verify_milestone", "confirm_milestone")] == [False, True]
    for each in ("confirm_milestone", "settle_account"):
        assert Part.MILESTONE_VERIFIED in rules[each].apart_from
    state = proposal(
        verified=Asked(number=4, by="grid-zhao"),
        verified_by=["grid-zhao"],
        claimed_by="resident-he",
        milestone_claims=2,
    )
    assert state.requests()[Part.MILESTONE_VERIFIED] == (4,)
    assert state.requests()[Part.MILESTONE_CLAIMED] == ()


def seat(state: ProposalState, juror: str, *, of_street: bool = False) -> list[str]:
    """What is wrong with a juror who is named."""
    return [each.reason for each in SeatJuror(juror=juror, of_street=of_street).faults(state)]


def test_a_jury_is_never_made_larger_nor_of_rivals_nor_of_the_street() -> None:
    """So many as were announced, and one more for each who is tied to it or did not come; two words for each."""
    terms = cast("RoundPolicy", load_policy(ROUND, PROJECT / "policies", ())).terms
    whole = proposal(
        terms=terms,
        jury=("j-1", "j-2", "j-3", "j-4", "j-5"),
        jury_size=5,
        street_jurors=("j-1",),
        team=("a",),
        rivals=("b",),
    )
    tied = whole.model_copy(update={"related": ["j-5"]})

    assert "announced" in seat(whole, "j-6")[0]
    assert seat(tied, "j-6") == []
    assert "of a team" in seat(tied, "b")[0]
    assert "of the street" in seat(tied, "j-6", of_street=True)[0]
    assert seat(whole.model_copy(update={"missing": 1}), "j-6") == []
    rules = {rule.command: rule for rule in PROPOSAL.rules}
    assert Part.JUROR_NAMED in rules["confirm_juror"].apart_from


def test_nobody_who_sees_to_a_jury_reads_what_one_juror_gave() -> None:
    """Neither who may seat others nor who speaks for it; the auditor does, and whoever may read papers reads them still."""
    for role in Role:
        shown = shown_facts("proposal:scored", {"sheet": {"need": 1}}, Actor(subject="x", role=role))["sheet"]
        assert (shown == {"need": 1}) == (role is Role.AUDITOR)
    assert not withholds_from(Actor(subject="x", role=Role.STREET_OFFICER), "proposal")


def test_a_place_is_lost_only_by_whoever_has_a_contract_before_them() -> None:
    """While the committee draws it up the time for signing does not run: nothing lapses there."""
    (lapse,) = (rule for rule in PROPOSAL.rules if rule.command == "lapse")

    assert set(lapse.at) == {"signing"}
    assert PROPOSAL.timers["offer_contract"].kind is TimerKind.DUTY


async def test_the_time_for_a_milestone_rests_while_its_money_lies_with_a_person(bench: CaseBench) -> None:
    """The team cannot claim the next one before it is paid; with the payment its time goes on."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, Step("comment", "applicant"))
    assert hall.proposal(1).clocks[MILESTONE].status is Status.PAUSED
    await hall.in_proposal(1, *by_hand(1))

    assert hall.proposal(1).clocks[MILESTONE].status is Status.RUNNING


async def test_a_team_that_waits_to_be_looked_at_owes_nothing_by_itself(bench: CaseBench) -> None:
    """Paid once, the second milestone claimed, and nobody comes: it ends, and nothing is asked back of who did their part."""
    hall = await selected(bench)
    await hall.in_proposal(1, *SIGNED, *REACHED, *by_hand(1), Step("claim_milestone", "applicant"))
    await bench.until_ended(hall.number(1))

    assert (hall.proposal(1).stage, hall.proposal(1).money, hall.proposal(1).recoveries) == ("unresolved", [], [])


def test_votes_of_a_few_leave_the_place_alone_in_a_posting() -> None:
    """With the exact points and the mean of the jury everybody could work out how many voted."""
    jury = Trimmed(total=240, counted=3, spread=4)
    told = proposal(judged=jury, placed=Placed(place=1, points_hundredths=8000, votes=40))
    hidden = proposal(judged=jury, placed=Placed(place=1, points_hundredths=None, votes=None))
    shown = {each.name: each.of for each in POSTING.shows if each.name in {"mean_score", "points", "votes"}}

    assert {name: of(told) for name, of in shown.items()} == {"mean_score": "80.00", "points": "80.00", "votes": "40"}
    assert {of(hidden) for of in shown.values()} == {"-"}
