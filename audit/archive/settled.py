"""Submissions and notices that are settled end after the months of policies/privacy.yaml: the archiver takes them out.

The ledger has what came of them, and the history is archived; what ends here answered repeats, and kept a notice from being
told twice. A row is looked at once, in the order in which rows came, so that the work is that of a day however old a town is.
"""

import asyncpg
import structlog

from engine.store.database import Queries

log = structlog.get_logger()

ROWS_AT_ONCE = 2000
"""A statement holds the rows that it takes out until its end: some ten milliseconds of them."""


class SettledQueries(Queries):
    """engine/queries/settled.sql."""

    end_submissions: str
    end_notices: str


SQL = SettledQueries.load("settled")


async def end_settled(pool: asyncpg.Pool, months: int, rows_at_once: int = ROWS_AT_ONCE) -> int:
    """Take out what is settled and older than so many months; how many rows that were. Raises what asyncpg raises."""
    ended = 0
    for query in (SQL.end_submissions, SQL.end_notices):
        while (more := await pool.fetchval(query, months, rows_at_once)) is not None:
            ended += more
    if ended:
        log.info("settled_ended", count=ended)
    return ended
