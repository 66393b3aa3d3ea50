"""The backup of a town in production, and a town from it: our database and the town's files (docs/production.md).

Temporal's databases are copied before, by their own tools, for the reason that local/backup/backup.py names: the ledger must
never be behind the histories. So whoever backs up says when that copy was begun.
"""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import structlog

from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.runtime.unfinished_restore import begun, require_restored, unfinished
from engine.store.database import said_where
from local.backup.backup import (
    LISTING,
    BackupListing,
    NotBackedUp,
    copy_files,
    digests,
    empty,
    read_listing,
    told_of_files,
)
from local.backup.restore import RESTORED, Restored, put_right
from local.town.database_tools import dump_database, load_database
from local.town.private_file import write_private

DUMP = "town.dump"
"""Our database, as pg_dump writes it; a backup that has it is one of a town in production."""

OF_THE_PREPARATION = frozenset({"pgpass"})
"""What may lie in the folder before: the password with which the database is reached."""

log = structlog.get_logger()


async def back_up_production(settings: Settings, target: Path, histories_at: datetime) -> BackupListing:
    """Copy database and files of a town into a folder that does not exist or is empty. The town goes on meanwhile.

    Raises:
        NotBackedUp: the folder is not empty or not ours, the time is not one before now, or the database could not be copied.
    """
    if histories_at > datetime.now(UTC):
        raise NotBackedUp("Temporal's databases are copied first: say when that was begun, and not a time to come.")
    require_restored(settings.data)
    empty(target, settings.data, settings.key_folder)
    with told_of_files(target):
        return await _copied(settings, target, histories_at)


async def _copied(settings: Settings, target: Path, histories_at: datetime) -> BackupListing:
    if failure := await dump_database(settings.database_url, target / DUMP):
        raise NotBackedUp(f"The database could not be copied:\n{failure}")
    ledger_at = datetime.now(UTC)
    await asyncio.to_thread(_copy_town, settings, target / "files")
    listing = BackupListing(
        histories_at=histories_at,
        ledger_at=ledger_at,
        finished_at=datetime.now(UTC),
        speed=str(read_town_time(settings).speed_milli),
        files=await asyncio.to_thread(digests, target),
    )
    # Last: a backup without its listing is none.
    write_private(target / LISTING, listing.model_dump_json(indent=1))
    return listing


async def restore_production(target: Path, settings: Settings) -> Restored:
    """Put a backup into the empty database and the empty folder that the settings name; Temporal's are put back before.

    Files first, then the database, then what puts it right; until that is done no process of the town runs there. One that
    broke off can be done again into the same folder.

    Raises:
        NotBackedUp: the backup is not whole, or database or folder are not empty or cannot be written.
        DatabaseAway: the database cannot be reached, or does not let us in.
    """
    listing = await asyncio.to_thread(read_listing, target)
    data = settings.data
    with told_of_files(data):
        if data.exists() and {each.name for each in data.iterdir()} - OF_THE_PREPARATION and not begun(data):
            raise NotBackedUp(f"{data} is not empty: a town is restored into a folder of its own.")
    url = settings.database_url.get_secret_value()
    if await _has_tables(url):
        raise NotBackedUp("The database of JICENG_DATABASE_URL is not empty: a town is restored into a new one.")
    with told_of_files(data), unfinished(data):
        await asyncio.to_thread(shutil.copytree, target / "files", data, dirs_exist_ok=True)
        log.info("restored", kind="files")
        if failure := await load_database(settings.database_url, target / DUMP):
            raise NotBackedUp(f"The database could not be put back:\n{failure}")
        log.info("restored", kind="database")
        done = await put_right(url, listing, read_town_time(settings))
        write_private(data / RESTORED, done.model_dump_json(indent=1))
    return done


def is_of_production(target: Path) -> bool:
    """Whether a backup is one of a town in production, as far as it can be read."""
    try:
        return (target / DUMP).exists()
    except OSError:
        return False


def _copy_town(settings: Settings, target: Path) -> None:
    copy_files(settings.data, target)
    if not (target / "keys").exists():
        shutil.copytree(settings.key_folder, target / "keys")


async def _has_tables(url: str) -> bool:
    with said_where(url):
        connection = await asyncpg.connect(url, timeout=10)
    try:
        return bool(await connection.fetchval("select exists (select from pg_tables where schemaname = 'public')"))
    finally:
        await connection.close()
