"""Webhooks: from the ledger to the receivers of other systems, at least once, of each case in order (docs/webhooks.md).

    ledger --(its own transaction)--> webhook_entries --(no longer in doubt)--> webhook_deliveries --> receiver
                                                                                 |  2xx: delivered
                                                                                 |  410: the subscription ends
                                                                                 +-- anything else: later, for days

Before every attempt stands its record, with the time until which it belongs to this process: one that dies between sending
and confirming has its event sent once more, with the same id and the same bytes.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta

import asyncpg
import httpx
import structlog

from engine.keys.counterpart_keys import Counterpart, CounterpartKeys, load_counterpart_keys
from engine.policies.webhook_policy import load_webhooks
from engine.runtime.guarded_http import PRIVATE
from engine.runtime.settings import Settings
from engine.store.database import AWAY
from engine.store.webhook_books import SQL
from schemas.contracts.webhook import Event, Happened, WebhookPolicy, WebhookRegister, event_of, headers_of
from schemas.kernel.procedure import Procedure
from schemas.words.titles import title_of, words_for_residents

log = structlog.get_logger()

ENTRIES_AT_ONCE = 200
LOOK_EVERY_SECONDS = 1.0
DATABASE_PAUSE_SECONDS = 3.0
LEASE_MARGIN = timedelta(seconds=2)
"""So much longer than a call may take an attempt belongs to the process that made it."""

KEPT = timedelta(days=30)
"""So long what was delivered can be looked up, and sent once more."""

FORGET_EVERY_SECONDS = 3600.0
GONE = 410


class Webhooks:
    """Tells the subscriptions of a town. One for each process; several beside each other tell nothing twice."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        register: WebhookRegister,
        keys: CounterpartKeys,
        client: httpx.AsyncClient,
        procedures: Mapping[str, Procedure],
        *,
        source: str,
        delay: timedelta,
    ) -> None:
        """`client` is `outward_client()`, `source` names the town in events; `delay`, in real time, as that of notices."""
        self._pool = pool
        self._webhooks = {each.code: each for each in register.webhooks}
        self._keys = keys
        self._client = client
        self._procedures = procedures
        self._source = source
        self._delay = delay

    async def run(self) -> None:
        """Run until cancelled: one task looks at entries, one for each subscription sends. Without any it ends at once."""
        while not await self._database(self.subscribe):
            pass
        if not self._webhooks:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self.take_entries), name="webhook entries")
            tasks.create_task(self._repeat(self.forget_old, FORGET_EVERY_SECONDS), name="webhooks of old")
            for code in self._webhooks:
                tasks.create_task(self._repeat(lambda code=code: self.send_due(code)), name=code)  # type: ignore[misc]

    async def subscribe(self) -> int:
        """Begin the subscriptions that are new in the policy, and end those that have gone from it."""
        codes = list(self._webhooks)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(SQL.subscribe, codes)
            await connection.execute(SQL.unsubscribe, codes)
            await connection.execute(SQL.give_up_ended)
            ended = await connection.fetch(SQL.ended, codes)
        for row in ended:
            log.warning("webhook_ended", code=row["subscription"], reason="its receiver answered 410")
        return 1

    async def take_entries(self) -> int:
        """Make events of what was queued, for whoever is to be told; how many entries were looked at."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(SQL.look_at_entries, self._delay, ENTRIES_AT_ONCE)
            for row in rows:
                happened = Happened(**{name: row[name] for name in Happened.model_fields})
                told = [
                    each for each in self._webhooks.values() if each.wants(row["procedure"], row["kind"], row["area"])
                ]
                if not told:
                    continue
                body = self._event(happened).model_dump_json()
                place = (happened.event_id, happened.case_id, happened.seq, happened.kind, body, row["queued_at"])
                await connection.executemany(SQL.insert_delivery, [(each.code, *place) for each in told])
        return len(rows)

    def _event(self, happened: Happened) -> Event:
        procedure = self._procedures[happened.procedure]
        title, stage = title_of(procedure, happened.kind), words_for_residents(happened.stage, procedure)
        return event_of(happened, title, stage, self._source)

    async def send_due(self, code: str) -> int:
        """Send what is due for a subscription, as many at once as its receiver takes; how many were tried."""
        webhook = self._webhooks[code]
        lease = timedelta(seconds=webhook.timeout_seconds) + LEASE_MARGIN
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(SQL.claim, code, webhook.concurrent_calls, lease)
        await asyncio.gather(*(self._deliver(webhook, row) for row in rows))
        return len(rows)

    async def forget_old(self) -> int:
        """Take out what was delivered long ago."""
        await self._pool.execute(SQL.forget_old, KEPT)
        return 0

    async def _deliver(self, webhook: WebhookPolicy, row: asyncpg.Record) -> None:
        outcome, asked = await self._call(webhook, row["event_id"], row["body"].encode())
        delivery = row["delivery_id"]
        async with self._pool.acquire() as connection, connection.transaction():
            if outcome.startswith("http-2"):
                await connection.execute(SQL.confirm, delivery, outcome)
                return
            gone, pause = outcome == f"http-{GONE}", webhook.pause(row["attempts"], asked)
            last = row["tried_for"] + pause > webhook.patience
            await connection.execute(SQL.postpone, delivery, outcome, pause, last)
            if gone:
                await connection.execute(SQL.end_subscription, webhook.code)
                await connection.execute(SQL.give_up_ended)
        log.warning(
            "webhook_ended" if gone else "webhook_given_up" if last else "webhook_not_taken",
            code=webhook.code, case_id=row["case_id"], attempts=row["attempts"], reason=outcome,
        )  # fmt: skip

    async def _call(self, webhook: WebhookPolicy, event_id: str, body: bytes) -> tuple[str, timedelta | None]:
        """One attempt: what came of it as a code, and the pause that was asked for. No redirect is followed, no answer read."""
        headers = headers_of(self._keys.believed(webhook.code), event_id, str(int(time.time())), body)
        try:
            # httpx limits each step; only this limits them together.
            async with (
                asyncio.timeout(webhook.timeout_seconds),
                self._client.stream(
                    "POST",
                    webhook.url,
                    content=body,
                    headers=headers,
                    timeout=webhook.timeout_seconds,
                    extensions={PRIVATE: webhook.private},
                ) as response,
            ):
                return f"http-{response.status_code}", _retry_after(response)
        except (TimeoutError, httpx.TimeoutException):
            return "timeout", None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return _code(type(error).__name__), None

    async def _repeat(self, work: Callable[[], Awaitable[int]], pause_seconds: float = LOOK_EVERY_SECONDS) -> None:
        while True:
            if not await self._database(work):
                await asyncio.sleep(pause_seconds)

    async def _database(self, work: Callable[[], Awaitable[int]]) -> int:
        """Work that needs the database; while that is away there is none, after a pause."""
        try:
            return await work()
        except AWAY as error:
            log.warning("database_away", error=type(error).__name__)
            await asyncio.sleep(DATABASE_PAUSE_SECONDS)
            return 0


def build_webhooks(
    pool: asyncpg.Pool, settings: Settings, procedures: Iterable[Procedure], client: httpx.AsyncClient
) -> Webhooks:
    """Read the town's subscriptions and their keys. Raises PolicyFaults, CounterpartKeyFaults."""
    named = {each.name: each for each in procedures}
    register = load_webhooks(settings.policies, named.values())
    keys = load_counterpart_keys(settings.key_folder, [each.code for each in register.webhooks], Counterpart.WEBHOOK)
    delay = timedelta(seconds=settings.notice_delay_seconds)
    return Webhooks(pool, register, keys, client, named, source=settings.api_url, delay=delay)


def _retry_after(response: httpx.Response) -> timedelta | None:
    asked = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(asked)) if re.fullmatch(r"[0-9]{1,6}", asked) else None


def _code(name: str) -> str:
    """ConnectError: connect-error."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
