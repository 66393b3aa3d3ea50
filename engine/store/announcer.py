"""Telling APIs what was written, once it stands: the commit of the writing holds no announcement.

A commit with one goes alone: Postgres lets one after the other of them through, in the whole database, each until the disk has
it (docs/decisions/0017-what-is-written-is-announced-afterwards.md). So whoever writes tells afterwards, by a transaction that
waits for no disk, of everything that was written since the last one; of each process one at a time is under way.
"""

import asyncio
from typing import Self

import asyncpg
import structlog

from engine.store.database import NOT_DONE, Queries

log = structlog.get_logger()

LAST_WORDS_SECONDS = 2.0


class AnnouncingQueries(Queries):
    """engine/queries/announcing.sql."""

    announce: str


QUERIES = AnnouncingQueries.load("announcing")


class Announcer:
    """Tells of what this process has written. A word may be lost with the process or the connection: whoever waits looks again."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._untold: dict[str, str] = {}
        self._telling: asyncio.Task[None] | None = None

    def tell(self, case_id: str, head_hash: str) -> None:
        """The ledger has the case up to here. Of several words about one case the last is told."""
        self._untold[case_id] = head_hash
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_all(), name="announcer")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Tell what is left; then nothing runs here until somebody tells again."""
        if self._telling is not None:
            await asyncio.wait((self._telling,), timeout=LAST_WORDS_SECONDS)
        if self._telling is not None:
            self._telling.cancel()

    async def _tell_all(self) -> None:
        try:
            while self._untold:
                words, self._untold = [f"{case_id} {head}" for case_id, head in self._untold.items()], {}
                try:
                    await self._pool.execute(QUERIES.announce, words)
                except NOT_DONE as error:
                    log.warning("announcements_lost", error=type(error).__name__, count=len(words))
        finally:
            self._telling = None
