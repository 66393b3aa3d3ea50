"""A sign-in that is in the hands of the issuer: bound to the browser that began it, good once, and for ten minutes.

The address that leads back holds a random state, the browser's cookie a random secret. What the issuer has to give back (the nonce
in its token) and what it has to ask for (the verifier of the code, RFC 7636) follow from both, and are kept nowhere: whoever
reads the table, the address or the logs of a proxy can finish nobody's sign-in.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import asyncpg

from engine.store.database import Queries
from starter.http.database import database
from starter.http.dependencies import dependency

LASTS = timedelta(minutes=10)
RANDOM_BYTES = 32
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
"""A secret as we make them."""


class BegunQueries(Queries):
    """engine/queries/sign_ins.sql."""

    begin: str
    take: str


SQL = BegunQueries.load("sign_ins")


@dataclass(frozen=True)
class Begun:
    """What belongs to one sign-in: `state` goes by the address, `secret` by the cookie."""

    state: str
    secret: str

    @property
    def nonce(self) -> str:
        """What the issuer writes into the token, so that it is the token of this sign-in."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What the issuer asks for before it gives a token for the code, so that the code is of this sign-in."""
        return self._derived("verifier")

    def _derived(self, purpose: str) -> str:
        made = hmac.digest(self.secret.encode(), f"{purpose}\0{self.state}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


@dataclass(frozen=True)
class SignInsBegun:
    """Begins and ends sign-ins at the issuer. Raises Problem 503 without Postgres."""

    pool: asyncpg.Pool

    async def begin(self, secret: str | None, wanted: str) -> Begun:
        """Begin one. `secret`: of this browser, where it has begun another that may not be over, as with two windows."""
        begun = Begun(secrets.token_urlsafe(RANDOM_BYTES), secret or secrets.token_urlsafe(RANDOM_BYTES))
        async with database(self.pool) as connection:
            await connection.execute(SQL.begin, _digest(begun.state), _digest(begun.secret), wanted, LASTS)
        return begun

    async def take(self, state: str, secret: str) -> str | None:
        """Where somebody wanted to go; None: this browser began no such sign-in, it is over, or too old."""
        async with database(self.pool) as connection:
            found: str | None = await connection.fetchval(SQL.take, _digest(state), _digest(secret))
        return found


SignInsBegunOf = Annotated[SignInsBegun, dependency(SignInsBegun)]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
