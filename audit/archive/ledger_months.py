"""The months of the ledger, and of the record of readings, are made before they come: the archiver makes their partitions.

Nothing depends on it: what comes in a month that nobody has made lies in a partition of its own and is read as everything else.
But such a month cannot be taken away by itself later (docs/decisions/0019-the-ledger-lies-in-months.md).
"""

import asyncio
from datetime import UTC, datetime

import asyncpg
import structlog

from engine.store.database import NOT_DONE, Queries
from schemas.clocks.town_time import TownTime

log = structlog.get_logger()

AHEAD = 3
"""Months beyond the present one. Each is a table that queries over all cases look at."""
EVERY_SECONDS = 600.0
AWAY_PAUSE_SECONDS = 30.0
LOCK_LIMIT = "set local lock_timeout = '300ms'"
"""Whoever waits for a partition makes those who write wait behind."""


class MonthQueries(Queries):
    """engine/queries/ledger_months.sql."""

    make_ahead: str
    make_readings_ahead: str
    partitions: str
    detach: str
    stands_apart: str


SQL = MonthQueries.load("ledger_months")


async def make_months(pool: asyncpg.Pool, town_now: datetime, ahead: int = AHEAD) -> int:
    """Make the partitions of this month and those after it; how many were missing. Raises what asyncpg raises.

    The ledger's go by the town's clock, as the numbers of cases do, those of readings by the real one.
    """
    month = town_now.year * 100 + town_now.month
    made = 0
    async with pool.acquire() as connection:
        for query, values in ((SQL.make_ahead, (month, ahead)), (SQL.make_readings_ahead, (ahead,))):
            async with connection.transaction():
                await connection.execute(LOCK_LIMIT)
                made += int(await connection.fetchval(query, *values))
    return made


async def keep_making_months(pool: asyncpg.Pool, clock: TownTime) -> None:
    """Make them in time, until cancelled. What the database refuses is said and tried again: nobody waits for it."""
    missed = False
    while True:
        try:
            made = await make_months(pool, clock.to_town(datetime.now(UTC)))
            before, missed = missed, bool(await pool.fetchval(SQL.stands_apart))
        except NOT_DONE as error:
            log.warning("ledger_months_wait", error=type(error).__name__)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        if made:
            log.info("ledger_months_made", count=made)
        if missed and not before:
            log.warning("ledger_month_missed")
        await asyncio.sleep(EVERY_SECONDS)
