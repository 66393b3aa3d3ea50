"""Who may take the ballot of which unit online: the committee's register, as keyed digests of vote and person."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.keys.keys import Keys
from engine.store.database import Queries

Connection = asyncpg.Connection | PoolConnectionProxy


class VoterQueries(Queries):
    """engine/queries/voters.sql."""

    shown: str
    forget: str
    keep: str
    units_of: str


SQL = VoterQueries.load("voters")


@dataclass(frozen=True)
class Voter:
    """Somebody who may: by the account, or by what its issuer verified (schemas/values/verified_identity.py); one of the two."""

    account: str | None = None
    identity: str | None = None

    @property
    def word(self) -> str:
        """What of them is digested."""
        return f"account {self.account}" if self.identity is None else f"identity {self.identity}"


class VoterRegister:
    """The register of a town. The same person is another one in each vote."""

    def __init__(self, keys: Keys) -> None:
        """`keys` gives the town's key; the register's own is derived from it."""
        self._key = hmac.new(keys.blind_index.active, b"jiceng voters 1", hashlib.sha256).digest()

    async def keep(self, connection: Connection, vote: str, lines: Iterable[tuple[str, Voter]]) -> int:
        """Keep who may take which unit's ballot, in place of what was kept of this vote; how many lines there are."""
        kept = [(unit, self._person(vote, voter)) for unit, voter in lines]
        await connection.execute(SQL.forget, vote)
        await connection.execute(SQL.keep, vote, [unit for unit, _ in kept], [person for _, person in kept])
        return len(set(kept))

    async def units_of(self, connection: Connection, vote: str, voters: Sequence[Voter]) -> list[str]:
        """The units for which one of these may take the ballot."""
        rows = await connection.fetch(SQL.units_of, vote, [self._person(vote, each) for each in voters])
        return [row["unit"] for row in rows]

    def _person(self, vote: str, voter: Voter) -> bytes:
        return hmac.new(self._key, f"{vote} {voter.word}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
