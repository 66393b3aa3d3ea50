"""Duties: what has to be done now and then in a town, by one of the archivers that run.

When it is due stands in the database, so that an archiver that is restarted goes on with the schedule. Whoever begins holds it by a
lease that is lengthened while the work goes on; killed, it is another's when that has run out. Two that are at one after all (one
machine stood still) do no harm: seals are made one after the other, a run stands in the archive once, what is taken out is gone.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg
import structlog

from audit.archive.run_leases import SHARED
from engine.store.database import NOT_DONE

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
"""Real time: so long after its holder was killed a duty is another's."""

LENGTHENED_SECONDS = LEASE.total_seconds() / 3


class Duty:
    """One duty, as one process sees it."""

    def __init__(self, pool: asyncpg.Pool, name: str, every: timedelta, first_after: timedelta = timedelta()) -> None:
        """`every`: real time from one due time to the next; `first_after`: to the first in a town that does not know it yet."""
        self._pool = pool
        self.name = name
        self._every = every
        self._first_after = first_after
        self._holder = secrets.token_hex(8)
        self._known = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[bool]:
        """Whether it is due and ours; if so, it is done when the block ends, and anybody's again when that raises."""
        if not self._known:
            await self._pool.execute(SHARED.know_duty, self.name, max(self._first_after, timedelta()))
            self._known = True
        if not await self._pool.fetchval(SHARED.begin_duty, self.name, self._holder, LEASE):
            yield False
            return
        lengthening = asyncio.create_task(self._lengthen())
        try:
            yield True
        except BaseException:
            with suppress(*NOT_DONE):  # the lease runs out
                await self._pool.execute(SHARED.give_duty_back, self.name, self._holder)
            raise
        finally:
            lengthening.cancel()
        await self._pool.execute(SHARED.end_duty, self.name, self._holder, self._every)

    async def _lengthen(self) -> None:
        while True:
            await asyncio.sleep(LENGTHENED_SECONDS)
            with suppress(*NOT_DONE):
                await self._pool.execute(SHARED.hold_duty, self.name, self._holder, LEASE)
