"""Which runs an archiver is storing just now, so that another one stores others meanwhile.

A lease is one statement: none is held while Temporal is asked. It saves work and decides nothing: a run stands in the archive
once whoever stores it (`archive_closed_once`). Who is killed leaves his leases to run out, and the next pass of another takes them.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg

from engine.store.archive import SQL
from engine.store.database import NOT_DONE, Queries

LEASE = timedelta(seconds=15)
"""Real time. So long a killed archiver keeps the others from what it was at."""


class SharedQueries(Queries):
    """engine/queries/shared_archiving.sql."""

    lease_runs: str
    hold_runs: str
    release_runs: str
    know_duty: str
    begin_duty: str
    hold_duty: str
    end_duty: str
    give_duty_back: str


SHARED = SharedQueries.load("shared_archiving")


class RunLeases:
    """The leases of runs."""

    def __init__(self, pool: asyncpg.Pool, *, heeded: bool = True, lease: timedelta = LEASE) -> None:
        """`heeded` False: for who has to know that all is stored when they are done, whoever else is at it."""
        self._pool = pool
        self._heeded = heeded
        self._lease = lease
        self._holder = secrets.token_hex(8)

    async def not_stored(self, run_ids: Sequence[str]) -> set[str]:
        """Which of these runs the archive does not have as closed ones."""
        stored = await self._pool.fetch(SQL.archived_closed, run_ids)
        return set(run_ids) - {row["run_id"] for row in stored}

    async def take(self, run_ids: Sequence[str]) -> tuple[set[str], set[str]]:
        """Lease runs: those that are ours to store now, and those that another archiver is storing."""
        if not self._heeded:
            return set(run_ids), set()
        ours = {row["run_id"] for row in await self._pool.fetch(SHARED.lease_runs, run_ids, self._lease, self._holder)}
        # Asked once more: what another one stored and released since the last look is no work any more.
        return await self.not_stored(sorted(ours)), set(run_ids) - ours

    @asynccontextmanager
    async def at(self, run_ids: Sequence[str]) -> AsyncIterator[None]:
        """Those that are ours stay so while the block runs, however long that takes; then they are given back, stored or not."""
        lengthening = asyncio.create_task(self._lengthen(run_ids))
        try:
            yield
        finally:
            lengthening.cancel()
            await self.release(run_ids)

    async def _lengthen(self, run_ids: Sequence[str]) -> None:
        while self._heeded:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            with suppress(*NOT_DONE):  # the next time may do
                await self._pool.execute(SHARED.hold_runs, run_ids, self._lease, self._holder)

    async def release(self, run_ids: Sequence[str]) -> None:
        """Give them back, stored or not."""
        if self._heeded:
            await self._pool.execute(SHARED.release_runs, run_ids, self._holder)
