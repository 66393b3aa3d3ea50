"""Notices 通知: from the outbox to the people, each by its channels, in order, nobody twice.

A notice is told when the workflow task that wrote it is no longer in doubt. A channel that fails waits and tries again by
itself; the others go on. Before every attempt stands its record: a channel may get a notice twice when the process dies
between sending and confirming, and never once it was confirmed. Several processes may do this: an attempt is a lease, behind which
the rest of its channel waits, and one that died over it is followed by another when that has run out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from engine.outside.notice_channels import read_channels
from engine.policies.department_policy import load_departments
from engine.policies.notice_templates import load_notice_policy, with_names
from engine.runtime.logging import where
from engine.runtime.settings import Settings
from engine.store.database import AWAY, Queries
from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department_policy import DepartmentRegister
from schemas.contracts.notice import PARTICIPANT, SHOWN, Delivery, NoticePolicy, NoticeView, Wording
from schemas.kernel.procedure import Procedure
from schemas.values.actor import FOR_THEMSELVES, Actor, Role

log = structlog.get_logger()

Send = Callable[[str], Awaitable[bool]]
"""Bring one text to a channel; whether the channel took it."""

READY_AT_ONCE = 200
LOOK_EVERY_SECONDS = 1.0
LEASE = timedelta(minutes=2)
"""How long an attempt belongs to the process that made it; longer than any channel is waited for."""

SEND_LIMIT_SECONDS = 60.0
DATABASE_PAUSE_SECONDS = 3.0


class NoticeQueries(Queries):
    """engine/queries/notices.sql."""

    look_at_outbox: str
    ready_notices: str
    insert_delivery: str
    settle_outbox: str
    forget_lost: str
    attempt_next: str
    confirm: str
    postpone_delivery: str
    notices_for: str
    latest_notices: str


SQL = NoticeQueries.load("notices")


class Notices:
    """Brings notices to their recipients."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        policy: NoticePolicy,
        departments: DepartmentRegister,
        channels: Mapping[str, Send],
        delay: timedelta,
    ) -> None:
        """`channels` are those of the policy, but for the town's own screens. `delay` is real time."""
        self._pool = pool
        self._policy = policy
        self._names = {each.code: Wording(zh=each.name.zh, en=each.name.en) for each in departments.departments}
        self._duty_leaders = {each.code: each.duty_leader for each in departments.departments}
        self._channels = channels
        self._delay = delay

    async def run(self) -> None:
        """Run until cancelled: one task takes from the outbox, one for each channel sends."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self.take_ready), name="outbox")
            for channel in self._channels:
                tasks.create_task(self._repeat(lambda channel=channel: self.send_next(channel)), name=channel)  # type: ignore[misc]

    async def take_ready(self) -> int:
        """Put what may be told before its channels, in order; how many. On the town's screens it is told by that."""
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(SQL.look_at_outbox):
                return 0
            rows = await connection.fetch(SQL.ready_notices, self._delay, READY_AT_ONCE)
            await connection.executemany(SQL.insert_delivery, [each for row in rows for each in self._deliveries(row)])
            await connection.execute(SQL.settle_outbox)
        return len(rows)

    def _deliveries(self, row: asyncpg.Record) -> Iterator[tuple[object, ...]]:
        text = self._policy.text(row["template"], row["case_id"], row["facts"], self._names)
        account = self._account(row["recipient"], row["department"])
        for channel in self._policy.channels_of(row["recipient"]):
            yield row["notice_id"], channel, account, text, row["at"]

    async def send_next(self, channel: str) -> int:
        """Send the first notice that waits for a channel, when it is due; 1 when it was taken, else 0."""
        async with self._pool.acquire() as connection:
            await connection.execute(SQL.forget_lost, channel)
            row = await connection.fetchrow(SQL.attempt_next, channel, LEASE)
        if row is None:
            return 0
        taken = await self._try(channel, row["text"])
        async with self._pool.acquire() as connection:
            if taken:
                await connection.execute(SQL.confirm, row["delivery_id"])
            else:
                last = row["attempts"] >= self._policy.patience.attempts_at_most
                await connection.execute(SQL.postpone_delivery, row["delivery_id"], self._pause(row["attempts"]), last)
                log.warning(
                    "notice_given_up" if last else "notice_not_taken",
                    case_id=row["case_id"], template=row["template"], attempts=row["attempts"], code=channel,
                )  # fmt: skip
        return int(taken)

    async def _try(self, channel: str, text: str) -> bool:
        try:
            async with asyncio.timeout(SEND_LIMIT_SECONDS):
                return await self._channels[channel](text)
        except Exception as error:  # noqa: BLE001 - whatever a foreign library raises, the other channels go on
            # Its words may hold the address, which is a secret.
            log.warning("channel_failed", code=channel, error=type(error).__name__, where=where(error))
            return False

    def _pause(self, attempts: int) -> timedelta:
        patience = self._policy.patience
        doubled = patience.first_pause_seconds * 2 ** min(attempts - 1, 30)
        return timedelta(seconds=min(doubled, patience.longest_pause_seconds))

    def _account(self, recipient: str, department: str | None) -> str | None:
        kind, _, account = recipient.partition(":")
        if kind == PARTICIPANT:
            return account
        return self._duty_leaders.get(department or "") if recipient == "duty_leader" else None

    async def _repeat(self, work: Callable[[], Awaitable[int]]) -> None:
        while True:
            try:
                done = await work()
            except AWAY as error:
                log.warning("database_away", error=type(error).__name__)
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)
                continue
            if not done:
                await asyncio.sleep(LOOK_EVERY_SECONDS)


async def notices_for(
    connection: Any, actor: Actor, *, before: int | None = None, limit: int = 50, in_parts: Sequence[str] = ()
) -> list[NoticeView]:
    """What somebody is shown, newest first: of their own reports, to their desk, to their role in their area.

    `in_parts`: the procedures whose cases are also told of to who works in a part of their area alone (`CaseState.seen_in_parts`).
    """
    recipients = [f"role:{actor.role}"]
    if actor.role is Role.SUPERVISOR:
        recipients += ["supervisor", "district_office"]
    if actor.role is Role.DEPARTMENT_OFFICER and actor.department is not None:
        recipients.append(f"department:{actor.department}")
    resident = actor.subject if actor.role in FOR_THEMSELVES else None
    area = None if resident is not None else actor.area
    rows = await connection.fetch(
        SQL.notices_for, resident, recipients, actor.subject, area, before, limit, list(in_parts)
    )
    return [
        NoticeView(
            number=row["delivery_id"],
            case_id=row["case_id"],
            recipient=row["recipient"],
            template=row["template"],
            text=row["text"],
            at=in_shanghai(row["at"]),
        )
        for row in rows
    ]


async def latest_notices(pool: asyncpg.Pool, limit: int = 50, case_id: str | None = None) -> list[Delivery]:
    """The latest deliveries of the whole town, newest first."""
    return [
        Delivery(
            number=row["delivery_id"],
            at=in_shanghai(row["at"]),
            **{name: row[name] for name in Delivery.model_fields if name not in {"number", "at"}},
        )
        for row in await pool.fetch(SQL.latest_notices, limit, case_id)
    ]


def build_notices(pool: asyncpg.Pool, settings: Settings, procedures: Iterable[Procedure] = ()) -> Notices:
    """Read the town's rules and channels. Raises PolicyFaults, DepartmentPolicyFaults, KeyFault."""
    known = tuple(procedures)
    departments = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    codes = [each.code for each in departments.departments]
    policy = with_names(load_notice_policy(settings.policies, known), known, settings.policies, codes)
    folder: Path = settings.key_folder / "notices"
    channels = read_channels(policy.channels, folder)
    return Notices(pool, policy, departments, channels, timedelta(seconds=settings.notice_delay_seconds))


__all__ = ["SHOWN", "Notices", "build_notices", "latest_notices", "notices_for"]
