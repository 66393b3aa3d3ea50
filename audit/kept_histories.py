"""Histories for replays: as Temporal has them, and from the archive what retention has taken."""

import asyncpg
from temporalio.client import WorkflowHistory

from audit.check_bundle import current_runs
from audit.records import runs_of
from audit.replay import RunsOf
from engine.archive import ArchiveStore
from engine.keys import Keys


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


def first_of(*sources: RunsOf) -> RunsOf:
    """The first of these sources that has a case."""

    async def source(case_id: str) -> list[WorkflowHistory]:
        missing: LookupError | None = None
        for each in sources:
            try:
                return await each(case_id)
            except LookupError as error:
                missing = error
        raise missing or LookupError("nowhere to look")

    return source
