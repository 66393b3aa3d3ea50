"""Is the ledger whole? Each case's chain from its first entry, and the row of the case against the chain's head."""

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
            yield _verify(case_id, entries, rows.get(case_id))


def _verify(case_id: str, entries: list[asyncpg.Record], row: asyncpg.Record | None) -> Finding:
    def broken(detail: str) -> Finding:
        return Finding(case_id=case_id, check=CHECK, ok=False, detail=detail)

    if not entries:
        return broken(f"{case_id}: the ledger has no entry of this case")
    try:
        chain = [Entry.model_validate({**json.loads(entry["body"]), "hash": entry["hash"]}) for entry in entries]
        head = verify_chain(chain)
    except (BrokenChain, ValueError) as fault:
        return broken(str(fault) if isinstance(fault, BrokenChain) else f"{case_id}: an entry cannot be read")
    if chain[0].case_id != case_id:
        return broken(f"{case_id}: the chain belongs to {chain[0].case_id}")
    if row is None or row["seq"] is None:
        return broken(f"{case_id}: the case has a ledger but no row")
    if (row["seq"], row["head_hash"]) != (chain[-1].seq, head):
        return broken(
            f"{case_id}: the row stands at entry {row['seq']}, the ledger at {chain[-1].seq}, or their heads differ"
        )
    return Finding(case_id=case_id, check=CHECK, ok=True, detail=f"{len(chain)} entries")
