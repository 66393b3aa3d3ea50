"""A pass: what somebody gets who has shown number and code of a case, for what they do in it next.

It names one case and its end, and is signed with a key of the town. So the code itself stands in no page, and is not asked for
with every step; and whoever finds a page that was left open has nothing half an hour later.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from engine.keys.keys import Keys
from starter.http.parameters import CASE_ID

LASTS = timedelta(minutes=30)
_FORM = re.compile(r"(?P<case>[^ ]{1,200}) (?P<until>[0-9]{1,12}) (?P<seal>[0-9a-f]{64})")


class Passes:
    """Makes and checks passes."""

    def __init__(self, keys: Keys) -> None:
        """`keys` gives the town's key; that of passes is derived from it."""
        self._key = hmac.new(keys.blind_index.active, b"jiceng case pass 1", hashlib.sha256).digest()

    def issue(self, case_id: str, now: datetime | None = None) -> str:
        """A pass for a case, from `now` in real time on."""
        until = int(((now or datetime.now(UTC)) + LASTS).timestamp())
        return f"{case_id} {until} {self._seal(case_id, until)}"

    def case_of(self, given: str) -> str | None:
        """The case that a pass lets into now; None: it is none, or its time is over."""
        found = _FORM.fullmatch(given)
        if found is None or CASE_ID.fullmatch(found["case"]) is None:
            return None
        until = int(found["until"])
        right = hmac.compare_digest(found["seal"], self._seal(found["case"], until))
        return found["case"] if right and until > datetime.now(UTC).timestamp() else None

    def _seal(self, case_id: str, until: int) -> str:
        return hmac.new(self._key, f"{case_id}\0{until}".encode(), hashlib.sha256).hexdigest()
