"""各还各账: who was paid owes it, and nobody takes that debt over by taking over the work (schemas/proposal_state.py)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from local.round_walks import ENTRY
from schemas.kernel.choices import Choices
from schemas.kernel.people import Part
from schemas.parts.incoming import ExpectedMoney
from schemas.parts.payments import (
    PaidOut,
    Payment,
    PaymentState,
    RetryPayment,
    a_payment_may_be_tried_again,
    own_payments_are_settled,
)
from schemas.proposal import PROPOSAL
from schemas.proposal_carrier import nothing_is_on_its_way
from schemas.proposal_commands import FileInvoice
from schemas.proposal_state import ChangeAsked, Invoice, PaidBefore, ProposalState
from schemas.recovery import RECOVERY
from schemas.recovery_state import RecoveryState
from schemas.round import ROUND
from schemas.round_policy import RoundPolicy
from schemas.values.actor import Actor, Role
from tests.api_driver import Step
from tests.case_bench import CaseBench, case_bench
from tests.examples.proposal import ANOTHER, REACHED, an_invoice, by_hand
from tests.round_bench import RoundBench

pytestmark = pytest.mark.timeout(240)

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
CIVIL = Actor(subject="civil-an", role=Role.CIVIL_AFFAIRS_OFFICER)
TERMS = cast("RoundPolicy", load_policy(ROUND, PROJECT / "policies", ())).terms
BESIDE = {"urge", "comment", "attach", "replan"}
A, B = str(ENTRY["carrier"]), str(ANOTHER["carrier"])
SIGNED = (
    Step("offer_contract", "committee"),
    Step("sign_contract", "applicant"),
    Step("sign_for_carrier", "partner"),
    Step("confirm_authority", "street_officer"),
)
CHANGED = (
    Step("ask_change", "applicant", ANOTHER),
    Step("accept_carriage", "new_carrier"),
    Step("confirm_authority", "supervisor"),
    Step("release_carriage", "partner"),
    Step("grant_change", "street_officer"),
)


def proposal(**said: Any) -> ProposalState:
    """A proposal that B carries, and A carried before: 50000 were paid to A, and 30000 to B."""
    paid = {"2026-05": [PaidOut(key="by-hand-1", amount_fen=50000)], "2026-06": [PaidOut(key="b-1", amount_fen=30000)]}
    before = [PaidBefore(carrier=A, person="partner-chen", keys=["by-hand-1"])]
    whole = {
        "carrier": B,
        "carrier_person": "partner-lin",
        "paid": paid,
        "paid_before": before,
        "invoices": [],
        "terms": TERMS,
    }
    return ProposalState.model_construct(**{**whole, **said})


def invoice(amount_fen: int, carrier: str | None, *, accepted: bool | None = True) -> Invoice:
    """An invoice, and whose money it shows to be spent."""
    return Invoice(number=1, amount_fen=amount_fen, unit=1, by="x", accepted=accepted, carrier=carrier)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench with the procedures of the town."""
    async with case_bench(tmp_path_factory.mktemp("debtors")) as found:
        yield found


async def test_a_shell_takes_over_no_debt(bench: CaseBench) -> None:
    """A had 50000 and shows 20000, B had 30000 and shows nothing: each is told its own, and each is asked for its own."""
    hall = RoundBench(bench)
    await hall.opened({})
    await hall.judged({})
    case = hall.number(1)
    await bench.until_told(case, "proposal:selected")
    await hall.in_proposal(1, *SIGNED, *REACHED, *by_hand(1), Step("file_invoice", "partner", an_invoice(20000)))
    await hall.told(case, "proposal:unit:held", 4)
    await hall.in_proposal(1, Step("accept_invoice", "committee"), *CHANGED, *REACHED, *by_hand(2))
    await hall.in_proposal(1, Step("halt", "committee"), Step("terminate", "supervisor"))
    assert [(each.amount_fen, hall.proposal(1).owes(each)) for each in hall.proposal(1).money] == [
        (30000, A),
        (30000, B),
    ]
    told = " ".join(bench.tables.told(case))
    assert "participant:partner-chen proposal_to_refund" in told
    assert "participant:partner-lin proposal_to_refund" in told
    await bench.until_ended(case)

    asked = hall.proposal(1).recoveries
    assert [(each.payer, each.payer_person, each.amount_fen) for each in asked] == [
        (A, "partner-chen", 30000),
        (B, "partner-lin", 30000),
    ]
    await hall.told(f"{case}.recovery-2", "recovery:demanded")
    owed = [cast("RecoveryState", bench.state(f"{case}.recovery-{number}")) for number in (1, 2)]
    assert [(each.payer, each.payer_person) for each in owed] == [(A, "partner-chen"), (B, "partner-lin")]
    for each in owed:
        assert {"resident-ma", "juror-1", "partner-chen", "partner-lin"} <= set(each.kept_from)
    assert await bench.faults(case) == []


def test_who_had_no_word_on_the_money_has_none_on_the_debt() -> None:
    """Team, jury and former carriers in whatever office: no line of a recovery that moves, stops or gives up money takes theirs."""
    lines = [rule for rule in RECOVERY.rules if not rule.automatic and rule.command not in BESIDE]
    said: dict[str, Any] = {"kept_from": ("resident-ma",), "entered_by": "clerk-qian"}
    owed = RecoveryState.model_construct(**said)
    before: dict[str, Any] = {"entered_by": "clerk-qian"}

    assert {rule.command for rule in lines} == {
        "repay",
        "confirm_repayment",
        "decline_repayment",
        "propose_write_off",
        "agree_write_off",
        "decline_write_off",
    }
    assert [rule.command for rule in lines if Part.KEPT_FROM_IT not in rule.apart_from] == []
    assert owed.took_part()[Part.KEPT_FROM_IT] == ("resident-ma",)
    assert RecoveryState.model_construct(**before).took_part()[Part.KEPT_FROM_IT] == ()


@pytest.mark.parametrize(
    ("invoices", "owed"),
    [
        ([], (50000, 30000)),
        ([invoice(20000, A)], (30000, 30000)),
        ([invoice(70000, A)], (0, 30000)),
        ([invoice(10000, None)], (50000, 20000)),
        ([invoice(20000, A, accepted=None)], (50000, 30000)),
    ],
    ids=["nothing shown", "some of A's", "more than A had", "of who stands now", "not accepted yet"],
)
def test_what_one_shows_pays_no_debt_of_another(invoices: list[Invoice], owed: tuple[int, int]) -> None:
    """More invoices than it was paid make no other carrier's debt less."""
    state = proposal(invoices=invoices)

    assert (state.unspent_by(A), state.unspent_by(B), state.unspent_fen) == (*owed, sum(owed))


def test_what_came_back_of_one_is_asked_of_the_other_still() -> None:
    """A sum under A's reference is A's."""
    money = [ExpectedMoney(number=1, what_for="not-spent", amount_fen=50000, reference="R1")]
    state = proposal(money=money, refunds=[A], recoveries=[])

    assert (state.owes(money[0]), state.still_owed_by(A), state.still_owed_by(B)) == (A, 50000, 30000)


def test_what_comes_back_from_a_former_carrier_is_paid_to_nobody_else() -> None:
    """It lies with a person, who cannot try it again, nor send it with a change to yet another one."""
    lies = Payment(
        number=3,
        month="2026-05",
        benefit="round-1",
        amount_fen=50000,
        due_since=NOON,
        state=PaymentState.WITH_A_PERSON,
        of_another=True,
    )
    change = ChangeAsked(number=1, by="resident-he", carrier=A, carrier_person="partner-wu")
    state = proposal(payments=[lies], change=change)

    assert state.paid_to_another("by-hand-1") == state.paid_before[0]
    assert (state.paid_to_another("b-1"), state.model_copy(update={"carrier": A}).paid_to_another("by-hand-1")) == (
        None,
        None,
    )
    assert "not paid any more" in str(a_payment_may_be_tried_again(state, CIVIL, NOON))
    assert cast("Choices", RetryPayment.allowed(state)["payment"]).values == ()
    assert (state.goes_to_a_new_carrier(), nothing_is_on_its_way(state, CIVIL, NOON)) == ([], None)
    assert state.waiting_payments() == [lies]


def test_what_came_back_of_a_former_carrier_holds_nobody_up() -> None:
    """The new one claims its milestone and hands in the account; the proposal is not closed over it."""
    own = Payment(number=4, month="2026-06", benefit="round-2", amount_fen=30000, due_since=NOON)
    of_another = own.model_copy(update={"number": 3, "of_another": True, "state": PaymentState.WITH_A_PERSON})
    conditions = {rule.command: rule.conditions for rule in PROPOSAL.rules}
    state = proposal(payments=[of_another])

    assert own_payments_are_settled(state, CIVIL, NOON) is None
    assert own_payments_are_settled(proposal(payments=[of_another, own]), CIVIL, NOON) is not None
    for command in ("claim_milestone", "account"):
        assert own_payments_are_settled in conditions[command]
    assert any(condition(state, CIVIL, NOON) for condition in conditions["settle_account"])


def test_an_invoice_names_a_carrier_that_there_was() -> None:
    """The one that stands now, or one that was paid before, and nobody else; after a change nobody leaves it out."""
    paper = {"reference": "document:" + "0" * 26, "sha256": "0" * 64, "size_bytes": 1, "media_type": "image/png"}
    body = {"invoice": "text:" + "0" * 26, "amount_fen": 100, "document": paper}
    filed = [FileInvoice.model_validate({**body, **whose}) for whose in ({}, {"of_carrier": B})]
    assert [[each.field for each in command.faults(proposal())] for command in filed] == [["of_carrier"], []]
    assert filed[0].faults(proposal(paid_before=[])) == ()
    assert cast("Choices", FileInvoice.allowed(proposal())["of_carrier"]).values == (A, B)
