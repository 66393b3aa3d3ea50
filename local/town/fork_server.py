"""Loads our code once and forks a town's own processes from it: they share its memory, and start without loading it again.

    the town  --words of a command, and where it writes-->  fork server
              <--loaded; its process id; how it ended-----

A process forked while another thread holds a lock may wait for that lock for ever. So this one has a single thread, opens
nothing, and does nothing but this; what is loaded here begins no thread (tests/local/test_fork_server.py). Its processes end with
it, and it ends with the town. The town's side is `local/town/forked_process.py`.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cli
from engine.execution.own_build import own_build
from local.town.launch import die_with

LONGEST_MESSAGE = 1 << 16
ANSWERS = 1
LOADED = "loaded"
FOUND = "found"
"""The word for what is done once, before the town's processes start: `local/town/founding.py`."""

FOUNDING = "local.town.founding"

SOONER = "100"
"""As if it took a tenth of the machine's memory more than it does."""

_ARGUMENTS = 45
"""Where /proc/PID/stat has the first address of the command line, counted from what stands behind the program's name."""


def load(words: Sequence[str]) -> None:
    """Load what these words of `jiceng` run, and leave it where no look for garbage touches it, and no copy is made of it."""
    gc.disable()
    known = {**{word: place for word, (place, _) in cli.PROCESSES.items()}, **cli.COMMANDS, **cli.GROUPS}
    for place in (*(known[word] for word in words), "uvloop", "local.town.process", FOUNDING):
        importlib.import_module(place.partition(":")[0])
    own_build()
    gc.collect()
    _give_back_memory()
    gc.freeze()
    gc.enable()


def stand_by(line: socket.socket) -> Callable[[], None] | None:
    """Fork a process for each that the town asks for. In the forked one what it is to run; None when the town has gone."""
    living: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([line.fileno(), *living], [], [])
        for ends in [each for each in ready if each in living]:
            _, status = os.waitpid(living[ends], 0)
            _tell(line, {"ended": living.pop(ends), "code": os.waitstatus_to_exitcode(status)})
            os.close(ends)
        if line.fileno() in ready:
            said, outputs, _, _ = socket.recv_fds(line, LONGEST_MESSAGE, ANSWERS)
            if not said:
                return None
            run = _fork(line, living, json.loads(said)["words"], outputs)
            if run is not None:
                return run


def _fork(
    line: socket.socket, living: dict[int, int], words: Sequence[str], outputs: Sequence[int]
) -> Callable[[], None] | None:
    """In the forked process what it is to run; None in this one."""
    alone()
    us = os.getpid()
    pid = os.fork()
    if pid:
        ends = os.pidfd_open(pid)
        living[ends] = pid
        _tell(line, {"forked": pid}, ends)
        for each in outputs:
            os.close(each)
        return None
    line.close()
    for each in living:
        os.close(each)
    os.setsid()
    die_with(us)
    for each in outputs:
        for stream in (1, 2):
            os.dup2(each, stream)
        os.close(each)
    _end_before_others()
    show_as(f"jiceng {' '.join(words)}")
    return partial(_become, words)


def _become(words: Sequence[str]) -> None:
    if words[0] == FOUND:
        importlib.import_module(FOUNDING).main()
        return
    sys.argv = ["jiceng", *words]
    cli.main()


def alone() -> None:
    """Nobody but this thread is at work here. Raises RuntimeError: what was loaded began one, a fault of ours."""
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - asked at every fork
        raise RuntimeError("code that is loaded here has begun a thread: a process forked now may wait for ever")


def _end_before_others() -> None:
    """Where memory runs out, the system ends this process sooner than a database, or the one that forks it anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(SOONER, encoding="ascii")


def show_as(title: str) -> None:
    """The name by which `ps` shows this process, written over its command line, as Postgres does."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    first, end = int(fields[_ARGUMENTS]), int(fields[_ARGUMENTS + 1])
    room = end - first
    ctypes.memmove(first, title.encode()[: room - 1].ljust(room, b"\0"), room)


def _tell(line: socket.socket, message: dict[str, int | str], *descriptors: int) -> None:
    socket.send_fds(line, [json.dumps(message).encode()], descriptors)


def _give_back_memory() -> None:
    """What was needed only while loading: the C library keeps it otherwise, and every forked process has it too."""
    if hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


def main() -> None:
    """Stand by at the line that is this process's input, with the code of the commands that are named."""
    line = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    load(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _tell(line, {LOADED: os.getpid()})
    run = stand_by(line)
    if run is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        run()


if __name__ == "__main__":
    main()
