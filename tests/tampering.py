"""Tools of an attacker with the database owner's rights: guards off, hashes made anew, everything taken back at the end."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from temporalio.api.history.v1 import History

from audit.archive.manifest import canonical_bytes
from audit.bundle.check_bundle import canonical, sha256
from engine.store.archive import pack, unpack

Connection = Any
Entry = dict[str, Any]


@asynccontextmanager
async def as_owner(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A connection with all guards switched off; what is done on it nobody else sees, and it is taken back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        for table in ("ledger", "archive", "seals", "sealed_leaves"):
            await connection.execute(f"alter table {table} disable trigger user")
        try:
            yield connection
        finally:
            await transaction.rollback()


class OneConnection:
    """A pool that has one connection, inside a transaction that others do not see."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Give the one connection."""
        yield self._connection


async def rewrite_chain(connection: Connection, case_id: str, change: Callable[[Sequence[Entry]], list[Entry]]) -> None:
    """Change the entries of a case, give all of them fresh hashes, and let the row name the new head."""
    rows = await connection.fetch("select * from chain_of($1)", case_id)
    tasks = {row["seq"]: (row["run_id"], row["task_at"]) for row in rows}
    changed = change([json.loads(row["body"]) for row in rows])
    await connection.execute("delete from ledger where case_id = $1", case_id)
    before = "0" * 64
    for seq, entry in enumerate(changed, start=1):
        entry |= {"seq": seq, "prev_hash": before}
        body = canonical(entry).decode()
        before = sha256(body)
        run_id, task_at = tasks.get(seq, (rows[-1]["run_id"], rows[-1]["task_at"]))
        await connection.execute(
            "insert into ledger (case_id, seq, at, kind, actor, body, prev_hash, hash, run_id, task_at) "
            "values ($1, $2, ($3::jsonb #>> '{}')::timestamptz, $4, $5, $6, $7, $8, $9, $10)",
            case_id, seq, entry["at"], entry["kind"], f"{entry['actor']['role']}:{entry['actor']['subject']}", body,
            entry["prev_hash"], before, run_id, task_at,
        )  # fmt: skip
    shown = {"seq": len(changed), "head_hash": before}
    await connection.execute(
        "update cases set seq = $2, head_hash = $3, snapshot = snapshot || $4::jsonb where case_id = $1",
        case_id, len(changed), before, shown,
    )  # fmt: skip


async def rewrite_run(connection: Connection, run: str, change: Callable[[History], None], **manifest: Any) -> None:
    """Change the history of an archived run, and give bytes and manifest fresh hashes; `manifest`: what it says besides."""
    row = await connection.fetchrow("select * from archive where run_id = $1", run)
    history = History.FromString(unpack(row["history"]))
    change(history)
    raw = canonical_bytes(history.events)
    said = json.loads(row["manifest"]) | {"sha256": sha256(raw), "events": len(history.events)} | manifest
    text = canonical(said).decode()
    await connection.execute(
        "update archive set history = $2, manifest = $3, manifest_hash = $4, sha256 = $5, events = $6 where run_id = $1",
        run, pack(raw), text, sha256(text), sha256(raw), len(history.events),
    )  # fmt: skip
