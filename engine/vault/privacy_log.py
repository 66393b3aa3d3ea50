"""The privacy log: every erasing, every refusal to erase and every giving out, chained by hash as a case's entries are."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg

from engine.store.database import Queries
from engine.vault.vault import Connection
from schemas.kernel.case import GENESIS, Entry
from schemas.kernel.findings import Finding
from schemas.values.actor import Actor
from schemas.values.canonical import canonical_json

LOG = "privacy-log"
"""What stands for a case in its entries."""


class LogQueries(Queries):
    """engine/queries/privacy_log.sql."""

    one_writer: str
    last_of_log: str
    insert_into_log: str
    log_entries: str


SQL = LogQueries.load("privacy_log")


async def note(
    connection: Connection, kind: str, *, person: str, by: Actor, facts: dict[str, Any], at: datetime
) -> None:
    """Write an entry, in the caller's transaction. `facts` hold codes, numbers and references; `at` is town time.

    `person` is a reference, `person:…`; `kind` a code such as `privacy:erased`.
    """
    await connection.execute(SQL.one_writer)
    last = await connection.fetchrow(SQL.last_of_log)
    entry = Entry(
        case_id=LOG,
        seq=last["seq"] + 1 if last else 1,
        at=at,
        actor=by,
        kind=kind,
        facts={"person": person, **facts},
        prev_hash=last["hash"] if last else GENESIS,
    ).sealed()
    body = canonical_json(entry).decode()
    await connection.execute(SQL.insert_into_log, entry.seq, person, kind, body, entry.prev_hash, entry.hash)


async def entries(connection: Connection, person: str | None = None) -> list[Entry]:
    """The entries of the log, of one person or all."""
    return [Entry.model_validate_json(row["body"]) for row in await connection.fetch(SQL.log_entries, person)]


async def verify_privacy_log(pool: asyncpg.Pool) -> AsyncIterator[Finding]:
    """Whether the log is whole: nothing changed, nothing missing but what may have been cut off at its end."""
    head, seq, wrong = GENESIS, 0, []
    for row in await pool.fetch(SQL.log_entries, None):
        entry = Entry.model_validate_json(row["body"])
        seq += 1
        if entry.seq != seq or entry.prev_hash != head:
            wrong.append(f"entry {entry.seq} does not follow the one before")
        if not entry.hash == row["hash"] == entry.sealed().hash:
            wrong.append(f"entry {entry.seq} is not what was hashed")
        seq, head = entry.seq, entry.hash
    yield Finding(
        case_id=LOG, check="chain", ok=not wrong, detail="; ".join(wrong[:5]) or f"{seq} entries, head {head[:12]}"
    )
