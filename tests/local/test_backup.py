"""`jiceng backup` and `jiceng restore`: a town is copied while people work in it, destroyed, and goes on from the copy."""

import asyncio
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.unfinished_restore import RestoreUnfinished, unfinished
from engine.store.database import open_pool
from local.backup.backup import LISTING, NotBackedUp, back_up, read_listing
from local.backup.restore import forgotten, restore
from local.chaos.chaos import ChaosOptions, come_to_rest
from local.chaos.chaos_count import count
from local.chaos.chaos_incident import Incidents
from local.chaos.chaos_load import Responses
from local.simulation.journals import journals_of
from local.simulation.simulation import token_source, tokens
from local.simulation.townspeople import Persona, officer
from local.town.town import Town, TownOptions, open_town
from starter.client import Refused, TownClient, http_client
from tests.api_callers import OwnTown
from tests.department_town import NOON
from tests.examples.incident import BODIES
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

OUTSIDE = ("departments", "sources", "banks")
SPEED = 3000.0
BEFORE, LOST = range(10), range(10, 13)


def client_for(town: Town, http: httpx.AsyncClient, persona: Persona) -> TownClient:
    """The town as somebody uses it."""
    token_for = tokens(town.settings, Keys.of(town.settings))
    return TownClient(town.settings.api_url, token_source(token_for, persona), http, None)


def load_on(town: Town, http: httpx.AsyncClient) -> Incidents:
    """Residents who report, over and over until they are answered."""
    return Incidents(5, lambda persona, _: client_for(town, http, persona), Responses())


async def say_again(town: Town, http: httpx.AsyncClient, pool: asyncpg.Pool, reports: Iterable[str]) -> None:
    """What departments said and the backup did not have, their officers say at the desk, as docs/operations.md asks."""
    said = [report.split() for report in reports]
    for case_id, command in sorted(said, key=lambda each: (each[0], list(BODIES).index(each[1]))):
        department = await pool.fetchval("select department from cases where case_id = $1", case_id)
        desk = client_for(town, http, officer(department))
        with suppress(Refused):  # a department that says everything twice was quicker
            await desk.command(case_id, command, BODIES[command], f"again-{case_id}-{command}", settle_seconds=60)


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_a_town_restored_from_a_backup_made_under_load_goes_on(tmp_path: Path) -> None:
    """What was accepted before the backup is there, nothing is given to a department twice, and what is lost is named."""
    first, second, copy = tmp_path / "first", tmp_path / "second", tmp_path / "copy"
    async with (
        open_town(TownOptions(data=first, speed=SPEED, demo=True, durable=False)) as town,
        http_client() as http,
    ):
        load = load_on(town, http)
        sending = asyncio.create_task(load.send(BEFORE, 0.3))
        await eventually(lambda: len(load.told.pairs) >= 3)  # and more are on their way
        listing = await back_up(first, copy)
        await sending
        before = dict(load.told.cases)
        await load.send(LOST, 0.0)

        async def a_department_heard_of_them() -> bool:
            lost = {number for key, number in load.told.cases.items() if key not in before}
            return any(order.partition(".")[0] in lost for order in await journals_of(http, town.settings))

        await eventually(a_department_heard_of_them, within=30)
    for name in OUTSIDE:  # the outside world is not lost with us
        if (first / name).exists():
            shutil.move(first / name, tmp_path / name)
    shutil.rmtree(first)

    done = await restore(copy, second)
    for name in OUTSIDE:
        if (tmp_path / name).exists():
            shutil.move(tmp_path / name, second / name)
    async with (
        open_town(TownOptions(data=second, demo=True, durable=False)) as town,
        http_client() as http,
        await open_pool(town.settings, process="tests") as pool,
    ):
        settings, keys = town.settings, Keys.of(town.settings)
        known = {row["case_id"] for row in await pool.fetch("select distinct case_id from intake where kind = 'start'")}
        lost = await forgotten(pool, await journals_of(http, settings))
        await say_again(town, http, pool, lost.reports)
        again = load_on(town, http)
        await again.send([*BEFORE, *LOST], 0.1)
        options = ChaosOptions(rest_seconds=200, to_the_end=False)
        rested = await come_to_rest(pool, http, settings, options)
        journals = {
            order_id: journal
            for order_id, journal in (await journals_of(http, settings)).items()
            if not order_id.startswith(tuple(lost.cases) or ("-",))
        }
        counted = await count(pool, await connect(settings, keys), keys, settings, again.told.pairs, journals)

    kept = {key: number for key, number in before.items() if number in known}
    assert listing.histories_at <= listing.ledger_at
    assert {key: again.told.cases[key] for key in kept} == kept
    assert done.again + done.cases > 0
    assert set(load.told.cases.values()) - known >= set(lost.cases) > set()
    fresh = [number for key, number in again.told.cases.items() if key not in kept]
    # No number of the lost town means a second case.
    assert set(fresh).isdisjoint(load.told.cases.values())
    assert (rested, list(counted.faults())) == (True, [])


def test_a_backup_that_was_changed_is_not_used(tmp_path: Path) -> None:
    """A backup without its listing, or with another file in it, is refused before anything is put in place."""
    with pytest.raises(NotBackedUp):
        read_listing(tmp_path)
    (tmp_path / LISTING).write_text(
        '{"histories_at": "2026-11-22T00:00:00Z", "ledger_at": "2026-11-22T00:00:01Z", "finished_at": '
        '"2026-11-22T00:00:02Z", "speed": "1000", "files": {}}'
    )
    assert read_listing(tmp_path).files == {}
    (tmp_path / "more").write_text("one more")
    with pytest.raises(NotBackedUp, match="more"):
        read_listing(tmp_path)


async def test_whose_child_a_case_is_says_nothing_of_its_procedure(own_town: OwnTown) -> None:
    """What a department reported on a child is looked for as its own procedure calls it, and not as another child's would."""
    insert = (
        "insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks,"
        " snapshot, task_at) values ($1, $2, 'dispatched', '1', '', '{}', $3, false, 1, '', '[]', $4, $3)"
    )
    journal = {"case_id": None, "reports": [{"callback_id": "c-1", "act": "signed", "acknowledged": True}]}
    cases = {"whistle-20261123-000901.water": "summons", "whistle-20261123-000901.visit-1": "incident"}
    for case_id, procedure in cases.items():
        await own_town.pool.execute(insert, case_id, procedure, NOON, {"orders": [{}]})

    lost = await forgotten(own_town.pool, {f"{case_id}.order-1": journal for case_id in cases})

    assert (lost.cases, lost.orders) == ((), ())
    assert lost.reports == ("whistle-20261123-000901.visit-1 sign", "whistle-20261123-000901.water respond")


async def test_a_town_whose_restore_broke_off_is_not_started(tmp_path: Path) -> None:
    """What a kill or a full disk leaves of a restore is no town: `jiceng up` says so before it starts anything."""
    with pytest.raises(OSError, match="killed"), unfinished(tmp_path):
        raise OSError("killed")

    with pytest.raises(RestoreUnfinished, match="Restore again"):
        async with open_town(TownOptions(data=tmp_path, processes=(), durable=False)):
            pass
    assert not (tmp_path / "postgres").exists()
