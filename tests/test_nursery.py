"""A process that is forked from a nursery is as one that was begun: it has its pipes, its end, and whoever ends it."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.forked import ForkedProcess, from_nursery
from tests.waiting import eventually

SAYS_WHO_IT_IS = "import os, signal, sys, time; print(os.getpid(), flush=True)"
LIVES_ON = f"{SAYS_WHO_IT_IS}; time.sleep(600)"


@contextmanager
def begun(program: str) -> Iterator[tuple["subprocess.Popen[str]", psutil.Process]]:
    """Who has it forked, and who is forked."""
    with subprocess.Popen(
        from_nursery("builtins:exec", program),
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=os.environ | {"WORD": "x"},
    ) as caller:
        assert caller.stdout is not None
        yield caller, psutil.Process(int(caller.stdout.readline()))


def test_it_has_folder_variables_and_pipes_of_whoever_has_it_forked_and_its_end_is_theirs() -> None:
    """What it says comes out there, where it is and what it is told is theirs, and so is the code that it ends with."""
    told = "import os, sys; print(os.getcwd(), os.environ['WORD'], sys.stdin.read()); sys.exit(7)"
    done = subprocess.run(
        from_nursery("builtins:exec", told),
        input="written", capture_output=True, text=True, cwd="/", env=os.environ | {"WORD": "word"}, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (7, "/ word written\n")


def test_what_it_is_to_end_by_is_handed_on() -> None:
    """A stop signal reaches it, and it ends as it wants to."""
    with begun(
        f"{SAYS_WHO_IT_IS}; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); print(); time.sleep(600)"
    ) as (
        caller,
        forked,
    ):
        assert caller.stdout is not None
        caller.stdout.readline()
        caller.terminate()

        assert caller.wait() == 3
        assert not forked.is_running()


async def test_whoever_has_it_forked_is_killed_and_it_with_them() -> None:
    """Nobody is left behind, whichever of the two is killed."""
    with begun(LIVES_ON) as (caller, forked):
        caller.kill()
        await eventually(lambda: not forked.is_running())
    with begun(LIVES_ON) as (caller, forked):
        forked.kill()
        assert caller.wait() == 128 + signal.SIGKILL


async def test_it_stands_still_goes_on_and_dies() -> None:
    """A process that a test stops and kills is dead when it is, and not before; one that ends by itself is dead then."""
    process, another = ForkedProcess(time.sleep, 600), ForkedProcess(os._exit, 3)
    process.stand_still()
    alive = not process.dead
    process.go_on()
    await process.kill()
    await another.wait()

    assert alive
    assert process.dead
    assert another.dead
    await another.kill()


def killed_unheard(number: int) -> None:
    """So many that have a process forked are killed before they have heard of it."""
    for caller in [subprocess.Popen(from_nursery("builtins:exec", LIVES_ON)) for _ in range(number)]:
        caller.kill()
        caller.wait()


def forks_still() -> bool:
    """Whether the next process is forked, and ends as it wants to."""
    return subprocess.run(from_nursery("builtins:exec", "raise SystemExit(7)"), check=False).returncode == 7


async def test_it_outlives_whoever_goes_at_any_moment() -> None:
    """Processes that end just as they are killed, and callers that are killed before they have heard anything."""
    for _ in range(3):
        many = [ForkedProcess(os._exit, 0) for _ in range(10)]
        await asyncio.gather(*(each.kill() for each in many))
        killed_unheard(3)

    assert forks_still()
