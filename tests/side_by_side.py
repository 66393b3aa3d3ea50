"""pytest in several processes that load the tests once: python -m tests.side_by_side TOWNS [what pytest is told].

To load the tests, the libraries and the house takes a process longer than to collect them once they are there. So they are
loaded here, and the processes of pytest-xdist are forked from what is loaded then:

    this process loads all --fork--> a nursery waits at a socket <--.
         '--> pytest with xdist --> tests/from_nursery.py, for each process: hands its pipes over, and goes with the forked one

`pytest --numprocesses 6` does the same with processes that load for themselves.
"""

import contextlib
import gc
import io
import os
import select
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from temporalio.worker._worker import (
    load_default_build_id,
)  # the SDK has no public way to work it out before a worker starts

PIPES = 3
"""What a process is handed: its input, its output, and where it complains."""

PATIENCE_SECONDS = 10
"""So long the forked ones have to end after the run, as execnet gives its own."""

TOGETHER = ("--dist", "loadfile", "--no-loadscope-reorder")


def load(told: list[str]) -> None:
    """Collect the tests, which loads all that they need. What goes wrong is said by the run itself: there it goes wrong again.

    And the digest by which the SDK tells a worker from those of other versions: it reads all code that is loaded.
    """
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main(["--collect-only", "-qq", *told])
    load_default_build_id()


def stand_by(listener: socket.socket, end: int) -> bool:
    """Fork a process for each that asks; True in the forked one, which has its pipes then, and False when `end` has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with the run, which is interrupted
    forked: list[int] = []
    while True:
        ready, _, _ = select.select([listener.fileno(), end], [], [])
        if end in ready:
            _see_off(forked)
            return False
        caller, _ = listener.accept()
        _, pipes, _, _ = socket.recv_fds(caller, 1, PIPES)
        if len(pipes) == PIPES:
            forked.append(os.fork())
            if forked[-1] == 0:
                listener.close()
                os.close(end)
                _take_over(pipes)
                caller.detach()  # open as long as this process lives: that is how its caller knows
                return True
        caller.close()
        for each in pipes:
            os.close(each)


def _see_off(forked: list[int]) -> None:
    """Wait until all have ended, which have nothing to do any more; who does not end is ended."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while forked:
        if time.monotonic() > patience:
            os.kill(forked[0], signal.SIGKILL)
        if os.waitpid(forked[0], os.WNOHANG)[0]:
            del forked[0]
        else:
            select.select([], [], [], 0.05)


def _take_over(pipes: list[int]) -> None:
    for place, pipe in enumerate(pipes):
        os.dup2(pipe, place)
        os.close(pipe)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115 - as Python opens them
    sys.argv = ["-c"]


def main(towns: int, told: list[str]) -> int:
    """Play what pytest is told in so many processes; its exit code."""
    load(told)
    assert threading.active_count() == 1, "who is forked has one thread: a test file begins another when it is loaded"
    gc.collect()
    gc.freeze()
    folder = Path(tempfile.mkdtemp())
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "nursery"))
    listener.listen(towns)
    end, life = os.pipe()
    nursery = os.fork()
    if nursery == 0:
        os.close(life)
        if stand_by(listener, end):
            # As a process of execnet does that was begun by its command line.
            exec(eval(sys.stdin.readline()), {"__name__": "__main__"})  # noqa: S102, S307 - its caller's own program
        return 0
    os.close(end)
    listener.close()
    try:
        asks = (sys.executable, "-I", "-S", Path(__file__).with_name("from_nursery.py"), folder / "nursery")
        process = f"popen//python={shlex.join(map(str, asks))}"
        return int(pytest.main([*told, *TOGETHER, "--tx", f"{towns}*{process}"]))
    finally:
        os.close(life)
        os.waitpid(nursery, 0)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
