"""Do the table of reservations and the cases say the same? What a case reserves stands in both (schemas/parts/reservations.py).

reservation-alone      a row of a case that there is not
reservation-outlives   a case is over, and holds what it has not spent
reservation-lost       a living case goes on as if it held what the table says is free
reservation-unknown    a row of a purpose that the case never asked for
reservation-over       more is held and spent of a limit than there is by the rules of any of its cases
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import asyncpg

from audit.archive.records import SQL as RECORDS
from audit.verify.verify import finding
from engine.store.reserved_units import SQL
from schemas.kernel.findings import Finding

CHECK = "reservations"
ALL = "reservations"
"""In place of a case number, in findings about a limit that many cases share."""


async def verify_reservations(pool: asyncpg.Pool, case_ids: Sequence[str] | None = None) -> AsyncIterator[Finding]:
    """Verify what the named cases have reserved; or of all, and then the limits too."""
    async with pool.acquire() as connection:
        if case_ids is None:
            case_ids = [row["case_id"] for row in await connection.fetch(SQL.cases_with_units)]
            over = [_over(dict(row)) for row in await connection.fetch(SQL.units_over_limit)]
            if over:
                yield finding(ALL, CHECK, over, "")
        for case_id in case_ids:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                row = await connection.fetchrow(RECORDS.row_of_case, case_id)
                units = await connection.fetch(SQL.units_of_case, case_id)
            if units or (row is not None and row["snapshot"].get("reserved_units")):
                yield finding(
                    case_id,
                    CHECK,
                    list(unit_faults(case_id, row, [dict(unit) for unit in units])),
                    f"{len(units)} reserved",
                )


def unit_faults(case_id: str, row: Any, units: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the table has of a case and the case does not bear out, and the other way round."""
    if row is None:
        yield f"reservation-alone: {case_id}: {len(units)} reserved, and there is no such case"
        return
    over = row["ended"] or row["closed_at"] is not None
    own = {unit["purpose"]: unit["standing"] for unit in row["snapshot"].get("reserved_units", ())}
    stands = {unit["purpose"]: unit["standing"] for unit in units}
    for purpose, standing in stands.items():
        if purpose not in own:
            yield f"reservation-unknown: {case_id} {purpose}: the case has not asked for it"
        elif over and standing == "held":
            yield f"reservation-outlives: {case_id} {purpose}: the case is over"
    for purpose, standing in own.items():
        has = stands.get(purpose, "nothing")
        if standing == "spent" and has not in ({"spent"} if over else {"held", "spent"}):
            yield f"reservation-lost: {case_id} {purpose}: the case has spent it, the table says {has}"
        elif standing == "held" and not over and has != "held":
            yield f"reservation-lost: {case_id} {purpose}: the case holds it, the table says {has}"


def _over(row: Mapping[str, Any]) -> str:
    return f"reservation-over: {row['kind']} {row['key']}: {row['used']} of {row['limit']}"
