"""`jiceng worker --processes 2`: as many processes as cores, each of which may die while the others go on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from engine.settings import Settings
from schemas.incident import INCIDENT
from tests.door import OpenDoor
from tests.waiting import eventually

JICENG = (sys.executable, "-P", "-m", "cli")


@asynccontextmanager
async def two_workers(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as a person gives it; killed at the end, if it still runs."""
    environment = {
        **os.environ,
        "JICENG_DATA": str(settings.data),
        "JICENG_TEMPORAL_ADDRESS": settings.temporal_address,
        "JICENG_DATABASE_URL": settings.database_url.get_secret_value(),
        "JICENG_TASK_QUEUE": settings.task_queue,
    }
    process = await asyncio.create_subprocess_exec(*JICENG, "worker", "--processes", "2", env=environment)
    try:
        await eventually(lambda: len(below(process)) == 2, within=60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def below(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    """The workers that it runs."""
    return psutil.Process(process.pid).children()


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended and that nobody has asked after does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_worker_that_is_killed_is_started_again_while_the_other_goes_on(
    door: OpenDoor, settings: Settings
) -> None:
    """Cases are taken up by whichever lives; asked to stop, the one above them ends both and itself, with exit code 0."""
    ours = settings.model_copy(update={"task_queue": "two-workers"})
    town = await door(INCIDENT, task_queue=ours.task_queue)
    async with two_workers(ours) as above:
        first, second = below(above)
        await town.start()
        first.kill()
        await eventually(lambda: len({each.pid for each in below(above)} - {first.pid}) == 2, within=60)
        assert second in below(above)
        await town.start()

        both = below(above)
        above.send_signal(signal.SIGTERM)
        assert await above.wait() == 0
        assert [each for each in both if lives(each)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start of the town ends them")
async def test_workers_do_not_outlive_the_one_above_them(settings: Settings) -> None:
    """Killed with -9 it can tell nobody; its workers end all the same, and none goes on with old code for ever."""
    async with two_workers(settings.model_copy(update={"task_queue": "two-orphans"})) as above:
        both = below(above)
        above.kill()
        await eventually(lambda: not any(lives(each) for each in both), within=60)
