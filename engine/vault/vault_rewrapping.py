"""A new master key of the vault: every person's key is wrapped anew, and no text is closed again."""

import asyncio

import asyncpg

from engine.keys.key_ring import LOOK_SECONDS, KeyRing
from engine.store.database import Queries
from engine.vault.vault_seal import unwrap, wrap

AT_ONCE = 500


class WrappingQueries(Queries):
    """engine/queries/wrapping.sql."""

    persons_wrapped_otherwise: str
    rewrap_persons: str
    count_wrapped: str
    count_wrapped_otherwise: str
    let_nobody_wrap: str


SQL = WrappingQueries.load("wrapping")


async def rewrap_persons(pool: asyncpg.Pool, ring: KeyRing) -> int:
    """Wrap the keys of all persons with the active master key; how many it were. Again is harmless, and goes on.

    Ends when none is left: processes that have not looked at the ring yet may wrap some with the old key meanwhile. Raises
    VaultKeyUnknown, VaultDamaged: what was done until then stays done.
    """
    ring.look()
    done = await _pass(pool, ring)
    await asyncio.sleep(LOOK_SECONDS)  # so long others may wrap with the key before
    while await pool.fetchval(SQL.count_wrapped_otherwise, ring.current()[0]):
        found = await _pass(pool, ring)
        done += found
        if not found:
            await asyncio.sleep(LOOK_SECONDS)  # held by somebody; they let go within a statement's time
    return done


async def _pass(pool: asyncpg.Pool, ring: KeyRing) -> int:
    done, after = 0, ""
    active_id, _ = ring.current()
    async with pool.acquire() as connection:
        while True:
            async with connection.transaction():
                rows = await connection.fetch(SQL.persons_wrapped_otherwise, active_id, after, AT_ONCE)
                if not rows:
                    return done
                persons = [row["person_id"] for row in rows]
                wrapped = [
                    wrap(
                        ring, row["person_id"], unwrap(ring, row["master_key_id"], row["person_id"], row["wrapped_key"])
                    )
                    for row in rows
                ]
                if {master for _, master in wrapped} != {active_id}:
                    return done  # changed once more meanwhile: another pass
                await connection.execute(SQL.rewrap_persons, persons, [key for key, _ in wrapped], active_id)
            done, after = done + len(rows), persons[-1]
