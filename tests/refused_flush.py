"""A case whose ledger really refuses what it tells, until it is mended."""

import asyncpg

from tests.waiting import eventually

LATER = "update cases set task_at = task_at + interval '1 day' where case_id = $1 and stage = 'dispatched'"
AS_IT_WAS = "update cases set task_at = task_at - interval '1 day' where case_id = $1"


async def refuse_flushes(pool: asyncpg.Pool, case_id: str) -> None:
    """As if a later workflow task had written: once the case is dispatched, whatever it tells is stale."""

    async def dispatched() -> bool:
        return str(await pool.execute(LATER, case_id)) == "UPDATE 1"

    await eventually(dispatched)


async def take_flushes(pool: asyncpg.Pool, case_id: str) -> None:
    """What is refused is taken at its next try."""
    await pool.execute(AS_IT_WAS, case_id)
