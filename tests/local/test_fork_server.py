"""Processes that are forked from one that has loaded their code: they live, end and are told of as any other child."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from engine.runtime.settings import PROJECT, Settings
from local.town.fork_server import FOUND
from local.town.forked_process import NAME, ForkServer, can_fork
from local.town.ports import LOOPBACK, hold_ports
from local.town.process_runner import ChildFailed, Pace
from local.town.supervisor import Supervisor
from local.town.town_processes import PROCESSES, TownProcess, children_of, environment_of, fork_server_of, jiceng
from tests.waiting import eventually, lives

pytestmark = [
    pytest.mark.skipif(not can_fork(), reason="processes are forked on Linux alone"),
    pytest.mark.timeout(300),
]

FAST = Pace(first_pause_seconds=0.01, attempts_at_first=3)
PLAYED = tuple(each for each in PROCESSES if each.name in {"bank", "sources"})
"""Two that need nobody else: no database, no Temporal."""

BROKEN = TownProcess("broken", jiceng("bank", "--nonsense"))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Of a town in which the two have addresses."""
    with hold_ports(["bank", "sources"], None, {}) as ports:
        urls = {f"{name}_url": f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
        yield Settings(data=tmp_path, **urls)  # type: ignore[arg-type]  # by name


@asynccontextmanager
async def forked_town(settings: Settings, *processes: TownProcess) -> AsyncIterator[Supervisor]:
    """The server, and these forked by it; stopped in any case."""
    server = fork_server_of(processes, settings)
    assert server is not None
    supervisor = Supervisor(settings.data, [server.child(), *children_of(processes, settings, (NAME,), server)], FAST)
    try:
        await supervisor.start()
        yield supervisor
    finally:
        await supervisor.stop()


@asynccontextmanager
async def fork_server(settings: Settings) -> AsyncIterator[ForkServer]:
    """The server alone."""
    environment = {**os.environ, **environment_of(settings)}
    server = ForkServer(("where",), environment, settings.data)
    supervisor = Supervisor(settings.data, [server.child()], FAST)
    try:
        await supervisor.start()
        yield server
    finally:
        await supervisor.stop()


def found(settings: Settings) -> None:
    """Keys for the town, as its start makes them."""
    environment = {**os.environ, **environment_of(settings)}
    subprocess.run([sys.executable, "-P", "-m", "local.town.founding"], check=True, env=environment)


def ends_sooner(process: psutil.Process) -> int:
    """How soon the system ends it where memory runs out, beside others of its size."""
    return int(Path(f"/proc/{process.pid}/oom_score_adj").read_text())


def process_of(town: Supervisor, name: str) -> psutil.Process:
    """That part of the town."""
    pid = town.pid_of(name)
    assert pid is not None
    return psutil.Process(pid)


async def test_forked_processes_are_children_like_others(settings: Settings) -> None:
    """Each in a session of its own, with a log and a name of its own, and most of its memory shared; stopped, none is left."""
    found(settings)
    async with forked_town(settings, *PLAYED) as town:
        server, bank, sources = (process_of(town, name) for name in (NAME, "bank", "sources"))
        for each in (bank, sources):
            assert each.parent() == server
            assert os.getsid(each.pid) == each.pid
            memory = each.memory_full_info()
            assert memory.uss < memory.rss / 2
            assert ends_sooner(each) > ends_sooner(server)
        assert [word for word in bank.cmdline() if word] == ["jiceng bank"]
        assert (settings.data / "logs" / f"{NAME}.log").read_text() == ""

    assert [each for each in (server, bank, sources) if lives(each)] == []


async def test_a_forked_process_that_dies_is_forked_again(settings: Settings) -> None:
    """Killed with -9, whenever: neither the server nor the others notice."""
    found(settings)
    async with forked_town(settings, *PLAYED) as town:
        server, sources = process_of(town, NAME), process_of(town, "sources")
        for _ in range(FAST.attempts_at_first + 1):
            former = process_of(town, "bank")
            former.kill()
            await eventually(lambda: town.pid_of("bank") not in {None, former.pid})  # noqa: B023 - awaited in this round

        assert (process_of(town, NAME), process_of(town, "sources")) == (server, sources)


async def test_a_server_that_dies_is_started_again_with_all_that_it_had_forked(settings: Settings) -> None:
    """Killed with -9 it takes its processes along; a new one forks each of them anew."""
    found(settings)
    async with forked_town(settings, *PLAYED) as town:
        former = {name: process_of(town, name) for name in (NAME, "bank", "sources")}
        former[NAME].kill()
        await eventually(lambda: not any(lives(each) for each in former.values()))
        await eventually(lambda: all(town.pid_of(name) not in {None, each.pid} for name, each in former.items()), 60)

        assert {process_of(town, name).parent() for name in ("bank", "sources")} == {process_of(town, NAME)}


async def test_a_forked_process_that_never_gets_ready_ends_the_start_with_its_last_words(settings: Settings) -> None:
    """Its exit code and the end of its log are told."""
    found(settings)
    with pytest.raises(ChildFailed, match=r"broken could not be started \(3 attempts, last exit 2\)[\s\S]*nonsense"):
        async with forked_town(settings, TownProcess("broken", BROKEN.argv, lambda _: _never), *PLAYED[:1]):
            pass


async def test_how_a_forked_process_ends_is_told(settings: Settings) -> None:
    """Its exit code, or the signal; one that has ended gets no signal, whoever has its id meanwhile."""
    async with fork_server(settings) as server:
        with tempfile.TemporaryFile() as said:
            process = await server.fork(("where", "nonsense"), said.fileno())
            assert await process.wait() == 2
            said.seek(0)
            assert "choose one of" in said.read().decode()
            with pytest.raises(ProcessLookupError):
                process.kill()

            stopped = await server.fork(("where",), said.fileno())
            stopped.send_signal(signal.SIGSTOP)
            stopped.kill()
            assert await stopped.wait() == -signal.SIGKILL


async def test_founding_says_what_a_person_has_to_mend(settings: Settings, tmp_path: Path) -> None:
    """Keys are made by a forked process that ends; of policies with a fault it says which file, and ends with 1."""
    policies = tmp_path / "policies"
    policies.mkdir()
    for broken, expected in ((settings, 0), (settings.model_copy(update={"policies": policies}), 1)):
        async with fork_server(broken) as server:
            with tempfile.TemporaryFile() as said:
                process = await server.fork((FOUND,), said.fileno())
                assert await process.wait() == expected
                said.seek(0)
                assert ("departments.yaml" in said.read().decode()) is bool(expected)

    assert (settings.key_folder / "vault.json").exists()


async def test_nothing_of_a_killed_town_is_left(settings: Settings) -> None:
    """After kill -9 of the process above them the server ends, and all that it has forked."""
    found(settings)
    code = (
        "import asyncio; from tests.local.test_fork_server import *\n"
        "async def main():\n"
        "    async with forked_town(Settings(), *PLAYED) as town:\n"
        "        print(*(town.pid_of(name) for name in (NAME, 'bank', 'sources')), flush=True)\n"
        "        await town.watch()\n"
        "asyncio.run(main())"
    )
    above = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        cwd=PROJECT,
        env={**os.environ, **environment_of(settings)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert above.stdout is not None
    words: list[str] = []
    while not (words and all(word.isdigit() for word in words)):
        words = (await above.stdout.readline()).decode().split()
    left = [psutil.Process(int(pid)) for pid in words]
    above.kill()
    await above.wait()

    await eventually(lambda: not any(lives(each) for each in left))


def test_loading_the_code_begins_no_thread_and_brings_nothing_that_few_need() -> None:
    """A process forked beside another thread may wait for ever for a lock that this one held: of all code of a town.

    What is loaded stays in the memory of all: the library that writes spreadsheets takes eleven megabytes, that which learns more.
    """
    words = [each.argv[-1] for each in PROCESSES]
    code = f"import sys; from local.town.fork_server import alone, load; load({words!r}); alone(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)

    assert {*done.stdout.split()} & {"xlsxwriter", "sklearn", "numpy", "chinese_calendar", "holidays"} == set()


def test_one_process_is_not_forked(settings: Settings) -> None:
    """It would share with nobody."""
    assert fork_server_of(PLAYED[:1], settings) is None
    assert fork_server_of([TownProcess("other", (sys.executable,)), *PLAYED[:1]], settings) is None


async def _never(_: object) -> bool:
    return False
