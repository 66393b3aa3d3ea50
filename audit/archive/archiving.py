"""`jiceng archiver`: stores closed runs, seals, and takes out what is settled long ago, until it is told to stop."""

import asyncio
import signal
import time

import asyncpg
import structlog
from temporalio.service import RPCError

from audit.archive.archiver import FULL_EVERY_PASSES, Archiver, Pass
from audit.archive.seals import make_seal
from audit.archive.settled import keep_ending_settled
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.policies.privacy_policy import load_privacy_policy
from engine.runtime.logging import configure_logging
from engine.runtime.metrics import measured_runtime
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import AWAY as DATABASE_AWAY
from engine.store.database import open_pool
from workflows.registry import PROCEDURES

log = structlog.get_logger()

AWAY_PAUSE_SECONDS = 3.0
AWAY = (*DATABASE_AWAY, RPCError)


async def run_archiver(settings: Settings) -> None:
    """Run until SIGTERM, or until cancelled. Raises KeyFault when this process has no key for seals."""
    with configure_logging("archiver", settings.log_level):
        keys = Keys.of(settings)
        keys.seal_key()
        client = await connect(settings, keys, lazy=True, runtime=measured_runtime(settings.archiver_metrics))
        async with await open_pool(settings, process="jiceng archiver") as pool:
            archiver = Archiver(client, pool, keys, open_archive(settings), settings)
            privacy = load_privacy_policy(settings.policies, [each.procedure for each in PROCEDURES])
            working = [
                asyncio.create_task(_keep_archiving(archiver, settings.archiver_pause_seconds)),
                asyncio.create_task(_keep_sealing(pool, keys, settings.seal_seconds)),
                asyncio.create_task(keep_ending_settled(pool, privacy.keep_submissions_months)),
            ]
            # Asked to stop, it stops at once: whatever it was at, the next pass does.
            stopping = asyncio.create_task(_terminated())
            done, _ = await asyncio.wait([*working, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in (*working, stopping):
                task.cancel()
            await asyncio.gather(*working, stopping, return_exceptions=True)
            for task in done:
                task.result()


async def archive_once(settings: Settings, keys: Keys, pool: asyncpg.Pool) -> Pass:
    """One full pass: everything closed that Temporal still has."""
    client = await connect(settings, keys)
    return await Archiver(client, pool, keys, open_archive(settings), settings).one_pass(full=True)


async def _terminated() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


async def _keep_archiving(archiver: Archiver, pause_seconds: float) -> None:
    number = 0
    while True:
        try:
            done = await archiver.one_pass(full=number % FULL_EVERY_PASSES == 0)
        except AWAY as error:
            log.warning("archiver_waits", error=type(error).__name__)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        if done.archived or done.left or done.lost or done.marked:
            log.info("archived", count=done.archived, waiting=done.left)
        number += 1
        await asyncio.sleep(pause_seconds)


async def _keep_sealing(pool: asyncpg.Pool, keys: Keys, every_seconds: float) -> None:
    """Seal on a schedule that does not drift; the first seal of a process comes after one interval."""
    due = time.monotonic() + every_seconds
    while True:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        try:
            await make_seal(pool, keys)
        except AWAY as error:
            log.warning("seal_waits", error=type(error).__name__)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        due += every_seconds
