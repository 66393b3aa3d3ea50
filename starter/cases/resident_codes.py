"""The code that a reporter gets with the number of the case: who has both follows the case without an account.

It is made from the case number with a key of the town, so that nothing has to be kept and nothing can be stolen from a
table. Eight of 25 characters are 152,587,890,625 codes, 37.1 bits. A sender has some five hundred attempts a day
(starter/http/senders.py): ten thousand addresses that do nothing else guess one code of one case in some forty years. So a number
needs no bound of its own, which would be a way to shut out whoever has the right code.
"""

import hashlib
import hmac
from dataclasses import dataclass

import asyncpg

from engine.keys.keys import Keys
from schemas.values.tidy_text import tidy
from starter.http.senders import Attempts

ALPHABET = "34679ACDEFGHJKMNPQRTUVWXY"
"""Without what is misread or misheard for another: 0 O, 1 I L, 2 Z, 5 S, 8 B. So no letter has to be taken for another."""

LENGTH = 8
TRYING = "code"


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
        self.attempts = Attempts(keys, pool)

    def code_of(self, case_id: str) -> str:
        """The code of a case number, whether there is such a case or not."""
        number = int.from_bytes(hmac.new(self._key, case_id.encode(), hashlib.sha256).digest())
        letters = []
        for _ in range(LENGTH):
            number, place = divmod(number, len(ALPHABET))
            letters.append(ALPHABET[place])
        return "".join(letters)

    async def try_code(self, case_id: str, given: str, sender: str) -> Attempt:
        """Try a code. Each attempt counts before it is judged, so that many at once are not more than one by one.

        Whether there is such a case is not looked at: a wrong code takes the same way for every number.
        """
        counted = await self.attempts.count(TRYING, sender)
        if counted.wait_seconds:
            return Attempt(right=False, retry_after_seconds=counted.wait_seconds)
        if not hmac.compare_digest(tidy_code(given).encode("utf-8", "replace"), self.code_of(case_id).encode()):
            return Attempt(right=False)
        await self.attempts.forget(TRYING, sender, counted)
        return Attempt(right=True)


def tidy_code(given: str) -> str:
    """A code as it is meant: plain capitals, without blanks, dashes of any kind and what does not show."""
    return "".join(each for each in tidy(given) if each.isalnum()).upper()
