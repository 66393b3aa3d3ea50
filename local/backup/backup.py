"""A backup of a town on one machine, made while it runs (docs/operations.md).

Temporal's database first, ours after it. So the ledger is never behind the histories: what it has beyond them is told anew
from the intake, which keeps every submission whole, and the outside world knows all of it by the same keys. The other way
round a history would name entries that no ledger has, and its case would stand still for ever. Files come last: a row names
only what lay there before it.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import AwareDatetime, SecretStr

from engine.runtime.operator_error import OperatorError
from local.town.data_folder import DataFolder, is_alive
from local.town.postgres import base_backup, passwords_of
from local.town.private_file import write_private
from local.town.running_town import NoTown
from schemas.values.model import Model

LISTING = "backup.json"
CLUSTER = "cluster"
TEMPORAL = "temporal.db"
LEFT_OUT = frozenset({"postgres", TEMPORAL, f"{TEMPORAL}-wal", f"{TEMPORAL}-shm", "logs", "town.lock", "town.json",
                      "children.json", "ports.json", "pgpass", "departments", "sources", "banks", LISTING})  # fmt: skip
"""What belongs to one run, is copied another way, or is not ours: the books of departments, sources and banks."""

log = structlog.get_logger()


class NotBackedUp(OperatorError):
    """No backup was made, or this is none that can be used; the message says why."""


class BackupListing(Model):
    """What a backup is. `histories_at` is when Temporal's database stood so; all times are real.

    `files`: path below the folder to SHA-256, all but those of the cluster, which has a list of its own.
    """

    histories_at: AwareDatetime
    ledger_at: AwareDatetime
    finished_at: AwareDatetime
    speed: str
    files: dict[str, str]


async def back_up(data: Path, target: Path) -> BackupListing:
    """Copy a running town into a folder that does not exist or is empty. The town goes on meanwhile.

    Raises:
        NoTown: none runs on the data folder.
        NotBackedUp: the folder is not empty or not ours, the database is not the town's own, or a copy failed.
    """
    folder = DataFolder(data)
    record, clock = folder.record(), folder.clock()
    if record is None or clock is None or not is_alive(record):
        raise NoTown(f"No town runs on {folder.path}. A town that is stopped is backed up by copying its folder.")
    if not (folder.path / "postgres" / "cluster").exists():
        raise NotBackedUp("This town's database is not its own (--database-url): back it up with its own tools.")
    empty(target, folder.path)
    with told_of_files(target):
        return await _copied(folder.path, target, SecretStr(record.postgres), str(clock.speed_milli))


async def _copied(data: Path, target: Path, postgres: SecretStr, speed: str) -> BackupListing:
    histories_at = datetime.now(UTC)
    await asyncio.to_thread(_copy_histories, data / TEMPORAL, target / TEMPORAL)
    log.info("backed_up", kind="histories")
    failure = await base_backup(postgres, passwords_of(data / "postgres"), target / CLUSTER)
    if failure:
        raise NotBackedUp(f"The database could not be copied:\n{failure}")
    ledger_at = datetime.now(UTC)
    shutil.copy2(data / "postgres" / "passwords.json", target / "passwords.json")
    await asyncio.to_thread(copy_files, data, target / "files")
    listing = BackupListing(
        histories_at=histories_at,
        ledger_at=ledger_at,
        finished_at=datetime.now(UTC),
        speed=speed,
        files=await asyncio.to_thread(digests, target),
    )
    # Last: a backup without its listing is none.
    write_private(target / LISTING, listing.model_dump_json(indent=1))
    return listing


def read_listing(target: Path) -> BackupListing:
    """What a backup says of itself, after every file was compared with it. Raises NotBackedUp."""
    try:
        listing = BackupListing.model_validate(json.loads((target / LISTING).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise NotBackedUp(f"{target} is no whole backup: {LISTING} is missing or not readable.") from error
    found = digests(target)
    changed = sorted({*found, *listing.files} - {name for name in found if listing.files.get(name) == found[name]})
    if changed:
        raise NotBackedUp(f"{target} is not as it was made: {', '.join(changed[:5])}.")
    return listing


def empty(target: Path, *copied: Path) -> None:
    """Make the folder, or take an empty one, for its owner only: whoever can enter it reads everything.

    Raises NotBackedUp: something is in it, it lies in a folder that is `copied` into it, or it cannot be made ours.
    """
    for folder in copied:
        if target.resolve().is_relative_to(folder.resolve()):
            raise NotBackedUp(f"{target} lies in the town's own folder {folder}: a backup there is lost with the town.")
    with told_of_files(target):
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise NotBackedUp(f"{target} is not empty: each backup has a folder of its own.")
        target.chmod(0o700)


@contextmanager
def told_of_files(folder: Path) -> Iterator[None]:
    """Says what became of files below a folder as a person can mend it. Raises NotBackedUp."""
    try:
        yield
    except OperatorError:  # has its own words, also where it is an OSError
        raise
    except shutil.Error as error:
        raise NotBackedUp(f"{len(error.args[0])} files could not be copied to {folder}: is it full?") from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise NotBackedUp(
            f"{folder} cannot be written by this account (uid {os.getuid()}): {why}. It needs a folder of its own, and room."
        ) from error


def _copy_histories(source: Path, target: Path) -> None:
    """SQLite's own copy of a database in use: one consistent moment, readers stop no writer."""
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()
    target.chmod(0o600)


def copy_files(source: Path, target: Path) -> None:
    """The files of a data folder, but for what belongs to one run or is copied another way."""
    target.mkdir(mode=0o700)
    for path in source.iterdir():
        if path.name in LEFT_OUT or path.name.startswith("."):
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name)
        else:
            shutil.copy2(path, target / path.name)


def digests(target: Path) -> dict[str, str]:
    """SHA-256 of every file of a backup, by its path; but the cluster's, which has a list of its own, and the listing's."""
    return {str(path.relative_to(target)): _sha256(path) for path in _files(target)}


def _files(target: Path) -> Iterator[Path]:
    for path in sorted(target.rglob("*")):
        if path.is_file() and path.relative_to(target).parts[0] not in {CLUSTER, LISTING}:
            yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
