"""Was anything altered? Ledger, archive, seals and projection, each by itself and each against the others.

Every finding that is not well begins with the class of what was done and the place: `entry-deleted: incident-… entry 7: …`.
The checks themselves are pure and stand in audit/check_bundle.py, which also runs without us; here is what they look at.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

import asyncpg

from activities.ledger import QUERIES
from audit.check_bundle import (
    Values,
    chain_of,
    current_runs,
    foreign_faults,
    history_faults,
    ledger_against_history,
    ledger_faults,
    run_chain_faults,
    run_faults,
)
from audit.records import Run, entries_of, head_of, one_moment, raw_keys, runs_of
from engine.archive import ArchiveStore
from engine.keys import KeyRing, Keys
from schemas.findings import Finding

LEDGER, ARCHIVE = "ledger", "archive"
SHOWN_AT_MOST = 5


async def verify_cases(
    pool: asyncpg.Pool, case_ids: Sequence[str] | None = None, stamp_ring: KeyRing | None = None
) -> AsyncIterator[Finding]:
    """Verify the ledger of the named cases, or of all; a case named that has none is a finding too.

    `stamp_ring`: the public keys of the API; without it nobody asks who signed the stamps.
    """
    keys = raw_keys(stamp_ring) if stamp_ring is not None else None
    for case_id in await _all_with_ledger(pool) if case_ids is None else case_ids:
        async with one_moment(pool) as connection:
            entries = await entries_of(connection, case_id)
            head, _ended = await head_of(connection, case_id)
        faults = list(_ledger_faults(case_id, entries, head, keys))
        yield finding(case_id, LEDGER, faults, _ledger_words(entries, head))


async def verify_archive(
    pool: asyncpg.Pool, keys: Keys, store: ArchiveStore, case_ids: Sequence[str] | None = None
) -> AsyncIterator[Finding]:
    """Verify what the archive has of the named cases, or of all, and that ledger and histories vouch for each other."""
    for case_id in await _all_archived(pool) if case_ids is None else case_ids:
        async with one_moment(pool) as connection:
            runs = await runs_of(connection, keys, store, case_id)
            entries = await entries_of(connection, case_id)
            head, ended = await head_of(connection, case_id)
        faults = list(archive_faults(case_id, runs, entries, head, ended=ended))
        events = sum(len(run.events) for run in runs)
        yield finding(
            case_id, ARCHIVE, faults, f"{events} events in {len(runs)} run(s)" if runs else "not archived yet"
        )


def archive_faults(
    case_id: str, runs: Sequence[Run], entries: Sequence[Values], head: tuple[int, str] | None, *, ended: bool
) -> Iterator[str]:
    """What is wrong with the archived runs of a case, by themselves and against its ledger."""
    if not runs:
        return
    for run in runs:
        if run.fault:
            yield f"archive-changed: {case_id} run {run.row['run_id']}: {run.fault}"
        else:
            yield from run_faults(case_id, run.plain())
            yield from column_faults(case_id, run)
            yield from history_faults(case_id, run.manifest, run.events)
    manifests = [run.manifest for run in runs]
    yield from run_chain_faults(case_id, manifests, ended=ended)
    yield from foreign_faults(case_id, entries, manifests, ended=ended)
    if head is None:
        yield f"case-deleted: {case_id}: the archive has {len(runs)} run(s) of it, the ledger has no head"
        return
    events = {run.manifest["run_id"]: run.events for run in runs}
    current = [(manifest, events[manifest["run_id"]]) for manifest in current_runs(manifests)]
    yield from ledger_against_history(case_id, chain_of(entries, head), current)


def column_faults(case_id: str, run: Run) -> Iterator[str]:
    """Columns of the archive that say something else than the manifest."""
    for column in ("case_id", "run_id", "events", "status", "sha256"):
        if run.row[column] != run.manifest[column]:
            yield f"manifest-changed: {case_id} run {run.row['run_id']}: the column {column} differs from the manifest"


def finding(case_id: str, check: str, faults: Sequence[str], well: str) -> Finding:
    """One finding from all that a check found of a case."""
    shown = list(faults[:SHOWN_AT_MOST])
    if len(faults) > SHOWN_AT_MOST:
        shown.append(f"and {len(faults) - SHOWN_AT_MOST} more")
    return Finding(case_id=case_id, check=check, ok=not faults, detail="; ".join(shown) or well)


async def _all_with_ledger(pool: asyncpg.Pool) -> list[str]:
    return [row["case_id"] for row in await pool.fetch(QUERIES.cases_with_ledger)]


async def _all_archived(pool: asyncpg.Pool) -> list[str]:
    return [row["case_id"] for row in await pool.fetch("select distinct case_id from archive order by 1")]


def _ledger_faults(
    case_id: str, entries: Sequence[Values], head: tuple[int, str] | None, keys: dict[str, bytes] | None
) -> Iterator[str]:
    if not entries:
        yield f"case-deleted: {case_id}: the ledger has no entry of this case"
    elif head is None:
        yield f"row-deleted: {case_id}: the ledger has {len(entries)} entries, but the case has no row that names their head"
    else:
        yield from ledger_faults(case_id, entries, head, keys)


def _ledger_words(entries: Sequence[Values], head: tuple[int, str] | None) -> str:
    if head is None:
        return ""
    on_chain = len(chain_of(entries, head))
    words = f"{on_chain} entries"
    if beside := len(entries) - on_chain:
        resets = sum(entry["kind"] == "case:reset" for entry in entries)
        words += f", {beside} beside the chain from tasks that were lost"
        words += f" or before {resets} reset(s) by somebody with access to the server" if resets else ""
    return words
