"""Attacks on decision 0011 that held: Postgres comes back from before some commands, their submissions gone too."""

import asyncio
import uuid

import asyncpg
import pytest
from temporalio.client import Client

from audit.replay.replay import live_histories
from audit.verify.rebuild import rebuild_rows
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor, Step
from tests.told_town import ToldTown
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]
URGE = Step("urge", "reporter")


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_ledger_from_before_some_commands_catches_up(
    lost: int, door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """One that the case still tells comes with the next command; for what it has been told to be written there is rebuild."""
    town, told = await door(INCIDENT), ToldTown(temporal, pool)
    case_id = await town.start()
    await told.rests(case_id)
    async with pool.acquire() as connection:
        await connection.execute(
            "create temp table before17 as select * from cases where case_id = $1".replace("$1", f"'{case_id}'")
        )
        for _ in range(lost):
            assert (await town.taken(case_id, URGE)).status_code == 200
        async with connection.transaction():
            seq = await connection.fetchval("select seq from before17")
            await connection.execute("alter table ledger disable trigger ledger_only_grows")
            await connection.execute("delete from ledger where case_id = $1 and seq > $2", case_id, seq)
            await connection.execute("alter table ledger enable always trigger ledger_only_grows")
            await connection.execute("delete from outbox where case_id = $1 and seq > $2", case_id, seq)
            await connection.execute("delete from intake where case_id = $1 and command = 'urge'", case_id)
            await connection.execute("delete from cases where case_id = $1", case_id)
            columns = await connection.fetchval(
                "select string_agg(column_name, ', ') from information_schema.columns"
                " where table_name = 'cases' and table_schema = current_schema() and is_generated = 'NEVER'"
            )
            await connection.execute(f"insert into cases ({columns}) select {columns} from before17")  # noqa: S608
        await connection.execute("drop table before17")
    again = await door(INCIDENT, patience=28.0)  # an API that has read nothing
    giving = asyncio.create_task(again.give(case_id, URGE, key := str(uuid.uuid4())))
    if lost > 1:

        async def tried_again() -> bool:
            tries = "select max(attempts) from intake where case_id = $1 and command = 'urge'"
            return bool((await pool.fetchval(tries, case_id) or 0) > 1)

        await eventually(tried_again)
        async for _ in rebuild_rows(pool, keys, settings, live_histories(temporal, pool), [case_id], write=True):
            pass
    answers = [await giving]

    async def answered() -> bool:
        answers.append(await again.give(case_id, URGE, key))
        return answers[-1].status_code == 200

    await eventually(answered, within=60)
    await told.rests(case_id)
    assert (await told.kinds(case_id)).count("incident:urged") == lost + 1
    assert await told.notices(case_id, "urged") == 1
    assert await told.faults(case_id) == []
