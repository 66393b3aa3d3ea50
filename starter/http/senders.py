"""Who sends what needs no account: the address it comes from, or the account of who has one; and how often they may be wrong.

Counted is the sender, never the case: what somebody does to a number that is not theirs hinders nobody else.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

import asyncpg
from starlette.requests import Request
from starlette.types import Scope

from engine.keys.keys import Keys
from engine.keys.token_errors import IssuerAway, TokenRefused
from engine.keys.tokens import Verifier
from engine.store.database import Queries
from schemas.values.refusals import say
from starter.http.database import database
from starter.http.problems import Problem, ProblemCode

FREE = 10
"""So many attempts an hour without any pause: a household, or a hall full of people at one address, mistypes."""

COUNTED = timedelta(hours=1)
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
"""After the free ones each further attempt doubles the pause: some twenty in an hour, five hundred in a day."""


class SenderQueries(Queries):
    """engine/queries/senders.sql."""

    count_attempt: str
    forget_attempt: str
    pause_of: str


SQL = SenderQueries.load("senders")


def address_of(scope: Scope) -> str:
    """Where a request comes from; of IPv6 the network, for a household has as many addresses as it likes."""
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        found = ip_address(host)
    except ValueError:
        return host
    return str(IPv6Network((int(found) >> 64 << 64, 64))) if isinstance(found, IPv6Address) else host


async def sender_of(request: Request, verifier: Verifier) -> str:
    """The account of a caller who shows a token that holds, else the address. A token that does not hold is no account."""
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        try:
            return f"account {(await verifier.check(token.strip())).subject}"
        except (TokenRefused, IssuerAway):
            pass
    return f"address {address_of(request.scope)}"


@dataclass(frozen=True)
class Counted:
    """An attempt: the so-many-th of a counting that ends then. `wait_seconds` not 0: none was counted, the sender has to wait."""

    number: int = 0
    ends_at: datetime | None = None
    wait_seconds: int = 0


class Attempts:
    """Attempts of senders, over all processes. Raises Problem while the database is away."""

    def __init__(self, keys: Keys, pool: asyncpg.Pool) -> None:
        """`keys` gives the town's key; the digests' own is derived from it."""
        self._key = hmac.new(keys.blind_index.active, b"jiceng senders 1", hashlib.sha256).digest()
        self._pool = pool

    async def count(self, what: str, sender: str) -> Counted:
        """Count an attempt at `what` before it is judged; where the sender has to wait, nothing may be judged."""
        digest = self._digest(what, sender)
        async with database(self._pool) as connection:
            row = await connection.fetchrow(SQL.count_attempt, digest, FREE, FIRST_PAUSE, LONGEST_PAUSE, COUNTED)
            if row is not None:
                return Counted(row["attempts"], row["ends_at"])
            return Counted(wait_seconds=max(1, await connection.fetchval(SQL.pause_of, digest) or 1))

    async def take(self, what: str, sender: str) -> None:
        """Count one, and refuse where it is too much. Raises Problem 429: whoever only makes noise has to wait, and nobody else."""
        if wait_seconds := (await self.count(what, sender)).wait_seconds:
            detail = say("提交次数过多,请稍后再试", "too many were sent; try again later")
            raise Problem(ProblemCode.TOO_MANY_ATTEMPTS, detail, headers={"Retry-After": str(wait_seconds)})

    async def forget(self, what: str, sender: str, attempt: Counted) -> None:
        """That attempt was a right one. Wrong ones stay, before it and beside it: a right code of one's own buys no guesses."""
        digest = self._digest(what, sender)
        async with database(self._pool) as connection:
            await connection.execute(SQL.forget_attempt, digest, attempt.number, attempt.ends_at, FREE)

    def _digest(self, what: str, sender: str) -> bytes:
        return hmac.new(self._key, f"{what} {sender}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
