"""Sessions of a browser: a random id in a cookie, its SHA-256 in Postgres with who signed in. Ended there, it is ended at once.

Links for one sign-in, which a local town prints, are kept the same way.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import asyncpg

from engine.keys.tokens import Principal
from engine.store.database import Queries
from schemas.clocks.calendar import TownDatetime
from schemas.values.actor import Role
from schemas.values.model import Model
from starter.http.database import database, reading
from starter.http.dependencies import dependency

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
LINK_LASTS = timedelta(seconds=60)
_RANDOM_BYTES = 32


class SessionQueries(Queries):
    """engine/queries/sessions.sql."""

    open_session: str
    find_session: str
    peek_session: str
    whose_was: str
    end_session: str
    end_sessions_of: str
    living_sessions: str
    keep_link: str
    find_link: str
    take_link: str


SQL = SessionQueries.load("sessions")


class SignedInAccount(Model):
    """An account that is signed in now, with how many browsers."""

    subject: str
    role: Role
    department: str | None
    area: str | None
    sessions: int
    since: TownDatetime
    seen_at: TownDatetime


@dataclass(frozen=True)
class Sessions:
    """Opens, finds and ends sessions. Raises Problem 503 without Postgres."""

    pool: asyncpg.Pool

    async def open(self, principal: Principal) -> str:
        """Sign somebody in. The id is for the cookie alone: nothing keeps it here."""
        session, ends_at = secrets.token_urlsafe(_RANDOM_BYTES), min(principal.expires_at, datetime.now(UTC) + LONGEST)
        async with database(self.pool) as connection:
            await connection.execute(SQL.open_session, _digest(session), *_who(principal), principal.token_id, ends_at)
        return session

    async def find(self, session: str, *, unseen: bool = False) -> Principal | None:
        """Who has the session of this id; None: it ended, was ended, or there is none. `unseen`: nobody uses it by that."""
        query = SQL.peek_session if unseen else SQL.find_session
        async with reading(self.pool) as connection:
            row = await connection.fetchrow(query, _digest(session), IDLE)
        return None if row is None else Principal.model_validate(dict(row))

    async def whose_was(self, session: str) -> str | None:
        """Whose session of this id ran out by itself within the last day; None: it goes on, was ended, or there is none."""
        async with reading(self.pool) as connection:
            subject: str | None = await connection.fetchval(SQL.whose_was, _digest(session), IDLE)
        return subject

    async def end(self, session: str, by: str) -> None:
        """Sign out the browser that has this id."""
        async with database(self.pool) as connection:
            await connection.execute(SQL.end_session, _digest(session), by)

    async def end_all_of(self, subject: str, by: str) -> None:
        """Sign out an account everywhere."""
        async with database(self.pool) as connection:
            await connection.execute(SQL.end_sessions_of, subject, by)

    async def living(self) -> Sequence[SignedInAccount]:
        """Who is signed in."""
        async with reading(self.pool) as connection:
            return [
                SignedInAccount.model_validate(dict(row)) for row in await connection.fetch(SQL.living_sessions, IDLE)
            ]

    async def who_is_let_in(self, code: str) -> Principal | None:
        """For whom a link is; None: it was used, or is too old."""
        async with reading(self.pool) as connection:
            return _let_in(await connection.fetchrow(SQL.find_link, _digest(code)))

    async def take_link(self, code: str) -> Principal | None:
        """The same, once: it lets nobody in after this."""
        async with database(self.pool) as connection:
            return _let_in(await connection.fetchrow(SQL.take_link, _digest(code)))


SessionsOf = Annotated[Sessions, dependency(Sessions)]


async def keep_link(connection: Any, principal: Principal) -> str:
    """Make the code of a link for one sign-in. `connection`: to the town's database."""
    code = secrets.token_urlsafe(_RANDOM_BYTES)
    await connection.execute(SQL.keep_link, _digest(code), *_who(principal), LINK_LASTS)
    return code


def _let_in(row: asyncpg.Record | None) -> Principal | None:
    if row is None:
        return None
    ends_at = datetime.now(UTC) + LONGEST
    return Principal.model_validate({**dict(row), "token_id": None, "expires_at": ends_at})


def _who(principal: Principal) -> tuple[str | None, ...]:
    return principal.subject, principal.role.value, principal.department, principal.area, principal.identity


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
