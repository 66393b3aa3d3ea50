"""Writing the ledger: entries, the case's row and the outbox of notices, in one transaction."""

import asyncpg
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.database import Queries
from engine.refusals import KEEP, unstamped
from engine.stamps import KnownKeys, verify
from schemas.canonical import canonical_json
from schemas.case import Entry
from schemas.ledger import Batch, FlushReceipt, Projection

log = structlog.get_logger()


class LedgerQueries(Queries):
    """engine/queries/ledger.sql."""

    insert_entry: str
    has_entry: str
    forget_notices: str
    count_entries: str
    upsert_case: str
    insert_notice: str
    announce_case: str
    entries_of_case: str
    cases_with_ledger: str


QUERIES = LedgerQueries.load("ledger")


class Ledger:
    """The doer of the ledger.

    Writing the same batch again changes nothing. A batch that follows an entry other than the head is a case that tells
    anew what a lost workflow task had told already: its branch becomes the chain, and the other stays as it is.
    """

    def __init__(self, pool: asyncpg.Pool, stamps: KnownKeys | None = None) -> None:
        """`stamps`: the keys that the API signs with; without them, whoever writes is believed."""
        self._pool = pool
        self._stamps = stamps

    @activity.defn(name="flush")
    async def flush(self, batch: Batch) -> FlushReceipt:
        """Write all that is pending in a case; what `write` says."""
        return await self.write(batch)

    async def write(self, batch: Batch) -> FlushReceipt:
        """Write all that is pending in a case.

        Raises ApplicationError, retried without an end: LedgerBroken when the entry that the batch follows is not there,
        so that the case stands still, visibly, until a person has looked; StaleTask when a later workflow task has
        written already, so that a worker that was given up cannot turn the case back.
        """
        first, last = batch.entries[0], batch.entries[-1]
        if first.seq == 1:
            await self._refuse_forged_start(first, batch)
        async with self._pool.acquire() as connection, connection.transaction():
            if first.seq > 1 and not await connection.fetchval(
                QUERIES.has_entry, first.case_id, first.seq - 1, first.prev_hash
            ):
                raise ApplicationError(
                    f"{first.case_id}: entry {first.seq - 1} is not in the ledger", type="LedgerBroken"
                )
            await connection.executemany(QUERIES.insert_entry, [_row(entry, batch) for entry in batch.entries])
            if not await connection.fetchval(QUERIES.upsert_case, *_case_row(batch.projection), batch.task_at):
                raise ApplicationError(f"{first.case_id}: a later workflow task has written already", type="StaleTask")
            await connection.execute(QUERIES.forget_notices, first.case_id, first.seq)
            if batch.notices:
                await connection.executemany(
                    QUERIES.insert_notice,
                    [
                        (first.case_id, first.seq, position, notice.to, notice.template, notice.facts)
                        for position, notice in enumerate(batch.notices)
                    ],
                )
            await connection.execute(QUERIES.announce_case, last.case_id)
        return FlushReceipt(seq=last.seq, head_hash=last.hash)

    async def _refuse_forged_start(self, first: Entry, batch: Batch) -> None:
        """Judge a start as the guard judges commands (engine/stamp_guard.py): without a stamp for it there is no case.

        A key that this worker does not know yet is no forgery: the case waits until the ring has it.
        """
        if self._stamps is None:
            return
        opening = first.stamp
        of_this_case = opening is not None and opening.case_id in {
            first.case_id,
            batch.projection.snapshot.get("parent"),
        }
        if opening is None or not of_this_case or not verify(opening, self._stamps):
            if opening is not None and of_this_case and self._stamps.get(opening.key_id) is None:
                raise ApplicationError(f"{first.case_id}: the key of its stamp is not known", type="StampKeyUnknown")
            log.warning("start_not_stamped", case_id=first.case_id)
            await self._pool.execute(KEEP, *unstamped(first.case_id, "start"))
            raise ApplicationError(
                f"{first.case_id}: its start did not come through the API", type="NotStamped", non_retryable=True
            )


def _row(entry: Entry, batch: Batch) -> tuple[object, ...]:
    body = canonical_json(entry.model_dump(mode="json", exclude={"hash"})).decode()
    actor = f"{entry.actor.role}:{entry.actor.subject}"
    place = (entry.case_id, entry.seq, entry.at, entry.kind, actor, body, entry.prev_hash, entry.hash)
    return (*place, batch.run_id, batch.task_at)


def _case_row(row: Projection) -> tuple[object, ...]:
    return (
        row.case_id, row.procedure, row.stage, row.area, row.department, row.holder, row.labels, row.opened_at,
        row.closed_at, row.ended, row.due_at, row.due_clock, row.seq, row.head_hash, row.clocks, row.snapshot,
        list(row.involved),
    )  # fmt: skip
