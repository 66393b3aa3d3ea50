"""The ledger: written once, never turned back, and every alteration found."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.ledger import NOTED_FROM, Ledger
from audit.verify.verify import verify_cases
from schemas.audit.ledger import Batch, BrokenChain, Projection, verify_chain
from schemas.incident import INCIDENT
from schemas.kernel.case import ENGINE, GENESIS, Entry
from schemas.kernel.findings import Finding
from tests.api_callers import OwnTown
from tests.api_driver import ApiDriver, OpenDoor
from tests.tampering import OneConnection, as_owner
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.usefixtures("worker")

UNKNOWN_RUN = "00000000-0000-4000-8000-000000000000"
"""A run that Temporal never had."""


@pytest.fixture
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


async def stands(pool: asyncpg.Pool, case_id: str) -> str:
    """Wait until a case has told the ledger of itself; its id."""

    async def told() -> bool:
        return bool(await pool.fetchval("select count(*) from ledger where case_id = $1", case_id))

    await eventually(told)
    return case_id


async def row_of(pool: asyncpg.Pool, case_id: str) -> asyncpg.Record:
    row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
    assert row is not None
    return row


async def batch_after(pool: asyncpg.Pool, case_id: str, later: timedelta) -> Batch:
    """A batch of one entry that follows the head of a case, from a workflow task so much later than its last."""
    row = await row_of(pool, case_id)
    entry = Entry(
        case_id=case_id, seq=row["seq"] + 1, at=row["opened_at"], actor=ENGINE, kind="tests:entry",
        facts={}, prev_hash=row["head_hash"],
    ).sealed()  # fmt: skip
    fields = {name: row[name] for name in Projection.model_fields}
    projection = Projection(**fields | {"seq": entry.seq, "head_hash": entry.hash})
    return Batch(
        row=projection.model_dump_json(),
        run_id=UNKNOWN_RUN,
        first_run_id=row["first_run_id"],
        task_at=row["task_at"] + later,
        entries=(entry,),
    )


def first_batch(like: Batch) -> Batch:
    """The same as the first of a case, for a database that has none of it."""
    entry = like.entries[0].model_copy(update={"seq": 1, "prev_hash": GENESIS}).sealed()
    row = like.projection.model_copy(update={"seq": 1, "head_hash": entry.hash})
    return like.model_copy(update={"entries": (entry,), "row": row.model_dump_json()})


async def verified(pool: asyncpg.Pool, case_id: str) -> Finding:
    return await anext(verify_cases(pool, [case_id]))


async def test_the_same_batch_again_changes_nothing(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """A flush that is tried again after its commit writes no second entry and gives the same receipt."""
    case_id = await town.walk(town.examples.MAIN)
    batch = await batch_after(pool, case_id, timedelta(seconds=1))
    first = await Ledger(pool).write(batch)
    again = await Ledger(pool).write(batch)

    assert first == again
    assert await pool.fetchval("select count(*) from ledger where case_id = $1 and seq = $2", case_id, first.seq) == 1


async def test_a_task_that_was_given_up_does_not_turn_a_case_back(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """A worker that slept through its task writes too late: refused as stale, and nothing of it stands in the ledger."""
    case_id = await town.walk(town.examples.MAIN)
    before = await row_of(pool, case_id)
    with pytest.raises(ApplicationError) as refused:
        await Ledger(pool).write(await batch_after(pool, case_id, timedelta(seconds=-1)))
    count = await pool.fetchval("select count(*) from ledger where case_id = $1 and run_id = $2", case_id, UNKNOWN_RUN)

    assert (refused.value.type, count) == ("StaleTask", 0)
    assert before == await row_of(pool, case_id)


async def test_what_a_lost_task_had_told_is_no_later_word_against_it(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """A slow flush and the next one were written, and the task that was to say so was lost: its replay tells the first once more.

    It has been written, and the case goes on from there; what the next one wrote stays until the case has told anew.
    """
    case_id = await town.walk(town.examples.MAIN)
    slow = await batch_after(pool, case_id, timedelta(seconds=1))
    first = await Ledger(pool).write(slow)
    await Ledger(pool).write(await batch_after(pool, case_id, timedelta(seconds=8)))
    before = await row_of(pool, case_id)
    again = await Ledger(pool).write(slow)

    assert again == first
    assert before == await row_of(pool, case_id)


async def test_a_batch_that_follows_nothing_is_refused(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Where the entry before is missing the case stands still, visibly."""
    case_id = await town.walk(town.examples.MAIN)
    batch = await batch_after(pool, case_id, timedelta(seconds=1))
    stray = batch.entries[0].model_copy(update={"prev_hash": "f" * 64}).sealed()
    with pytest.raises(ApplicationError) as refused:
        await Ledger(pool).write(batch.model_copy(update={"entries": (stray,)}))

    assert refused.value.type == "LedgerBroken"


async def test_the_ledger_refuses_to_be_changed(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Neither update nor delete nor truncate: the database itself says no."""
    case_id = await stands(pool, await town.start())
    for statement in (
        f"update ledger set actor = 'nobody' where case_id = '{case_id}'",  # noqa: S608
        f"delete from ledger where case_id = '{case_id}'",  # noqa: S608
        "truncate ledger",
    ):
        with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
            await pool.execute(statement)


async def test_of_two_workers_that_tell_a_new_case_at_once_both_come_to_an_end(
    town: ApiDriver, pool: asyncpg.Pool, own_town: OwnTown
) -> None:
    """Whose row is not there yet when it looks, and is when it writes, finds that the other has told the very same."""
    batch = first_batch(await batch_after(pool, await stands(pool, await town.start()), timedelta()))
    [entry] = batch.entries
    async with own_town.pool.acquire() as connection, connection.transaction():
        await Ledger(connection).write(batch)  # type: ignore[arg-type] # it asks no more of a pool
        other = asyncio.create_task(Ledger(own_town.pool).write(batch))
        await eventually(lambda: _somebody_waits(own_town.pool))
    told = await other

    assert (told.seq, told.head_hash) == (1, entry.hash)
    assert await own_town.pool.fetchval("select count(*) from ledger where case_id = $1", entry.case_id) == 1


async def test_a_flush_goes_on_where_its_tries_cannot_be_noted(
    town: ApiDriver, pool: asyncpg.Pool, own_town: OwnTown
) -> None:
    """The list of the stuck is for operators; what a case tells is written without it, such as before a migration."""
    batch = first_batch(await batch_after(pool, await stands(pool, await town.start()), timedelta()))
    [entry] = batch.entries
    await own_town.pool.execute("drop table flush_retries")
    tried = ActivityEnvironment()
    tried.info = replace(tried.info, attempt=NOTED_FROM, workflow_id=entry.case_id)

    told = await tried.run(Ledger(own_town.pool).flush, batch)

    assert (told.seq, told.head_hash) == (1, entry.hash)


async def test_a_flush_of_another_workflow_is_refused_for_good(
    town: ApiDriver, pool: asyncpg.Pool, own_town: OwnTown
) -> None:
    """What a workflow tells that has not the number of the case is not written, not even of a case that nobody knows yet."""
    batch = first_batch(await batch_after(pool, await stands(pool, await town.start()), timedelta()))
    case_id = batch.entries[0].case_id
    tried = ActivityEnvironment()
    tried.info = replace(tried.info, workflow_id="incident-20990101-000001")
    with pytest.raises(ApplicationError) as refused:
        await tried.run(Ledger(own_town.pool).flush, batch)

    assert (refused.value.type, refused.value.non_retryable) == ("ForeignRun", True)
    assert await own_town.pool.fetchval("select count(*) from ledger") == 0
    assert await own_town.pool.fetchval("select code from refusals where case_id = $1", case_id) == "out-of-place"


async def _somebody_waits(pool: asyncpg.Pool) -> bool:
    """Whether a flush waits for another's."""
    return bool(
        await pool.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%write_case%'"
            " and datname = current_database()"
        )
    )


Tamper = Callable[[asyncpg.pool.PoolConnectionProxy, str], Awaitable[object]]
TAMPERS = {
    "fact changed": "update ledger set body = replace(body, 'urban-management', 'justice-office') where case_id = $1",
    "actor exchanged": "update ledger set body = replace(body, 'officer-cheng', 'officer-ma') where case_id = $1",
    "entry deleted": "delete from ledger where case_id = $1 and seq = 2",
    "last entry deleted": "delete from ledger where case_id = $1 and seq = (select max(seq) from ledger where case_id = $1)",
    "entry inserted": (
        "insert into ledger select case_id, seq + 100, at, kind, actor, body, prev_hash, hash, run_id, task_at "
        "from ledger where case_id = $1 and seq = 1"
    ),
    "row moved back": "update cases set seq = seq - 1 where case_id = $1",
    "row deleted": "delete from cases where case_id = $1",
    "all entries deleted": "delete from ledger where case_id = $1",
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERS)
async def test_an_alteration_is_found(name: str, town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Whatever somebody with the owner's rights does to a chain, verification says where."""
    case_id = await town.walk(town.examples.MAIN)
    well = await verified(pool, case_id)
    async with as_owner(pool) as connection:
        await connection.execute(TAMPERS[name], case_id)
        found = await anext(verify_cases(OneConnection(connection), [case_id]))  # type: ignore[arg-type]

    assert well.ok
    assert not found.ok, found
    assert case_id in found.detail


async def test_a_case_that_goes_on_meanwhile_is_not_taken_for_altered(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Head and entries are read of one moment: what a case does while others are verified is no finding."""
    first, second = [await stands(pool, await town.start()) for _ in range(2)]
    findings = verify_cases(pool, [first, second])
    await anext(findings)
    await town.go(second, [town.examples.MAIN.steps[0]])

    assert (await anext(findings)).ok


def test_two_swapped_entries_are_found() -> None:
    """A chain whose entries change places breaks at the first of them."""
    first = Entry(case_id="c", seq=1, at="2026-01-01T00:00:00Z", actor=ENGINE, kind="a", facts={}, prev_hash="0" * 64)
    chain = [first.sealed()]
    chain.append(
        Entry(case_id="c", seq=2, at=first.at, actor=ENGINE, kind="b", facts={}, prev_hash=chain[0].hash).sealed()
    )

    assert chain[1].hash == verify_chain(chain)
    with pytest.raises(BrokenChain, match="entry 2: stands where entry 1 should stand"):
        verify_chain(chain[::-1])
