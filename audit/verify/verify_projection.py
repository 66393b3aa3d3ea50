"""Does the row of a case say what its own state says, and what its chain says? Lists and inboxes read nothing but rows.

The state itself does not follow from the entries: they hold what happened, not all that a case remembers. So the row is
rebuilt by replaying the recorded history (audit/verify/rebuild.py), which computes every flush with the row it wrote.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import asyncpg
from pydantic import ValidationError

from audit.archive.records import SQL
from audit.verify.verify import finding
from schemas.audit.ledger import Projection, projection_of
from schemas.kernel.findings import Finding
from workflows.registry import PROCEDURES

CHECK = "projection"
STATES = {case.procedure.name: case.procedure.state for case in PROCEDURES}
UNTOLD = ("due_at", "due_clock", "clocks")
"""What a case that was terminated cannot put right any more."""


async def verify_projection(pool: asyncpg.Pool, case_ids: Sequence[str] | None = None) -> AsyncIterator[Finding]:
    """Verify the rows of the named cases, or of all."""
    async with pool.acquire() as connection:
        if case_ids is None:
            case_ids = [row["case_id"] for row in await connection.fetch("select case_id from cases order by 1")]
        for case_id in case_ids:
            row = await connection.fetchrow(SQL.row_of_case, case_id)
            kind = await connection.fetchval(SQL.kind_of_head, case_id)
            faults = ["row-deleted: no row"] if row is None else list(row_faults(row, kind))
            yield finding(case_id, CHECK, faults, "as its state says")


def row_faults(row: Any, last_kind: str | None) -> Iterator[str]:
    """Columns of a row that its state does not bear out."""
    case_id = row["case_id"]
    model = STATES.get(row["procedure"])
    if model is None:
        yield f"row-changed: {case_id}: {row['procedure']} is no procedure of this town"
        return
    try:
        expected = projection_of(model.model_validate(row["snapshot"]))
    except ValidationError:
        yield f"row-changed: {case_id}: its state cannot be read"
        return
    found = Projection.model_validate({name: row[name] for name in Projection.model_fields})
    for name in Projection.model_fields:
        if name in UNTOLD and last_kind == "case:terminated":
            continue
        if name != "snapshot" and in_order(getattr(found, name)) != in_order(getattr(expected, name)):
            yield f"row-changed: {case_id}: the column {name} is not what its state says"


def in_order(value: Any) -> Any:
    """Clocks by name: the state in the row has lost their order, since jsonb keeps none of its keys."""
    return sorted(value, key=str) if isinstance(value, list) else value
