"""The processes of a bench: started beside a town, found by their address, ended with the block."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import httpx
import psutil

from engine.runtime.settings import PROJECT
from local.town.town import Town

READY_SECONDS = 60


@contextmanager
def process(*argv: str) -> Iterator[int]:
    """A program of the bench; its id. It is ended with the block."""
    running = subprocess.Popen([sys.executable, "-m", *argv], cwd=PROJECT, env=os.environ)  # noqa: S603 - our own
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait(20)


async def answers(url: str) -> None:
    """Wait until somebody answers there, whatever it is."""
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as calls:
        while True:
            try:
                await calls.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


@asynccontextmanager
async def bare_worker(program: str, temporal: str, outside: str) -> AsyncIterator[int]:
    """The worker of the bare ones."""
    with process(program, temporal, outside) as pid:
        await asyncio.sleep(2)  # it has no door that could say that it is ready
        yield pid


def pids_of(town: Town, *names: str) -> dict[str, int]:
    """The process ids of those parts of a town that run."""
    running = {name: town.supervisor.pid_of(name) for name in names}
    return {name: pid for name, pid in running.items() if pid is not None}


def megabytes(processes: Mapping[str, int]) -> dict[str, float]:
    """What processes keep in memory now, by name, children included.

    Not of Postgres: its processes share their memory, and their sum says nothing.
    """

    def resident(pid: int) -> int:
        whole = psutil.Process(pid)
        return sum(int(each.memory_info().rss) for each in [whole, *whole.children(recursive=True)])

    return {name: resident(pid) / 1e6 for name, pid in processes.items() if name != "postgres"}
