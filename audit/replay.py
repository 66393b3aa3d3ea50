"""Does the recorded history of a case lead where it led, under today's code?

This is Temporal's own replay of every run of a case, and the ledger's heads in the history against the ledger. What it
does not prove stands in docs/ARCHITECTURE.md; the strict comparison of every input and result is a later part.
"""

from collections.abc import AsyncIterator, Sequence

import asyncpg
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from activities.ledger import QUERIES
from engine.keys import Keys
from engine.settings import Settings
from engine.temporal import build_replayer
from schemas.findings import Finding
from schemas.ledger import FlushReceipt
from workflows.registry import PROCEDURES

CHECK = "replay"
ENDINGS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
)


async def replay_cases(
    client: Client, keys: Keys, settings: Settings, pool: asyncpg.Pool, case_ids: Sequence[str] | None = None
) -> AsyncIterator[Finding]:
    """Replay every run of the named cases, or of all; one finding per case."""
    replayer = build_replayer(keys, settings, PROCEDURES)
    if case_ids is None:
        async with pool.acquire() as connection:
            case_ids = [row["case_id"] for row in await connection.fetch(QUERIES.cases_with_ledger)]
    for case_id in case_ids:
        try:
            runs = await runs_of(client, case_id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            yield Finding(case_id=case_id, check=CHECK, ok=False, detail=f"{case_id}: Temporal has no history of it")
            continue
        faults = [
            f"run {number}: {type(failure).__name__}: {failure}"
            for number, history in enumerate(runs, start=1)
            if (failure := (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure)
        ]
        faults += await _heads_not_in_ledger(client, pool, case_id, runs)
        events = sum(len(history.events) for history in runs)
        detail = "; ".join(faults) or f"{events} events in {len(runs)} run(s)"
        yield Finding(case_id=case_id, check=CHECK, ok=not faults, detail=detail)


async def runs_of(client: Client, case_id: str) -> list[WorkflowHistory]:
    """Return the histories of all runs of a case, the first run first: each names the run it continues."""
    runs: list[WorkflowHistory] = []
    run_id: str | None = None
    while run_id != "":
        history = await client.get_workflow_handle(case_id, run_id=run_id).fetch_history()
        runs.insert(0, history)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return runs


async def _heads_not_in_ledger(
    client: Client, pool: asyncpg.Pool, case_id: str, runs: Sequence[WorkflowHistory]
) -> list[str]:
    async with pool.acquire() as connection:
        ledger = [row["hash"] for row in await connection.fetch(QUERIES.entries_of_case, case_id)]
    faults = []
    last = 0
    for receipt in [receipt for history in runs for receipt in await _receipts(client, history)]:
        if receipt.seq > len(ledger) or ledger[receipt.seq - 1] != receipt.head_hash:
            faults.append(f"the history's head at entry {receipt.seq} is not the ledger's")
        last = max(last, receipt.seq)
    # Of an open case the ledger may be one workflow task ahead of the history that was read.
    if len(ledger) > last and runs[-1].events[-1].event_type in ENDINGS:
        faults.append(f"the ledger goes on to entry {len(ledger)}, the history's receipts end at {last}")
    return faults


async def _receipts(client: Client, history: WorkflowHistory) -> list[FlushReceipt]:
    """Return what the ledger answered in this run, as recorded in the markers of its local activities."""
    receipts: list[FlushReceipt] = []
    for event in history.events:
        if event.event_type != EventType.EVENT_TYPE_MARKER_RECORDED:
            continue
        result = event.marker_recorded_event_attributes.details.get("result")
        if result is not None:
            receipts += await client.data_converter.decode(result.payloads, [FlushReceipt])
    return receipts
