"""One occasion per payment, and books that cover everything: what went out, what came back, what nobody has decided about."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.contracts.payment import (
    PayReceipt,
    PayStatus,
    ReceiptLine,
    StatementLine,
    entitlement_of,
    is_payment_key,
    month_of,
    payment_key,
)
from schemas.contracts.reconciliation import (
    DEMANDED_KIND,
    REPAID_PART_KIND,
    WRITTEN_OFF_KIND,
    DifferenceKind,
    OurPayment,
    Reconciliation,
    RecoveryEntry,
    reconcile,
    with_recoveries,
)
from schemas.recovery import RECOVERY
from tests.api_driver import ApiDriver, Audited, Step, token_of
from tests.examples.welfare import ACCEPT, AID, REASON, identity_number
from tests.paying_town import BANK, PayingTown, paying_town
from tests.waiting import eventually

OpenTown = Callable[..., AbstractAsyncContextManager[PayingTown]]
ADVANCE_FEN = 50_000
WITHDRAW = Step("withdraw_application", "applicant", REASON)


@pytest.fixture
def open_town(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path: Path) -> OpenTown:
    """`async with open_town(speed=…, bank_away=True) as town`: at real speed, so that a month is a month."""

    def opened(speed: int = 1, **other: Any) -> AbstractAsyncContextManager[PayingTown]:
        return paying_town(settings, keys, temporal, pool, tmp_path, token=token_of(keys), speed=speed, **other)

    return opened


def needy(order: int) -> dict[str, Any]:
    """An application for urgent aid of somebody whom no other test pays."""
    return AID | {"applicant": {"name": "何秀英", "identity_number": identity_number("19790202", order)}}


async def entries(town: PayingTown, case_id: str, kind: str) -> list[dict[str, Any]]:
    """What the ledger says of this kind."""
    answer = await town.door.api.get(
        f"/api/v1/cases/{case_id}/timeline", headers=town.door.headers("auditor"), params={"limit": 200}
    )
    return [entry["facts"] for entry in answer.json()["items"] if entry["kind"] == kind] if answer.is_success else []


async def facts(town: PayingTown, case_id: str, kind: str) -> dict[str, Any]:
    """The first entry of this kind, once it stands there."""

    async def stands() -> bool:
        return bool(await entries(town, case_id, kind))

    await eventually(stands, within=60)
    return (await entries(town, case_id, kind))[0]


async def paid_first(town: PayingTown, order: int) -> tuple[str, str]:
    """A case whose advance is in the books, and the key of it."""
    case_id = await town.door.start(body=needy(order))
    await town.door.go(case_id, [ACCEPT])
    return case_id, str((await facts(town, case_id, "welfare:payment:paid"))["key"])


async def reconciled(town: PayingTown, month: str) -> dict[str, Any]:
    """What an auditor is told of a month."""
    answer = await town.door.api.get(f"/api/v1/reconciliations/{month}", headers=town.door.headers("auditor"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def paid_in(town: PayingTown, receipt: str, amount_fen: int) -> None:
    """Somebody pays in at the bank's counter."""
    async with httpx.AsyncClient(trust_env=False) as client:
        sent = {"receipt": receipt, "amount_fen": amount_fen, "at": datetime.now(UTC).isoformat()}
        answer = await client.post(f"{town.outside.bank_url}/{BANK}/receipts", json=sent)
    assert answer.status_code == 201, answer.text


def about(found: dict[str, Any], *case_ids: str) -> dict[str, list[str]]:
    """The kinds of differences that name one of these cases, by what they are about."""
    return {
        each["entitlement"]: each["kinds"] for each in found["differences"] if set(case_ids) & set(each["case_ids"])
    }


# ---- one occasion per payment -----------------------------------------------------------------------------------------


async def test_urgent_aid_again_in_the_same_month_is_money_again(open_town: OpenTown) -> None:
    """A second emergency of one person in a month, the first aid given back: its own key, its own movement, booked once each."""
    async with open_town() as town:
        first, one = await paid_first(town, 1)
        await town.door.go(first, [WITHDRAW])
        recovery = f"{first}.recovery-1"
        await facts(town, recovery, "recovery:demanded")
        await paid_in(town, "CZ-BACK-1", ADVANCE_FEN)
        repaid = Step("repay", "clerk", {"amount_fen": ADVANCE_FEN, "receipt": "CZ-BACK-1"})
        desk = ApiDriver(town.door.api, town.door.token, RECOVERY)
        await desk.go(recovery, [repaid, Step("confirm_repayment", "civil", {"repayment": 1})])
        second, other = await paid_first(town, 1)
        moved = [each["payment_key"] for each in await town.outside.movements("temporary-aid")]
        month = month_of(one)
        found = await reconciled(town, month)

    assert moved == [one, other]
    assert entitlement_of(one) != entitlement_of(other)
    assert (one.endswith(f".{first}"), other.endswith(f".{second}")) == (True, True)
    assert about(found, first, second) == {}


async def test_what_the_bank_says_of_another_payment_is_not_taken_for_this_one(
    open_town: OpenTown, temporal: Client, audited: Audited
) -> None:
    """A receipt for somebody else's money: not booked, its key nowhere in the books; nobody knows of this money yet."""
    async with open_town(bank_away=True) as town:
        case_id = await town.door.start(body=needy(2))
        await town.door.go(case_id, [ACCEPT])
        handle = temporal.get_workflow_handle(case_id)

        async def asked() -> str:
            pending = (await handle.describe()).raw_description.pending_activities
            return next((each.activity_id for each in pending if each.activity_type.name == "pay"), "")

        async def waits() -> bool:
            return bool(await asked())

        await eventually(waits)
        foreign = payment_key(f"person:{'Z':0>26}", "temporary-aid", "2026-11")
        run_id = (await handle.describe()).run_id
        by_id = temporal.get_async_activity_handle(workflow_id=case_id, run_id=run_id, activity_id=await asked())
        await by_id.complete(PayReceipt(payment_key=foreign, status=PayStatus.PAID, bank_reference="B1"))
        failed = await facts(town, case_id, "welfare:payment:failed")

        assert (failed["status"], failed["code"]) == ("unreachable", "unreachable")
        assert foreign not in str(await town.snapshot(case_id))
        assert await entries(town, case_id, "welfare:payment:paid") == []
        assert (await town.snapshot(case_id))["payments"][0]["uncertain"] is True
        await town.door.go(case_id, [WITHDRAW])
    told = [finding.detail for finding in await audited(case_id) if not finding.ok]
    assert all("answer-copied" in detail for detail in told), (
        told
    )  # what was not the bank's word is named, and nothing else


# ---- what comes back --------------------------------------------------------------------------------------------------


async def test_a_repayment_that_the_bank_does_not_know_is_a_difference(open_town: OpenTown) -> None:
    """Paid first, withdrawn, and "paid back" with an invented receipt: the month says so; with the money it is even."""
    async with open_town() as town:
        cases = []
        for order, receipt in ((3, "CZ-INVENTED-3"), (4, "CZ-REAL-4")):
            case_id, key = await paid_first(town, order)
            await town.door.go(case_id, [WITHDRAW])
            recovery = f"{case_id}.recovery-1"
            desk = ApiDriver(town.door.api, town.door.token, RECOVERY)
            await facts(town, recovery, "recovery:demanded")
            if "REAL" in receipt:
                await paid_in(town, receipt, ADVANCE_FEN)
            repaid = Step("repay", "clerk", {"amount_fen": ADVANCE_FEN, "receipt": receipt})
            await desk.go(recovery, [repaid, Step("confirm_repayment", "civil", {"repayment": 1})])
            cases.append(recovery)
        await paid_in(town, "CZ-NOBODYS-5", 100)
        found = await reconciled(town, month_of(key))

    assert found["even"] is False
    assert about(found, *cases) == {"CZ-INVENTED-3": ["repayment_not_proved"]}
    unknown = [each["kinds"] for each in found["differences"] if each["entitlement"] == "CZ-NOBODYS-5"]
    assert unknown == [["repayment_unknown_to_us"]]
    mine = {each["receipt"]: (each["proved"], each["by"]) for each in found["repayments"] if each["case_id"] in cases}
    assert mine == {
        "CZ-INVENTED-3": (False, "civil_affairs_officer"),
        "CZ-REAL-4": (True, "civil_affairs_officer"),
    }
    assert found["recoveries"]["not_proved_fen"] >= ADVANCE_FEN
    assert found["recoveries"]["asked_fen"] >= 2 * ADVANCE_FEN


async def test_an_advance_that_nobody_decides_about_is_a_difference_once_its_limit_has_passed(
    open_town: OpenTown,
) -> None:
    """Urgent aid that was paid and never looked at shows in the month for which it was paid, and no sooner than it is late."""
    async with open_town(speed=86_400) as town:
        case_id, key = await paid_first(town, 6)
        month = month_of(key)
        early = await reconciled(town, month)

        async def late() -> bool:
            clocks = (await town.door.case(case_id))["clocks"]
            return any(clock["name"] == "whole" and clock["breached"] for clock in clocks)

        assert about(early, case_id) == {}
        await eventually(late, within=120)
        found = await reconciled(town, month)

    assert about(found, case_id) == {entitlement_of(key): ["advance_undecided"]}


# ---- the rules, without a town ----------------------------------------------------------------------------------------

PERSON = f"person:{'A':0>26}"
CASE = "welfare-20261128-000001"
AT = datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_the_key_of_what_is_paid_once_has_its_own_occasion() -> None:
    """Two occasions are two entitlements, two attempts of one are one; a monthly key is what it was."""
    cases = (CASE, f"{CASE[:-1]}2")
    keys = [payment_key(PERSON, "temporary-aid", "2026-11", attempt, case) for case in cases for attempt in (1, 2)]

    assert all(is_payment_key(key) for key in keys)
    assert {month_of(key) for key in keys} == {"2026-11"}
    assert len({entitlement_of(key) for key in keys}) == 2
    assert entitlement_of(keys[1]) == keys[0]
    assert payment_key(PERSON, "old-age-allowance", "2026-11", 2) == f"{'A':0>26}.old-age-allowance.2026-11.2"


def test_two_cases_that_have_booked_one_payment_are_a_difference() -> None:
    """However they came by it: the money moved once, so it stands in one case's books."""
    key = payment_key(PERSON, "old-age-allowance", "2026-11")
    ours = [OurPayment(case_id=f"{CASE[:-1]}{n}", payment_key=key, amount_fen=5000) for n in (1, 2)]
    line = StatementLine(payment_key=key, amount_fen=5000, status=PayStatus.PAID, bank_reference="B1", at=AT)
    (difference,) = reconcile("2026-11", ours, [line]).differences

    assert difference.kinds == (DifferenceKind.BOOKED_TWICE,)
    assert len(difference.case_ids) == 2


def entry(
    kind: str, amount_fen: int, *, month: str = "2026-11", receipt: str | None = None, seq: int = 1
) -> RecoveryEntry:
    return RecoveryEntry(
        case_id=f"{CASE}.recovery-1",
        seq=seq,
        kind=kind,
        month=month,
        amount_fen=amount_fen,
        receipt=receipt,
        by="window_clerk",
    )


def month_with(entries: list[RecoveryEntry], receipts: dict[str, list[ReceiptLine]] | None) -> Reconciliation:
    return with_recoveries(reconcile("2026-11", [], []), entries, receipts, [])


def line(receipt: str, amount_fen: int) -> ReceiptLine:
    return ReceiptLine(receipt=receipt, amount_fen=amount_fen, at=AT)


def test_what_was_asked_back_came_back_and_was_given_up_adds_up() -> None:
    """The three sums are those of the month; a repayment of another month only explains a receipt."""
    entries = [
        entry(DEMANDED_KIND, 900),
        entry(REPAID_PART_KIND, 300, receipt="R1", seq=2),
        entry(REPAID_PART_KIND, 200, receipt="R1", seq=3, month="2026-12"),
        entry(WRITTEN_OFF_KIND, 400, seq=4),
    ]
    found = month_with(entries, {"2026-11": [line("R1", 500)]})

    assert found.even
    said = found.recoveries
    assert (said.asked_fen, said.repaid_fen, said.written_off_fen, said.not_proved_fen) == (900, 300, 400, 0)


@pytest.mark.parametrize(
    ("receipts", "kinds", "proved"),
    [
        ({"2026-11": [line("R1", 300)]}, [], True),
        ({"2026-11": [], "2026-10": [line("R1", 300)]}, [], True),
        ({"2026-11": []}, [DifferenceKind.REPAYMENT_NOT_PROVED], False),
        ({"2026-11": [line("R1", 299)]}, [DifferenceKind.REPAYMENT_DIFFERS], True),
        ({"2026-11": [line("R1", 300), line("R2", 1)]}, [DifferenceKind.REPAYMENT_UNKNOWN_TO_US], True),
        (None, [], None),
    ],
)
def test_a_repayment_stands_against_the_banks_receipts(
    receipts: dict[str, list[ReceiptLine]] | None, kinds: list[DifferenceKind], *, proved: bool | None
) -> None:
    """Known in the month or the one before, or a difference; a bank that says nothing of what comes in proves nothing."""
    found = month_with([entry(REPAID_PART_KIND, 300, receipt="R1")], receipts)

    assert [kind for each in found.differences for kind in each.kinds] == kinds
    assert [each.proved for each in found.repayments] == [proved]
    assert found.recoveries.not_proved_fen == (0 if proved else 300)
