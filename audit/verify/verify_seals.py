"""Do the seals still hold? Their chain, their signatures, their trees - and all they hold, in ledger and archive."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg

from audit.archive.records import entries_of, head_of, one_moment, raw_keys
from audit.archive.seals import SQL, Leaf, Seal, all_seals, leaf_text
from audit.bundle.check_bundle import chain_of, seal_faults, sealed_head_faults
from audit.verify.verify import finding
from audit.verify.verify_detached import detached_seal_faults, gone_with
from engine.keys.keys import Keys
from schemas.audit.merkle import merkle_root
from schemas.kernel.findings import Finding

CHECK = "seal"
MONTH = "month"
"""The kind of leaves that are no case's (audit/verify/verify_months.py)."""
ALL = "seals"
"""What stands for a case in findings about the seals themselves."""


async def verify_seals(
    pool: asyncpg.Pool, keys: Keys, case_ids: Sequence[str] | None = None, witness: tuple[int, str] | None = None
) -> AsyncIterator[Finding]:
    """Verify the seals, and that what they hold of the named cases, or of all, still stands.

    `witness`: number and hash of a seal, from the log or from a bundle, that must be there. All trees are built anew when
    all cases are asked for; for single cases those that hold something of them, and the newest.
    """
    async with one_moment(pool) as connection:
        seals = await all_seals(connection)
        rows = await connection.fetch(SQL.all_leaves)
    faults = [
        *seal_faults([seal.plain() for seal in seals], raw_keys(keys.seal_ring)),
        *_missing_seals(seals, rows, witness),
        *_changed_trees(seals, rows, case_ids),
    ]
    yield finding(ALL, CHECK, faults, f"{len(seals)} seals")
    held: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row["kind"] != MONTH:
            held[row["case_id"]].append(row)
    for case_id in sorted(held) if case_ids is None else case_ids:
        yield await _held_finding(pool, case_id, held[case_id])


async def verify_held(pool: asyncpg.Pool, case_id: str) -> Finding:
    """Verify that what seals hold of one case still stands. Quick: the seals themselves, and their trees, are taken as they are."""
    return await _held_finding(pool, case_id, await pool.fetch(SQL.leaves_of_case, case_id))


async def _held_finding(pool: asyncpg.Pool, case_id: str, held: Sequence[Any]) -> Finding:
    async with one_moment(pool) as connection:
        entries = await entries_of(connection, case_id)
        head, _ended = await head_of(connection, case_id)
        gone = await gone_with(connection, case_id, entries)
        archived = await connection.fetch(
            "select run_id, events, manifest_hash from archive where case_id = $1", case_id
        )
    sealed = [(row["first_seal"], int(row["place"]), row["hash"]) for row in held if row["kind"] == "head"]
    if gone is not None:
        heads = detached_seal_faults(case_id, head, sealed)
    else:
        heads = sealed_head_faults(case_id, sealed, entries, chain_of(entries, head) if head else [])
    faults = [*heads, *_held_run_faults(case_id, held, archived)]
    first = min((row["first_seal"] for row in held), default=None)
    return finding(case_id, CHECK, faults, "not sealed yet" if first is None else f"sealed since seal {first}")


def _missing_seals(seals: Sequence[Seal], rows: Sequence[Any], witness: tuple[int, str] | None) -> Iterator[str]:
    newest = max((seal.number for seal in seals), default=0)
    named = max((max(row["first_seal"], row["last_seal"] or 0) for row in rows), default=0)
    if named > newest:
        yield f"seal-removed: seal {named}: leaves stand in it, the newest that is there is seal {newest}"
    if witness is not None and (seal := next((seal for seal in seals if seal.number == witness[0]), None)) is None:
        yield f"seal-removed: seal {witness[0]}: it was known, and is not there"
    elif witness is not None and seal is not None and seal.hash != witness[1]:
        yield f"seal-changed: seal {witness[0]}: it was known with another hash"


def _changed_trees(seals: Sequence[Seal], rows: Sequence[Any], case_ids: Sequence[str] | None) -> Iterator[str]:
    texts = [(leaf_text(_leaf(row)), row["first_seal"], row["last_seal"]) for row in rows]
    texts.sort(key=lambda each: each[0])
    wanted = {seal.number for seal in seals[-1:]}
    if case_ids is not None:
        wanted |= {row["first_seal"] for row in rows if row["case_id"] in case_ids}
    for seal in seals:
        if case_ids is not None and seal.number not in wanted:
            continue
        said = json.loads(seal.body)
        leaves = [text for text, first, last in texts if first <= seal.number and (last is None or last >= seal.number)]
        if merkle_root(leaves) != said["root"]:
            yield (
                f"leaves-changed: seal {seal.number}: it holds {said['leaves']} leaves, those that are there "
                f"({len(leaves)}) do not make its root"
            )


def _held_run_faults(case_id: str, held: Sequence[Any], archived: Sequence[Any]) -> Iterator[str]:
    standing = {f"{row['run_id']}/{row['events']}": row["manifest_hash"] for row in archived}
    for row in held:
        if row["kind"] != "run":
            continue
        place = f"{case_id} run {row['place'].partition('/')[0]}"
        if row["place"] not in standing:
            yield f"archive-removed: {place}: seal {row['first_seal']} holds it, the archive does not have it"
        elif standing[row["place"]] != row["hash"]:
            yield f"archive-changed: {place}: seal {row['first_seal']} holds another manifest"


def _leaf(row: Any) -> Leaf:
    return row["kind"], row["case_id"], row["place"], row["hash"]
