"""Processes of a town that a test starts by the dozen, to stop and kill them.

They are forked from a server that has loaded the code already: to load it takes longer than all that they do.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from engine.runtime.settings import Settings

_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.nursery"])


class ForkedProcess:
    """A process of a town that runs."""

    def __init__(self, live: Callable[..., None], *told: Any) -> None:
        """`live` is what it does, from the first to the last, with what it is `told`."""
        self._process = _NURSERY.Process(target=live, args=told, daemon=True)
        self._process.start()
        self._end: asyncio.Future[None] | None = None

    @property
    def dead(self) -> bool:
        """Whether it has ended."""
        return self._process.exitcode is not None

    def stand_still(self) -> None:
        """Do nothing more, until it is to go on."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Do what it was at."""
        self._signal(signal.SIGCONT)

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

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


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
