"""Rows made anew from recorded histories: a replay computes all that a case told, each time with its row; the last one counts.

What a case told with an answer counts once the ledger has its entries. Where it does not have them, as when somebody took them
out, they are put back first: the history has them (audit/archive/unwritten.py).

The row cannot be made from the entries alone: they hold what happened, not all that a case remembers. What the archiver
told the ledger of a case (a termination, a reset) is put on top, as the archiver did.
"""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from temporalio.client import WorkflowHistory

from audit.archive.records import SQL, entries_of
from audit.archive.unwritten import CannotWrite, write_unwritten
from audit.bundle.check_bundle import FOREIGN, Values, chain_of
from audit.recording.recording import Telling
from audit.recording.tellings import tellings_of
from audit.replay.replay import RunsOf
from audit.verify.verify import finding
from audit.verify.verify_projection import in_order
from engine.execution.codec import PayloadFault
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import SQL as ARCHIVE
from schemas.audit.ledger import BrokenChain, Projection
from schemas.kernel.findings import Finding

CHECK = "projection"


class CannotRebuild(Exception):
    """The row of a case cannot be made from its history."""


async def rebuild_rows(
    pool: asyncpg.Pool, keys: Keys, settings: Settings, histories: RunsOf, case_ids: Sequence[str], *, write: bool
) -> AsyncIterator[Finding]:
    """Compare the rows of these cases with what their histories make of them; `write`: put right what differs."""
    for case_id in case_ids:
        async with pool.acquire() as connection:
            gone = await connection.fetchrow(SQL.detached, case_id)
        if gone is not None:
            yield finding(case_id, CHECK, [], f"left as it is: its entries were taken away with {gone['partition']}")
            continue
        try:
            runs = await histories(case_id)
            put = await _put_back(pool, keys, settings, case_id, runs) if write else []
            async with pool.acquire() as connection:
                entries = await entries_of(connection, case_id)
            telling = await last_telling(keys, settings, runs, entries)
        except (CannotWrite, BrokenChain, PayloadFault) as fault:
            yield finding(case_id, CHECK, [f"entry-missing: {case_id}: {fault}"], "")
            continue
        except (LookupError, CannotRebuild) as fault:
            yield finding(case_id, CHECK, [f"history-missing: {case_id}: {fault}"], "")
            continue
        async with pool.acquire() as connection:
            row = await connection.fetchrow(SQL.row_of_case, case_id)
            entries = await entries_of(connection, case_id)
            told = telling.projection
            if (lost := _only_in_ledger(row, told, entries)) is not None:
                why = (
                    f"its history ends before entry {lost}, which a task wrote that was cut off: the row stays as it is"
                )
                yield finding(case_id, CHECK, [f"history-missing: {case_id}: {why}"], "")
                continue
            expected = with_marks(told, entries)
            differing = _differing(row, expected)
            if differing and write:
                values = (*_values(expected), max(telling.task_at, row["task_at"]) if row else telling.task_at)
                await connection.execute(SQL.rewrite_case if row else SQL.put_back_case, *values)
        done = [f"entries up to {seq} written again" for seq in put]
        if write and (done or differing):
            done += [f"rebuilt: {', '.join(differing)}"] if differing else []
            yield finding(case_id, CHECK, [], "; ".join(done))
        else:
            faults = [f"row-changed: {case_id}: {name} is not what its history makes of it" for name in differing]
            yield finding(case_id, CHECK, faults, "as its history says")


async def _put_back(
    pool: asyncpg.Pool, keys: Keys, settings: Settings, case_id: str, runs: Sequence[WorkflowHistory]
) -> list[int]:
    """Write what answers of these runs told and the ledger does not have. Raises CannotWrite: it does not take it."""
    put: list[int] = []
    async with pool.acquire() as connection, connection.transaction():
        await connection.fetchrow(ARCHIVE.lock_head, case_id)
        for run in runs:
            put += await write_unwritten(connection, case_id, run.events, keys, settings)
    return put


async def last_telling(
    keys: Keys, settings: Settings, runs: Sequence[WorkflowHistory], entries: Sequence[Values]
) -> Telling:
    """The last that a replay of these runs tells, with an answer only what the ledger has. Raises CannotRebuild.

    What an answer told stands in the history before the ledger has it.
    """
    written = {(entry["seq"], entry["hash"]) for entry in entries}
    for run in reversed(runs):
        tellings, failure = await tellings_of(run, keys, settings)
        if failure:
            raise CannotRebuild(f"it does not replay: {failure}")
        for telling in reversed(tellings):
            if not telling.by_answer or (telling.seq, telling.head_hash) in written:
                return telling
    raise CannotRebuild("no run of it wrote into the ledger")


def with_marks(row: Projection, entries: Sequence[Values]) -> Projection:
    """The row with what the archiver told of the case since."""
    following = {(entry["seq"] - 1, entry["prev_hash"]): entry for entry in entries if entry["kind"] in FOREIGN}
    while (mark := following.get((row.seq, row.head_hash))) is not None:
        shown = {"seq": mark["seq"], "head_hash": mark["hash"], "last_at": json.loads(mark["body"])["at"]}
        changed: dict[str, Any] = {"seq": mark["seq"], "head_hash": mark["hash"]}
        if mark["kind"] == "case:terminated":
            shown |= {"ended": True, "holder": ""}
            changed |= {"ended": True, "holder": "", "due_at": None, "due_clock": None}
        row = row.model_copy(update={**changed, "snapshot": {**row.snapshot, **shown}})
    return row


def _only_in_ledger(row: Any, rebuilt: Projection, entries: Sequence[Values]) -> int | None:
    """The first entry on the chain that goes on from what the history knows, and that no run has told."""
    chain = chain_of(entries, (row["seq"], row["head_hash"])) if row else []
    beyond = [entry for entry in chain if entry["seq"] > rebuilt.seq and entry["kind"] not in FOREIGN]
    follows = any((entry["seq"], entry["hash"]) == (rebuilt.seq, rebuilt.head_hash) for entry in chain)
    return beyond[0]["seq"] if beyond and follows else None


def _differing(row: Any, expected: Projection) -> list[str]:
    if row is None:
        return ["the whole row"]
    found = Projection.model_validate({name: row[name] for name in Projection.model_fields})
    return [
        name for name in Projection.model_fields if in_order(getattr(found, name)) != in_order(getattr(expected, name))
    ]


def _values(row: Projection) -> tuple[object, ...]:
    return (
        row.case_id, row.procedure, row.stage, row.area, row.department, row.holder, row.labels, row.opened_at,
        row.closed_at, row.ended, row.due_at, row.due_clock, row.seq, row.head_hash, row.clocks, row.snapshot,
        list(row.involved),
    )  # fmt: skip
