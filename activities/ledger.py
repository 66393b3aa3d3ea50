"""Writing the ledger: entries, the case's row and the outbox of notices, in one transaction."""

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.database import Queries
from schemas.canonical import canonical_json
from schemas.case import Entry
from schemas.ledger import Batch, FlushReceipt, Projection


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

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

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
