"""How often somebody may ask: a bucket for each address, filled evenly, in the memory of this process.

Several API processes each have their own, so a town lets through as many times as much; and a restart fills all of them. That
is enough against a loop gone wild or somebody who tries things out, and costs no question to the database with every request.
What an account may ask is counted over all processes (starter/http/shared_rates.py), and so is what must hold over restarts too,
such as tries of case codes (starter/http/senders.py).
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

BUCKETS_MAX = 50_000
"""Of the addresses and accounts that were seen last; whoever was not seen for so long has a full one again anyway."""


@dataclass
class _Bucket:
    left: float
    at: float


class Rates:
    """Buckets of one kind. `per_second` 0: everybody may ask as often as they like."""

    def __init__(self, per_second: float, burst_seconds: float, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * burst_seconds)
        self._elapsed = elapsed
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, whose: str) -> int | None:
        """Take one request out of a bucket; None when there was one, else after how many seconds there will be."""
        if self._per_second <= 0:
            return None
        now = self._elapsed()
        bucket = self._buckets.get(whose) or self._new(whose, now)
        self._buckets.move_to_end(whose)
        bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.left < 1:
            return max(1, math.ceil((1 - bucket.left) / self._per_second))
        bucket.left -= 1
        return None

    def left(self, whose: str) -> int | None:
        """None while there is one in a bucket, else after how many seconds there will be; takes none."""
        bucket = self._buckets.get(whose)
        if self._per_second <= 0 or bucket is None:
            return None
        now_left = bucket.left + (self._elapsed() - bucket.at) * self._per_second
        return None if now_left >= 1 else max(1, math.ceil((1 - now_left) / self._per_second))

    def begin(self, whose: str, left: float) -> None:
        """Have a bucket begin with so many, unless there is one."""
        if whose not in self._buckets:
            self._new(whose, self._elapsed()).left = min(self._most, left)

    def forget(self, whose: str) -> None:
        """Have it as if it had never been."""
        self._buckets.pop(whose, None)

    def _new(self, whose: str, now: float) -> _Bucket:
        if len(self._buckets) >= BUCKETS_MAX:
            self._buckets.popitem(last=False)
        bucket = self._buckets[whose] = _Bucket(self._most, now)
        return bucket
