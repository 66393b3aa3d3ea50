"""Payments through a bank that is really asked: each month once, whatever happens; what was paid too much comes back."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from audit.replay.replay import runs_of
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.clocks.months import next_month
from schemas.contracts.payment import month_of
from tests.api_driver import Audited, Step, token_of
from tests.examples.welfare import ACCEPT, AID, CONFIRM, REASON, REVIEW, application
from tests.paying_town import PayingTown, paying_town
from tests.waiting import eventually

OpenTown = Callable[..., AbstractAsyncContextManager[PayingTown]]

A_MONTH_A_SECOND = 30 * 86_400


@pytest.fixture
def open_town(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path: Path) -> OpenTown:
    """`async with open_town(speed=…, bank="timeout") as town`."""

    def opened(speed: int = A_MONTH_A_SECOND, **other: Any) -> AbstractAsyncContextManager[PayingTown]:
        # Nobody reassesses anybody here, unless that is what the test is about.
        other = {"reassess": "3650 natural_days", **other}
        return paying_town(settings, keys, temporal, pool, tmp_path, token=token_of(keys), speed=speed, **other)

    return opened


async def stage_is(town: PayingTown, case_id: str, stage: str) -> None:
    async def there() -> bool:
        return bool((await town.door.case(case_id))["stage"] == stage)

    await eventually(there)


async def granted(town: PayingTown, body: dict[str, Any]) -> str:
    """An application on which the sources have answered and everybody has agreed."""
    case_id = await town.door.start(body=body)
    await town.door.go(case_id, [ACCEPT])
    await stage_is(town, case_id, "surveyed")
    await town.door.go(case_id, [REVIEW, CONFIRM])
    return case_id


async def has_paid(town: PayingTown, case_id: str, months: int) -> list[str]:
    """Wait until so many months are in the books."""

    async def enough() -> bool:
        return len(await town.paid_months(case_id)) >= months

    await eventually(enough, within=60)
    return await town.paid_months(case_id)


def born(day: str) -> dict[str, Any]:
    """Somebody of a test's own, so that no other test pays them the same month."""
    return application("old-age-allowance", day)


async def test_a_death_in_month_seven_is_told_after_twelve_payments(
    open_town: OpenTown, temporal: Client, audited: Audited
) -> None:
    """Twelve months are paid, each once, over many runs; the five after the death come back as a recovery."""
    async with open_town() as town:
        case_id = await granted(town, born("19410101"))
        months = await has_paid(town, case_id, 12)
        death = Step("report_change", "grid_worker", {"change": "death", "since": months[6]})
        await town.door.go(case_id, [death, Step("confirm_end", "civil")])
        await stage_is(town, case_id, "ended")

        async def opened() -> bool:
            return bool((await town.snapshot(case_id))["recoveries"])

        await eventually(opened)
        state = await town.snapshot(case_id)
        paid = Counter(await town.outside.paid_entitlements())
        await temporal.get_workflow_handle(case_id).result()  # it stands at its last stage a moment before it has ended
        findings = await audited(case_id)
        runs = await runs_of(temporal, case_id)

    asked_back = Counter[str]()
    for recovery in state["recoveries"]:  # a payment that was on its way when the death was told is a second one
        asked_back.update(recovery["months"])

    assert months == [months[0], *(next_month(month) for month in months[:-1])]
    assert set(paid.values()) == {1}
    assert sorted(asked_back) == [month for month in sorted(state["paid"]) if month > months[6]]
    assert set(asked_back.values()) == {5000}
    assert sum(recovery["amount_fen"] for recovery in state["recoveries"]) == 5000 * len(asked_back) >= 25000
    assert len(runs) > 2  # where the town is quick, one for each month; where it is late, months are paid together
    assert [finding.detail for finding in findings if not finding.ok] == []


@pytest.mark.parametrize("bank", ["timeout", "flaky", "partial"])
async def test_a_bank_that_loses_its_answer_has_paid_once(open_town: OpenTown, bank: str) -> None:
    """The money moved and nobody heard of it: asked again under the same key, every month is paid once."""
    async with open_town(bank=bank) as town:
        case_id = await granted(town, born(f"1942010{len(bank) % 9 + 1}"))
        months = await has_paid(town, case_id, 2)
        moved = Counter(await town.outside.paid_entitlements())

    assert set(moved.values()) == {1}
    assert {month_of(key) for key in moved} >= set(months)


async def test_one_person_with_two_cases_is_paid_once(open_town: OpenTown) -> None:
    """The key is person, benefit and month, whatever case asks: the bank moves the money for one of them."""
    async with open_town() as town:
        first, second = await granted(town, born("19430101")), await granted(town, born("19430101"))

        async def both_have_paid() -> bool:  # the second begins as many months later as it took to grant it
            return len(set(await town.paid_months(first)) & set(await town.paid_months(second))) >= 2

        await eventually(both_have_paid)
        moved = Counter(await town.outside.paid_entitlements())

    assert set(moved.values()) == {1}


async def test_a_refused_payment_is_tried_again_and_then_a_persons(open_town: OpenTown) -> None:
    """The bank refuses: three attempts, each under a key of its own, then civil affairs; settled in cash, the month is paid."""
    async with open_town(bank="refusing") as town:
        case_id = await granted(town, born("19440101"))

        async def waits() -> bool:
            return any(each["state"] == "with_a_person" for each in (await town.snapshot(case_id))["payments"])

        await eventually(waits)
        failed = [entry["facts"]["key"] for entry in await entries(town, case_id, "welfare:payment:failed")]
        failed = [key for key in failed if month_of(key) == month_of(failed[0])]  # the next month may fail meanwhile
        settle = Step("settle_payment", "civil", {"how": "paid_otherwise", "reason": "已以现金发放"})
        await town.door.go(case_id, [settle])
        alone = await town.door.give(case_id, Step("confirm_settlement", "civil"))
        unpaid = await town.paid_months(case_id)
        await town.door.go(case_id, [Step("confirm_settlement", "second_civil")])
        paid = await town.paid_months(case_id)

    month = month_of(failed[0])
    assert [key.rpartition(month)[2] for key in failed] == ["", ".2", ".3"]
    assert (alone.status_code, month in unpaid, month in paid) == (409, False, True)


async def entries(town: PayingTown, case_id: str, kind: str) -> list[dict[str, Any]]:
    answer = await town.door.api.get(
        f"/api/v1/cases/{case_id}/timeline", headers=town.door.headers("auditor"), params={"limit": 200}
    )
    return [entry for entry in answer.json()["items"] if entry["kind"] == kind]


async def test_a_payment_that_came_back_is_taken_out_of_the_books_and_made_anew(open_town: OpenTown) -> None:
    """银行退回: told twice, it counts once; the month is paid again by another attempt."""
    async with open_town() as town:
        case_id = await granted(town, born("19450101"))
        await has_paid(town, case_id, 1)
        (paid, *_) = await entries(town, case_id, "welfare:payment:paid")
        facts = paid["facts"]
        notice = {
            "notice_id": "N1", "act": "returned", "payment_key": facts["key"], "case_id": case_id,
            "amount_fen": facts["amount_fen"], "bank_reference": facts["bank_reference"], "code": "account-closed",
            "as_of": paid["at"],
        }  # fmt: skip

        async def taken() -> bool:  # 202 while the case has not got it
            answer = await town.notify(notice)
            assert answer.status_code in (200, 202), answer.text
            return answer.status_code == 200

        for _ in range(2):
            await eventually(taken)

        async def again() -> bool:
            keys = [entry["facts"]["key"] for entry in await entries(town, case_id, "welfare:payment:paid")]
            return f"{facts['key']}.2" in keys

        # The simulated bank knows nothing of the return: it answers that the first attempt was paid.
        async def looked_at() -> bool:
            failed = [entry["facts"]["key"] for entry in await entries(town, case_id, "welfare:payment:failed")]
            return await again() or f"{facts['key']}.2" in failed

        await eventually(looked_at)
        returned = await entries(town, case_id, "welfare:payment:returned")

    assert len(returned) == 1
    assert returned[0]["facts"]["known"]


async def test_urgent_aid_is_paid_first_and_comes_back_when_it_was_not_due(open_town: OpenTown) -> None:
    """先行救助: paid at acceptance; found not to qualify, refused and not appealed against, it becomes a recovery."""
    async with open_town(speed=20 * 86_400) as town:
        case_id = await town.door.start(body=AID | {"applicant": born("19460101")["applicant"]})
        await town.door.go(case_id, [ACCEPT])
        await has_paid(town, case_id, 1)
        first = await town.outside.movements("temporary-aid")
        await town.door.go(case_id, [Step("withdraw_application", "applicant", REASON)])
        (asked,) = await entries(town, case_id, "welfare:recovery:asked")

    assert [each["amount_fen"] for each in first] == [50000]
    assert (asked["facts"]["amount_fen"], asked["facts"]["cause"]) == (50000, "advance")


async def test_a_move_that_is_told_late_ends_it_and_asks_back_what_was_paid_since(open_town: OpenTown) -> None:
    """The month of the move is the last that is due: every later one comes back."""
    async with open_town() as town:
        case_id = await granted(town, born("19400102"))
        months = await has_paid(town, case_id, 3)
        await town.door.go(case_id, [Step("report_change", "clerk", {"change": "move", "since": months[0]})])
        await town.door.go(case_id, [Step("confirm_end", "street_officer")])
        await stage_is(town, case_id, "ended")
        (asked, *_) = await entries(town, case_id, "welfare:recovery:asked")

    assert set(asked["facts"]["months"]) >= set(months[1:])


async def test_an_overdue_reassessment_rests_the_payment_and_is_made_good(open_town: OpenTown) -> None:
    """逾期未复核: months are left out, not lost: reassessed, the household gets them, each once."""
    async with open_town(reassess="45 natural_days") as town:
        case_id = await granted(town, born("19390101"))
        await stage_is(town, case_id, "payment_suspended")

        async def left_out() -> bool:
            return bool((await town.snapshot(case_id))["skipped"])

        await eventually(left_out)
        skipped = (await town.snapshot(case_id))["skipped"]
        await town.door.go(case_id, [Step("reassess", "street_officer")])

        async def made_good() -> bool:
            return set(skipped) <= set(await town.paid_months(case_id))

        await eventually(made_good)
        moved = Counter(await town.outside.paid_entitlements())

    assert skipped
    assert set(moved.values()) == {1}
