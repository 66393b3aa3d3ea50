"""The way to Postgres: one pool per process, and SQL that is SQL.

Named queries are read from `engine/queries/*.sql`. aiosql does the same and is well kept, but its methods are untyped
and rewrite the SQL on the way; reading names costs forty lines, and the queries stay as psql would take them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Self, get_type_hints
from urllib.parse import urlsplit

import asyncpg
from pydantic_core import from_json, to_json

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from engine.runtime.unfinished_restore import require_restored

QUERIES = Path(__file__).parents[1] / "queries"
STATEMENT_LIMIT_SECONDS = 15
LOCK_LIMIT_SECONDS = 5
IDLE_IN_TRANSACTION_LIMIT_SECONDS = 60
CONNECT_LIMIT_SECONDS = 5
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # killed in the middle of an answer, Postgres leaves half of it behind
)
"""Away, starting, stopping or full: trying again later helps."""
DATA_FAULTS = (
    asyncpg.DataError,  # as Postgres says it
    asyncpg.exceptions._base.DataError,  # noqa: SLF001 - as asyncpg says it before it asks Postgres; it exports the other alone
    asyncpg.ProgramLimitExceededError,
)
"""What was asked with, or was to be kept, is nothing that Postgres holds: a NUL, a day beyond its types, too long a key."""
NOT_DONE = (*AWAY, asyncpg.PostgresError)
"""Away, or it refused: for what is done beside something else, which goes on without it."""

_LIMITS = "set statement_timeout = '{}'; set lock_timeout = '{}'; set idle_in_transaction_session_timeout = '{}'"

_NAME = re.compile(r"^-- name:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


class DatabaseAway(OperatorError, OSError):
    """The database cannot be reached, or does not let us in. An OSError, so that it is one of `AWAY`."""


class QueryFault(Exception):
    """A file of named queries does not say what it should."""


class TownConnection(asyncpg.Connection):
    """A connection that nobody leaves anything in, so that giving it back costs no round trip.

    Settings and locks are the transaction's own everywhere (tests/api/test_connections.py reads the SQL for it), and whoever
    listens has a connection of their own. An open transaction is still rolled back when it is given back.
    """

    def get_reset_query(self) -> str:
        """Nothing to take back."""
        return ""


async def open_pool(settings: Settings, *, process: str = "jiceng") -> asyncpg.Pool:
    """Open the process's pool. `process` is what `pg_stat_activity` shows, such as "jiceng worker".

    Sessions run in UTC. `json` and `jsonb` are Python values, pydantic models and datetimes included. A statement, a
    wait for a lock and an idle transaction each have a limit, so that one stuck client cannot hold up the town.

    Raises:
        DatabaseAway: the database cannot be reached, or does not let us in.
        RestoreUnfinished: a restore of this town did not come to its end.
    """
    require_restored(settings.data)
    url = settings.database_url.get_secret_value()
    with said_where(url):
        return await _pool(url, settings.database_connections, process)


@contextmanager
def said_where(url: str) -> Iterator[None]:
    """Names the database that a connection could not be had of, without its password. Raises DatabaseAway."""
    try:
        yield
    except NOT_DONE as error:
        place = urlsplit(url)
        raise DatabaseAway(
            f"The database at {place.hostname}:{place.port or 5432} does not let us in ({type(error).__name__}): does it run, is "
            "JICENG_DATABASE_URL right, and does it or the file in PGPASSFILE have the password?"
        ) from error


async def _pool(url: str, connections: int, process: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=connections,
        timeout=CONNECT_LIMIT_SECONDS,
        # A little longer than the server's own limit: the server's answer says which limit it was.
        command_timeout=STATEMENT_LIMIT_SECONDS + 5,
        init=_prepare_connection,
        connection_class=TownConnection,
        server_settings={"application_name": process, "timezone": "UTC"},
    )


async def _prepare_connection(connection: asyncpg.Connection) -> None:
    # Said in the session, and not at its start: a pooler (pgbouncer, in session mode) refuses such a start, or drops the limits.
    limits = (f"{STATEMENT_LIMIT_SECONDS}s", f"{LOCK_LIMIT_SECONDS}s", f"{IDLE_IN_TRANSACTION_LIMIT_SECONDS}s")
    await connection.execute(_LIMITS.format(*limits))
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda value: to_json(value).decode(), decoder=from_json
        )


class Queries:
    """The SQL texts of one file, as attributes. Each has a name and a line that says what it is for.

        -- name: find_person
        -- The person behind a blind index.
        select person_id from persons where blind_index = $1;

    A subclass that annotates the names it uses (`find_person: str`) is checked at load, both ways.
    """

    def __init__(self, source: str, texts: Mapping[str, str], about: Mapping[str, str]) -> None:
        """Use `load`. `about` holds the descriptions."""
        self._source = source
        self.texts = MappingProxyType(dict(texts))
        self.about = MappingProxyType(dict(about))

    @classmethod
    def load(cls, name: str, folder: Path = QUERIES) -> Self:
        """Read `folder/name.sql`. Raises QueryFault: no such file, a duplicate, nameless or undescribed query."""
        file = folder / f"{name}.sql"
        if not file.is_file():
            raise QueryFault(f"{file.name} is not in {folder.name}/.")
        preamble, *parts = _NAME.split(file.read_text(encoding="utf-8"))
        if any(line.strip() and not line.startswith("--") for line in preamble.splitlines()):
            raise QueryFault(f"{file.name}: SQL stands before the first `-- name:`.")
        queries = cls(file.name, *_read_parts(file.name, parts))
        queries._check_names()
        return queries

    def _check_names(self) -> None:
        # The class's own annotations alone: what the base needs is not SQL.
        wanted = set(get_type_hints(type(self))) if type(self) is not Queries else set(self.texts)
        if missing := wanted - set(self.texts):
            raise QueryFault(f"{self._source} lacks {', '.join(sorted(missing))}.")
        if unused := set(self.texts) - wanted:
            raise QueryFault(f"{self._source}: nobody uses {', '.join(sorted(unused))}.")

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["texts"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"{self.__dict__.get('_source')} has no query named {json.dumps(name)}.") from None


def _read_parts(source: str, parts: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    texts: dict[str, str] = {}
    about: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if not _IDENTIFIER.fullmatch(name):
            raise QueryFault(f"{source}: {json.dumps(name)} is not a name; use a-z, 0-9 and _.")
        if name in texts:
            raise QueryFault(f"{source}: {name} stands there twice.")
        first, _, text = body.lstrip("\n").partition("\n")
        if not first.startswith("-- "):
            raise QueryFault(f"{source}: {name} lacks the line that says what it is for.")
        if all(not line.strip() or line.startswith("--") for line in text.splitlines()):
            raise QueryFault(f"{source}: {name} is empty.")
        texts[name], about[name] = text.strip().removesuffix(";"), first.removeprefix("-- ")
    return texts, about
