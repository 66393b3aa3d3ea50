"""The archiver 归档: every closed run is stored before Temporal's retention takes it, and nobody ends a case in silence.

A pass asks two witnesses which runs have closed: Temporal's own list, from a while before the latest close that was seen,
and the ledger, which knows every run that wrote into it. Both are read a page at a time. A run is stored after the one that it
continues, in one statement that does nothing the second time: killed anywhere, the next pass goes on. Whatever a pass could not
store it tries again. Several archivers may run: each leases a handful of runs and leaves to the others what they are at.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import asyncpg
import structlog
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from audit.archive.endings import mark_reset, mark_strange_endings
from audit.archive.manifest import RUNNING, Manifest, canonical_bytes, manifest_of, moment_of
from audit.archive.passes import PAGE, Pass, Run, closed_runs, open_runs_unknown, runs_told_of
from audit.archive.run_leases import RunLeases
from audit.archive.unwritten import write_unwritten
from engine.execution.codec import data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import SQL, ArchiveAway, ArchiveStore

log = structlog.get_logger()

AT_ONCE = 8
LEASED_AT_ONCE = 2 * AT_ONCE


class Archiver:
    """Stores closed runs."""

    def __init__(
        self,
        client: Client,
        pool: asyncpg.Pool,
        keys: Keys,
        store: ArchiveStore,
        settings: Settings | None = None,
        *,
        page: int = PAGE,
        heeds_leases: bool = True,
    ) -> None:
        """`keys` opens the payloads that say under which rules a case ran, and what it told; `settings`: how it is replayed.

        `page`: so many runs it has in memory at once. `heeds_leases` False: it leaves to nobody what they are storing.
        """
        codec = data_converter(keys).payload_codec
        if codec is None:
            raise TypeError("the town's data converter has a codec")
        self._codec = codec
        self._keys = keys
        self._settings = settings or Settings()
        self._client = client
        self._pool = pool
        self._store = store
        self._leases = RunLeases(pool, heeded=heeds_leases)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._stored = 0
        self._page = page

    async def one_pass(self, *, full: bool) -> Pass:
        """Store every closed run that is not stored yet; `full`: whenever it closed. Raises RPCError when Temporal is away."""
        began = datetime.now(UTC)
        done, before = Pass(), self._stored
        retention = await self._retention_seconds()
        seen_until = None if full else await self._closed_until()
        async for page in closed_runs(self._client, seen_until, self._page):
            await self._store_page(page, done)
            done.saw(page)
        if full or seen_until is None:
            async for page in runs_told_of(self._pool, self._page):
                await self._store_page(page, done)
            await self._look_at_open_runs(done)
        done.archived = self._stored - before
        marked, left = await mark_strange_endings(self._client, self._pool, self._archived, self._write_unwritten)
        done.marked += marked
        done.left += left
        if done.complete:
            await self._pool.execute(SQL.note_pass, began, done.seen_until(), retention)
        return done

    async def archive_case(self, case_id: str) -> list[Manifest]:
        """Store every run of a case that Temporal still has, the open one as far as it is. Raises LookupError: none at all."""
        try:
            current = (await self._client.get_workflow_handle(case_id).describe()).run_id
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise LookupError(f"Temporal has no history of {case_id} (any more)") from error
        stored = [
            await self.store(case_id, run.run_id)
            async for run in self._client.list_workflows(f'WorkflowId = "{case_id}"')
            if run.run_id != current
        ]
        stored.append(await self.store(case_id, str(current), open_too=True))
        return [manifest for manifest in stored if manifest is not None]

    async def store(self, case_id: str, run_id: str, *, open_too: bool = False) -> Manifest | None:
        """Store one run, and before it those that it continues; None when it is open. Raises RPCError: not there."""
        events = await self._events(case_id, run_id)
        previous = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        manifest = await manifest_of(
            case_id, run_id, events, await self._sha256_of(case_id, previous) if previous else None, self._codec
        )
        if manifest.status == RUNNING and not open_too:
            return None
        closed_at = None if manifest.status == RUNNING else moment_of(events[-1].event_time)
        text = manifest.text()
        row = {
            "case_id": case_id, "run_id": run_id, "events": manifest.events, "status": manifest.status,
            "closed_at": closed_at, "sha256": manifest.sha256, "manifest": text,
            "manifest_hash": sha256(text.encode()).hexdigest(),
        }  # fmt: skip
        new = await self._store.keep(self._pool, row, canonical_bytes(events))
        self._stored += new
        if manifest.reset_from is not None:
            await mark_reset(self._pool, case_id, run_id, events)
        return manifest

    async def _store_page(self, page: Sequence[Run], done: Pass) -> None:
        """Store what is not stored yet of these, a handful at a time, but for what another archiver is at."""
        if done.hopeless:
            return
        named = {run.run_id: run for run in page if not done.has_tried(run)}
        missing = await self._leases.not_stored(list(named))
        wanted = [run_id for run_id in named if run_id in missing]
        for first in range(0, len(wanted), LEASED_AT_ONCE):
            handful = wanted[first : first + LEASED_AT_ONCE]
            ours, others = await self._leases.take(handful)
            async with self._leases.at([run_id for run_id in handful if run_id not in others]):
                await asyncio.gather(*(self._try(named[run_id], done) for run_id in handful if run_id in ours))
            for run_id in others:
                done.leave_to_another(named[run_id])

    async def _try(self, run: Run, done: Pass) -> None:
        async with self._places:
            try:
                await self.store(run.case_id, run.run_id)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    done.lose(run)
                    log.error("run_lost", case_id=run.case_id, code=run.run_id)  # noqa: TRY400 - as below
                else:
                    done.leave(run)
                    log.warning("run_not_archived", case_id=run.case_id, error=error.status.name)
            except ArchiveAway:
                done.leave(run)
                log.warning("archive_away", case_id=run.case_id)

    async def _look_at_open_runs(self, done: Pass) -> None:
        """An open run of a case that no archived run leads to was made by a reset: the ledger is told at once."""
        async for page in open_runs_unknown(self._client, self._pool, self._page):
            for run in page:
                events = await self._events(run.case_id, run.run_id)
                done.marked += await mark_reset(self._pool, run.case_id, run.run_id, events)

    async def _sha256_of(self, case_id: str, run_id: str) -> str | None:
        known = await self._pool.fetchval(SQL.sha256_of_run, run_id)
        if known is not None:
            return str(known)
        try:
            stored = await self.store(case_id, run_id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            log.error("run_lost", case_id=case_id, code=run_id)  # noqa: TRY400 - Temporal's words add nothing
            return None
        return stored.sha256 if stored else None

    async def _archived(self, case_id: str, run_id: str) -> list[HistoryEvent]:
        stored = await self._pool.fetch(SQL.runs_of_case, case_id)
        row = next(each for each in stored if each["run_id"] == run_id and each["closed_at"] is not None)
        return list(History.FromString(await self._store.history(row)).events)

    async def _write_unwritten(self, connection: Any, case_id: str, events: Sequence[HistoryEvent]) -> list[int]:
        return await write_unwritten(connection, case_id, events, self._keys, self._settings)

    async def _events(self, case_id: str, run_id: str) -> list[HistoryEvent]:
        return list((await self._client.get_workflow_handle(case_id, run_id=run_id).fetch_history()).events)

    async def _closed_until(self) -> datetime | None:
        row = await self._pool.fetchrow(SQL.last_pass)
        return None if row is None else row["closed_until"]

    async def _retention_seconds(self) -> int:
        described = await self._client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=self._client.namespace), retry=True
        )
        return described.config.workflow_execution_retention_ttl.seconds
