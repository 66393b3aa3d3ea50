"""Was anything altered? Ledger, archive, seals and projection, each by itself and each against the others.

Every finding that is not well begins with the class of what was done and the place: `entry-deleted: incident-… entry 7: …`.
The checks themselves are pure and stand in audit/bundle/check_bundle.py, which also runs without us; here is what they look at.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
from temporalio.client import Client
from temporalio.service import RPCError

from activities.ledger import QUERIES
from audit.archive.records import SQL, Head, Run, entries_of, head_of, one_moment, raw_keys, runs_of
from audit.bundle.check_bundle import (
    FOREIGN,
    Values,
    chain_of,
    current_runs,
    foreign_faults,
    foreign_run_faults,
    heads_told,
    history_faults,
    ledger_against_history,
    ledger_faults,
    own_runs,
    place_faults,
    receipts,
    run_chain_faults,
    run_faults,
    turned_back_faults,
)
from audit.replay.broken_off import finding_of
from audit.replay.questions import question_faults
from audit.verify.live_runs import live_runs
from audit.verify.verify_detached import detached_faults, gone_with
from engine.keys.keys import KeyRing, Keys
from engine.store.archive import ArchiveStore
from schemas.kernel.findings import Finding

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
        yield await finding_of(case_id, LEDGER, _verify_ledger(pool, case_id, keys))


async def _verify_ledger(pool: asyncpg.Pool, case_id: str, keys: dict[str, bytes] | None) -> Finding:
    async with one_moment(pool) as connection:
        entries = await entries_of(connection, case_id)
        head, _ended = await head_of(connection, case_id)
        gone = await gone_with(connection, case_id, entries)
    if gone is not None:
        return finding(case_id, LEDGER, [], f"{gone}; the archive vouches for it")
    faults = list(_ledger_faults(case_id, entries, head, keys))
    return finding(case_id, LEDGER, faults, _ledger_words(entries, head))


async def verify_archive(
    pool: asyncpg.Pool,
    keys: Keys,
    store: ArchiveStore,
    case_ids: Sequence[str] | None = None,
    client: Client | None = None,
) -> AsyncIterator[Finding]:
    """Verify the histories of the named cases, or of all, and that ledger and histories vouch for each other.

    `client`: where what is not archived yet is asked for; without it, nothing vouches for that, and the finding says so.
    """
    for case_id in await _all_known(pool) if case_ids is None else case_ids:
        yield await finding_of(case_id, ARCHIVE, _verify_history(pool, keys, store, case_id, client))


async def _verify_history(
    pool: asyncpg.Pool, keys: Keys, store: ArchiveStore, case_id: str, client: Client | None
) -> Finding:
    """Look at a case, and once more before it is said that something is wrong: it may go on while it is looked at.

    A run may have ended, or another one begun, between the moments at which histories and ledger are read.
    """
    found, words = await _look(pool, keys, store, case_id, client)
    if found and client is not None:
        seen = {place_of(fault) for fault in found}
        again, words = await _look(pool, keys, store, case_id, client)
        found = [fault for fault in again if place_of(fault) in seen]
    return finding(case_id, ARCHIVE, found, words)


async def _look(
    pool: asyncpg.Pool, keys: Keys, store: ArchiveStore, case_id: str, client: Client | None
) -> tuple[list[str], str]:
    """What is wrong with the runs of a case, and what is said of it otherwise."""
    async with one_moment(pool) as connection:
        archived = await runs_of(connection, keys, store, case_id)
    try:
        live = [] if client is None else await live_runs(client, keys, case_id, archived)
    except RPCError as error:
        faults = [f"not-vouched-for: {case_id}: Temporal does not say what is not archived yet ({error.status.name})"]
        return faults, ""
    asked = {run.manifest["run_id"] for run in live}
    runs = [*(run for run in archived if run.manifest["run_id"] not in asked), *live]
    async with one_moment(pool) as connection:
        entries = await entries_of(connection, case_id)
        head, ended = await head_of(connection, case_id)
        row = await connection.fetchrow(SQL.run_of_head, case_id)
        lost = [(each[0].isoformat(), each[1].isoformat()) for each in await connection.fetch(SQL.restores)]
        gone = await gone_with(connection, case_id, entries)
        leaves = [] if gone is None else await connection.fetch(SQL.sealed_of_case, case_id)
    sealed = {(int(leaf["place"]), leaf["hash"]) for leaf in leaves if leaf["kind"] == "head"}
    first_run_id = row and row["first_run_id"]
    case = _Case(case_id, entries, head, ended, datetime.now(UTC), first_run_id, lost, gone is not None, sealed)
    return list(archive_faults(case, runs, whole=client is not None)), _history_words(case, runs)


class _Case(NamedTuple):
    """What the ledger has of a case, and when it was read."""

    case_id: str
    entries: Sequence[Values]
    head: tuple[int, str] | None
    ended: bool
    read_at: datetime
    first_run_id: str | None = None
    lost: Sequence[tuple[str, str]] = ()
    is_gone: bool = False
    sealed: Collection[Head] = ()


def archive_faults(case: _Case, runs: Sequence[Run], *, whole: bool = False) -> Iterator[str]:
    """What is wrong with the runs of a case, by themselves and against its ledger. `whole`: they are all there are."""
    case_id = case.case_id
    if not runs:
        if case.is_gone:
            yield from detached_faults(case_id, case.head, [], {}, case.sealed)
        elif whole and case.entries:
            yield f"run-missing: {case_id}: the ledger has {len(case.entries)} entries, and no history of it is left"
        return
    for run in runs:
        if run.fault:
            yield f"archive-changed: {case_id} run {run.manifest['run_id']}: {run.fault}"
            continue
        if run.row is not None:
            yield from run_faults(case_id, run.plain())
            yield from column_faults(case_id, run)
        yield from history_faults(case_id, run.manifest, run.events)
        yield from place_faults(case_id, run.manifest["run_id"], run.events)
        yield from question_faults(case_id, run.manifest["run_id"], run.events)
    own, others = own_runs(case.entries, [run.manifest for run in runs], case.first_run_id)
    yield from foreign_run_faults(case_id, case.entries, own, others, case.lost, whole=whole)
    events = {run.manifest["run_id"]: run.events for run in runs}
    if case.is_gone:
        yield from detached_faults(case_id, case.head, own, events, case.sealed)
        return
    yield from run_chain_faults(case_id, own, ended=case.ended)
    yield from foreign_faults(case_id, case.entries, own, ended=case.ended)
    yield from turned_back_faults(case_id, [(manifest, events[manifest["run_id"]]) for manifest in own])
    if case.head is None:
        yield from _without_ledger(case_id, runs)
        return
    current = [(manifest, events[manifest["run_id"]]) for manifest in current_runs(own)]
    yield from ledger_against_history(case_id, chain_of(case.entries, case.head), current, case.read_at)


def _without_ledger(case_id: str, runs: Sequence[Run]) -> Iterator[str]:
    """Runs of which the ledger has nothing: it was deleted, or nothing of theirs was ever taken."""
    if any(True for run in runs for _ in receipts(run.events)) or any(run.fault for run in runs):
        yield f"case-deleted: {case_id}: the archive has {len(runs)} run(s) of it, the ledger has no head"
        return
    for run in runs:
        if run.manifest["closed_at"] is not None:
            ended = f"it ended as {run.manifest['status']}, and the ledger took nothing of it"
            yield f"foreign-run: {case_id} run {run.manifest['run_id']}: {ended}: there is no such case"


def _history_words(case: _Case, runs: Sequence[Run]) -> str:
    """How much was looked at, and which entries no history that was looked at vouches for."""
    if case.is_gone:
        return f"{sum(len(run.events) for run in runs)} events in {len(runs)} run(s), which tell the head; no entries to compare"
    told = max((seq for run in runs for seq, _ in heads_told(run.events)), default=0)
    own = [entry["seq"] for entry in chain_of(case.entries, case.head or (0, "")) if entry["kind"] not in FOREIGN]
    last = max(own, default=0)
    words = f"{sum(len(run.events) for run in runs)} events in {len(runs)} run(s)" if runs else "not archived yet"
    return words if last <= told else f"{words}; not vouched for by a history: entries {told + 1} to {last}"


def place_of(fault: str) -> tuple[str, ...]:
    """Class and place of a fault, without what is said of it: that may differ from one look to the next."""
    return tuple(fault.split(": ", 2)[:2])


def column_faults(case_id: str, run: Run) -> Iterator[str]:
    """Columns of the archive that say something else than the manifest."""
    if run.row is None:
        return
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


async def _all_known(pool: asyncpg.Pool) -> list[str]:
    return [row["case_id"] for row in await pool.fetch(SQL.known_cases)]


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
    chain = chain_of(entries, head)
    words = f"{len(chain)} entries"
    standing = {(row["seq"], row["hash"]) for row in chain}
    runs = {row["seq"]: row["run_id"] for row in chain}
    beside = [row for row in entries if (row["seq"], row["hash"]) not in standing]
    # A task that was lost is told anew by its own run; what another run went on before was put aside by somebody.
    lost = sum(runs.get(row["seq"], row["run_id"]) == row["run_id"] for row in beside)
    resets = sum(entry["kind"] == "case:reset" for entry in entries)
    if beside:
        words += f", {len(beside)} beside the chain: {lost} from tasks that were lost"
    if put_aside := len(beside) - lost:
        words += f", {put_aside} put aside by a run that went on from before them"
    if resets:
        words += f"; {resets} reset(s) by somebody with access to the server"
    return words
