"""What a production town runs once or to look after itself: the scripts of deploy/, run outside containers."""

import asyncio
import importlib.util
import json
import os
import re
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import jwt
import pytest
import yaml
from pydantic import SecretStr
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.runtime.unfinished_restore import UNFINISHED
from engine.store.database import open_pool
from local.backup.production import back_up_production
from local.town.program import run_program
from schemas.values.search_attributes import SEARCH_ATTRIBUTES
from tests.dying_worker import worker_process
from tests.forked import environment_of
from tests.guarded_temporal import guarded_temporal, server_program
from tests.guarded_temporal import token as issued
from tests.own_databases import Cluster
from tests.waiting import eventually

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def script(name: str) -> ModuleType:
    """One of deploy/*.py as a module."""
    spec = importlib.util.spec_from_file_location(name, PROJECT / "deploy" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def ran(*command: str, **environment: str) -> str:
    """Run a program that must end well; what it said."""
    code, said = await _ended(*command, **environment)
    assert code == 0, said
    return said


async def _ended(*command: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    return process.returncode, said


async def test_secrets_are_made_once_and_tokens_verify(tmp_path: Path) -> None:
    """Passwords, key and tokens are made once; each token verifies with the published key and has its own permissions."""
    folder = tmp_path / "secrets"
    await ran("sh", "-c", 'umask 077 && exec "$@"', "sh", sys.executable, "deploy/make_secrets.py", str(folder))
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    await ran(sys.executable, "deploy/make_secrets.py", str(folder))

    assert {file: file.read_bytes() for file in before} == before
    assert {f"./secrets/{name}" for name in COMPOSE["secrets"]} <= {f"./secrets/{file.name}" for file in before}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "temporal-signing-key.pem").stat().st_mode) == 0o600
    for file in (
        folder / "temporal-token-api" / "token",
        folder / "temporal-jwks" / "jwks.json",
    ):  # users inside containers
        assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o444, 0o755)
    [key] = jwt.PyJWKSet.from_json((folder / "temporal-jwks" / "jwks.json").read_text()).keys
    claims = {
        name: jwt.decode((folder / place).read_text(), key, algorithms=["ES256"])
        for name, place in script("make_secrets").TOKENS.items()
    }
    assert claims["setup"]["permissions"] == ["temporal-system:admin"]
    assert all(
        permission.startswith("jiceng:") for name in ("worker", "api") for permission in claims[name]["permissions"]
    )
    assert "d" not in json.loads((folder / "temporal-jwks" / "jwks.json").read_text())["keys"][0]


def made(folder: Path) -> dict[Path, bytes]:
    """Every file of a folder."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_a_token_is_renewed_with_the_signing_key_and_no_other(tmp_path: Path) -> None:
    """Named tokens are made anew and verify with the key that is published; all else, and its modes, stay."""
    folder = tmp_path / "secrets"
    make = (sys.executable, "deploy/make_secrets.py", str(folder), "second")
    await ran(*make)
    before = made(folder)
    await ran(*make, "--renew", "worker", "api")

    changed = {file for file, text in made(folder).items() if before.get(file) != text}
    worker, api = (folder / f"temporal-token-{name}" / "token" for name in ("worker", "api"))
    assert (changed, set(made(folder))) == ({worker, api}, set(before))
    [key] = jwt.PyJWKSet.from_json((folder / "temporal-jwks" / "jwks.json").read_text()).keys
    claims = jwt.decode(worker.read_text(), key, algorithms=["ES256"])
    assert claims["permissions"] == ["second:write", "second:read"]
    assert stat.S_IMODE(worker.stat().st_mode) == 0o444
    said = await ran(*make, "--renew")
    assert sorted(line.split()[0] for line in said.splitlines()) == sorted(script("make_secrets").TOKENS.values())
    assert made(folder)[folder / "temporal_token_setup"] != before[folder / "temporal_token_setup"]


@pytest.mark.parametrize("key", [None, "another's", "no key"])
async def test_without_the_very_signing_key_nothing_is_written(tmp_path: Path, key: str | None) -> None:
    """It lies in a safe: a new one would make tokens that Temporal does not believe, beside a public key that is not theirs."""
    folder, other = tmp_path / "secrets", tmp_path / "other"
    for each in (folder, other):
        await ran(sys.executable, "deploy/make_secrets.py", str(each))
    private = folder / "temporal-signing-key.pem"
    private.unlink()
    if key is not None:
        private.write_bytes((other / private.name).read_bytes() if key == "another's" else b"no key")
    (folder / "temporal_token_setup").unlink()
    before = made(folder)
    for more in ((), ("--renew",)):
        code, said = await run_program((sys.executable, "deploy/make_secrets.py", str(folder), *more), None, PROJECT)

        assert (code, made(folder)) == (1, before)
        assert (len(said.splitlines()), "temporal-signing-key.pem" in said) == (1, True)


async def test_the_namespace_is_prepared_and_can_be_again(temporal: Client, settings: Settings, tmp_path: Path) -> None:
    """Run twice against a real Temporal: the namespace has its retention and all search attributes."""
    token = tmp_path / "token"
    token.write_text("x")
    service = SERVICES["temporal-namespace"]["environment"]
    environment = {name: str(value) for name, value in service.items()} | {
        "TEMPORAL_ADDRESS": settings.temporal_address,
        "NAMESPACE": "prepared",
        "TOKEN_FILE": str(token),
    }
    for _ in range(2):
        await ran("sh", "deploy/temporal-namespace.sh", **environment)

    # The server closes connections of a certain age, and what is sent at that moment is cancelled: `retry` sends it again.
    namespace = DescribeNamespaceRequest(namespace="prepared")
    described = await temporal.workflow_service.describe_namespace(namespace, retry=True)
    assert described.config.workflow_execution_retention_ttl.seconds == 720 * 3600
    attributes = ListSearchAttributesRequest(namespace="prepared")
    listed = await temporal.operator_service.list_search_attributes(attributes, retry=True)
    assert set(SEARCH_ATTRIBUTES) <= set(listed.custom_attributes)


@pytest.mark.parametrize("ends", [timedelta(hours=-1), timedelta(hours=1)])
async def test_a_setup_whose_token_has_ended_says_so(tmp_path: Path, ends: timedelta) -> None:
    """Nobody watches that token, and it stops every start and upgrade: one sentence names its file."""
    if (program := server_program()) is None:
        pytest.skip("no Temporal server here: `make cluster` builds one, or TEMPORAL_SERVER names one")
    token = tmp_path / "token"
    token.write_text(issued("temporal-system:admin", lasts=ends))
    async with guarded_temporal(program, tmp_path) as guarded:
        place = {"TEMPORAL_ADDRESS": guarded.address, "TOKEN_FILE": str(token), "NAMESPACE": "prepared"}
        environment = {**os.environ, **place, "RETENTION": "720h", "SEARCH_ATTRIBUTES": ""}
        environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        code, said = await run_program(("sh", "deploy/temporal-namespace.sh"), environment, PROJECT)

    refused = f"Temporal refuses the token in {token}: has it ended? Renew it (docs/production.md)."
    assert (code, said == refused) == ((1, True) if ends < timedelta() else (0, False)), said


async def test_a_town_is_prepared_and_can_be_again(settings: Settings, pool: asyncpg.Pool, tmp_path: Path) -> None:
    """Run twice against a real Postgres: keys are made once, the schema is there, and the password is read from its file."""
    await pool.execute("create schema prepared_town")
    url = settings.database_url.get_secret_value()
    password = re.search(r":([^:@]+)@", url)
    assert password is not None
    secret = tmp_path / "password"
    secret.write_text(password[1] + "\n")
    without = url.replace(f":{password[1]}@", "@") + "?search_path=prepared_town"
    environment = {"JICENG_DATA": str(tmp_path), "JICENG_DATABASE_URL": without, "PGPASSFILE": str(tmp_path / "pgpass")}
    await ran(sys.executable, "deploy/prepare_town.py", str(secret), **environment)
    keys = (tmp_path / "keys" / "payload.json").read_bytes()
    await ran(sys.executable, "deploy/prepare_town.py", str(secret), **environment)

    assert (tmp_path / "keys" / "payload.json").read_bytes() == keys
    assert stat.S_IMODE((tmp_path / "pgpass").stat().st_mode) == 0o600
    connection = await asyncpg.connect(without, passfile=str(tmp_path / "pgpass"))
    assert await connection.fetchval("select count(*) from cases") == 0
    await connection.close()


async def test_a_town_is_restored_with_the_password_of_its_secret(settings: Settings, tmp_path: Path) -> None:
    """What `town-restore` runs: into an empty database and a new folder, the password from its file, no process before."""
    backup, data, secret = tmp_path / "backup", tmp_path / "town", tmp_path / "password"
    await back_up_production(settings, backup, datetime.now(UTC))
    data.mkdir()
    async with Cluster(settings).another(empty=True) as url:
        place = urlsplit(url.get_secret_value())
        secret.write_text(f"{place.password}\n", encoding="utf-8")
        environment = {
            "JICENG_DATA": str(data),
            "JICENG_DATABASE_URL": url.get_secret_value().replace(f":{place.password}@", "@"),
            "PGPASSFILE": str(data / "pgpass"),
        }
        said = await ran(sys.executable, "deploy/restore_town.py", str(secret), str(backup), **environment)
        (data / UNFINISHED).touch()
        refused = await _ended(sys.executable, "deploy/prepare_town.py", str(secret), **environment)
        (data / UNFINISHED).unlink()
        await ran(sys.executable, "deploy/prepare_town.py", str(secret), **environment)

    assert "cases" in said
    assert refused[0] != 0
    assert "is under way or broke off" in refused[1]
    assert (data / "keys" / "payload.json").read_bytes() == (settings.key_folder / "payload.json").read_bytes()


async def test_the_check_counts_the_workers_that_poll(settings: Settings) -> None:
    """The workers' health is whether their task queue is asked for work, and by how many; one that nobody asks is not healthy."""
    workers_lately = script("check_worker").workers_lately
    asked = settings.model_copy(update={"task_queue": "counted"})

    async def two() -> bool:
        return bool(await workers_lately(asked) == 2)

    assert await workers_lately(asked) == 0
    async with worker_process(asked), worker_process(asked):
        await eventually(two, within=60)


async def test_the_check_says_how_many_there_are_and_whether_that_is_enough(settings: Settings, worker: None) -> None:
    """As the deployment asks it, in a process of its own."""
    environment = environment_of(settings)

    async def some() -> bool:
        return bool(await script("check_worker").workers_lately(settings))

    await eventually(some)
    enough = await _ended(sys.executable, "deploy/check_worker.py", **environment)
    not_enough = await _ended(sys.executable, "deploy/check_worker.py", "99", **environment)

    assert (enough[0], not_enough[0]) == (0, 1)
    assert enough[1] == not_enough[1]
    assert re.fullmatch(r"[1-9]\d* workers\n", enough[1])


async def test_the_check_finds_a_process_that_looks_for_notices(settings: Settings, pool: asyncpg.Pool) -> None:
    """The health of notices is whether they ask the database; one that has asked nothing for a minute is not healthy."""
    asked_lately = script("check_notices").asked_lately
    async with await open_pool(settings, process="jiceng notices") as looking:
        await looking.fetchval("select 1")

        assert await asked_lately(settings)
        assert not await asked_lately(settings, "jiceng nobody")


async def test_a_client_shows_its_token_to_temporal(settings: Settings, keys: Keys, tmp_path: Path) -> None:
    """The token of the file goes along with every call, and none where none is given."""
    file = tmp_path / "token"
    file.write_text("abc\n")
    with_token = settings.model_copy(update={"temporal_token_file": file, "database_url": SecretStr("")})

    assert (await connect(with_token, keys)).rpc_metadata == {"authorization": "Bearer abc"}
    assert (await connect(settings, keys)).rpc_metadata == {}
