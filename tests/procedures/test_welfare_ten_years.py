"""Ten years of an entitlement: a hundred and twenty months, each paid once, each in a run of its own, none forgotten."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from audit.replay.replay import runs_of
from engine.keys.keys import Keys
from engine.policies.office_hours import load_town_calendar
from engine.runtime.settings import Settings
from schemas.clocks.months import next_month
from schemas.contracts.payment import month_of
from schemas.welfare import WELFARE
from schemas.welfare_rules import pay_time
from tests.api_driver import ApiDriver, Audited, Step, token_of
from tests.examples.welfare import ACCEPT, CONFIRM, REVIEW, application
from tests.paying_town import outside, paying_town
from tests.skipping_town import SkippingTown, skipping_town
from tests.waiting import eventually

YEARS = 10
MONTHS = 12 * YEARS
REASSESS = Step("reassess", "street_officer")
MOVED = Step("report_change", "clerk", {"change": "move", "since": "2036-11"})


def months_from(first: str, count: int) -> list[str]:
    """So many months, one after the other."""
    months = [first]
    while len(months) < count:
        months.append(next_month(months[-1]))
    return months


async def until(town: SkippingTown, moment: str) -> None:
    """Skip to a moment; the door that is opened there is that of welfare again."""
    await town.until(moment)
    town.door.procedure = WELFARE


async def surveyed(door: ApiDriver, case_id: str) -> None:
    """Wait until the sources have answered."""

    async def there() -> bool:
        return bool((await door.case(case_id))["stage"] == "surveyed")

    await eventually(there, within=30)


async def ledger(pool: asyncpg.Pool, case_id: str, kind: str) -> list[dict[str, Any]]:
    """The entries of a kind, straight from the ledger: there are more than a page holds."""
    rows = await pool.fetch("select body from chain_of($1) where kind = $2 order by seq", case_id, kind)
    return [json.loads(row["body"]) for row in rows]


@pytest.mark.timeout(300)
async def test_ten_years_on_the_time_skipping_server(settings: Settings, keys: Keys, tmp_path: Path) -> None:
    """From December 2026 on: 120 payments on the very pay days, 120 runs, more from the month of the ninetieth birthday on.

    Somebody reassesses the household once a year; then it moves away.
    """
    async with (
        outside(settings, tmp_path, speed=1) as around,
        skipping_town(around.settings, keys, "2026-11-02 09:00") as town,
    ):
        town.door.procedure = WELFARE
        case_id = await town.door.start(body=application("old-age-allowance", "19400615"))
        await town.door.go(case_id, [ACCEPT])
        await surveyed(town.door, case_id)
        await town.door.go(case_id, [REVIEW, CONFIRM])
        for year in range(YEARS):
            await until(town, f"{2027 + year}-10-{28 - year} 10:00")  # each time before 365 days are over
            await town.door.go(case_id, [REASSESS])
        await until(town, "2036-11-20 10:00")
        await town.door.go(case_id, [MOVED, Step("confirm_end", "civil")])
        paid = await ledger(town.pool, case_id, "welfare:payment:paid")
        runs = await runs_of(town.client, case_id)
        moved = Counter(await around.paid_entitlements())

    calendar = load_town_calendar(settings.policies)
    months = months_from("2026-12", MONTHS)
    by_month = {entry["facts"]["month"]: entry for entry in paid}
    print(f"ten years: {len(runs)} runs, {sum(len(run.events) for run in runs)} events, {len(paid)} payments")  # noqa: T201

    assert [entry["facts"]["month"] for entry in paid] == months
    assert sorted(month_of(key) for key in moved) == months
    assert set(moved.values()) == {1}
    assert len(runs) >= MONTHS
    for month, entry in by_month.items():
        assert datetime.fromisoformat(entry["at"]).date() == pay_time(month, 5, 10, calendar).date(), month
        assert entry["facts"]["amount_fen"] == (5000 if month < "2030-06" else 10000), month


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_ten_years_in_town_time_on_the_real_server(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path: Path, audited: Audited
) -> None:
    """Nearly four months a second on the server of production: 120 months, each paid once, and every run replays.

    The next month comes before the bank has answered for the last; runs then hold several months, and stay short.
    """
    async with paying_town(
        settings,
        keys,
        temporal,
        pool,
        tmp_path,
        token=token_of(keys),
        speed=115 * 86_400,
        reassess="36500 natural_days",
    ) as town:
        case_id = await town.door.start(body=application("old-age-allowance", "19380615"))
        await town.door.go(case_id, [ACCEPT])
        await surveyed(town.door, case_id)
        await town.door.go(case_id, [REVIEW, CONFIRM])

        async def enough() -> bool:
            return len(await town.paid_months(case_id)) >= MONTHS

        await eventually(enough, within=350)
        await town.door.go(case_id, [Step("end_entitlement", "civil")])
        months = await town.paid_months(case_id)
        moved = Counter(await town.outside.paid_entitlements())
        runs = await runs_of(temporal, case_id)
        findings = await audited(case_id)

    print(f"ten years: {len(runs)} runs, {sum(len(run.events) for run in runs)} events, {len(months)} payments")  # noqa: T201
    assert months == months_from(months[0], len(months))
    assert set(moved.values()) == {1}
    assert max(len(run.events) for run in runs) < settings.history_limit
    assert len(runs) > YEARS
    assert [finding.detail for finding in findings if not finding.ok] == []
