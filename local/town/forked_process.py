"""The town's side of the fork server: has processes forked, and knows of each how it goes."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.town.child import Child, Running, Started, begin_program
from local.town.fork_server import LOADED, LONGEST_MESSAGE

NAME = "fork-server"
LOADED_WITHIN_SECONDS = 180.0
"""It loads the code of all others: on a slow or busy machine that takes longer than any of them may."""


def can_fork() -> bool:
    """Whether this system has what forked processes are kept by: Linux since 5.3, where no sandbox forbids it."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class ForkedProcess:
    """A process that the fork server has forked for us. Its id stays its own for as long as we hold this."""

    def __init__(self, pid: int, handle: int) -> None:
        """`handle` is its pidfd, ours to close."""
        self.pid = pid
        self.returncode: int | None = None
        self._handle = handle
        self._over = asyncio.Event()

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError: it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """With -9. Raises ProcessLookupError: it has ended."""
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Until it has ended; its exit code, or minus the signal that ended it."""
        await self._over.wait()
        assert self.returncode is not None  # noqa: S101 - set before the event
        return self.returncode

    def ended(self, code: int) -> None:
        """It has ended."""
        self.returncode = code
        os.close(self._handle)
        self._over.set()

    def ends_with_its_server(self) -> None:
        """Whoever could tell us how it ends has gone, and the system kills it for that."""
        loop = asyncio.get_running_loop()

        def gone() -> None:
            loop.remove_reader(self._handle)
            self.ended(-signal.SIGKILL)

        loop.add_reader(self._handle, gone)


class ForkServer:
    """One fork server at a time, begun again when it dies, as any child; and the way to it."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> None:
        """`words` are the commands of `jiceng` that it is to load."""
        self._words = words
        self._environment = environment
        self._folder = folder
        self._line: _Line | None = None
        self._loaded = asyncio.Event()

    def child(self) -> Child:
        """The server itself, as the supervisor runs it."""
        return Child(
            name=NAME,
            argv=(sys.executable, "-P", "-m", "local.town.fork_server", *self._words),
            environment=self._environment,
            folder=self._folder,
            begin=self._begin_server,
            ready=self._is_loaded,
            ready_within_seconds=LOADED_WITHIN_SECONDS,
        )

    async def fork(self, words: tuple[str, ...], output: int | None) -> ForkedProcess:
        """Have a process forked that runs these words of `jiceng`; it writes to `output`, or where we write.

        Waits for the server when that has just died: the next one forks it.
        """
        while True:
            await self._loaded.wait()
            with contextlib.suppress(ConnectionError):
                if self._line is not None:
                    return await self._line.fork(words, 2 if output is None else output)

    async def _begin_server(self, child: Child, output: int | None) -> Running:
        if self._line is not None:
            self._line.end()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            process = await begin_program(child, output, there.fileno())
        self._line = _Line(here, self._loaded)
        return process

    async def _is_loaded(self, _: Started) -> bool:
        return self._loaded.is_set()


class _Line:
    """What is said between us and one life of the server."""

    def __init__(self, line: socket.socket, loaded: asyncio.Event) -> None:
        self._line = line
        self._line.setblocking(False)
        self._loaded = loaded
        self._asked: list[asyncio.Future[ForkedProcess]] = []
        self._living: dict[int, ForkedProcess] = {}
        asyncio.get_running_loop().add_reader(line, self._hear)

    async def fork(self, words: tuple[str, ...], output: int) -> ForkedProcess:
        """Raises ConnectionError: the server is gone, or went before it had answered."""
        if self._line.fileno() < 0:
            raise ConnectionResetError
        answer: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        socket.send_fds(self._line, [json.dumps({"words": words}).encode()], [output])
        # Whoever is cancelled meanwhile leaves a process that somebody must end.
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            answer.add_done_callback(_end_unwanted)
            raise

    def _hear(self) -> None:
        try:
            said, handles, _, _ = socket.recv_fds(self._line, LONGEST_MESSAGE, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            said, handles = b"", []
        if not said:
            self.end()
            return
        self._take(json.loads(said), handles)

    def _take(self, message: Mapping[str, Any], handles: list[int]) -> None:
        if LOADED in message:
            self._loaded.set()
        elif "forked" in message:
            process = ForkedProcess(message["forked"], handles[0])
            self._living[process.pid] = process
            self._asked.pop(0).set_result(process)
        else:
            self._living.pop(message["ended"]).ended(message["code"])

    def end(self) -> None:
        """The server has gone."""
        if self._line.fileno() < 0:
            return
        asyncio.get_running_loop().remove_reader(self._line)
        self._line.close()
        self._loaded.clear()
        for answer in self._asked:
            answer.set_exception(ConnectionResetError())
        for process in self._living.values():
            process.ends_with_its_server()


def _end_unwanted(answer: "asyncio.Future[ForkedProcess]") -> None:
    if answer.cancelled() or answer.exception() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        answer.result().kill()
