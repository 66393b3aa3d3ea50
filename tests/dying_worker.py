"""Workers in processes of their own, to be killed; and one that dies at the worst moment by itself."""

import asyncio
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
from tests.forked import ForkedProcess, environment_of, take_over
from tests.lagging_ledger import LaggingLedger
from worker import run_worker, town_worker


class DyingLedger(LaggingLedger):
    """The real ledger, until its last flush is written: then the ledger has a batch and Temporal does not yet know of it.

    Flushes of other cases are none of these: parent and children have one worker, and a parent may have several of one procedure.
    Before a case has its number it is known by its procedure. Nor is one of what went out with an answer before: Temporal knows
    that, and to lose its task loses nothing. Where flushes lag, what they tell is of earlier tasks.
    """

    def __init__(self, pool: asyncpg.Pool, temporal: Client, whose: str, *, dies_with: int, lags: int) -> None:
        super().__init__(pool, temporal, lags)
        self.flushes_left = dies_with
        self._whose, self._lags = whose, lags > 0

    async def write(self, batch: Batch) -> FlushReceipt:
        receipt = await super().write(batch)
        told_in_this_task = self._lags or batch.entries[-1].at == batch.task_at
        if self._whose in (batch.projection.case_id, batch.projection.procedure) and told_in_this_task:
            self._one_less()
        return receipt

    def _one_less(self) -> None:
        self.flushes_left -= 1
        if not self.flushes_left:
            os.kill(os.getpid(), signal.SIGKILL)


class WorkerProcess(ForkedProcess):
    """A worker that runs; `dies_with` the nth flush of a case, or of a procedure, after the commit. So many before it `lags`."""

    def __init__(self, settings: Settings, dies_with: tuple[str, int] | None = None, lags: int = 0) -> None:
        super().__init__(_live, environment_of(settings), dies_with, lags)


@asynccontextmanager
async def worker_process(
    settings: Settings, *, dies_with: tuple[str, int] | None = None, lags: int = 0
) -> AsyncIterator[WorkerProcess]:
    """What `jiceng worker` runs, in a process of its own; killed with -9 at the end of the block."""
    process = await asyncio.to_thread(WorkerProcess, settings, dies_with, lags)
    try:
        yield process
    finally:
        await process.kill()


def _live(environment: Mapping[str, str], dies_with: tuple[str, int] | None, lags: int) -> None:
    settings = take_over(environment)
    asyncio.run(run_worker(settings) if dies_with is None else _die(settings, dies_with, lags))


async def _die(settings: Settings, dies_with: tuple[str, int], lags: int) -> None:
    keys = Keys.load(settings.key_folder)
    client = await connect(settings, keys)
    async with await open_pool(settings) as pool:
        whose, flushes = dies_with
        ledger = DyingLedger(pool, client, whose, dies_with=flushes, lags=lags)
        async with town_worker(settings, keys, client, pool, ledger) as worker:
            await worker.run()
