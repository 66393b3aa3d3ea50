"""Rows made anew from recorded histories: a replay computes every flush with the row that it wrote; the last one counts.

The row cannot be made from the entries alone: they hold what happened, not all that a case remembers. What the archiver
told the ledger of a case (a termination, a reset) is put on top, as the archiver did.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from temporalio.client import WorkflowHistory

from audit.archive.records import SQL, entries_of
from audit.bundle.check_bundle import FOREIGN, Values, chain_of
from audit.replay.recording import Recording, RecordingRunner
from audit.replay.replay import RunsOf
from audit.verify.verify import finding
from engine.execution.temporal import build_replayer, workflow_runner
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.audit.ledger import Batch, Projection
from schemas.kernel.findings import Finding
from workflows.registry import PROCEDURES

CHECK = "projection"


class CannotRebuild(Exception):
    """The row of a case cannot be made from its history."""


async def rebuild_rows(
    pool: asyncpg.Pool, keys: Keys, settings: Settings, histories: RunsOf, case_ids: Sequence[str], *, write: bool
) -> AsyncIterator[Finding]:
    """Compare the rows of these cases with what their histories make of them; `write`: put right what differs."""
    for case_id in case_ids:
        try:
            batch = await last_batch(keys, settings, await histories(case_id))
        except (LookupError, CannotRebuild) as fault:
            yield finding(case_id, CHECK, [f"history-missing: {case_id}: {fault}"], "")
            continue
        async with pool.acquire() as connection:
            row = await connection.fetchrow(SQL.row_of_case, case_id)
            entries = await entries_of(connection, case_id)
            told = batch.projection
            if (lost := _only_in_ledger(row, told, entries)) is not None:
                why = (
                    f"its history ends before entry {lost}, which a task wrote that was cut off: the row stays as it is"
                )
                yield finding(case_id, CHECK, [f"history-missing: {case_id}: {why}"], "")
                continue
            expected = with_marks(told, entries)
            differing = _differing(row, expected)
            if differing and write:
                values = (*_values(expected), max(batch.task_at, row["task_at"]) if row else batch.task_at)
                await connection.execute(SQL.rewrite_case if row else SQL.put_back_case, *values)
        if differing and write:
            yield finding(case_id, CHECK, [], f"rebuilt: {', '.join(differing)}")
        else:
            faults = [f"row-changed: {case_id}: {name} is not what its history makes of it" for name in differing]
            yield finding(case_id, CHECK, faults, "as its history says")


async def last_batch(keys: Keys, settings: Settings, runs: Sequence[WorkflowHistory]) -> Batch:
    """The last flush that a replay of these runs computes. Raises CannotRebuild."""
    runner = RecordingRunner(workflow_runner())
    replayer = build_replayer(keys, settings, PROCEDURES, runner)
    for run in reversed(runs):
        result = await replayer.replay_workflow(run, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            raise CannotRebuild(f"it does not replay: {type(result.replay_failure).__name__}")
        if (batch := await asyncio.to_thread(_last_flush, runner.recording)) is not None:
            return batch
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


def _last_flush(recording: Recording) -> Batch | None:
    for command in reversed(recording.commands):
        local = command.schedule_local_activity
        if command.HasField("schedule_local_activity") and local.activity_type == "flush":
            return Batch.model_validate_json(local.arguments[0].data)
    return None


def _differing(row: Any, expected: Projection) -> list[str]:
    if row is None:
        return ["the whole row"]
    found = Projection.model_validate({name: row[name] for name in Projection.model_fields})
    return [name for name in Projection.model_fields if getattr(found, name) != getattr(expected, name)]


def _values(row: Projection) -> tuple[object, ...]:
    return (
        row.case_id, row.procedure, row.stage, row.area, row.department, row.holder, row.labels, row.opened_at,
        row.closed_at, row.ended, row.due_at, row.due_clock, row.seq, row.head_hash, row.clocks, row.snapshot,
        list(row.involved),
    )  # fmt: skip
