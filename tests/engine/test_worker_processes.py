"""`jiceng worker --processes 2`: as many processes as cores, each of which may die while the others go on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import psutil
import pytest

from engine.runtime.settings import Settings
from local.town.ports import LOOPBACK, hold_ports
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor
from tests.forked import environment_of
from tests.waiting import eventually, lives

JICENG = (sys.executable, "-P", "-m", "cli")
NEIGHBOURS = range(20_000, 30_000, 7)
"""Where two ports are sought that are free side by side."""


@asynccontextmanager
async def two_workers(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as a person gives it; killed at the end, if it still runs."""
    environment = {**os.environ, **environment_of(settings)}
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


@pytest.fixture
def two_addresses() -> Iterator[tuple[str, str]]:
    """Two ports side by side."""
    for port in NEIGHBOURS:
        with hold_ports(["first", "second"], None, {"first": port, "second": port + 1}) as held:
            if [*held.values()] == [port, port + 1]:
                yield f"{LOOPBACK}:{port}", f"{LOOPBACK}:{port + 1}"
                return
    pytest.fail("no two ports side by side are free")


async def test_each_worker_shows_its_own_figures(settings: Settings, two_addresses: tuple[str, str]) -> None:
    """The first at the address of the settings, the next one a port further: Prometheus is told of both."""
    ours = settings.model_copy(update={"task_queue": "two-measured", "worker_metrics": two_addresses[0]})
    async with two_workers(ours), httpx.AsyncClient(trust_env=False, timeout=30) as prometheus:

        async def both_show_them() -> bool:
            try:
                answers = [await prometheus.get(f"http://{address}/metrics") for address in two_addresses]
            except httpx.TransportError:  # not listening yet
                return False
            return all("temporal_worker_task_slots_available" in answer.text for answer in answers)

        await eventually(both_show_them, within=60)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one above it")
async def test_workers_do_not_outlive_the_one_above_them(settings: Settings) -> None:
    """Killed with -9 it can tell nobody; its workers end all the same, and none goes on with old code for ever."""
    async with two_workers(settings.model_copy(update={"task_queue": "two-orphans"})) as above:
        both = below(above)
        above.kill()
        await eventually(lambda: not any(lives(each) for each in both), within=60)
