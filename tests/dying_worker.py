"""Workers in processes of their own, to be killed; and one that dies at the worst moment by itself.

They are forked from a server that has loaded the code already: a test starts dozens of them, and to load it takes longer
than all that they do.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
from temporalio.client import Client

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from schemas.audit.ledger import Batch, FlushReceipt
from tests.lagging_ledger import LaggingLedger
from worker import run_worker, town_worker

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.dying_worker"])


class DyingLedger(LaggingLedger):
    """The real ledger, until its last flush is written: then the ledger has a batch and Temporal does not yet know of it."""

    def __init__(self, pool: asyncpg.Pool, temporal: Client, *, dies_with: int, lags: int) -> None:
        super().__init__(pool, temporal, lags)
        self.flushes_left = dies_with

    async def write(self, batch: Batch) -> FlushReceipt:
        receipt = await super().write(batch)
        self.flushes_left -= 1
        if not self.flushes_left:
            os.kill(os.getpid(), signal.SIGKILL)
        return receipt


class WorkerProcess:
    """A worker that runs; `dies_with` its nth flush, after the commit, if that is said. So many of those before it lag."""

    def __init__(self, settings: Settings, dies_with: int | None, lags: int) -> None:
        self._process = _NURSERY.Process(target=_live, args=(environment_of(settings), dies_with, lags), daemon=True)
        self._process.start()
        self._end: asyncio.Future[None] | None = None

    @property
    def dead(self) -> bool:
        return self._process.exitcode is not None

    async def wait(self) -> None:
        """Until it is dead. One thread waits for all: a second one would wait for ever for what the first has seen."""
        if self._end is None:
            self._end = asyncio.ensure_future(asyncio.to_thread(self._process.join))
        await asyncio.shield(self._end)

    async def kill(self) -> None:
        """With -9."""
        self._process.kill()
        await self.wait()
        self._process.close()


def environment_of(settings: Settings) -> dict[str, str]:
    """What a worker of this town must be told."""
    ours = {
        "JICENG_DATA": str(settings.data),
        "JICENG_TEMPORAL_ADDRESS": settings.temporal_address,
        "JICENG_DATABASE_URL": settings.database_url.get_secret_value(),
        "JICENG_TASK_QUEUE": settings.task_queue,
    }
    return ours | ({"JICENG_WORKER_METRICS": settings.worker_metrics} if settings.worker_metrics else {})


@asynccontextmanager
async def worker_process(
    settings: Settings, *, dies_with: int | None = None, lags: int = 0
) -> AsyncIterator[WorkerProcess]:
    """What `jiceng worker` runs, in a process of its own; killed with -9 at the end of the block."""
    process = await asyncio.to_thread(WorkerProcess, settings, dies_with, lags)
    try:
        yield process
    finally:
        await process.kill()


def _live(environment: Mapping[str, str], dies_with: int | None, lags: int) -> None:
    os.environ.update(environment)
    silence = os.open(os.devnull, os.O_WRONLY)
    for said in (1, 2):
        os.dup2(silence, said)
    settings = Settings()
    asyncio.run(run_worker(settings) if dies_with is None else _die(settings, dies_with, lags))


async def _die(settings: Settings, dies_with: int, lags: int) -> None:
    keys = Keys.load(settings.key_folder)
    client = await connect(settings, keys)
    async with await open_pool(settings) as pool:
        ledger = DyingLedger(pool, client, dies_with=dies_with, lags=lags)
        async with town_worker(settings, keys, client, pool, ledger) as worker:
            await worker.run()
