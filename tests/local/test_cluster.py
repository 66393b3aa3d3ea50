"""`make cluster` rehearses the compose file itself: what is taken from it, and what happens where there is no server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from engine.runtime.settings import PROJECT
from local.cluster.balancer import balance
from local.cluster.binaries import NoServer, find_binaries
from local.cluster.compose import Compose, ComposeFault
from local.cluster.faults import KILLED
from local.cluster.temporal_roles import MEMBERS
from local.cluster.tokens import refused_in
from local.town.ports import LOOPBACK, hold_ports
from tests.waiting import eventually

KNOWN_VERSION = "1.32.0"
KNOWN = frozenset({
    "DB", "POSTGRES_SEEDS", "DB_PORT", "POSTGRES_USER", "POSTGRES_PWD", "DBNAME", "VISIBILITY_DBNAME",
    "VISIBILITY_POSTGRES_SEEDS", "VISIBILITY_DB_PORT", "VISIBILITY_POSTGRES_USER", "VISIBILITY_POSTGRES_PWD",
    "SQL_MAX_CONNS", "SQL_MAX_IDLE_CONNS", "SQL_MAX_CONN_TIME", "SQL_VIS_MAX_CONNS", "SQL_VIS_MAX_IDLE_CONNS",
    "SQL_VIS_MAX_CONN_TIME", "SQL_TLS_ENABLED", "SQL_CA", "SQL_CERT", "SQL_CERT_KEY", "SQL_HOST_VERIFICATION",
    "SQL_HOST_NAME", "LOG_LEVEL", "NUM_HISTORY_SHARDS", "BIND_ON_IP", "TEMPORAL_BROADCAST_ADDRESS", "PPROF_PORT",
    "PROMETHEUS_ENDPOINT", "PROMETHEUS_TIMER_TYPE", "DYNAMIC_CONFIG_FILE_PATH", "TEMPORAL_SERVICES",
    "USE_INTERNAL_FRONTEND", "TEMPORAL_AUTH_AUTHORIZER", "TEMPORAL_AUTH_CLAIM_MAPPER", "TEMPORAL_JWT_KEY_SOURCE1",
    "TEMPORAL_JWT_KEY_SOURCE2", "TEMPORAL_JWT_KEY_REFRESH", "TEMPORAL_JWT_PERMISSIONS_CLAIM",
    "TEMPORAL_JWT_PERMISSIONS_REGEX", "PUBLIC_FRONTEND_ADDRESS",
})  # fmt: skip
"""What the server's own template reads (common/config/config_template_embedded.yaml of the version) and a town may want to say."""


def test_the_server_reads_every_variable_that_the_file_gives_it() -> None:
    """A variable with a slip in its name is no fault to the server: it goes by its default, without authorization for one."""
    compose = Compose()

    assert compose.temporal_version == KNOWN_VERSION, (
        "look into the template of the new version, and list what it reads"
    )
    assert set(compose.services["temporal"]["environment"]) - KNOWN == set()


def test_every_role_and_both_databases_are_killed() -> None:
    """One of each service of Temporal, of each of ours, and each Postgres: what nobody killed was not rehearsed."""
    roles = {
        f"temporal-{service}-1"
        for service in Compose().services["temporal"]["environment"]["TEMPORAL_SERVICES"].split(",")
    }

    assert {f"temporal-{member.service}-1" for member in MEMBERS} == roles
    assert {*roles, "temporal-postgres", "postgres", "worker-1", "api-1", "archiver", "notices"} == set(KILLED)


def test_what_is_replaced_stands_in_the_file(tmp_path: Path) -> None:
    """The rehearsal changes ports and paths that the file has: a name that it lacks, or a value from outside, is refused."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(
        "services:\n"
        "  temporal: {image: 'temporalio/server:1.2.3', environment: {PORT: 1, OUTSIDE: '${X:?say it}'}}\n"
        "  postgres: {command: [postgres, -c, max_connections=7, -c, fsync=on]}\n",
        encoding="utf-8",
    )
    compose = Compose(file)

    assert compose.environment("temporal", {"PORT": "2", "OUTSIDE": "x"}) == {"PORT": "2", "OUTSIDE": "x"}
    with pytest.raises(ComposeFault, match="no PROT to be replaced"):
        compose.environment("temporal", {"PROT": "2", "OUTSIDE": "x"})
    with pytest.raises(ComposeFault, match="takes OUTSIDE from outside"):
        compose.environment("temporal", {"PORT": "2"})
    assert compose.postgres_options("postgres") == {"max_connections": "7", "fsync": "on"}
    assert compose.temporal_version == "1.2.3"


def program(file: Path, text: str) -> Path:
    """A program of the test's own."""
    file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


async def test_go_builds_the_version_of_the_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server Go is asked for the very version that the compose file runs; what says another version is refused."""
    tools, kept = tmp_path / "tools", tmp_path / "kept"
    tools.mkdir()
    for name in ("TEMPORAL_SERVER", "TEMPORAL_SQL_TOOL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    program(
        tools / "go",
        f'echo "$2" >> {tmp_path}/asked\n'
        'name="${2##*/}"; name="${name%@*}"; mkdir -p "$GOBIN"\n'
        'printf \'#!/bin/sh\\necho x version %s\\n\' "${2##*@v}" > "$GOBIN/$name"; chmod 755 "$GOBIN/$name"',
    )
    version = Compose().temporal_version
    built = await find_binaries(version, kept)
    again = await find_binaries(version, kept)

    assert built == again
    assert (tmp_path / "asked").read_text(encoding="utf-8").split() == [
        f"go.temporal.io/server/cmd/server@v{version}",
        f"go.temporal.io/server/cmd/tools/sql@v{version}",
    ]
    with pytest.raises(NoServer, match=r"docker-compose\.yml runs 9\.9\.9"):
        await find_binaries("9.9.9", kept)


async def test_without_server_and_go_it_says_so_in_a_sentence_and_leaves_out(tmp_path: Path) -> None:
    """Exit code 77 and one line that names what would help: whoever runs it by night can tell that from a fault."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")} | {
        "PATH": str(tmp_path)
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.cluster.rehearsal", "--binaries", str(tmp_path)),
        cwd=PROJECT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, told = await process.communicate()

    assert (process.returncode, said) == (77, b"")
    [line] = told.decode().splitlines()
    assert ("TEMPORAL_SERVER" in line, "Go" in line, Compose().temporal_version in line) == (True, True, True)


def test_calls_that_temporal_refused_are_told_from_others() -> None:
    """A worker whose token has ended is seen by its own figures; a connection that broke in a kill is no refusal."""
    labels = 'namespace="jiceng",operation="PollWorkflowTaskQueue",service_name="temporal-core-sdk"'
    figures = "\n".join(
        f'{name}{{{labels},status_code="{status}",task_queue="jiceng"}} {number}'
        for name, status, number in (
            ("temporal_long_request_failure_total", "PERMISSION_DENIED", 51),
            ("temporal_request_failure_total", "UNAUTHENTICATED", 2),
            ("temporal_long_request_failure_total", "TRANSPORT_ERROR", 7),
        )
    )

    assert refused_in(figures) == 53


@asynccontextmanager
async def answering(port: int, answer: bytes) -> AsyncIterator[None]:
    """A server that answers each line with the same, until it is gone with all its connections."""
    open_ones = set[asyncio.StreamWriter]()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        while await reader.readline():
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(served, LOOPBACK, port)
    try:
        yield
    finally:
        server.close()
        for each in open_ones:
            each.close()
        await asyncio.gather(*(each.wait_closed() for each in open_ones), return_exceptions=True)


async def test_a_connection_goes_to_whoever_answers() -> None:
    """Two behind it take turns; with one of them gone everybody reaches the other, and whoever was with it is hung up on."""
    with hold_ports(["front", "one", "two"], None, {}) as ports:
        balancing = asyncio.create_task(balance(ports["front"], [ports["one"], ports["two"]]))

        async def call() -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
            reader, writer = await asyncio.open_connection(LOOPBACK, ports["front"])
            writer.write(b"?\n")
            return reader, writer, await reader.readline()

        async def listens() -> bool:
            try:
                writer = (await asyncio.open_connection(LOOPBACK, ports["front"]))[1]
            except OSError:
                return False
            writer.close()
            await writer.wait_closed()
            return True

        async with answering(ports["two"], b"two\n"):
            async with answering(ports["one"], b"one\n"):
                await eventually(listens)
                calls = [await call() for _ in range(4)]
                assert sorted(answer for _, _, answer in calls) == [b"one\n", b"one\n", b"two\n", b"two\n"]
            ended = [await reader.read() for reader, _, answer in calls if answer == b"one\n"]
            afterwards = [await call() for _ in range(3)]

            assert ended == [b"", b""]
            assert {answer for _, _, answer in afterwards} == {b"two\n"}
        balancing.cancel()
        await asyncio.gather(balancing, return_exceptions=True)
        for _, writer, _ in (*calls, *afterwards):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
