"""Which cases do not get on, and why: task, ledger or outside work fail again and again, or a command waits.

Candidates come from our own books and from what Temporal reports itself; only those are asked about one by one.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetActivityRequest
from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.service import RPCError, RPCStatusCode

from engine.store.database import Queries
from schemas.clocks.calendar import TownDatetime
from schemas.values.model import Model
from starter.intake.closed_signals import closed_signal
from starter.intake.postbox import Status
from starter.intake.turned_back import run_to_reset

REPORTED = 'TemporalReportedProblems IN ("category=WorkflowTaskFailed", "category=WorkflowTaskTimedOut")'
"""Temporal's own list of workflows whose task keeps failing."""

WAITS_FOR = {"ask_source": "source", "pay": "bank", "payment_status": "bank"}
"""For whom outside work waits; what is not named here is a department's."""

UNTAKEN = "the ledger does not take what it tells: see the log of the worker"
"""A flush is a local activity, whose tries Temporal does not show: they are noted in our own books."""

TASK_FAILS = "its workflow task fails: see the log of the worker"

AT_ONCE = 8


class StuckQueries(Queries):
    """engine/queries/stuck.sql."""

    under_way: str
    undelivered: str
    untaken: str
    rows_of: str
    failing: str


SQL = StuckQueries.load("stuck")


@dataclass(frozen=True)
class StuckAfter:
    """How long is too long, in real time, and how many cases are looked at at the most."""

    task_attempts: int = 3
    activity_attempts: int = 5
    undelivered: timedelta = timedelta(minutes=2)
    untaken: timedelta = timedelta(minutes=2)
    under_way: timedelta = timedelta(seconds=10)
    looked_at_most: int = 500


class StuckCase(Model):
    """A case that does not get on. `since` and `next_try` are real times, `next_due` is town time; codes only.

    Where a command is what its task fails with: `submission`, `command`, and `failure`, the kind of failure without its words.
    """

    case_id: str
    procedure: str | None
    stage: str | None
    why: str
    waits_for: str
    attempts: int
    since: datetime | None
    next_try: datetime | None = None
    next_timer: str | None = None
    next_due: TownDatetime | None = None
    submission: str | None = None
    command: str | None = None
    failure: str | None = None


async def stuck_cases(pool: asyncpg.Pool, client: Client, patience: StuckAfter | None = None) -> list[StuckCase]:
    """Every case found stuck, one line per reason. Raises RPCError and what asyncpg raises when one of both is away."""
    patience = patience or StuckAfter()
    undelivered = await pool.fetch(SQL.undelivered, patience.undelivered, patience.looked_at_most)
    under_way = await pool.fetch(SQL.under_way, patience.under_way, patience.looked_at_most)
    untaken = await pool.fetch(SQL.untaken, patience.untaken, patience.looked_at_most)
    failing = await pool.fetch(SQL.failing, patience.looked_at_most)
    reported = [each.id async for each in client.list_workflows(REPORTED, limit=patience.looked_at_most)]
    named = dict.fromkeys([row["case_id"] for row in (*undelivered, *untaken, *under_way, *failing)] + reported)
    rows = {row["case_id"]: row for row in await pool.fetch(SQL.rows_of, list(named))}
    places = asyncio.Semaphore(AT_ONCE)

    async def look(case_id: str) -> list[StuckCase]:
        async with places:
            described = await _described(client, case_id)
            found = list(_reasons(case_id, described, rows.get(case_id), patience)) if described else []
            failing = [each for each in found if each.why == TASK_FAILS]
            signal = await closed_signal(client, case_id) if failing else None
        if signal is None:
            return found
        return [each.model_copy(update={"why": signal.words()}) if each in failing else each for each in found]

    found = [
        _stuck(row["case_id"], rows.get(row["case_id"]), why, "engineer", row["attempts"], row["since"])
        for row, why in [(row, await _untaken_words(client, row)) for row in untaken]
    ]
    found += _culprits(failing, rows)
    found += [each for stuck in await asyncio.gather(*map(look, named)) for each in stuck]
    tried = {each.case_id for each in found}
    # Where nothing else is the matter with a case, its worker is away, or Temporal is.
    return found + [each for each in _waiting(undelivered, rows) if each.case_id not in tried]


async def undelivered_cases(pool: asyncpg.Pool, patience: StuckAfter | None = None) -> list[StuckCase]:
    """Those alone whose accepted command waits too long: known without Temporal."""
    patience = patience or StuckAfter()
    undelivered = await pool.fetch(SQL.undelivered, patience.undelivered, patience.looked_at_most)
    failing = await pool.fetch(SQL.failing, patience.looked_at_most)
    named = [row["case_id"] for row in (*undelivered, *failing)]
    rows = {row["case_id"]: row for row in await pool.fetch(SQL.rows_of, named)}
    culprits = list(_culprits(failing, rows))
    tried = {each.case_id for each in culprits}
    return culprits + [each for each in _waiting(undelivered, rows) if each.case_id not in tried]


async def _untaken_words(client: Client, row: Any) -> str:
    if row["head_told_by"] is None:
        return UNTAKEN
    run = await run_to_reset(client, row["case_id"], row["head_told_by"], (row["seq"], row["hash"]))
    return f"somebody turned it back to an earlier state: reset its run {run} to the last task before its end"


def _culprits(failing: Sequence[Any], rows: Mapping[str, Any]) -> Iterator[StuckCase]:
    """Commands with which the task of their case fails, those laid aside for it included until somebody has looked at them."""
    for row in failing:
        aside = row["status"] == Status.SET_ASIDE
        why = f"{row['command']} {'was set aside' if aside else 'lets its workflow task fail'}: {row['submission']}"
        found = _stuck(row["case_id"], rows.get(row["case_id"]), why, "engineer", row["attempts"], row["since"])
        yield found.model_copy(
            update={"submission": row["submission"], "command": row["command"], "failure": row["failure"]}
        )


def _waiting(undelivered: Sequence[Any], rows: Mapping[str, Any]) -> Iterator[StuckCase]:
    for row in undelivered:
        why = f"{row['command']} is accepted and not taken up"
        yield _stuck(row["case_id"], rows.get(row["case_id"]), why, "worker", 0, row["since"])


async def _described(client: Client, case_id: str) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(case_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _reasons(
    case_id: str, described: WorkflowExecutionDescription, row: Any, patience: StuckAfter
) -> Iterator[StuckCase]:
    pending = described.raw_description
    task = pending.pending_workflow_task
    if task.attempt > patience.task_attempts:
        since = task.original_scheduled_time.ToDatetime(UTC)
        yield _stuck(case_id, row, TASK_FAILS, "engineer", task.attempt, since)
    for activity in pending.pending_activities:
        if activity.attempt > patience.activity_attempts:
            yield _stuck(case_id, row, *_words(activity, row))


def _words(activity: PendingActivityInfo, row: Any) -> tuple[str, str, int, datetime | None, datetime | None]:
    name = activity.activity_type.name
    waits_for = WAITS_FOR.get(name) or (row and row["department"]) or "department"
    # The row was last written when the work was asked for: what came of it would be written anew.
    since = row["updated_at"] if row else None
    following = activity.next_attempt_schedule_time
    next_try = following.ToDatetime(UTC) if activity.HasField("next_attempt_schedule_time") else None
    return f"{name} gets no answer", waits_for, activity.attempt, since, next_try


def _stuck(  # noqa: PLR0917 - what is known of it
    case_id: str,
    row: Any,
    why: str,
    waits_for: str,
    attempts: int,
    since: datetime | None,
    next_try: datetime | None = None,
) -> StuckCase:
    return StuckCase(
        case_id=case_id,
        procedure=row and row["procedure"],
        stage=row and row["stage"],
        why=why,
        waits_for=waits_for,
        attempts=attempts,
        since=since,
        next_try=next_try,
        next_timer=row and row["due_clock"],
        next_due=row and row["due_at"],
    )


async def retry_now(client: Client, case_id: str) -> int:
    """Let outside work that waits for its next try be tried at once; how many such there were. Raises RPCError.

    The try counts anew from the first: after it the pauses are short again.
    """
    described = await client.get_workflow_handle(case_id).describe()
    execution = WorkflowExecution(workflow_id=case_id, run_id=described.run_id)
    pending = described.raw_description.pending_activities
    for activity in pending:
        await client.workflow_service.reset_activity(
            ResetActivityRequest(namespace=client.namespace, execution=execution, id=activity.activity_id), retry=True
        )
    return len(pending)
