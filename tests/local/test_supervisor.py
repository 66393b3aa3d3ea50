"""The supervisor, with small real programs as children."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from local.town import logs
from local.town.child import Child, Started, Step
from local.town.memory import ChildMemory
from local.town.process_runner import ChildFailed, Pace
from local.town.supervisor import Supervisor
from tests.waiting import eventually

FAST = Pace(first_pause_seconds=0.01, attempts_at_first=3)
LIVES = "import time; print('alive', flush=True); time.sleep(600)"


def child(folder: Path, name: str = "child", code: str = LIVES, **changes: object) -> Child:
    """A Python program as a child; ready when it has printed something."""
    log = folder / "logs" / f"{name}.log"

    async def has_printed(_: Started) -> bool:
        return log.stat().st_size > 0

    made = Child(name, (sys.executable, "-I", "-S", "-c", code), dict(os.environ), folder, has_printed)
    return replace(made, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def running(folder: Path, *parts: Child | Step) -> AsyncIterator[Supervisor]:
    """Start, and stop in any case."""
    supervisor = Supervisor(folder, parts, FAST)
    try:
        await supervisor.start()
        yield supervisor
    finally:
        await supervisor.stop()


def gone(pids: Sequence[int | None]) -> bool:
    """None of these processes is left."""
    return not any(pid is not None and psutil.pid_exists(pid) for pid in pids)


async def test_parts_start_in_order_of_dependence_and_stop_in_reverse(tmp_path: Path) -> None:
    """Nobody starts before those it needs are ready, and nobody loses what it needs before it has stopped itself."""
    diary = tmp_path / "diary"
    code = (
        "import signal, sys, time; say = lambda word: open({diary!r}, 'a').write(word + ' {name}\\n')\n"
        "signal.signal(signal.SIGTERM, lambda *_: (say('stop'), sys.exit(0)))\n"
        "say('start'); print('alive', flush=True); time.sleep(600)"
    )

    async def note() -> None:
        with diary.open("a") as file:
            file.write("step migrations\n")

    database = child(tmp_path, "database", code.format(diary=str(diary), name="database"))
    api = child(tmp_path, "api", code.format(diary=str(diary), name="api"), after=("migrations",))
    async with running(tmp_path, api, Step("migrations", note, after=("database",)), database):
        pass

    assert diary.read_text().splitlines() == [
        "start database",
        "step migrations",
        "start api",
        "stop api",
        "stop database",
    ]


async def test_child_that_dies_is_started_again(tmp_path: Path) -> None:
    """A child that was ready once is started again whenever it dies."""
    async with running(tmp_path, child(tmp_path)) as supervisor:
        for _ in range(FAST.attempts_at_first + 1):
            pid = supervisor.pid_of("child")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await eventually(partial(_lives_anew, supervisor, pid))


async def test_child_that_never_gets_ready_ends_the_start_with_its_last_words(tmp_path: Path) -> None:
    """A start does not try for ever: it fails with the end of the log, and leaves nobody behind."""
    quiet = replace(child(tmp_path, "broken", "raise SystemExit('no such table')"), ready=_never)
    supervisor = Supervisor(tmp_path, [child(tmp_path), quiet], FAST)
    with pytest.raises(
        ChildFailed, match=r"broken could not be started \(3 attempts, last exit 1\)[\s\S]*no such table"
    ):
        await supervisor.start()
    pids = [supervisor.pid_of("child"), supervisor.pid_of("broken")]
    await supervisor.stop()

    assert gone(pids)


async def test_child_that_is_alive_but_not_ready_in_time_is_started_anew(tmp_path: Path) -> None:
    """A child that hangs at its start does not hang the town."""
    hanging = child(tmp_path, ready=_never, ready_within_seconds=0.1)
    supervisor = Supervisor(tmp_path, [hanging], FAST)
    with pytest.raises(ChildFailed, match="3 attempts, last SIGTERM"):
        await supervisor.start()
    await supervisor.stop()


async def test_failing_step_ends_the_start(tmp_path: Path) -> None:
    """What a step raises comes out of the start unchanged."""

    async def fail() -> None:
        raise ValueError("wrong migration")

    supervisor = Supervisor(tmp_path, [child(tmp_path), Step("step", fail, after=("child",))], FAST)
    with pytest.raises(ValueError, match="wrong migration"):
        await supervisor.start()
    pid = supervisor.pid_of("child")
    await supervisor.stop()

    assert gone([pid])


async def test_child_deaf_to_its_stop_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    """Stopping a town ends, whatever its children do."""
    deaf = child(
        tmp_path, code=f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LIVES}", grace_seconds=0.1
    )
    async with running(tmp_path, deaf) as supervisor:
        pid = supervisor.pid_of("child")

    assert gone([pid])


async def test_hurry_takes_the_grace_away(tmp_path: Path) -> None:
    """The second Ctrl-C does not wait for a child's long grace."""
    deaf = child(
        tmp_path, code=f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {LIVES}", grace_seconds=600
    )
    hurry = asyncio.Event()
    supervisor = Supervisor(tmp_path, [deaf], FAST, hurry)
    await supervisor.start()
    hurry.set()
    async with asyncio.timeout(60):
        await supervisor.stop()


async def test_what_a_child_left_in_its_group_ends_with_it(tmp_path: Path) -> None:
    """A worker's own subprocesses do not outlive the worker."""
    parent = (
        "import subprocess, sys, time\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "time.sleep(600)"
    )
    async with running(tmp_path, child(tmp_path, code=parent)) as supervisor:
        grandchild = int((tmp_path / "logs" / "child.log").read_text().split()[0])
        assert supervisor.pid_of("child") != grandchild

    await eventually(lambda: gone([grandchild]))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what a killed town left")
async def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    """After kill -9 of the town no child goes on without it."""
    code = (
        "import asyncio, pathlib, sys; sys.path.insert(0, sys.argv[2]); from tests.local.test_supervisor import *\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "async def main():\n"
        "    async with running(folder, child(folder)) as town:\n"
        "        print(town.pid_of('child'), flush=True)\n"
        "        await town.watch()\n"
        "asyncio.run(main())"
    )
    town = subprocess.Popen(  # noqa: ASYNC220 - read line by line below, ended by this test
        [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parents[2])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert town.stdout is not None
    with town.stdout:
        pid = next(int(line) for line in town.stdout if line.strip().isdigit())
    assert psutil.pid_exists(pid)
    town.kill()
    town.wait()

    await eventually(lambda: gone([pid]))


async def test_leftover_of_a_killed_town_is_ended_and_a_stranger_is_not(tmp_path: Path) -> None:
    """A remembered process is ended only when its birth is the remembered one too: ids are used again."""
    leftover, stranger = (_some_process() for _ in range(2))
    try:
        born = psutil.Process(leftover.pid).create_time()
        lives = {
            "leftover": {"pid": leftover.pid, "born": born, "signal": signal.SIGTERM},
            "stranger": {"pid": stranger.pid, "born": born - 3600, "signal": signal.SIGTERM},
        }
        (tmp_path / "children.json").write_text(json.dumps(lives))
        await asyncio.to_thread(ChildMemory(tmp_path / "children.json").clear)

        assert leftover.poll() is not None
        assert stranger.poll() is None
    finally:
        for process in (leftover, stranger):
            process.kill()
            process.wait()


def test_pauses_double_up_to_a_longest() -> None:
    """A child that dies at once is not started a hundred times a second, nor left alone for an hour."""
    pace = Pace(first_pause_seconds=0.2, longest_pause_seconds=30)

    assert [pace.pause_seconds(deaths) for deaths in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert pace.pause_seconds(1000) == 30


def test_log_that_grows_is_cut_and_the_oldest_dropped(tmp_path: Path) -> None:
    """A town that runs for a year keeps a few files per child, and what it writes after a cut is there."""
    log = tmp_path / "child.log"
    with log.open("ab", buffering=0) as child_output:
        for generation in b"abcde":
            child_output.write(bytes([generation]) * 11)
            assert logs.rotate(log, limit_bytes=10, generations=3)
        child_output.write(b"new")

    assert not logs.rotate(log, limit_bytes=10, generations=3)
    assert {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir()} == {
        "child.log": b"n",
        "child.log.1": b"e",
        "child.log.2": b"d",
        "child.log.3": b"c",
    }


async def _never(_: Started) -> bool:
    return False


def _some_process() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", LIVES], stdout=subprocess.DEVNULL)


def _lives_anew(supervisor: Supervisor, former: int) -> bool:
    return supervisor.pid_of("child") not in {None, former}
