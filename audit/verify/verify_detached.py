"""A case whose month was taken away from the ledger (docs/operations.md): what is said of it, and what still vouches.

As long as the table of its month stands in the database, beside the ledger or put back, the case is verified like any other.
Where it does not, its archived histories are: they must be whole, closed, and tell the head that its row and the seals name.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from audit.archive.records import SQL, Head
from audit.bundle.check_bundle import Values, current_runs, heads_told, run_chain_faults

MARKED = ("terminated", "failed", "timed_out", "canceled")
"""Endings of which the archiver tells the ledger (engine/queries/archive.sql, strange_endings); so it does of a reset."""


async def gone_with(connection: Any, case_id: str, entries: Sequence[Values]) -> str | None:
    """With which partition of the ledger the entries of a case went, in words; None where they are here, or were not taken away."""
    row = None if entries else await connection.fetchrow(SQL.detached, case_id)
    # A table that is here has all its entries. Where more or fewer cases are known than went, the record vouches for none.
    if row is None or row["stands"] or not row["all_known"]:
        return None
    when = f"{row['detached_at']:%Y-%m-%d}"
    return f"its entries went with {row['partition']}, which was taken away from the ledger on {when} and is not in this database"


def detached_faults(
    case_id: str,
    head: Head | None,
    own: Sequence[Values],
    events: Mapping[str, Sequence[Values]],
    sealed: Collection[Head] = (),
) -> Iterator[str]:
    """What is wrong with the archived runs of a case whose entries are not here.

    `own`: their manifests; `events`: by run; `sealed`: the heads that seals hold of it.
    """
    yield from run_chain_faults(case_id, own, ended=True)
    runs = current_runs(own)
    if head is None:
        yield f"row-deleted: {case_id}: its month was taken away from the ledger, and it has no row that names its head"
    elif not runs or runs[-1]["closed_at"] is None:
        yield f"run-missing: {case_id}: its entries were taken away, and the archive does not have it to its end"
    elif head not in (told := {told for run in runs for told in heads_told(events[run["run_id"]])}):
        # What the archiver wrote behind the last word of a run that was ended from outside, no history tells: a seal holds it.
        marked = any(run["status"] in MARKED or run["reset_from"] is not None for run in own)
        if not marked or head not in sealed or head[0] <= max((seq for seq, _ in told), default=0):
            yield f"chain-rewritten: {case_id} entry {head[0]}: the row names a head that no archived history tells"


def detached_seal_faults(case_id: str, head: Head | None, sealed: Sequence[tuple[int, int, str]]) -> Iterator[str]:
    """Sealed heads (seal, seq, hash) of such a case that its row contradicts."""
    for seal, seq, content in sealed:
        if head is None or seq > head[0] or (seq == head[0] and content != head[1]):
            yield f"chain-rewritten: {case_id} entry {seq}: seal {seal} holds another head than the row names"
