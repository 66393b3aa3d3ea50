"""The database is told which facts refer to what, so that it notes for itself in which cases persons and documents stand."""

from collections.abc import Iterable

import asyncpg

from engine.store.database import Queries
from schemas.kernel.procedure import Procedure


class FactReferenceQueries(Queries):
    """engine/queries/fact_references.sql."""

    declare: str


SQL = FactReferenceQueries.load("fact_references")


async def declare_references(pool: asyncpg.Pool, procedures: Iterable[Procedure]) -> None:
    """Write down what these procedures declare; what others declared, or these earlier, stays. Again changes nothing."""
    declared = [
        (str(kind), path, refers.value)
        for procedure in procedures
        for kind, facts in procedure.all_references().items()
        for path, refers in facts.items()
    ]
    if not declared:
        return
    await pool.execute(SQL.declare, *(list(column) for column in zip(*declared, strict=True)))
