"""Several archivers of one town: they share the runs and the duties, and what one was at when it died another does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from audit.archive.archiver import LEASED_AT_ONCE, Archiver
from audit.archive.archiving import archive_once
from audit.archive.duties import Duty
from audit.archive.passes import Pass, Run, runs_told_of
from audit.archive.run_leases import RunLeases
from audit.verify.verify import verify_archive
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.incident import INCIDENT
from tests.api_callers import OwnTown
from tests.api_driver import OpenDoor
from tests.audit.test_archiver_killed import archiver_process, close_cases
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.usefixtures("worker")

DAY = timedelta(days=1)
CLOSED = datetime(2026, 11, 21, tzinfo=UTC)


class CountingStore(ArchiveStore):
    """The archive in the table, and what one archiver puts there, which is where the work is."""

    def __init__(self) -> None:
        super().__init__(None)
        self.put: list[str] = []

    async def keep(self, connection: Any, row: dict[str, Any], history: bytes) -> bool:
        self.put.append(row["case_id"])
        return await super().keep(connection, row, history)


async def closed_ones(door: OpenDoor, temporal: Client, number: int) -> list[str]:
    """So many cases that have closed and that Temporal lists so."""
    cases: list[str] = []
    await close_cases(await door(INCIDENT), temporal, number, cases)

    async def listed() -> bool:
        return {
            run.id async for run in temporal.list_workflows('ExecutionStatus != "Running"') if run.id in cases
        } == set(cases)

    await eventually(listed)
    return cases


async def test_two_archivers_share_the_runs_and_store_none_twice(
    door: OpenDoor, temporal: Client, pool: asyncpg.Pool, keys: Keys
) -> None:
    """At the same list at the same time each stores what the other is not at; in pages of three nothing is passed over."""
    cases = await closed_ones(door, temporal, LEASED_AT_ONCE + 5)
    told = [[run.case_id for run in page] async for page in runs_told_of(pool, 3)]
    stores = CountingStore(), CountingStore()
    await asyncio.gather(*(Archiver(temporal, pool, keys, each, page=3).one_pass(full=True) for each in stores))
    # Who met the other at its work has left it, and nothing is left for whoever comes afterwards.
    last = CountingStore()
    await Archiver(temporal, pool, keys, last, page=3).one_pass(full=True)

    put = [case_id for store in stores for case_id in store.put if case_id in cases]
    assert sorted(put) == sorted(cases)
    assert set(cases) <= {case_id for page in told for case_id in page}
    assert all(set(store.put) & set(cases) for store in stores)
    assert not set(last.put) & set(cases)
    held = "select count(*) from archive_leases join archive using (run_id) where case_id = any($1::text[])"
    assert await pool.fetchval(held, cases) == 0  # one that was killed leaves its own, which run out


async def test_whoever_is_asked_to_store_all_stores_what_another_is_at(
    door: OpenDoor, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings
) -> None:
    """`jiceng archiver --once` beside one that runs, or was just killed: all is there when it ends, and nobody's lease is gone."""
    (case_id,) = await closed_ones(door, temporal, 1)
    run_id = (await temporal.get_workflow_handle(case_id).describe()).run_id
    assert run_id is not None
    other = RunLeases(pool)
    assert await other.take([run_id]) == ({run_id}, set())
    left = CountingStore()
    await Archiver(temporal, pool, keys, left).one_pass(full=True)
    await archive_once(settings, keys, pool)

    assert case_id not in left.put
    assert await other.not_stored([run_id]) == set()
    assert await pool.fetchval("select leased_until > clock_timestamp() from archive_leases where run_id = $1", run_id)
    await other.release([run_id])


@asynccontextmanager
async def nothing_can_be_stored(pool: asyncpg.Pool) -> AsyncIterator[None]:
    """Whoever stores a run waits, with the runs it has leased."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("lock table archive in share mode")
        yield


@pytest.mark.timeout(200)
async def test_what_a_killed_archiver_was_storing_another_stores(
    door: OpenDoor, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings
) -> None:
    """Killed with -9 over a handful of leased runs, it leaves them to the other, which has them when the leases have run out."""
    cases = await closed_ones(door, temporal, 6)
    runs = {(await temporal.get_workflow_handle(case_id).describe()).run_id for case_id in cases}

    async def at_it() -> bool:
        return runs <= {row["run_id"] for row in await pool.fetch("select run_id from archive_leases")}

    async with nothing_can_be_stored(pool):
        async with archiver_process(settings):
            await eventually(at_it, within=60)
        left = {row["run_id"] for row in await pool.fetch("select run_id from archive_leases")}

    async def all_there() -> bool:
        stored = await pool.fetch("select run_id from archive where closed_at is not null")
        return runs <= {row["run_id"] for row in stored}

    async with archiver_process(settings), archiver_process(settings):
        await eventually(all_there, within=90)
    archived = [each async for each in verify_archive(pool, keys, ArchiveStore(None), cases)]

    assert runs <= left
    assert [each for each in archived if not each.ok] == []
    assert await pool.fetchval("select count(*) from archive where case_id = any($1)", cases) == len(cases)


async def test_what_another_is_at_keeps_the_next_pass_from_beginning_later() -> None:
    """The other one may be killed over it, so it is looked at once more; what the ledger alone names has no time."""
    first, second = Run("incident-1", "a", CLOSED), Run("incident-2", "b", CLOSED + DAY)
    done = Pass()
    done.saw([second, first])
    before = done.seen_until()
    done.leave_to_another(second)
    done.leave_to_another(first)
    complete = done.complete
    done.leave_to_another(Run("incident-3", "c"))

    assert (before, done.seen_until()) == (CLOSED + DAY, CLOSED)
    assert (complete, done.complete, done.held) == (True, False, 3)


async def test_a_lease_of_a_run_is_its_holders(own_town: OwnTown) -> None:
    """Lengthened while it stores, however long; taken over once it has run out, and then not given back by who had it."""
    one, other = RunLeases(own_town.pool, lease=timedelta(seconds=1.5)), RunLeases(own_town.pool)
    until = "select leased_until from archive_leases where run_id = 'run'"
    assert await one.take(["run"]) == ({"run"}, set())
    first = await own_town.pool.fetchval(until)

    async def past_the_first() -> bool:
        return bool(await own_town.pool.fetchval("select clock_timestamp() > $1::timestamptz", first))

    async with one.at(["run"]):
        await eventually(past_the_first)
        assert await other.take(["run"]) == (set(), {"run"})
        # As if it had stood still for longer than that.
        await own_town.pool.execute("update archive_leases set leased_until = clock_timestamp(), holder = 'another'")
    assert await other.take(["run"]) == ({"run"}, set())
    await one.release(["run"])
    assert await one.take(["run"]) == (set(), {"run"})


async def test_a_duty_is_one_archivers_and_then_not_due(own_town: OwnTown) -> None:
    """While one is at it nobody else is; done, it is nobody's until it is due again."""
    one, other = Duty(own_town.pool, "seal", DAY), Duty(own_town.pool, "seal", DAY)
    async with one.turn() as ours, other.turn() as theirs:
        at_once = (ours, theirs)
    async with other.turn() as again:
        pass
    await own_town.pool.execute("update duties set due_at = due_at - $1::interval", DAY)
    async with other.turn() as later:
        pass

    assert at_once == (True, False)
    assert (again, later) == (False, True)


async def test_a_duty_that_came_to_nothing_is_anybodys_at_once(own_town: OwnTown) -> None:
    """Whoever fails at it gives it back."""
    one, other = Duty(own_town.pool, "seal", DAY), Duty(own_town.pool, "seal", DAY)
    with pytest.raises(OSError, match="away"):
        async with one.turn():
            raise OSError("away")
    async with other.turn() as theirs:
        assert theirs


async def test_a_duty_of_one_that_died_is_anothers_when_its_lease_has_run_out(own_town: OwnTown) -> None:
    """Who died over it holds it no longer than that; and who comes back late ends nothing that is another's by then."""
    one, other, third = (Duty(own_town.pool, "seal", DAY) for _ in range(3))
    async with one.turn() as first:
        await own_town.pool.execute("update duties set leased_until = clock_timestamp()")
        turn = other.turn()
        second = await turn.__aenter__()
        # `one` ends here, as a machine does that stood still.
    async with third.turn() as meanwhile:
        pass
    await turn.__aexit__(None, None, None)

    assert (first, second, meanwhile) == (True, True, False)
    assert await own_town.pool.fetchval("select due_at > clock_timestamp() + interval '23 hours' from duties")


async def test_the_schedule_of_a_duty_does_not_drift_and_skips_what_is_past(own_town: OwnTown) -> None:
    """Done late, it is due when it would have been; missed for days, it is done once. The first time comes after an interval."""
    duty = Duty(own_town.pool, "seal", DAY, first_after=DAY)
    async with duty.turn() as at_first:
        pass
    dues = []
    for late in (timedelta(hours=1), 5 * DAY):
        await own_town.pool.execute("update duties set due_at = clock_timestamp() - $1::interval", late)
        async with duty.turn() as due:
            assert due
        dues.append(await own_town.pool.fetchval("select due_at - clock_timestamp() from duties"))

    assert not at_first
    assert timedelta(hours=22, minutes=59) < dues[0] < timedelta(hours=23)
    assert timedelta(hours=23, minutes=59) < dues[1] <= DAY
