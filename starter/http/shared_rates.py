"""How often an account may ask, over all APIs of a town: a bucket in Postgres, out of which each API draws a few requests at once.

What is drawn is spent in memory, so that an account that asks much costs a statement in several of its requests, and one that has
to wait costs none until there may be something again. What one API has drawn and not spent no other lets through meanwhile. No
row is held over a request. While the database does not answer, each API counts by itself (starter/http/rates.py). An account is
kept as a digest with a key of the town.
"""

import asyncio
import hashlib
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import asyncpg
import structlog

from engine.keys.keys import Keys
from engine.store.database import NOT_DONE, Queries
from starter.http.rates import BUCKETS_MAX, Rates

log = structlog.get_logger()

DRAWS = 20
"""A bucket is drawn empty in so many draws, or one by one where it holds less."""

PATIENCE_SECONDS = 1.0
"""So long the database is waited for; whoever asks would wait for it themselves, but not for this."""

AWAY_SECONDS = 3.0
"""So long it is not asked again."""

FORGET_EVERY_SECONDS = 600.0

FORGOTTEN_AT_ONCE = 1000
"""Buckets that one statement takes out, beside those who ask."""


class RateQueries(Queries):
    """engine/queries/rates.sql."""

    draw: str
    look: str
    forget_full: str


SQL = RateQueries.load("rates")


@dataclass
class _Drawn:
    """What this API may let through of an account, until when; or until when there is surely nothing."""

    left: int = 0
    good_until: float = 0.0
    nothing_until: float = 0.0
    saved: float | None = None
    """What the bucket had when it was asked last, and when that was; None before."""
    saved_at: float = 0.0
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)


class SharedRates:
    """Buckets of one kind, of all APIs. `per_second` 0: everybody may ask as often as they like."""

    def __init__(  # noqa: PLR0917 - as Rates, and where it is counted
        self,
        keys: Keys,
        pool: asyncpg.Pool,
        kind: str,
        per_second: float,
        burst_seconds: float,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keys` gives the town's key; the digests' own is derived from it. `kind` keeps one account's buckets apart."""
        self._key = hmac.new(keys.blind_index.active, f"jiceng rates 1 {kind}".encode(), hashlib.sha256).digest()
        self._pool = pool
        self._per_second = per_second
        self._burst_seconds = burst_seconds
        self._most = max(1.0, per_second * burst_seconds)
        self._at_once = max(1, int(self._most) // DRAWS)
        self._elapsed = elapsed
        self._accounts: OrderedDict[str, _Drawn] = OrderedDict()
        self._alone = Rates(per_second, burst_seconds, elapsed)
        self._away_until = self._forget_at = -math.inf
        self._forgetting: asyncio.Task[None] | None = None

    async def take(self, whose: str) -> int | None:
        """Take one request out of a bucket; None when there was one, else after how many seconds there will be."""
        return await self._asked(whose, spent=1)

    async def left(self, whose: str) -> int | None:
        """None while there is one in a bucket, else after how many seconds there will be; takes none."""
        return await self._asked(whose, spent=0)

    async def _asked(self, whose: str, *, spent: int) -> int | None:
        if self._per_second <= 0:
            return None
        account = self._account(whose)
        # One draws, and whoever asks at the same time has of that.
        async with account.drawing:
            now = self._elapsed()
            if now < account.nothing_until:
                return max(1, math.ceil(account.nothing_until - now))
            if now >= account.good_until:
                account.left = 0
            if not account.left:
                asked = self._draw if spent else self._look
                if now < self._away_until or not await asked(whose, account):
                    return self._counted_alone(whose, account, spent)
                self._alone.forget(whose)
                if not spent and account.saved is not None and account.saved >= 1:
                    return None
                if not account.left:
                    return max(1, math.ceil(account.nothing_until - now))
            account.left -= spent
            return None

    def _account(self, whose: str) -> _Drawn:
        if (account := self._accounts.get(whose)) is None:
            if len(self._accounts) >= BUCKETS_MAX:
                self._accounts.popitem(last=False)
            account = self._accounts[whose] = _Drawn()
        self._accounts.move_to_end(whose)
        return account

    def _counted_alone(self, whose: str, account: _Drawn, spent: int) -> int | None:
        """By this API's own count, from what the bucket is known to have; where nothing is known, what one draw would give.

        The other APIs count alone as well: whoever keeps the database busy is not to get a whole bucket of each for it.
        """
        filled = self._elapsed() - account.saved_at
        known = self._at_once if account.saved is None else account.saved + filled * self._per_second
        self._alone.begin(whose, known)
        return self._alone.take(whose) if spent else self._alone.left(whose)

    async def _look(self, whose: str, account: _Drawn) -> bool:
        """See what there is, and draw nothing; False when the database does not say."""
        row = await self._asks(SQL.look, whose, self._per_second, self._most)
        if row is False:
            return False
        self._note(account, self._most if row is None else row["saved"])
        return True

    async def _draw(self, whose: str, account: _Drawn) -> bool:
        """Draw what there is, up to a few; False when the database does not say."""
        row = await self._asks(SQL.draw, whose, self._per_second, self._most, self._at_once)
        if row is None or row is False:
            return False
        if self._elapsed() >= self._forget_at:
            self._forget_at = self._elapsed() + FORGET_EVERY_SECONDS
            self._forgetting = asyncio.create_task(self._forget_full())
        now = self._elapsed()
        account.left = row["drawn"]
        self._note(account, row["saved"])
        # By then the bucket has filled up whatever was drawn: what was not spent is not saved up beside it.
        account.good_until = now + self._burst_seconds
        return True

    def _note(self, account: _Drawn, saved: float) -> None:
        account.saved, account.saved_at = saved, self._elapsed()
        account.nothing_until = account.saved_at
        if not account.left and saved < 1:
            account.nothing_until += (1 - saved) / self._per_second

    async def _asks(self, query: str, whose: str, *values: float) -> asyncpg.Record | Literal[False] | None:
        """The row that the database has for an account, None where it has none; False when it does not say."""
        digest = hmac.new(self._key, whose.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._pool.acquire() as connection:
                row: asyncpg.Record | None = await connection.fetchrow(query, digest, *values)
        except NOT_DONE as error:
            self._away_until = self._elapsed() + AWAY_SECONDS
            log.warning("rates_counted_alone", error=type(error).__name__)
            return False
        return row

    async def _forget_full(self) -> None:
        """Take full buckets out, some at a time, while nobody waits for it; what does not come through does in ten minutes."""
        with suppress(*NOT_DONE):
            while await self._pool.fetchval(SQL.forget_full, FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
                pass
