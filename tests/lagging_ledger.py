"""A disk so slow that flushes outlast their workflow tasks."""

from collections.abc import Sequence

import asyncpg
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from activities.ledger import Ledger
from schemas.audit.ledger import Batch, FlushReceipt

HEARTBEATS = 2
"""As many tasks that only keep the workflow task alive while a flush waits for the disk; one each 3.2 seconds."""


class LaggingLedger(Ledger):
    """The real ledger; its flushes wait until the workflow task in which they began, and the one that kept it alive, are over."""

    def __init__(self, pool: asyncpg.Pool, temporal: Client, flushes: int | None = None) -> None:
        """`flushes`: so many lag, and then no more; all, unless that is said."""
        super().__init__(pool)
        self._temporal = temporal
        self._left = flushes

    async def write(self, batch: Batch) -> FlushReceipt:
        if self._left is None or self._left > 0:
            await self._lag(batch)
            self._left = None if self._left is None else self._left - 1
        return await super().write(batch)

    async def _lag(self, batch: Batch) -> None:
        case = self._temporal.get_workflow_handle(batch.entries[0].case_id, run_id=batch.run_id)
        left = _completed((await case.fetch_history()).events) + HEARTBEATS
        async for event in case.fetch_history_events(wait_new_event=True):
            left -= _completed([event])
            if left == 0:
                break


def _completed(events: Sequence[HistoryEvent]) -> int:
    return sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in events)
