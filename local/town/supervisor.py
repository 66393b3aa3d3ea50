"""Runs the parts of a town in one process tree: in order of dependence, kept alive, stopped in reverse order."""

import asyncio
from collections.abc import Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import structlog

from local.town import logs
from local.town.child import Child, Step
from local.town.memory import ChildMemory
from local.town.process_runner import Pace, ProcessRunner

_LOOK_AT_LOGS_EVERY_SECONDS = 5.0
_logger = structlog.get_logger()


class Supervisor:
    """The children of one town. Call `start`, then `watch` until something ends the town, then `stop` in any case."""

    def __init__(
        self,
        folder: Path,
        parts: Sequence[Child | Step],
        pace: Pace | None = None,
        hurry: asyncio.Event | None = None,
    ) -> None:
        """`folder` is the town's: logs go to `logs/NAME.log`, the memory of process ids to `children.json`.

        When `hurry` is set, no child is given time to end: stopping means killing.
        """
        self._logs = folder / "logs"
        self._memory = ChildMemory(folder / "children.json")
        self._parts = {part.name: part for part in parts}
        self._order = _levels(parts)
        self._hurry = hurry or asyncio.Event()
        self._keepers = {
            part.name: ProcessRunner(part, self._logs / f"{part.name}.log", pace or Pace(), self._memory.remember)
            for part in parts
            if isinstance(part, Child)
        }

    async def start(self) -> None:
        """Return when every child is ready and every step done; parts that do not wait for each other start together.

        Raises:
            ChildFailed: a child died again and again before it was ready.
            Exception: whatever a step or a probe raised.
        """
        self._logs.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(self._memory.clear)
        done = {name: asyncio.Event() for name in self._parts}
        tasks = [asyncio.create_task(self._start_part(part, done)) for part in self._parts.values()]
        try:
            await _first_failure(tasks)
        finally:
            await _cancel(tasks)

    async def watch(self) -> None:
        """Run until cancelled. Every background task is watched: an error in one comes out here, never vanishes."""
        tasks = [keeper.task for keeper in self._keepers.values() if keeper.task is not None]
        rotation = asyncio.create_task(self._rotate())
        try:
            await _first_failure([*tasks, rotation])
        finally:
            await _cancel([rotation])

    async def stop(self) -> None:
        """End every child, those that others depend on last. Returns when none is left."""
        keepers = list(self._keepers.values())
        # No child may be started again while others are being stopped.
        await _cancel([keeper.task for keeper in keepers if keeper.task is not None])
        for level in reversed(self._order):
            await asyncio.gather(*(self._keepers[name].end(self._hurry) for name in level if name in self._keepers))
        self._memory.forget()

    def pid_of(self, name: str) -> int | None:
        """The process id of a child that runs; None between death and restart."""
        started = self._keepers[name].started
        return started.pid if started else None

    async def _start_part(self, part: Child | Step, done: dict[str, asyncio.Event]) -> None:
        for name in part.after:
            await done[name].wait()
        if isinstance(part, Step):
            _logger.debug("step", task=part.name)
            await part.run()
        else:
            keeper = self._keepers[part.name]
            keeper.task = asyncio.create_task(keeper.keep())
            ready = asyncio.create_task(keeper.ready.wait())
            try:
                await asyncio.wait([keeper.task, ready], return_when=asyncio.FIRST_COMPLETED)
            finally:
                ready.cancel()
            if keeper.task.done():
                keeper.task.result()
        done[part.name].set()

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AT_LOGS_EVERY_SECONDS)
            for keeper in self._keepers.values():
                if keeper.log is not None:
                    await asyncio.to_thread(logs.rotate, keeper.log)


def _levels(parts: Sequence[Child | Step]) -> list[tuple[str, ...]]:
    """The names in order of dependence; those of one level do not wait for each other."""
    sorter = TopologicalSorter({part.name: part.after for part in parts})
    sorter.prepare()
    levels = []
    while sorter.is_active():
        level = sorter.get_ready()
        levels.append(level)
        sorter.done(*level)
    return levels


async def _first_failure(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all; the first exception comes out at once."""
    if tasks:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
