"""The numbers of children: whoever reaches Temporal can take one before its parent does, for it is made of the parent's."""

from collections.abc import Callable

import asyncpg
import structlog
from temporalio import activity
from temporalio.client import Client

from engine.execution.case_runs import NUMBER_TAKEN, CaseStart, run_under, take_back
from engine.store.database import Queries
from engine.store.refusals import KEEP, out_of_place
from schemas.kernel.child_number import ChildNumber, ChildStanding

log = structlog.get_logger()


class ChildrenQueries(Queries):
    """engine/queries/children.sql."""

    parent_of: str


SQL = ChildrenQueries.load("children")


class Children:
    """The doer that finds out whose run stands under the number of a child, and ends it where it is nobody's of the town."""

    def __init__(self, client: Client, pool: asyncpg.Pool, count_taken: Callable[[], None]) -> None:
        """`count_taken` is told of each run of somebody else's."""
        self._client = client
        self._pool = pool
        self._count_taken = count_taken

    @activity.defn
    async def free_child_number(self, asked: ChildNumber) -> ChildStanding:
        """Say whether the child stands; if not, nothing has its number any more. Raises RPCError, to be tried again.

        The child stands when its row names this parent, or when its run is of this parent and waits to be taken up. The look
        at the run comes before the look into the books: a child that has ended meanwhile stands in them.
        """
        queue = activity.info().task_queue
        start = CaseStart(asked.child, asked.procedure, queue, asked.opening, parent=asked.case_id)
        found = await run_under(self._client, start)
        own = found is not None and found.fault is None and found.running
        if own or await self._pool.fetchval(SQL.parent_of, asked.child) == asked.case_id:
            return ChildStanding(stands=True)
        if found is not None and found.fault is not None:
            log.error("number_taken", case_id=asked.child, fault=found.fault)
            self._count_taken()
            await self._pool.execute(KEEP, *out_of_place(asked.child, NUMBER_TAKEN))
        if found is not None:
            await take_back(self._client, start, found)
        return ChildStanding(stands=False)
