"""Has loaded the code of town and tests, and forks processes that have it then: to load it takes longer than most of them live.

    who wants one  --{what it runs, is told, its variables, its folder} and three pipes-->  a nursery
                   <--its number-- ... <--how it has ended--

Whose caller goes, or says anything more, is killed. A run has one nursery (tests/side_by_side.py); where pytest runs alone it
begins one when it needs it (tests/forked.py), by `python -m tests.nursery LISTENER END`.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import cli
from engine.execution.own_build import own_build

PIPES = 3
"""What a process is handed: its input, its output, and where it complains."""

LONGEST = 1 << 17
"""So many bytes has what a process is told, at the most: as many as the system lets pass at once."""

PATIENCE_SECONDS = 10
"""So long the forked ones have to end after the run, as execnet gives its own."""


@dataclass(frozen=True)
class Forked:
    """A process that lives, and who wanted it."""

    pid: int
    ends: int
    caller: socket.socket

    def kill(self) -> None:
        """Whoever wanted it has gone, or asks for this."""
        with contextlib.suppress(ConnectionResetError):  # gone before it had read what it was told
            self.caller.recv(LONGEST)
        os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """It has ended: tell whoever wanted it how."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.ends)
        with self.caller:
            self.tell(os.waitstatus_to_exitcode(status))

    def tell(self, number: int) -> None:
        """Say it to whoever wanted it, unless they have gone: then it is killed, or was for that."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.caller.send(str(number).encode())


def load(places: Iterable[str] = ()) -> None:
    """What tests stop and kill, and what stands at these places, and the digest that a worker's histories name."""
    for module in ("tests.dying_api", "tests.dying_worker", *(place.partition(":")[0] for place in places)):
        importlib.import_module(module)
    own_build()


def of_a_town() -> list[str]:
    """Where all that the processes of a town run stands."""
    return [*(place for place, _ in cli.PROCESSES.values()), *cli.COMMANDS.values(), *cli.GROUPS.values()]


def stand_by(listener: socket.socket, end: int) -> Callable[[], Any] | None:
    """Fork a process for each that asks. In the forked one what it is to run; None when `end` has ended, and all are gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with the run, which is interrupted
    living: dict[int, Forked] = {}
    while True:
        callers = {each.caller.fileno(): each for each in living.values()}
        ready, _, _ = select.select([listener.fileno(), end, *living, *callers], [], [])
        if end in ready:
            _see_off(living)
            return None
        for each in [living.pop(number) for number in ready if number in living]:
            callers.pop(each.caller.fileno())
            each.reap()
        for number in ready:
            if number in callers:
                callers[number].kill()
                living.pop(callers[number].ends).reap()
        if listener.fileno() in ready:
            caller, _ = listener.accept()
            run = _fork(caller, living, (listener.fileno(), end))
            if run is not None:
                return run


def _fork(caller: socket.socket, living: dict[int, Forked], others: tuple[int, ...]) -> Callable[[], Any] | None:
    said, pipes, _, _ = socket.recv_fds(caller, LONGEST, PIPES)
    if len(pipes) != PIPES:  # it went before it said anything
        caller.close()
        return None
    pid = os.fork()
    if pid:
        ends = os.pidfd_open(pid)
        living[ends] = Forked(pid, ends, caller)
        living[ends].tell(pid)
        for each in pipes:
            os.close(each)
        return None
    for each in (caller.detach(), *others, *living, *(one.caller.detach() for one in living.values())):
        os.close(each)
    return _take_over(json.loads(said), pipes)


def _take_over(told: Mapping[str, Any], pipes: list[int]) -> Callable[[], Any]:
    """Become the process that is wanted; what it runs."""
    for place, pipe in enumerate(pipes):
        os.dup2(pipe, place)
        os.close(pipe)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as Python opens them
    sys.stdout, sys.stderr = (open(pipe, "w", buffering=1, closefd=False) for pipe in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    module, _, name = told["run"].partition(":")
    return partial(getattr(importlib.import_module(module), name), *told["told"])


def _see_off(living: Mapping[int, Forked]) -> None:
    """Wait until all have ended, which have nothing to do any more; who does not end is ended."""
    patience = time.monotonic() + PATIENCE_SECONDS
    left = dict(living)
    while left:
        ready, _, _ = select.select(list(left), [], [], max(0.0, patience - time.monotonic()))
        for each in left.values() if not ready else ():
            os.kill(each.pid, signal.SIGKILL)
        for number in ready:
            left.pop(number).reap()


def play(*_begun: str) -> None:
    """As a process of execnet does that was begun by its command line, whose words are these."""
    sys.argv = ["-c"]
    exec(eval(sys.stdin.readline()), {"__name__": "__main__"})  # noqa: S102, S307 - its caller's own program


def command(*words: str) -> None:
    """As `jiceng` does with these words, in a session of its own."""
    os.setsid()
    sys.argv = ["jiceng", *words]
    cli.main()


def main() -> None:
    """A nursery that another process has begun: by the numbers of what it listens at, and of what ends with its caller."""
    listener, end = map(int, sys.argv[1:])
    load()
    run = stand_by(socket.socket(fileno=listener), end)
    if run is not None:
        run()


if __name__ == "__main__":
    main()
