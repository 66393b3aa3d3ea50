"""`jiceng archiver`: stores closed runs, seals, makes the ledger's months, takes out what is settled, until it is told to stop.

Any number may run: they share the runs that are to be stored, and each of the other duties is done by one of them.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import structlog
from temporalio.service import RPCError

from audit.archive.archiver import Archiver
from audit.archive.duties import Duty
from audit.archive.ledger_months import keep_making_months
from audit.archive.passes import Pass
from audit.archive.seals import make_seal
from audit.archive.settled import end_settled
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.policies.privacy_policy import load_privacy_policy
from engine.runtime.logging import configure_logging
from engine.runtime.metrics import measured_runtime
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.archive import open_archive
from engine.store.database import AWAY as DATABASE_AWAY
from engine.store.database import open_pool
from workflows.registry import PROCEDURES

log = structlog.get_logger()

AWAY_PAUSE_SECONDS = 3.0
LOOK_EVERY_SECONDS = 5.0
"""So often an archiver asks whether a duty is due, or sooner where it is due more often."""

FULL_EVERY_PASSES = 60
"""So often everything that Temporal still has is looked at, not only what closed lately."""

SETTLED_EVERY = timedelta(days=1)
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
            pause, sealed_every = settings.archiver_pause_seconds, timedelta(seconds=settings.seal_seconds)
            full = Duty(pool, "full pass", timedelta(seconds=pause * FULL_EVERY_PASSES))
            sealing = Duty(pool, "seal", sealed_every, first_after=sealed_every)
            settled = Duty(pool, "settled", SETTLED_EVERY)
            working = [
                asyncio.create_task(_keep_archiving(archiver, full, pause)),
                asyncio.create_task(_keep(sealing, lambda: make_seal(pool, keys), sealed_every)),
                asyncio.create_task(
                    _keep(settled, lambda: end_settled(pool, privacy.keep_submissions_months), SETTLED_EVERY)
                ),
                # Whoever makes a month that is there already makes nothing.
                asyncio.create_task(keep_making_months(pool, read_town_time(settings))),
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
    """One full pass: everything closed that Temporal still has is stored when it returns, whoever else is storing it."""
    client = await connect(settings, keys)
    archiver = Archiver(client, pool, keys, open_archive(settings), settings, heeds_leases=False)
    return await archiver.one_pass(full=True)


async def _terminated() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()


async def _keep_archiving(archiver: Archiver, full: Duty, pause_seconds: float) -> None:
    while True:
        try:
            async with full.turn() as everything:
                done = await archiver.one_pass(full=everything)
        except AWAY as error:
            log.warning("archiver_waits", error=type(error).__name__)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        if done.archived or done.left or done.lost or done.marked:
            log.info("archived", count=done.archived, waiting=done.left)
        await asyncio.sleep(pause_seconds)


async def _keep(duty: Duty, work: Callable[[], Awaitable[object]], every: timedelta) -> None:
    """Do a duty whenever it is due and nobody else does it, until cancelled."""
    pause_seconds = min(LOOK_EVERY_SECONDS, every.total_seconds())
    while True:
        try:
            async with duty.turn() as due:
                if due:
                    await work()
        except AWAY as error:
            log.warning("duty_waits", code=duty.name, error=type(error).__name__)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            continue
        await asyncio.sleep(pause_seconds)
