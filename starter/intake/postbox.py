"""The postbox: what was accepted and has to reach Temporal. A lease is one statement: no connection is held."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import asyncpg

from engine.execution.case_runs import NUMBER_TAKEN
from engine.store.announcer import Announcer
from engine.store.database import AWAY, Queries
from engine.store.ledger_rows import told_values
from engine.store.refusals import KEEP, out_of_place
from schemas.audit.ledger import BrokenChain
from schemas.kernel.case import Accepted
from schemas.kernel.row_change import RowChange
from schemas.kernel.told import Told
from schemas.values.actor import Stamp
from schemas.values.model import Model
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.case_states import CaseText

LEASE = timedelta(seconds=10)
"""How long a delivering process has; when it is killed, so long others wait before they take over."""


class IntakeQueries(Queries):
    """engine/queries/intake.sql."""

    lease_number: str
    accept_start: str
    known: str
    accept_command: str
    fill: str
    claim_due: str
    postpone: str
    settle: str
    settle_told: str
    settle_told_untold: str
    stands: str
    find_submission: str
    backlog: str
    suspect: str
    elsewhere: str
    lay_aside: str
    take_up_again: str
    case_stands: str
    untaken_starts: str
    deliver_again: str


SQL = IntakeQueries.load("intake")


class Status(StrEnum):
    """How far a submission has come."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True)
class Submission:
    """One accepted row. `leased`: when it was read, it was somebody's. `failing_since`: its case's task fails with it."""

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
    failing_since: datetime | None = None

    @classmethod
    def read(cls, row: asyncpg.Record) -> Self:
        """From a row of `intake`."""
        names = ("intake_id", "submission", "kind", "command", "procedure", "case_id", "subject", "body_digest",
                 "payload", "answer", "attempts", "received_at", "settled_at", "failing_since")  # fmt: skip
        return cls(
            **{name: row[name] for name in names},
            status=Status(row["status"]),
            leased=row["leased_until"] is not None,
        )


@dataclass(frozen=True)
class Settled:
    """How a delivery was written down. `submission` None: another attempt settles it, or has. `more` waits behind it.

    `case`: the case as it stood then, with what came of a command; without its text where `change` says the same.
    """

    submission: Submission | None
    more: bool
    case: CaseText | None = None
    change: RowChange | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Cases, other than one's own, whose task fails with what was accepted, and such for which something was carried out."""

    failing: int
    well: int


class NotWritten(Exception):
    """What a case told with its answer could not be written as it is. `word`: why, as `settle_told` says it, or a kind of fault."""

    def __init__(self, word: str, seq: int) -> None:
        """`seq` is the last entry that was told."""
        super().__init__(word)
        self.word = word
        self.seq = seq


class SetAsideAnswer(Model):
    """Why a command was laid aside. `failure`: the kind of failure of the workflow task, a code; `by_hand`: by an operator."""

    failure: str
    by_hand: bool = False

    def refusal(self, command: str) -> Refusal:
        """As whoever sent it is told."""
        return Refusal(
            code=RefusalCode.SET_ASIDE,
            detail=say(
                "系统未能办理此操作,已暂存待查;本案其他操作不受影响",
                "the system could not carry this out and has laid it aside for an engineer; the case goes on without it",
            ),
            command=command,
        )


class Postbox:
    """Claims, postpones and settles rows. Raises what asyncpg raises while the database is away."""

    def __init__(self, pool: asyncpg.Pool, announcer: Announcer | None = None) -> None:
        """`announcer` tells of what cases told with their answers; without one the commit does (activities/ledger.py)."""
        self._pool = pool
        self._announcer = announcer

    async def claim(self, at_most: int, case_id: str | None = None) -> list[Submission]:
        """Lease what is due, of one case or of all: the first of each case only. A lease is for `LEASE`, ten real seconds."""
        rows = await self._pool.fetch(SQL.claim_due, at_most, LEASE, case_id)
        return [Submission.read(row) for row in rows]

    async def postpone(self, submission: Submission, pause: timedelta) -> None:
        """Leave it for later."""
        await self._pool.execute(SQL.postpone, submission.intake_id, submission.attempts, pause)

    async def delivered(
        self,
        submission: Submission,
        accepted: Accepted | None,
        *,
        knows_row: Callable[[RowChange], bool] = lambda _: False,
    ) -> Settled:
        """It stands in Temporal; a command's answer is kept for its repeats, and what its case told with it is written.

        `knows_row`: whether a row that a change may be put onto is known here, so that Postgres need not give the whole one.

        Raises:
            NotWritten: that cannot be, and nothing is settled.
        """
        answer = accepted.model_dump(mode="json", exclude={"told"}) if accepted else None
        if accepted is not None and accepted.told is not None:
            change = accepted.told.row if knows_row(accepted.told.row) else None
            return await self._written(submission, answer, accepted, accepted.told, change)
        row = await self._pool.fetchrow(
            SQL.settle, submission.intake_id, submission.attempts, Status.DELIVERED, answer, answer is not None
        )
        return _settled(submission, Status.DELIVERED, answer, row)

    async def _written(
        self,
        submission: Submission,
        answer: dict[str, Any] | None,
        accepted: Accepted,
        told: Told,
        change: RowChange | None,
    ) -> Settled:
        settle = SQL.settle_told_untold if self._announcer else SQL.settle_told
        try:
            values = told_values(accepted, told, Stamp.model_validate(submission.payload["stamp"]))
            row = await self._pool.fetchrow(
                settle, submission.intake_id, submission.attempts, answer, *values, change is None
            )
        except AWAY:
            raise
        except (BrokenChain, asyncpg.PostgresError) as fault:
            if await self._pool.fetchval(SQL.stands, accepted.case_id, told.seq, told.head_hash):
                # Its case has written by itself what could not be read off its answer, as when a later release made it.
                return await self.delivered(submission, accepted.model_copy(update={"told": None}))
            raise NotWritten(type(fault).__name__, told.seq) from fault
        if row is None or row["word"] != "written":
            raise NotWritten(row["word"] if row else "nothing", told.seq)
        if self._announcer is not None:
            self._announcer.tell(accepted.case_id, told.head_hash)
        if row["settled_at"] is None:
            return Settled(None, more=True)
        ended = replace(submission, status=Status.DELIVERED, answer=answer, settled_at=row["settled_at"], leased=False)
        if row["version"] is None:
            return Settled(ended, more=row["more"])
        case = CaseText(submission.procedure, row["version"], row["snapshot"] or "", told.row.digest)
        return Settled(ended, more=row["more"], case=case, change=change)

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

    async def suspect(self, submission: Submission, tried_for: timedelta) -> None:
        """Remember that the task of its case failed in the attempt that began `tried_for` ago, if it did not before."""
        await self._pool.execute(SQL.suspect, submission.intake_id, submission.attempts, tried_for)

    async def elsewhere(self, submission: Submission) -> Elsewhere:
        """How other cases fare since this one's task fails."""
        row = await self._pool.fetchrow(SQL.elsewhere, submission.case_id, submission.failing_since)
        return Elsewhere(row["failing"], row["well"]) if row else Elsewhere(0, 0)

    async def set_aside(self, submission: Submission, why: SetAsideAnswer) -> Settled:
        """Lay it aside: what waits behind it is delivered. No attempt against the rules, so no record of refusals has it."""
        answer = why.model_dump(mode="json")
        row = await self._pool.fetchrow(
            SQL.settle, submission.intake_id, submission.attempts, Status.SET_ASIDE, answer, False
        )
        return _settled(submission, Status.SET_ASIDE, answer, row)

    async def lay_aside(self, submission: str, why: SetAsideAnswer) -> Submission | None:
        """Lay one aside by hand, or note that somebody has looked at one that was; None: there is no such command that waits."""
        row = await self._pool.fetchrow(SQL.lay_aside, submission, why.model_dump(mode="json"))
        return Submission.read(row) if row else None

    async def take_up_again(self, submission: str) -> Submission | None:
        """Deliver again what was laid aside; None: nothing was."""
        row = await self._pool.fetchrow(SQL.take_up_again, submission)
        return Submission.read(row) if row else None

    async def case_stands(self, case_id: str) -> bool:
        """Whether the ledger has heard of a case: then it has begun, whatever stands under its number now."""
        return bool(await self._pool.fetchval(SQL.case_stands, case_id))

    async def note_number_taken(self, case_id: str) -> None:
        """Put it on record that somebody else's run stood under the number of a case."""
        await self._pool.execute(KEEP, *out_of_place(case_id, NUMBER_TAKEN))

    async def untaken_starts(self, at_most: int, after: timedelta) -> list[Submission]:
        """Starts delivered so long ago, after each further delivery twice as long, of whose case the ledger has heard nothing."""
        return [Submission.read(row) for row in await self._pool.fetch(SQL.untaken_starts, at_most, after)]

    async def deliver_again(self, submission: Submission) -> None:
        """Have a start delivered once more whose run is not there any more."""
        await self._pool.execute(SQL.deliver_again, submission.intake_id, submission.attempts)

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
    case = (
        CaseText(row["procedure"], row["version"], row["snapshot"], row["row_digest"])
        if row["snapshot"] is not None
        else None
    )
    return Settled(ended, more=row["more"], case=case)


def refusal_row(case_id: str, stamp: Stamp, refusal: Refusal) -> tuple[str | None, ...]:
    """A row of `refusals`: the arguments of `KEEP`, in its order."""
    actor = stamp.actor
    return (case_id, stamp.command, actor.subject, actor.role, actor.department, refusal.code, refusal.stage)
