"""Is the ledger whole? Each case's chain, from the head that its row names back to its first entry."""

import json
from collections.abc import AsyncIterator, Sequence

import asyncpg

from activities.ledger import QUERIES
from schemas.case import Entry
from schemas.findings import Finding
from schemas.ledger import BrokenChain, verify_chain

CHECK = "ledger"


async def verify_cases(pool: asyncpg.Pool, case_ids: Sequence[str] | None = None) -> AsyncIterator[Finding]:
    """Verify the named cases, or all. One finding per case; a case named that has no ledger is a finding too."""
    async with pool.acquire() as connection:
        rows = {row["case_id"]: row for row in await connection.fetch(QUERIES.cases_with_ledger)}
        for case_id in rows if case_ids is None else case_ids:
            entries = await connection.fetch(QUERIES.entries_of_case, case_id)
            known = await connection.fetchval(QUERIES.count_entries, case_id)
            yield _verify(case_id, entries, known, rows.get(case_id))


def _verify(case_id: str, entries: list[asyncpg.Record], known: int, row: asyncpg.Record | None) -> Finding:
    fault = _missing(case_id, entries, known, row) or _broken(case_id, entries, row)
    beside = f", {known - len(entries)} beside the chain from tasks that were lost" if known > len(entries) else ""
    return Finding(case_id=case_id, check=CHECK, ok=not fault, detail=fault or f"{len(entries)} entries{beside}")


def _missing(case_id: str, entries: list[asyncpg.Record], known: int, row: asyncpg.Record | None) -> str:
    if not known:
        return f"{case_id}: the ledger has no entry of this case"
    if row is None or row["seq"] is None:
        return f"{case_id}: the ledger has {known} entries, but the case has no row that names their head"
    if not entries:
        return f"{case_id}: the head that the row names, entry {row['seq']}, is not in the ledger"
    return ""


def _broken(case_id: str, entries: list[asyncpg.Record], row: asyncpg.Record | None) -> str:
    try:
        chain = [Entry.model_validate({**json.loads(entry["body"]), "hash": entry["hash"]}) for entry in entries]
        head = verify_chain(chain)
    except BrokenChain as fault:
        return str(fault)
    except ValueError:
        return f"{case_id}: an entry cannot be read"
    if chain[0].case_id != case_id:
        return f"{case_id}: the chain belongs to {chain[0].case_id}"
    if row is None or (row["seq"], row["head_hash"]) != (chain[-1].seq, head):
        return f"{case_id}: the row and the ledger have different heads"
    return ""
