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
    differing_entries: str
    upsert_case: str
    insert_notice: str
    announce_case: str
    entries_of_case: str
    cases_with_ledger: str


QUERIES = LedgerQueries.load("ledger")


class Ledger:
    """The doer of the ledger. Writing the same batch again changes nothing; another content at the same place is refused."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @activity.defn(name="flush")
    async def flush(self, batch: Batch) -> FlushReceipt:
        """Write all that is pending in a case. Raises ApplicationError(type=LedgerBroken) for another hash at a known seq."""
        last = batch.entries[-1]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(QUERIES.insert_entry, [_row(entry) for entry in batch.entries])
            await self._refuse_another_hash(connection, batch)
            await connection.execute(QUERIES.upsert_case, *_case_row(batch.projection))
            if batch.notices:
                await connection.executemany(
                    QUERIES.insert_notice,
                    [
                        (last.case_id, last.seq, position, notice.to, notice.template, notice.facts)
                        for position, notice in enumerate(batch.notices)
                    ],
                )
            await connection.execute(QUERIES.announce_case, last.case_id)
        return FlushReceipt(seq=last.seq, head_hash=last.hash)

    async def _refuse_another_hash(self, connection: asyncpg.pool.PoolConnectionProxy, batch: Batch) -> None:
        case_id = batch.entries[0].case_id
        differing = await connection.fetch(
            QUERIES.differing_entries,
            case_id,
            [entry.seq for entry in batch.entries],
            [entry.hash for entry in batch.entries],
        )
        if differing:
            # Retried without an end on purpose: the case stands still, visibly, until a person has looked.
            raise ApplicationError(
                f"the ledger of {case_id} has another entry {differing[0]['seq']} than the case", type="LedgerBroken"
            )


def _row(entry: Entry) -> tuple[object, ...]:
    body = canonical_json(entry.model_dump(mode="json", exclude={"hash"})).decode()
    actor = f"{entry.actor.role}:{entry.actor.subject}"
    return (entry.case_id, entry.seq, entry.at, entry.kind, actor, body, entry.prev_hash, entry.hash)


def _case_row(row: Projection) -> tuple[object, ...]:
    return (
        row.case_id, row.procedure, row.stage, row.area, row.department, row.holder, row.labels, row.opened_at,
        row.closed_at, row.ended, row.due_at, row.due_clock, row.seq, row.head_hash, row.clocks, row.snapshot,
    )  # fmt: skip
