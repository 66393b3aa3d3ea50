"""The code that a reporter gets with the number of the case: who has both follows the case without an account.

It is made from the case number with a key of the town, so that nothing has to be kept and nothing can be stolen from a
table. Eight of 25 characters are 37 bits: with ten attempts a quarter of an hour, nobody guesses one in a lifetime.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from engine.keys import Keys
from starter.case_queries import SQL
from starter.database import database

ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""Without what is misread or misheard for another: 0 O, 1 I L, 2 Z, 5 S, 8 B."""

LENGTH = 8
ATTEMPTS_MAX = 10
ATTEMPTS_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Attempt:
    """What came of trying a code. `retry_after_seconds` set: too many were tried, nothing was compared."""

    right: bool
    retry_after_seconds: int | None = None


class ResidentCodes:
    """Makes and checks codes."""

    def __init__(self, keys: Keys, pool: asyncpg.Pool) -> None:
        """`keys` gives the town's key; the code's own is derived from it, so neither says anything of the other."""
        self._key = hmac.new(keys.blind_index.active, b"jiceng case code 1", hashlib.sha256).digest()
        self._pool = pool

    def code_of(self, case_id: str) -> str:
        """The code of a case number, whether there is such a case or not."""
        number = int.from_bytes(hmac.new(self._key, case_id.encode(), hashlib.sha256).digest())
        letters = []
        for _ in range(LENGTH):
            number, place = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[place])
        return "".join(letters)

    async def try_code(self, case_id: str, given: str) -> Attempt:
        """Try a code. Each attempt counts before it is judged, so that many at once are not more than one by one.

        Whether there is such a case is not looked at: a wrong code takes the same way for every number.
        """
        async with database(self._pool) as connection:
            row = await connection.fetchrow(SQL.count_attempt, case_id, ATTEMPTS_WINDOW)
        if row is None or row["attempts"] > ATTEMPTS_MAX:
            return Attempt(right=False, retry_after_seconds=max(1, row["seconds_left"]) if row else 1)
        tidy = "".join(given.split()).replace("-", "").upper().encode()
        if not hmac.compare_digest(tidy, self.code_of(case_id).encode()):
            return Attempt(right=False)
        async with database(self._pool) as connection:
            await connection.execute(SQL.forget_attempts, case_id)
        return Attempt(right=True)
