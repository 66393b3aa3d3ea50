"""What auditors read of a case: its entries, its row, its archived runs opened, what seals hold of it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import asyncpg
from google.protobuf.message import DecodeError
from temporalio.api.history.v1 import History, HistoryEvent

from audit.archive.decoded import decoded_events
from audit.archive.manifest import RUNNING
from engine.execution.codec import data_converter
from engine.keys.keys import KeyRing, Keys
from engine.store.archive import SQL as ARCHIVE
from engine.store.archive import ArchiveDamaged, ArchiveStore
from engine.store.database import Queries

Values = dict[str, Any]
Head = tuple[int, str]


class AuditQueries(Queries):
    """engine/queries/audit.sql."""

    entries_of_case: str
    row_of_case: str
    known_cases: str
    ended_among: str
    restores: str
    run_of_head: str
    detached: str
    detached_months: str
    entries_digest: str
    kind_of_head: str
    sealed_of_case: str
    rewrite_case: str
    put_back_case: str


SQL = AuditQueries.load("audit")


@dataclass(frozen=True)
class Run:
    """One run. `raw`: its canonical bytes; `events`: opened. Both empty, with a `fault`, when they cannot be read.

    `row` is None, and `raw` empty, of one that is not archived yet (audit/verify/live_runs.py).
    """

    row: asyncpg.Record | None
    manifest: Values
    raw: bytes = field(repr=False)
    recorded: list[HistoryEvent] = field(repr=False)
    events: list[Values] = field(repr=False)
    fault: str = ""

    def plain(self) -> Values:
        """What the checks of an archived run look at."""
        if self.row is None:
            raise ValueError("it is not archived")
        return {
            "run_id": self.row["run_id"],
            "manifest": self.row["manifest"],
            "manifest_hash": self.row["manifest_hash"],
            "sha256": sha256(self.raw).hexdigest(),
        }


def raw_keys(ring: KeyRing | None) -> dict[str, bytes]:
    """The keys of a public ring, by id."""
    return {key_id: key for key_id in ring or () if ring and (key := ring.get(key_id))}


@asynccontextmanager
async def one_moment(pool: asyncpg.Pool) -> AsyncIterator[Any]:
    """A connection to which nothing changes: what is read in the block is what stood at one moment, while cases go on."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def head_of(connection: Any, case_id: str) -> tuple[Head | None, bool]:
    """The head that the row of a case names, None where there is no row; and whether the row says that it has ended."""
    row = await connection.fetchrow(SQL.row_of_case, case_id)
    return None if row is None or row["seq"] is None else (row["seq"], row["head_hash"]), bool(row and row["ended"])


async def entries_of(connection: Any, case_id: str) -> list[Values]:
    """Every entry of a case as plain values, on its chain or beside it."""
    return [_plain(row) for row in await connection.fetch(SQL.entries_of_case, case_id)]


async def runs_of(connection: Any, keys: Keys, store: ArchiveStore, case_id: str) -> list[Run]:
    """The archived runs of a case, each in its last form: the closed one, else the longest copy of the open one."""
    latest: dict[str, asyncpg.Record] = {}
    for row in await connection.fetch(ARCHIVE.runs_of_case, case_id):
        known = latest.get(row["run_id"])
        if known is None or (row["status"] != RUNNING, row["events"]) > (known["status"] != RUNNING, known["events"]):
            latest[row["run_id"]] = row
    return [await _run(row, keys, store) for row in latest.values()]


async def _run(row: asyncpg.Record, keys: Keys, store: ArchiveStore) -> Run:
    manifest = json.loads(row["manifest"])
    codec = data_converter(keys).payload_codec
    try:
        raw = await store.history(row)
    except ArchiveDamaged as fault:
        return Run(row, manifest, b"", [], [], str(fault))
    try:
        recorded = list(History.FromString(raw).events)
    except DecodeError:
        return Run(row, manifest, raw, [], [], "its bytes are not a history")
    events = await decoded_events(recorded, codec) if codec else []
    return Run(row, manifest, raw, recorded, events)


def _plain(row: Mapping[str, Any]) -> Values:
    return {**dict(row), "at": row["at"].isoformat(), "task_at": row["task_at"].isoformat()}
