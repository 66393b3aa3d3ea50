"""What somebody with access to the server did to a case: its ledger says so, by an entry that the case did not write.

The entry goes onto the head of the chain, under a lock that flushes wait for. Under the same lock the ledger first gets what the
run had told with its answers to commands and nobody had written yet (audit/archive/unwritten.py): it was done, and those who did
it are told so. A worker that was still writing for a
terminated run comes too late (StaleTask): the row carries the time of the termination. A run made by a reset does not know
of the entry: its next flush follows the entry it was reset to, as any told-anew branch does, and what went before,
this entry included, stands beside the chain from then on, where `jiceng audit verify` counts and names it
(docs/decisions/0001-ledger-as-branches.md).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import structlog
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.ledger import QUERIES
from audit.archive.manifest import moment_of, reset_of
from audit.archive.unwritten import CannotWrite
from engine.execution.codec import PayloadFault
from engine.store.archive import SQL, ArchiveAway, ArchiveDamaged
from schemas.audit.ledger import BrokenChain
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import ENGINE, Entry
from schemas.values.canonical import canonical_json

log = structlog.get_logger()

TERMINATED = "case:terminated"
RESET = "case:reset"
FOREIGN = (TERMINATED, RESET)
"""Kinds of entries that the archiver writes, not the case."""


EventsOf = Callable[[str, str], Awaitable[Sequence[HistoryEvent]]]
"""The events of an archived run, by case and run. Raises ArchiveAway, ArchiveDamaged."""

Write = Callable[[Any, str, Sequence[HistoryEvent]], Awaitable[object]]
"""Puts into the ledger what a run told, on a connection that holds the row of its case. Raises CannotWrite and the like."""

CANNOT_TELL = (ArchiveAway, ArchiveDamaged, CannotWrite, BrokenChain, PayloadFault)


async def mark_strange_endings(
    client: Client, pool: asyncpg.Pool, events_of: EventsOf, write: Write
) -> tuple[int, int]:
    """Tell the ledger of every archived run that did not end by its story, after all that the run itself had told.

    Returns:
        How many were new, and how many are left: what they had told could not be written, so nothing may follow it yet.
    """
    marked = left = 0
    for row in await pool.fetch(SQL.strange_endings):
        case_id, run_id = row["case_id"], row["run_id"]
        if (new_run := await _made_from(client, case_id, run_id)) is not None:
            marked += await mark_reset(pool, case_id, *new_run)
        else:
            facts = {"run": run_id, "status": row["status"]}
            try:
                told = _Told(write, case_id, await events_of(case_id, run_id))
                marked += await _mark(pool, case_id, run_id, TERMINATED, facts, row["closed_at"], told=told)
            except CANNOT_TELL as fault:
                left += 1
                log.error("told_not_written", case_id=case_id, code=run_id, error=type(fault).__name__)  # noqa: TRY400 - tried again
    return marked, left


async def mark_reset(pool: asyncpg.Pool, case_id: str, run_id: str, events: Sequence[HistoryEvent]) -> int:
    """Tell the ledger that a run was made by a reset; 1 when that was new, 0 when it was known or is not so."""
    reset = reset_of(events)
    if reset is None:
        return 0
    base, event_id = reset
    at = next(moment_of(event.event_time) for event in events if event.event_id == event_id)
    facts = {"run": base, "new_run": run_id, "event": event_id}
    first = events[0].workflow_execution_started_event_attributes.first_execution_run_id
    return await _mark(pool, case_id, base, RESET, facts, at, first_run_id=first)


async def _made_from(client: Client, case_id: str, run_id: str) -> tuple[str, list[HistoryEvent]] | None:
    """The run that a reset made from this one, if any that Temporal still has."""
    async for run in client.list_workflows(f'WorkflowId = "{case_id}"'):
        if run.run_id == run_id:
            continue
        try:
            history = await client.get_workflow_handle(case_id, run_id=run.run_id).fetch_history()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                continue
            raise
        reset = reset_of(history.events)
        if reset is not None and reset[0] == run_id:
            return run.run_id, list(history.events)
    return None


@dataclass(frozen=True)
class _Told:
    """What a run had told when it was ended from outside."""

    write: Write
    case_id: str
    events: Sequence[HistoryEvent]

    async def put(self, connection: Any) -> None:
        await self.write(connection, self.case_id, self.events)


async def _mark(  # noqa: PLR0917 - one entry, all of it
    pool: asyncpg.Pool,
    case_id: str,
    run_id: str,
    kind: str,
    facts: dict[str, Any],
    real: datetime,
    *,
    told: _Told | None = None,
    first_run_id: str = "",
) -> int:
    """Put an entry onto the head of a case, once for a run. A run that comes from another first run is not the case's.

    `told`: the case ends with the run, and the entry follows all that the run had told.
    """
    async with pool.acquire() as connection, connection.transaction():
        head = await connection.fetchrow(SQL.lock_head, case_id)
        foreign = head is not None and first_run_id and head["first_run_id"] not in {None, "", first_run_id}
        if head is None or foreign or await connection.fetchval(SQL.has_mark, case_id, run_id):
            return 0
        # Its marks went with its entries: another one would begin its chain anew.
        if await connection.fetchval(SQL.taken_away_with, case_id) is not None:
            return 0
        if told is not None:
            await told.put(connection)
            head = await connection.fetchrow(SQL.lock_head, case_id) or head
        entry = _entry(case_id, head, kind, facts, real)
        body = canonical_json(entry.model_dump(mode="json", exclude={"hash"})).decode()
        actor = f"{entry.actor.role}:{entry.actor.subject}"
        await connection.execute(
            QUERIES.insert_entry,
            case_id,
            entry.seq,
            entry.at,
            kind,
            actor,
            body,
            entry.prev_hash,
            entry.hash,
            run_id,
            real,
        )
        shown = {"seq": entry.seq, "head_hash": entry.hash, "last_at": entry.model_dump(mode="json")["at"]}
        shown |= {"ended": True, "holder": ""} if told else {}
        await connection.execute(SQL.mark_head, case_id, entry.seq, entry.hash, real, shown)
        if told:
            await connection.execute(SQL.end_case, case_id)
        await connection.execute(QUERIES.announce_case, case_id)
    log.warning("case_ended_from_outside", case_id=case_id, kind=kind, code=run_id)
    return 1


def _entry(case_id: str, head: asyncpg.Record, kind: str, facts: dict[str, Any], real: datetime) -> Entry:
    snapshot = head["snapshot"]
    at = TownTime.model_validate(snapshot["charter"]["time"]).to_town(real)
    if snapshot.get("last_at"):
        at = max(at, datetime.fromisoformat(snapshot["last_at"]))
    return Entry(
        case_id=case_id, seq=head["seq"] + 1, at=at, actor=ENGINE, kind=kind, facts=facts, prev_hash=head["head_hash"],
    ).sealed()  # fmt: skip
