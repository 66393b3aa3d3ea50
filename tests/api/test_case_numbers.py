"""The numbers of cases: each is given once, those of a day follow one another, and no opening waits for another one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import httpx
from fastapi import FastAPI
from temporalio.client import Client

from engine.keys.keys import Keys
from tests.api_callers import OwnTown, api_of, callers
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

MANY = 24
HELD = "resident-held"


async def test_an_opening_that_does_not_end_keeps_no_other_waiting(own_town: OwnTown, keys: Keys) -> None:
    """While one stands before its commit, those of its API and of another one are taken; and it has a number of its own."""
    async with api_of(_api(own_town)) as one, api_of(_api(own_town)) as other, _held(own_town.pool) as let_go:
        first = asyncio.create_task(callers(one, keys)(subject=HELD).report())
        await eventually(lambda: _waits(own_town.pool))
        after = [_number(await callers(each, keys)(subject="resident-other").report()) for each in (one, other)]
        assert not first.done()
        await let_go()

        assert [_number(await first), *after] == [1, 2, 3]


async def test_of_many_at_once_by_two_apis_each_has_a_number_and_none_is_left_out(
    own_town: OwnTown, keys: Keys
) -> None:
    """What comes in together is numbered through, whoever takes it; repeats use up none."""
    async with api_of(_api(own_town)) as one, api_of(_api(own_town)) as other:
        doors = [callers(one, keys)(), callers(other, keys)()]
        sent = [doors[each % 2].report(key=f"report-{each}") for each in range(MANY)]
        numbers = [_number(answer) for answer in await asyncio.gather(*sent)]
        again = [_number(await doors[0].report(key=f"report-{each}")) for each in range(4)]

        assert again == numbers[:4]
        assert sorted(numbers) == list(range(1, MANY + 1))
        assert _number(await doors[0].report()) == MANY + 1


async def test_whose_commit_has_no_answer_keeps_its_number(own_town: OwnTown, keys: Keys) -> None:
    """A connection that breaks while the commit is under way: nobody knows, so nobody else has the number, here or elsewhere."""
    async with api_of(_api(own_town)) as one, api_of(_api(own_town)) as other, _held(own_town.pool):
        first = asyncio.create_task(callers(one, keys)(subject=HELD).report())
        await eventually(lambda: _ended(own_town.pool))
        assert (await first).status_code == httpx.codes.SERVICE_UNAVAILABLE

        assert [_number(await callers(each, keys)().report()) for each in (one, other)] == [2, 3]


async def test_a_number_is_kept_by_the_session_that_leased_it(own_town: OwnTown, keys: Keys) -> None:
    """A crash of Postgres may take a lease back, and ends every session: whoever has a number of a lost one cannot keep a case."""
    await own_town.pool.execute(_NOTED)
    async with api_of(_api(own_town)) as http:
        doors = [callers(http, keys)(subject=f"resident-{each}") for each in range(MANY)]
        for answer in await asyncio.gather(*(each.report() for each in doors)):
            _number(answer)

    kept = await own_town.pool.fetch("select number, leased_by, kept_by from noted")
    assert len({row["number"] for row in kept}) == MANY
    assert [row["leased_by"] for row in kept] == [row["kept_by"] for row in kept]


async def test_a_lease_waits_for_no_disk_and_a_case_does(own_town: OwnTown, keys: Keys) -> None:
    """The lease's transaction alone is told to the disk later; what keeps the case is told at once, with all before it."""
    await own_town.pool.execute(_NOTED)
    async with api_of(_api(own_town)) as http:
        _number(await callers(http, keys)().report())

    row = await own_town.pool.fetchrow("select lease_waits, case_waits from noted")
    assert row is not None
    assert dict(row) == {"lease_waits": "off", "case_waits": await own_town.pool.fetchval("show synchronous_commit")}


async def test_each_procedure_and_each_day_begins_with_one(own_town: OwnTown, keys: Keys) -> None:
    """Numbers of other days and of other procedures are no part of it."""
    await own_town.pool.execute(
        "insert into case_numbers values ('incident', '20260101', 7), ('whistle', $1, 9)", _day(own_town)
    )
    async with api_of(_api(own_town)) as http:
        assert [_number(await callers(http, keys)().report()) for _ in range(2)] == [1, 2]


def _api(town: OwnTown) -> FastAPI:
    """An API that waits for no Temporal: a report is accepted, and no more."""
    return town.build(
        over=town.settings.model_copy(update={"delivery_patience_seconds": 0.0}), connect_temporal=_nowhere
    )


def _day(town: OwnTown) -> str:
    return f"{town.town_time.to_town(datetime.now(UTC)):%Y%m%d}"


async def _nowhere() -> Client:
    raise RuntimeError("connection refused")


def _number(answer: httpx.Response) -> int:
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return int(answer.json()["case_id"].rpartition("-")[2])


@asynccontextmanager
async def _held(pool: asyncpg.Pool) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What `HELD` sends stands before its commit until the block says so, or ends."""
    await pool.execute(_HELD_BEFORE_THE_COMMIT)
    async with pool.acquire() as blocker:
        holding = blocker.transaction()
        await holding.start()
        await blocker.execute("select pg_advisory_xact_lock(1)")
        try:
            yield holding.rollback
        finally:
            if blocker.is_in_transaction():
                await holding.rollback()


async def _waits(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval(f"select count(*) {_WAITING}"))


async def _ended(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetch(f"select pg_terminate_backend(pid) {_WAITING}"))


_WAITING = "from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
_HELD_BEFORE_THE_COMMIT = f"""
    create function wait_for_the_test() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(1); return null; end $$;
    create constraint trigger held after insert on intake deferrable initially deferred
        for each row when (new.subject = '{HELD}') execute function wait_for_the_test();
"""
_NOTED = """
    create table noted (number integer, leased_by integer, lease_waits text, kept_by integer, case_waits text);
    create function note_lease() returns trigger language plpgsql as $$ begin
        insert into noted values (new.last, pg_backend_pid(), current_setting('synchronous_commit')); return null;
    end $$;
    create trigger noted after insert or update on case_numbers for each row execute function note_lease();
    create function note_case() returns trigger language plpgsql as $$ begin
        update noted set kept_by = pg_backend_pid(), case_waits = current_setting('synchronous_commit')
        where number = right(new.case_id, 6)::integer; return null;
    end $$;
    create constraint trigger noted after update on intake deferrable initially deferred
        for each row when (old.case_id is null) execute function note_case();
"""
