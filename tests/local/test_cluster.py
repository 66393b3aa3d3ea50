"""`make cluster` rehearses the compose file itself: what is taken from it, and what happens where there is no server."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from engine.execution.temporal_token import days_left
from engine.runtime.settings import PROJECT, Settings
from local.chaos.chaos_count import Count
from local.cluster.balancer import balance
from local.cluster.binaries import NoServer, find_binaries
from local.cluster.commands import Answered
from local.cluster.compose import Compose, ComposeFault
from local.cluster.expectations import ends_within, not_back, shortfalls, too_silent
from local.cluster.faults import EVERY_SECONDS, KILLED, Struck
from local.cluster.rehearsal import Report
from local.cluster.temporal_roles import MEMBERS
from local.cluster.tokens import LOOK_SECONDS, RENEWED_AFTER_SECONDS, SHORT, not_renewed, shorten_tokens, token_file
from local.town.child import Child, Started
from local.town.ports import LOOPBACK, hold_ports
from local.town.program import run_program
from local.town.supervisor import Supervisor
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
    assert {*roles, "temporal-postgres", "postgres", "worker-1", "api-1", "archiver-1", "notices-1"} == set(KILLED)


def test_what_is_replaced_stands_in_the_file(tmp_path: Path) -> None:
    """The rehearsal changes ports and paths that the file has: a name that it lacks, or a value from outside, is refused."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(
        "services:\n"
        "  temporal: {image: 'temporalio/server:1.2.3', environment: {PORT: 1, OUTSIDE: '${X:?say it}'}}\n"
        "  worker: {volumes: ['town:/town', './secrets/own:/run/own:ro']}\n"
        "  postgres: {command: [postgres, -c, max_connections=7, -c, fsync=on]}\n",
        encoding="utf-8",
    )
    compose = Compose(file)

    assert compose.environment("temporal", {"PORT": "2", "OUTSIDE": "x"}) == {"PORT": "2", "OUTSIDE": "x"}
    with pytest.raises(ComposeFault, match="no PROT to be replaced"):
        compose.environment("temporal", {"PROT": "2", "OUTSIDE": "x"})
    with pytest.raises(ComposeFault, match="takes OUTSIDE from outside"):
        compose.environment("temporal", {"PORT": "2"})
    assert compose.place_of("worker", "/run/own/token", tmp_path) == tmp_path / "own" / "token"
    with pytest.raises(ComposeFault, match=r"worker has no folder of \./secrets/ where /run/another/token lies"):
        compose.place_of("worker", "/run/another/token", tmp_path)
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


@pytest.mark.parametrize("kind", ["missing", "a folder", "not to be run"])
async def test_a_named_server_that_cannot_be_run_is_named_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whoever mistyped a path reads which variable it was; it is as if there were no server, and no fault of the cluster."""
    for name in ("TEMPORAL_SERVER", "TEMPORAL_SQL_TOOL"):
        monkeypatch.setenv(name, str(program(tmp_path / name, f"echo x version {KNOWN_VERSION}")))
    await find_binaries(KNOWN_VERSION, tmp_path)
    named = tmp_path / "named"
    if kind == "a folder":
        named.mkdir()
    elif kind == "not to be run":
        named.write_text("no program", encoding="utf-8")
    monkeypatch.setenv("TEMPORAL_SQL_TOOL", str(named))

    with pytest.raises(NoServer, match=rf"^{named} cannot be run \(.+TEMPORAL_SQL_TOOL"):
        await find_binaries(KNOWN_VERSION, tmp_path)


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
                (await asyncio.open_connection(LOOPBACK, ports["front"]))[1].close()
            except OSError:
                return False
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


def test_a_town_in_which_nothing_was_counted_is_not_well() -> None:
    """Nothing lost, nothing doubled and nothing stuck is also what an empty town shows."""
    assert list(shortfalls(Count(accepted=9, cases=11, payments=4), cases=7, applications=2)) == []
    assert len(list(shortfalls(Count(), cases=7, applications=2))) == 3
    for one in (
        Count(accepted=8, cases=11, payments=4),
        Count(accepted=9, cases=8, payments=4),
        Count(accepted=9, cases=9, payments=3),
        Count(accepted=9, cases=9, payments=5),
    ):
        assert len(list(shortfalls(one, cases=7, applications=2))) == 1
    answered = [Answered("stuck", well=True)]
    assert Report("1", at_rest=True, answered=answered).well
    assert not Report("1", at_rest=True).well
    assert not Report("1", at_rest=True, answered=answered, amiss=["x"]).well


def test_a_ledger_that_is_silent_until_the_next_fault_is_told() -> None:
    """Also a fault that never came: a rehearsal that was broken off killed fewer."""
    now = datetime.now(UTC)
    struck = [Struck("a", now, 1, EVERY_SECONDS), Struck("b", now, 2, EVERY_SECONDS - 0.1)]

    assert [each.split()[0:6] for each in too_silent(struck, ("a", "b"))] == [
        ["after", "the", "kill", "of", "a", "the"]
    ]
    assert list(too_silent(struck[1:], ("a", "b"))) == ["a was not killed"]


async def test_who_waits_for_ever_is_waited_for_no_longer() -> None:
    """A case that stands still hung the rehearsal; what fails meanwhile is still a failure."""

    async def broken() -> None:
        raise TimeoutError("of a call")

    assert await ends_within(asyncio.sleep(0), 5)
    assert not await ends_within(asyncio.Event().wait(), 0.01)
    with pytest.raises(TimeoutError, match="of a call"):
        await ends_within(broken(), 5)


async def test_who_was_killed_has_to_be_back_and_ready(tmp_path: Path) -> None:
    """A new life whose probe says yes: the one that was killed is not it, and one that only runs is not ready."""

    async def yes(_: Started) -> bool:
        return True

    async def no(_: Started) -> bool:
        return False

    child = Child("notices", (sys.executable, "-c", "import time; time.sleep(600)"), dict(os.environ), tmp_path)
    supervisor = Supervisor(tmp_path, [child])
    try:
        await supervisor.start()
        pid = supervisor.pid_of("notices") or 0
        for before, probe, back in ((pid, yes, False), (pid + 1, no, False), (pid + 1, yes, True)):
            struck = [Struck("notices", datetime.now(UTC), before)]
            found = await not_back(supervisor, struck, {"notices": probe}, within_seconds=0)
            assert found == ([] if back else ["notices was killed, and is not back"])
    finally:
        await supervisor.stop()


async def test_tokens_of_the_rehearsal_end_before_the_first_of_ours_is_killed(tmp_path: Path) -> None:
    """Who is never killed takes a token in the middle of its work, or calls Temporal with one that has ended."""
    first = min(KILLED.index("worker-1"), KILLED.index("api-1")) + 1

    assert RENEWED_AFTER_SECONDS + 2 * LOOK_SECONDS < SHORT.total_seconds() < first * EVERY_SECONDS
    await run_program((sys.executable, "deploy/make_secrets.py", str(tmp_path)), None, PROJECT)
    shorten_tokens(tmp_path)
    ends = [days_left(Settings(temporal_token_file=token_file(tmp_path, name))) for name in ("worker", "api")]
    assert all(0 < days * 86_400 <= SHORT.total_seconds() for days in ends)


async def test_who_did_not_take_the_renewed_token_is_named(tmp_path: Path) -> None:
    """Its figure, or the log of one that was never killed, says so."""
    log = tmp_path / "worker-2.log"
    figures = {"worker-2": "http://worker/metrics", "api-2": "http://api/metrics"}
    days = {"worker": "366", "api": "366"}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer watch"
        return httpx.Response(200, text=f'jiceng_temporal_token_days{{a="b"}} {days[request.url.host]}\n')

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:

        async def found() -> list[str]:
            return [each.split()[0] for each in await not_renewed(http, tmp_path, figures, "watch", ["worker-2"])]

        log.write_text('{"event": "temporal_token_ends"}\n', encoding="utf-8")
        assert await found() == ["worker-2"]
        log.with_suffix(".log.1").write_text('{"event": "temporal_token_renewed"}\n', encoding="utf-8")
        assert await found() == []
        days["api"] = "0.0"
        assert await found() == ["api-2"]
