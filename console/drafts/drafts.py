"""草稿: what somebody has written into a form and not sent yet. Kept for a day, closed, for whoever wrote it and nobody else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import structlog

from console.drafts.draft_seal import Texts, seal, unseal
from engine.keys.key_ring import KeyRing
from engine.store.database import Queries
from schemas.values.refusals import say
from starter.http.database import database
from starter.http.dependencies import dependency
from starter.http.problems import Problem, ProblemCode

log = structlog.get_logger()
LASTS = timedelta(hours=24)
AT_MOST = 40
"""Drafts of one account; beyond that the oldest goes."""

ACTION = re.compile(r"/(?:new|cases)/[A-Za-z0-9._/-]{1,200}")
"""Addresses of forms whose texts can be kept."""


class DraftQueries(Queries):
    """engine/queries/drafts.sql."""

    keep: str
    find: str
    of_account: str
    drop: str


SQL = DraftQueries.load("drafts")


@dataclass(frozen=True)
class Draft:
    """A draft as it was kept. `action`: the address of its form."""

    draft: UUID
    action: str
    texts: dict[str, list[str]]
    kept_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Drafts:
    """Keeps and finds drafts. Raises Problem 503 without Postgres."""

    pool: asyncpg.Pool
    ring: KeyRing

    async def keep(self, subject: str, draft: UUID, action: str, texts: Texts) -> datetime:
        """Keep what was written, in the place of what was kept of this form before; until when."""
        sealed = seal(self.ring, subject, draft, action, texts)
        async with database(self.pool) as connection:
            until: datetime = await connection.fetchval(SQL.keep, subject, draft, action, *sealed, LASTS, AT_MOST - 1)
        return until

    async def find(self, subject: str, draft: UUID | None, action: str) -> Draft:
        """A draft of an account, for the form at this address. Raises Problem: it has no such draft."""
        async with database(self.pool) as connection:
            row = await connection.fetchrow(SQL.find, subject, draft)
        found = None if row is None or row["action"] != action else self._opened(subject, row)
        if found is None:
            raise Problem(
                ProblemCode.NOT_FOUND,
                say(
                    "没有此草稿:已提交、已删除或已超过24小时",
                    "there is no such draft: it was sent, thrown away, or is older than 24 hours",
                ),
            )
        return found

    async def of_account(self, subject: str) -> Sequence[Draft]:
        """All drafts of an account, the latest first."""
        async with database(self.pool) as connection:
            rows = await connection.fetch(SQL.of_account, subject)
        return [found for row in rows if (found := self._opened(subject, row)) is not None]

    async def drop(self, subject: str, draft: UUID) -> None:
        """Throw one away."""
        async with database(self.pool) as connection:
            await connection.execute(SQL.drop, subject, draft)

    async def was_sent(self, subject: str, draft: UUID | None) -> None:
        """What was in it has been sent. Beside what was done, so without a database it stays until its day is over."""
        if draft is None:
            return
        try:
            await self.drop(subject, draft)
        except Problem:
            log.warning("draft_not_dropped")

    def _opened(self, subject: str, row: asyncpg.Record) -> Draft | None:
        sealed = row["master_key_id"], row["nonce"], row["ciphertext"]
        texts = unseal(self.ring, subject, row["draft"], row["action"], sealed)
        if texts is None:
            log.warning("draft_not_opened")
            return None
        return Draft(row["draft"], row["action"], texts, row["kept_at"], row["expires_at"])


DraftsOf = Annotated[Drafts, dependency(Drafts)]


def draft_id(text: str) -> UUID | None:
    """The id in a form or an address; None: there is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
