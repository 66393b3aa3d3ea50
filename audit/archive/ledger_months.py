"""The months of the ledger, and of the record of readings, are made before they come: the archiver makes their partitions.

Nothing depends on it: what comes in a month that nobody has made lies in a partition of its own and is read as everything else.
But such a month cannot be taken away by itself later (docs/decisions/0019-the-ledger-lies-in-months.md).
"""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from engine.store.database import NOT_DONE, Queries
from schemas.clocks.town_time import REAL_SPEED_MILLI, TownTime

log = structlog.get_logger()

AHEAD = 3
"""Months beyond the present one. Each is a table that queries over all cases look at."""
EVERY_SECONDS = 600.0
AWAY_PAUSE_SECONDS = 30.0
CLOCKS_APART = timedelta(days=1)
"""Far more than clocks differ, far less than a month."""
LOCK_LIMIT = "set local lock_timeout = '300ms'"
"""Whoever waits for a partition makes those who write wait behind."""


class MonthQueries(Queries):
    """engine/queries/ledger_months.sql."""

    make_ahead: str
    make_years_ahead: str
    make_readings_ahead: str
    partitions: str
    detach: str
    real_now: str
    stands_apart: str


SQL = MonthQueries.load("ledger_months")


class ClocksDiffer(Exception):
    """This machine's clock and the database's are so far apart that one of them is wrong; by so many seconds ours is ahead."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__(f"by {ahead}")
        self.seconds = int(ahead.total_seconds())


async def agreed_now(pool: asyncpg.Pool, machine_now: datetime) -> datetime:
    """The real time by the database's clock. Raises ClocksDiffer: no months are made by a clock that stands years away."""
    now: datetime = await pool.fetchval(SQL.real_now)
    if abs(machine_now - now) > CLOCKS_APART:
        raise ClocksDiffer(machine_now - now)
    return now


async def make_months(pool: asyncpg.Pool, town_now: datetime, ahead: int = AHEAD, *, by_years: bool = False) -> int:
    """Make the partitions of this month and those after it; how many were missing. Raises what asyncpg raises.

    The ledger's go by the town's clock, as the numbers of cases do, those of readings by the real one. `by_years`: one for a
    year of the town, and as many years ahead; by the months of a rehearsal there would be a hundred more every day.
    """
    month = town_now.year * 100 + town_now.month
    ledger = (SQL.make_years_ahead, (town_now.year, ahead)) if by_years else (SQL.make_ahead, (month, ahead))
    made = 0
    async with pool.acquire() as connection:
        for query, values in (ledger, (SQL.make_readings_ahead, (ahead,))):
            async with connection.transaction():
                await connection.execute(LOCK_LIMIT)
                made += int(await connection.fetchval(query, *values))
    return made


async def keep_making_months(pool: asyncpg.Pool, clock: TownTime) -> None:
    """Make them in time, until cancelled. What the database refuses is said and tried again: nobody waits for it."""
    missed = False
    while True:
        try:
            now = clock.to_town(await agreed_now(pool, datetime.now(UTC)))
            made = await make_months(pool, now, by_years=clock.speed_milli != REAL_SPEED_MILLI)
            before, missed = missed, bool(await pool.fetchval(SQL.stands_apart))
        except NOT_DONE as error:
            log.warning("ledger_months_wait", error=type(error).__name__)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        except ClocksDiffer as error:
            log.error("ledger_months_clocks_differ", seconds=error.seconds)  # noqa: TRY400 - all there is to say
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        if made:
            log.info("ledger_months_made", count=made)
        if missed and not before:
            log.warning("ledger_month_missed")
        await asyncio.sleep(EVERY_SECONDS)
