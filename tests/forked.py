"""Processes of a town that a test starts by the dozen, to stop and kill them; and those of a town that a test opens.

They are forked from a nursery that has loaded the code already (tests/nursery.py).
"""

import asyncio
import atexit
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.runtime.settings import PROJECT, Settings
from local.town.town_processes import TownProcess, jiceng

NURSERY = "JICENG_TESTS_NURSERY"
"""Where the run's nursery listens, for all its processes."""


@functools.cache
def nursery() -> str:
    """Where a nursery listens: that of the run, else one of this process."""
    if known := os.environ.get(NURSERY):
        return known
    folder = tempfile.mkdtemp()
    end, life = os.pipe()
    with listening_in(folder) as listener:
        begun = (sys.executable, "-m", "tests.nursery", str(listener.fileno()), str(end))
        process = subprocess.Popen(begun, cwd=PROJECT, pass_fds=(listener.fileno(), end))
    os.close(end)

    def over() -> None:
        os.close(life)
        process.wait()
        shutil.rmtree(folder)

    atexit.register(over)
    return f"{folder}/nursery"


def listening_in(folder: str) -> socket.socket:
    """What a nursery listens at."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"{folder}/nursery")
    listener.listen(64)
    return listener


def from_nursery(run: str, *words: str) -> tuple[str, ...]:
    """The command line of a process that has another one forked, to run this, and goes with it."""
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("from_nursery.py")), nursery(), run, *words)


def forked(processes: Iterable[TownProcess]) -> list[TownProcess]:
    """The same processes of a town, forked instead of loaded; not for a town that stops one with SIGSTOP."""
    ours = jiceng()
    return [
        replace(each, argv=from_nursery("tests.nursery:command", *each.argv[len(ours) :]))
        if each.argv[: len(ours)] == ours
        else each
        for each in processes
    ]


class ForkedProcess:
    """A process of a town that runs."""

    def __init__(self, live: Callable[..., None], *told: Any) -> None:
        """`live` is what it does, from the first to the last, with what it is `told`, which is as JSON has it."""
        self._nursery = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._nursery.connect(nursery())
        run = f"{live.__module__}:{live.__qualname__}"
        said = {"run": run, "told": told, "environment": dict(os.environ), "folder": str(PROJECT)}
        with Path(os.devnull).open("r+b") as nothing:
            socket.send_fds(self._nursery, [json.dumps(said).encode()], [nothing.fileno()] * 3)
        self._pid = int(self._nursery.recv(16))
        self._end: asyncio.Future[None] | None = None

    @property
    def dead(self) -> bool:
        """Whether it has ended."""
        return (self._end is not None and self._end.done()) or bool(select.select([self._nursery], [], [], 0)[0])

    def stand_still(self) -> None:
        """Do nothing more, until it is to go on."""
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Do what it was at."""
        os.kill(self._pid, signal.SIGCONT)

    async def wait(self) -> None:
        """Until it is dead. One thread waits for all: a second one would wait for ever for what the first has seen."""
        if self._end is None:
            self._end = asyncio.ensure_future(asyncio.to_thread(self._hear))
        await asyncio.shield(self._end)

    def _hear(self) -> None:
        with contextlib.suppress(ConnectionResetError):  # it ended by itself just when it was to be killed
            self._nursery.recv(16)

    async def kill(self) -> None:
        """With -9."""
        if not self.dead:
            with contextlib.suppress(BrokenPipeError):  # as above
                self._nursery.send(b"kill")
        await self.wait()
        self._nursery.close()


def environment_of(settings: Settings) -> dict[str, str]:
    """What a process of this town must be told."""
    ours = {
        "JICENG_DATA": str(settings.data),
        "JICENG_TEMPORAL_ADDRESS": settings.temporal_address,
        "JICENG_DATABASE_URL": settings.database_url.get_secret_value(),
        "JICENG_TASK_QUEUE": settings.task_queue,
    }
    return ours | ({"JICENG_WORKER_METRICS": settings.worker_metrics} if settings.worker_metrics else {})


def take_over(environment: Mapping[str, str]) -> Settings:
    """Become a process of the town that was told this, and say nothing."""
    os.environ.update(environment)
    silence = os.open(os.devnull, os.O_WRONLY)
    for said in (1, 2):
        os.dup2(silence, said)
    return Settings()
