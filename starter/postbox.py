"""The postbox: what was accepted and has to reach Temporal. A lease is one statement: no connection is held."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import asyncpg

from engine.database import Queries
from engine.refusals import KEEP
from schemas.actor import Stamp
from schemas.refusals import Refusal

LEASE = timedelta(seconds=10)
"""How long a delivering process has; when it is killed, so long others wait before they take over."""


class IntakeQueries(Queries):
    """engine/queries/intake.sql."""

    accept_start: str
    known: str
    accept_command: str
    fill: str
    claim_due: str
    postpone: str
    settle: str
    find_submission: str
    start_of_case: str
    backlog: str


SQL = IntakeQueries.load("intake")


class Status(StrEnum):
    """How far a submission has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True)
class Submission:
    """One accepted row. `leased`: when it was read, it was somebody's."""

    intake_id: int
    submission: str
    kind: str
    command: str
    procedure: str
    case_id: str
    subject: str
    body_digest: bytes
    payload: dict[str, Any]
    status: Status
    answer: dict[str, Any] | None
    attempts: int
    leased: bool
    received_at: datetime
    settled_at: datetime | None

    @classmethod
    def read(cls, row: asyncpg.Record) -> Self:
        """From a row of `intake`."""
        names = ("intake_id", "submission", "kind", "command", "procedure", "case_id", "subject", "body_digest",
                 "payload", "answer", "attempts", "received_at", "settled_at")  # fmt: skip
        return cls(
            **{name: row[name] for name in names},
            status=Status(row["status"]),
            leased=row["leased_until"] is not None,
        )


@dataclass(frozen=True)
class CaseText:
    """A case as the database has it. `version` is another one after every writing of its row."""

    procedure: str
    version: str
    snapshot: str


@dataclass(frozen=True)
class Settled:
    """How a delivery was written down. `submission` None: another attempt settles it, or has. `more` waits behind it.

    `case`: the case as it stood then, with what came of a command.
    """

    submission: Submission | None
    more: bool
    case: CaseText | None = None


class Postbox:
    """Claims, postpones and settles rows. Raises what asyncpg raises while the database is away."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def claim(self, at_most: int, case_id: str | None = None) -> list[Submission]:
        """Lease what is due, of one case or of all: the first of each case only."""
        rows = await self._pool.fetch(SQL.claim_due, at_most, LEASE, case_id)
        return [Submission.read(row) for row in rows]

    async def postpone(self, submission: Submission, pause: timedelta) -> None:
        """Leave it for later."""
        await self._pool.execute(SQL.postpone, submission.intake_id, submission.attempts, pause)

    async def delivered(self, submission: Submission, answer: dict[str, Any] | None) -> Settled:
        """It stands in Temporal; a command's answer is kept for its repeats."""
        row = await self._pool.fetchrow(
            SQL.settle, submission.intake_id, submission.attempts, Status.DELIVERED, answer, answer is not None
        )
        return _settled(submission, Status.DELIVERED, answer, row)

    async def refused(self, submission: Submission, refusal: Refusal) -> Settled:
        """The case refused it; the attempt is kept, since a rejected update leaves nothing in the history."""
        answer = refusal.model_dump(mode="json")
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                SQL.settle, submission.intake_id, submission.attempts, Status.REFUSED, answer, False
            )
            if row is not None:
                stamp = Stamp.model_validate(submission.payload["stamp"])
                await connection.execute(KEEP, *refusal_row(submission.case_id, stamp, refusal))
        return _settled(submission, Status.REFUSED, answer, row)

    async def find(self, submission: str) -> Submission | None:
        """What a caller follows."""
        row = await self._pool.fetchrow(SQL.find_submission, submission)
        return Submission.read(row) if row else None

    async def backlog(self) -> tuple[int, float]:
        """How many wait, and for how many seconds the oldest has."""
        row = await self._pool.fetchrow(SQL.backlog)
        return (row["waiting"], row["oldest_seconds"]) if row else (0, 0.0)


def _settled(
    submission: Submission, status: Status, answer: dict[str, Any] | None, row: asyncpg.Record | None
) -> Settled:
    if row is None:
        return Settled(None, more=True)  # whoever has it now may have left something behind it
    ended = replace(submission, status=status, answer=answer, settled_at=row["settled_at"], leased=False)
    case = CaseText(row["procedure"], row["version"], row["snapshot"]) if row["snapshot"] is not None else None
    return Settled(ended, more=row["more"], case=case)


def refusal_row(case_id: str, stamp: Stamp, refusal: Refusal) -> tuple[str | None, ...]:
    """A row of `refusals`."""
    actor = stamp.actor
    return (case_id, stamp.command, actor.subject, actor.role, actor.department, refusal.code, refusal.stage)
