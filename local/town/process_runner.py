"""Keeps one child running: starts it, waits until it is ready, starts it again when it dies, ends it cleanly."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from engine.runtime.operator_error import OperatorError
from local.town.child import Child, Running, Started
from local.town.logs import tail

_PROBE_EVERY_SECONDS = 0.05
_PROBE_PATIENCE_SECONDS = 5.0


class ChildFailed(OperatorError):
    """A child died again and again before it was ever ready."""


@dataclass(frozen=True)
class Pace:
    """How fast a child that dies is started again: doubling pauses, forgotten after it has lived a while."""

    first_pause_seconds: float = 0.2
    longest_pause_seconds: float = 30.0
    settled_after_seconds: float = 60.0
    attempts_at_first: int = 6

    def pause_seconds(self, deaths: int) -> float:
        """The pause after the nth death in a row, from 1."""
        return min(self.longest_pause_seconds, self.first_pause_seconds * 2.0 ** min(deaths - 1, 30))


class ProcessRunner:
    """The life of one child. `ready` is set when it has been ready once; `started` is its present life, if it runs."""

    def __init__(self, child: Child, log: Path | None, pace: Pace, remember: Callable[[Child, Started], None]) -> None:
        """`log` None: what the child says goes where ours goes."""
        self.child = child
        self.log = log
        self.ready = asyncio.Event()
        self.started: Started | None = None
        self.task: asyncio.Task[None] | None = None
        self._pace = pace
        self._remember = remember
        self._process: Running | None = None
        self._logger = structlog.get_logger().bind(task=child.name)

    async def keep(self) -> None:
        """Run the child for ever.

        Raises:
            ChildFailed: it never became ready, after several attempts. A child that was ready once is never given up.
        """
        deaths = 0
        while True:
            born = time.monotonic()
            process = await self._spawn()
            if await self._becomes_ready(process):
                self._logger.info("child_ready", pid=process.pid, seconds=round(time.monotonic() - born, 2))
                self.ready.set()
            else:
                await self.end(asyncio.Event())
            await process.wait()
            deaths = 1 if time.monotonic() - born > self._pace.settled_after_seconds else deaths + 1
            await self.end(asyncio.Event())
            if not self.ready.is_set() and deaths >= self._pace.attempts_at_first:
                raise ChildFailed(
                    f"{self.child.name} could not be started ({deaths} attempts, last {_outcome(process)}). "
                    + (f"The end of {self.log}:\n{tail(self.log)}" if self.log else "What it said stands above.")
                )
            pause = self._pace.pause_seconds(deaths)
            self._logger.warning("child_died", outcome=_outcome(process), restarts=deaths, waiting=pause)
            await asyncio.sleep(pause)

    async def end(self, hurry: asyncio.Event) -> None:
        """Stop signal, grace, kill; then kill what the child itself left in its process group."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.child.stop_signal)
            await self._give_grace(process, hurry)
            if process.returncode is None:
                self._logger.warning("child_killed", pid=process.pid)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._process = None
        self.started = None

    async def _give_grace(self, process: Running, hurry: asyncio.Event) -> None:
        waits = [asyncio.create_task(process.wait()), asyncio.create_task(hurry.wait())]
        try:
            await asyncio.wait(waits, timeout=self.child.grace_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _spawn(self) -> Running:
        await self.child.prepare()
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if self.log else None
        try:
            self._process = await self.child.begin(self.child, descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)
        self.started = Started(self._process.pid, datetime.now(UTC))
        self._remember(self.child, self.started)
        return self._process

    async def _becomes_ready(self, process: Running) -> bool:
        """False when it died, or was not ready in time."""
        started = self.started
        deadline = time.monotonic() + self.child.ready_within_seconds
        while started is not None and process.returncode is None and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PROBE_PATIENCE_SECONDS):
                    if await self.child.ready(started):
                        return process.returncode is None
            await asyncio.sleep(_PROBE_EVERY_SECONDS)
        return False


def _outcome(process: Running) -> str:
    """How a life ended, in words."""
    code = process.returncode
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit {code}"
