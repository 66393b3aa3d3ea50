"""Histories for replays: as Temporal has them, and from the archive what retention has taken."""

import asyncpg
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from audit.archive.records import runs_of
from audit.bundle.check_bundle import current_runs
from audit.replay.replay import RunsOf, newest_run
from engine.keys.keys import Keys
from engine.store.archive import ArchiveStore


def archived_histories(pool: asyncpg.Pool, keys: Keys, store: ArchiveStore) -> RunsOf:
    """Histories as the archive has them: the runs that lead to the latest one."""

    async def source(case_id: str) -> list[WorkflowHistory]:
        async with pool.acquire() as connection:
            runs = {run.manifest["run_id"]: run for run in await runs_of(connection, keys, store, case_id)}
        current = current_runs([run.manifest for run in runs.values()])
        if not current:
            raise LookupError("the archive has no history of it")
        return [WorkflowHistory(case_id, runs[manifest["run_id"]].recorded) for manifest in current]

    return source


def live_or_archived(client: Client, pool: asyncpg.Pool, keys: Keys, store: ArchiveStore) -> RunsOf:
    """Each run from Temporal as long as it has it, what retention has taken from the archive."""

    async def source(case_id: str) -> list[WorkflowHistory]:
        async with pool.acquire() as connection:
            archived = {run.manifest["run_id"]: run.recorded for run in await runs_of(connection, keys, store, case_id)}
        newest = await _live(client, case_id, await newest_run(client, pool, case_id))
        if newest is None:
            return await archived_histories(pool, keys, store)(case_id)
        runs = [newest]
        while previous := _continued(runs[0]):
            run = await _live(client, case_id, previous)
            if run is None and previous not in archived:
                raise LookupError(f"neither Temporal nor the archive has its run {previous}")
            runs.insert(0, run or WorkflowHistory(case_id, archived[previous]))
        return runs

    return source


async def _live(client: Client, case_id: str, run_id: str | None) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(case_id, run_id=run_id).fetch_history()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


def _continued(run: WorkflowHistory) -> str:
    return run.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
