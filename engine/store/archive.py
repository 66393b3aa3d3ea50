"""The archive: recorded runs as canonical bytes, compressed, in Postgres or in an object store by URL.

Which rows stand in it and how far it is behind is always in Postgres; `JICENG_ARCHIVE_URL` moves only the bytes.
"""

import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from engine.runtime.settings import Settings
from engine.store.database import Queries

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 9  # a run is written once; 3 would be twice as fast and a twentieth larger
TOLERATED = 3
"""A closed run may stay outside the archive for this part (a third) of the retention before somebody is warned."""


class ArchiveAway(Exception):
    """The object store of the archive does not answer."""


class ArchiveDamaged(Exception):
    """What lies in the archive for a run is gone or is not what zstd wrote."""


class ArchiveQueries(Queries):
    """engine/queries/archive.sql."""

    insert_run: str
    archived_closed: str
    runs_of_case: str
    sha256_of_run: str
    archived_cases: str
    cases_after: str
    runs_told_of: str
    strange_endings: str
    runs_unknown: str
    has_entry: str
    tell_case: str
    lock_head: str
    has_mark: str
    mark_head: str
    end_case: str
    note_pass: str
    last_pass: str
    taken_away_with: str
    archive_lag: str


SQL = ArchiveQueries.load("archive")


@dataclass(frozen=True)
class Lag:
    """How far the archive is behind. `retention` is None where no archiver ever came through."""

    behind: timedelta
    since_pass: timedelta | None
    retention: timedelta | None

    @property
    def warning(self) -> str | None:
        """What an operator is to be told, if anything."""
        if self.retention is None or self.since_pass is None:
            return "the archiver has never come through: is `jiceng archiver` running?" if self.behind else None
        limit = self.retention / TOLERATED
        if self.behind > limit:
            return f"a closed case has not been archived for {_hours(self.behind)}; its history is kept {_hours(self.retention)}"
        if self.since_pass > limit:
            return f"the archiver has not come through for {_hours(self.since_pass)}; is `jiceng archiver` running?"
        return None


class ArchiveStore:
    """Where the bytes of histories lie."""

    def __init__(self, objects: ObjectStore | None) -> None:
        """`objects` None: in the table."""
        self._objects = objects

    async def keep(self, connection: Any, row: dict[str, Any], history: bytes) -> bool:
        """Put a run into the archive; False when it was there. Raises ArchiveAway."""
        packed = pack(history)
        if self._objects is not None:
            try:
                await obstore.put_async(self._objects, _path(row), packed)
            except (BaseError, OSError) as error:
                raise ArchiveAway from error
        inserted = await connection.fetchval(
            SQL.insert_run,
            *(row[name] for name in ("case_id", "run_id", "events", "status", "closed_at", "sha256", "manifest")),
            row["manifest_hash"],
            packed if self._objects is None else None,
        )
        return inserted is not None

    async def history(self, row: asyncpg.Record | dict[str, Any]) -> bytes:
        """The canonical bytes of an archived run. Raises ArchiveAway, ArchiveDamaged."""
        packed = row["history"]
        if packed is None:
            if self._objects is None:
                raise ArchiveDamaged("its bytes are in an object store, and JICENG_ARCHIVE_URL is not set")
            try:
                packed = bytes(await (await obstore.get_async(self._objects, _path(row))).bytes_async())
            except (NotFoundError, FileNotFoundError):
                raise ArchiveDamaged("its bytes are gone from the object store") from None
            except (BaseError, OSError) as error:
                raise ArchiveAway from error
        return unpack(packed)


def pack(history: bytes) -> bytes:
    """Compress the bytes of a run."""
    return zstd.compress(history, LEVEL)


def unpack(packed: bytes) -> bytes:
    """What `pack` compressed. Raises ArchiveDamaged."""
    with suppress(zstd.ZstdError):
        return zstd.decompress(packed)
    raise ArchiveDamaged("its bytes cannot be decompressed")


def open_archive(settings: Settings) -> ArchiveStore:
    """The archive of the town, as its settings say."""
    if settings.archive_url is None:
        return ArchiveStore(None)
    if settings.archive_url.startswith("file:"):
        return ArchiveStore(LocalStore.from_url(settings.archive_url, mkdir=True))
    return ArchiveStore(from_url(settings.archive_url))


async def archive_lag(connection: Any) -> Lag:
    """How far the archive is behind, by what the database knows."""
    row = await connection.fetchrow(SQL.archive_lag)
    return Lag(
        behind=timedelta(seconds=row["behind_seconds"]),
        since_pass=None if row["pass_seconds"] is None else timedelta(seconds=row["pass_seconds"]),
        retention=None if row["retention_seconds"] is None else timedelta(seconds=row["retention_seconds"]),
    )


def _path(row: asyncpg.Record | dict[str, Any]) -> str:
    return f"{row['case_id']}/{row['run_id']}.{row['events']}.zst"


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f} h"
