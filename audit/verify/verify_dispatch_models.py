"""Can every proposal that stands in a case still be explained? The model that it names has to be there, as it was.

model-gone      a case names a model that is not kept
model-damaged   what is kept under a digest is not the model with that digest
"""

from collections.abc import AsyncIterator, Sequence

import asyncpg

from audit.verify.verify import finding
from engine.store.dispatch_models import SQL, ModelDamaged, kept_model
from schemas.kernel.findings import Finding

CHECK = "models"
ALL = "dispatch-models"
"""In place of a case number, in findings about what no single case has."""


async def verify_dispatch_models(pool: asyncpg.Pool, case_ids: Sequence[str] | None = None) -> AsyncIterator[Finding]:
    """Verify each model that is kept, and that those are kept which cases name: the named cases, or all."""
    async with pool.acquire() as connection:
        kept = [str(row["sha256"]) for row in await connection.fetch(SQL.listed)]
        damaged = [sha256 for sha256 in kept if await _is_damaged(connection, sha256)]
        if kept:
            faults = [f"model-damaged: {sha256[:12]}: what is kept is another model" for sha256 in damaged]
            yield finding(ALL, CHECK, faults, f"{len(kept)} models")
        for row in await connection.fetch(SQL.named_and_gone, None if case_ids is None else list(case_ids)):
            yield finding(
                row["case_id"], CHECK, [f"model-gone: {row['case_id']}: model {row['model'][:12]} is gone"], ""
            )


async def _is_damaged(connection: asyncpg.pool.PoolConnectionProxy, sha256: str) -> bool:
    try:
        await kept_model(connection, sha256)
    except ModelDamaged:
        return True
    return False
