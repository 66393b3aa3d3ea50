"""`jiceng up`: a real Temporal, a real Postgres, and stand-ins for our own processes (`stand_in.py`)."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from local.town.data_folder import DataFolder, FoundedOtherwise, TownHeld
from local.town.identity import NobodyCanRunPostgres, find_identity
from local.town.ports import FREE_PORTS, PortTaken, hold_ports
from local.town.running_town import NoTown, find_town
from tests.waiting import eventually, lives

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = ROOT / "tests" / "stand_in.py"


def _become_nobody() -> None:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setuid(nobody.pw_uid)


AS_NOBODY: dict[str, Any] = {"preexec_fn": _become_nobody, "cwd": "/"}
"""By hand: a fast loop does not know `user`."""

CHILDREN = ("temporal", "postgres", "worker", "api")
open_checkout = pytest.mark.skipif(
    any(folder.stat().st_mode & 0o005 != 0o005 for folder in (ROOT, *ROOT.parents)),
    reason="this checkout lies below a folder that only its owner may enter: another user cannot run its programs",
)
linux_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only Linux root can change users")


@dataclass
class RunningTown:
    """A town in a process of its own, as a person starts it."""

    process: asyncio.subprocess.Process
    addresses: dict[str, str]
    seconds_to_ready: float

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.addresses["data"])

    def pids(self) -> dict[str, int]:
        """The children that run, by name."""
        lives = json.loads((self.data / "children.json").read_text())
        return {name: life["pid"] for name, life in lives.items()}

    def family(self) -> list[psutil.Process]:
        """The town's process and all below it."""
        town = psutil.Process(self.process.pid)
        return [town, *town.children(recursive=True)]

    async def client(self) -> Client:
        """A client of the town's Temporal."""
        return await Client.connect(self.addresses["temporal"])

    async def note(self, note: str) -> None:
        """Write a row."""
        connection = await asyncpg.connect(self.addresses["postgres"])
        await connection.execute("CREATE TABLE IF NOT EXISTS note (text text)")
        await connection.execute("INSERT INTO note VALUES ($1)", note)
        await connection.close()

    async def notes(self) -> list[str]:
        """The rows."""
        connection = await asyncpg.connect(self.addresses["postgres"])
        rows = await connection.fetch("SELECT text FROM note ORDER BY text")
        await connection.close()
        return [row["text"] for row in rows]


async def up(
    data: Path,
    command: tuple[str, ...] = (sys.executable,),
    *,
    environment: Mapping[str, str] | None = None,
    process: Mapping[str, Any] | None = None,
    **options: Any,
) -> asyncio.subprocess.Process:
    """Say `up`."""
    return await asyncio.create_subprocess_exec(
        *(*command, str(STAND_IN), "up", json.dumps({"data": str(data), **options})),
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        **(process or {}),
    )


@asynccontextmanager
async def town_on(
    data: Path, command: tuple[str, ...] = (sys.executable,), **options: Any
) -> AsyncIterator[RunningTown]:
    """A town that is ready; killed at the end if the test has not ended it."""
    began = time.monotonic()
    process = await up(data, command, **options)
    assert process.stdout is not None
    assert process.stderr is not None
    line = await process.stdout.readline()
    # Its log is read all the time: a full pipe would stop the town.
    log = asyncio.create_task(process.stderr.read())
    try:
        assert line, (await log).decode()
        yield RunningTown(process, json.loads(line), time.monotonic() - began)
    finally:
        if process.returncode is None:
            process.kill()
        await log
        await process.wait()


async def refused(data: Path, **options: Any) -> str:
    """What `up` says when it cannot start; it must say so by itself and soon, with exit code 1."""
    process = await up(data, **options)
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    return errors.decode()


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningTown]:
    """One town for the tests that leave it running. Its folder lies below one that only we can enter."""
    private = tmp_path_factory.mktemp("private")
    private.chmod(0o700)
    async with town_on(private / "town") as running:
        yield running


async def test_ready_town_answers_at_every_address_it_prints(town: RunningTown) -> None:
    """Ready means ready: database migrated, namespace prepared, API and UI up, the worker polling."""
    assert set(town.addresses) == {"api", "temporal", "temporal_ui", "postgres", "data"}
    async with httpx.AsyncClient(trust_env=False) as web:
        assert (await web.get(town.addresses["api"])).is_success
        assert (await web.get(town.addresses["temporal_ui"])).is_success
    connection = await asyncpg.connect(town.addresses["postgres"])
    assert await connection.fetchval("SELECT count(*) > 0 FROM schema_migrations")
    assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    await connection.close()
    client = await town.client()
    namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert namespace.config.workflow_execution_retention_ttl.seconds == 720 * 3600
    handle = await client.start_workflow("Waiting", id="answer", task_queue="jiceng")
    await handle.signal("say", "well")
    assert await handle.result() == "well"


async def test_database_asks_for_the_password(town: RunningTown) -> None:
    """Another user of the machine, who can reach the port, cannot read the town's data."""
    place = httpx.URL(town.addresses["postgres"])
    for user in ("jiceng", "postgres"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host=place.host, port=place.port, user=user, password="guess", database="jiceng")


async def test_secrets_are_readable_by_their_owner_only(town: RunningTown) -> None:
    """No file of the data folder can be read by others, whatever process wrote it."""
    paths = [Path(folder, name) for folder, folders, files in os.walk(town.data) for name in (*folders, *files)]
    open_to_others = [path for path in paths if _mode(path) & 0o077]

    assert len(paths) > len(CHILDREN)

    assert open_to_others == []


async def test_second_town_on_the_same_data_is_told_who_holds_it(town: RunningTown) -> None:
    """Two towns on one database would destroy it; the second is refused with process id, time and address."""
    words = await refused(town.data)

    assert words.startswith(TownHeld.__name__)
    assert f"process {town.process.pid}, since 2" in words
    assert town.addresses["api"] in words


async def test_every_other_command_finds_the_town_by_its_folder(town: RunningTown) -> None:
    """The settings found are those that the town's own processes have."""
    found = find_town(town.data)
    theirs = psutil.Process(town.pids()["worker"]).environ()

    for name, value in found.model_dump(exclude_none=True, exclude={"keys", "database_url"}).items():
        assert theirs[f"JICENG_{name.upper()}"] == str(value), name
    assert theirs["JICENG_DATABASE_URL"] == found.database_url.get_secret_value() == town.addresses["postgres"]


@pytest.mark.parametrize("name", CHILDREN)
async def test_killed_child_is_started_again_and_nothing_is_lost(town: RunningTown, name: str) -> None:
    """After kill -9 of any child the town is whole again by itself, with all it knew."""
    await town.note(name)
    client = await town.client()
    waiting = await client.start_workflow("Waiting", id=f"open-{name}", task_queue="jiceng")
    killed = town.pids()[name]
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: town.pids()[name] != killed)

    await eventually(lambda: _has_note(town, name))
    await eventually(lambda: _was_told(waiting, "still here"))
    assert await waiting.result() == "still here"
    await eventually(lambda: _api_answers(town))


async def test_killed_town_goes_on_where_it_was(tmp_path: Path) -> None:
    """After kill -9 of everything nothing is left running, and the next start has every row and every open case."""
    data = tmp_path / "town"
    async with town_on(data) as town:
        await town.note("before")
        await (await town.client()).start_workflow(
            "Waiting", id="open", task_queue="jiceng", task_timeout=timedelta(seconds=1)
        )
        family = town.family()
        for process in family:
            with suppress(psutil.NoSuchProcess):  # the first one takes the others with it
                process.kill()
        await town.process.wait()
        with pytest.raises(NoTown, match="was killed"):
            find_town(data)
    # Process ids are used again: let the dead server's lock name somebody who lives.
    lock = data / "postgres" / "cluster" / "postmaster.pid"
    lock.write_text("\n".join([str(os.getpid()), *lock.read_text().splitlines()[1:]]))
    async with town_on(data) as again:
        assert again.addresses == town.addresses
        assert await again.notes() == ["before"]
        handle = (await again.client()).get_workflow_handle("open")
        await handle.signal("say", "after")
        assert await handle.result() == "after"

        family = again.family()
        again.process.send_signal(signal.SIGTERM)
        assert await again.process.wait() == 0
        assert [process for process in family if lives(process)] == []
    assert not (data / "town.json").exists()
    with pytest.raises(NoTown, match="No town runs on"):
        find_town(data)
    assert FoundedOtherwise.__name__ in await refused(data, speed=60)


async def test_interrupted_start_leaves_nobody_behind(tmp_path: Path) -> None:
    """Ctrl-C before the town is ready stops it as cleanly as later."""
    process = await up(tmp_path)
    memory = tmp_path / "children.json"
    await eventually(lambda: memory.exists() or process.returncode is not None)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, errors = await process.communicate()

    assert (process.returncode, output) == (0, b""), errors.decode()
    assert [child for child in family if lives(child)] == []


async def test_database_of_ones_own_is_used_and_no_other_started(town: RunningTown, tmp_path: Path) -> None:
    """With --database-url the town runs on that database and starts no PostgreSQL."""
    async with town_on(tmp_path, database_url=town.addresses["postgres"]) as other:
        assert other.addresses["postgres"] == town.addresses["postgres"]
        assert set(other.pids()) == set(CHILDREN) - {"postgres"}


async def test_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    """Who asks for certain ports is told which one is taken, and by whom."""
    with _listener(after_a_free_port=True) as taken:
        words = await refused(tmp_path, port_base=taken - 1)

    assert words.startswith(f"{PortTaken.__name__}: Port {taken} (for temporal) is taken by ")
    assert f"(pid {os.getpid()})" in words


def test_ports_of_the_last_run_are_kept_while_they_are_free() -> None:
    """Bookmarks go on working; a port that somebody took meanwhile is replaced, not fought for."""
    names = ("api", "temporal")
    with hold_ports(names, None, {}) as remembered:
        pass
    with hold_ports(names, None, remembered) as again:
        assert again == remembered
    with _listener() as taken, hold_ports(names, None, {**remembered, "api": taken}) as chosen:
        assert chosen["temporal"] == remembered["temporal"]
        assert chosen["api"] not in {taken, remembered["temporal"]}


def test_a_port_belongs_to_a_town_before_its_server_listens_and_while_that_is_started_anew() -> None:
    """Two towns on one machine never choose the same port; after the end of the one it is there for the other."""
    names = ("api", "temporal")
    with hold_ports(names, None, {}) as one, hold_ports(names, None, one) as other:
        assert not {*one.values()} & {*other.values()}
    with hold_ports(names, None, one) as later:
        assert later == one


def test_a_free_port_is_none_that_the_system_gives_to_any_connection_that_is_opened() -> None:
    """A program that opens a connection cannot take a town's port, and one name's port is not another's."""
    names = [str(number) for number in range(100)]
    with hold_ports(names, None, {}) as chosen:
        assert len({*chosen.values()}) == len(names)
        assert {*chosen.values()} <= {*FREE_PORTS}
    with socket.create_server(("127.0.0.1", 0)) as given:
        assert given.getsockname()[1] not in FREE_PORTS


def test_a_port_that_somebody_asked_for_is_refused_for_who_listens_on_it_alone() -> None:
    """Another program's UDP socket of the same number is in nobody's way."""
    with hold_ports(("api",), None, {}) as free:
        port = free["api"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        with hold_ports(("api",), port, {}) as asked_for:
            assert asked_for == {"api": port}


def test_founding_fixes_the_speed(tmp_path: Path) -> None:
    """The town's clock is made once; another speed is refused with the reason, none means as founded."""
    folder = DataFolder(tmp_path)
    founded = folder.found(0.1)

    assert founded.speed_milli == 100
    assert folder.found(None) == folder.found(0.1) == founded
    with pytest.raises(FoundedOtherwise, match=r"founded on .* with speed 0.1; with 1 the due times"):
        folder.found(1)


@linux_root
@open_checkout
async def test_plain_user_can_run_a_town(open_folder: Path) -> None:
    """Nothing in a town needs root."""
    python = _python_for_everybody()
    shutil.chown(open_folder, "nobody")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {"PYTHONPATH": f"{ROOT}:{packages}", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    async with town_on(open_folder / "town", (python,), environment=environment, process=AS_NOBODY) as town:
        await town.note("as nobody")
        assert await town.notes() == ["as nobody"]
        assert {process.username() for process in town.family()} == {"nobody"}
        town.process.send_signal(signal.SIGTERM)
        assert await town.process.wait() == 0


@linux_root
@open_checkout
async def test_where_namespaces_are_forbidden_root_lets_an_ordinary_user_run_postgres(open_folder: Path) -> None:
    """In a container without user namespaces root gives the files to a user who can reach them, and the town works."""
    command = ("setpriv", "--bounding-set=-setfcap", "--inh-caps=-setfcap", sys.executable)
    async with town_on(open_folder / "town", command) as town:
        await town.note("dropped")
        assert await town.notes() == ["dropped"]
        assert psutil.Process(town.pids()["postgres"]).username() in {"postgres", "nobody"}


@linux_root
async def test_nobody_can_run_postgres_says_what_was_tried_and_what_to_do(open_folder: Path) -> None:
    """Where no identity works the error names each one tried, and the remedies; the folder is ours as before."""
    folder = open_folder / "hidden" / "town" / "postgres"
    folder.mkdir(parents=True)
    (open_folder / "hidden").chmod(0o700)
    program = open_folder / "hidden" / "program"
    program.write_text("#!/bin/sh\ntest $(id -u) = 12345")
    program.chmod(0o700)
    with pytest.raises(
        NobodyCanRunPostgres, match=r"namespace:[\s\S]*user:[\s\S]*cannot write in[\s\S]*--database-url"
    ):
        await find_identity(folder, program)

    assert folder.stat().st_uid == 0
    assert stat.S_IMODE((open_folder / "hidden").stat().st_mode) == 0o700


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def _listener(*, after_a_free_port: bool = False) -> Iterator[int]:
    """Somebody else who listens, on any port; or on one with nobody on the port before."""
    with ExitStack() as held:
        while True:
            port: int = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            if not after_a_free_port:
                break
            with hold_ports(("before",), None, {"before": port - 1}) as before:
                if before["before"] == port - 1:
                    break
        yield port


def _mode(path: Path) -> int:
    """Who may do what with a file; nobody anything with one that a running server has taken away meanwhile."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0


async def _was_told(waiting: WorkflowHandle[Any, Any], word: str) -> bool:
    try:
        await waiting.signal("say", word)
    except RPCError as error:
        return error.status is RPCStatusCode.NOT_FOUND  # it has ended with the word that it was told before
    return True


async def _api_answers(town: RunningTown) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as web:
            return (await web.get(town.addresses["api"])).is_success
    except httpx.TransportError:
        return False


async def _has_note(town: RunningTown, note: str) -> bool:
    try:
        return note in await town.notes()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False


def _python_for_everybody() -> str:
    """An interpreter of our version that `nobody` may run: ours may lie in root's home."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(name, path="/usr/bin:/usr/local/bin") or sys.executable):
        with suppress(PermissionError):
            if subprocess.run((python, "-c", ""), check=False, **AS_NOBODY).returncode == 0:
                return python
    pytest.skip("no Python of our version that the user nobody may run")
