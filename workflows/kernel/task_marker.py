"""A command that a workflow task leaves behind, so that no replay takes it for a heartbeat of the flush (decision 0003)."""

import asyncio
from datetime import datetime

from temporalio import workflow

from schemas.kernel.case import CaseState
from workflows.kernel import steps


class TaskMarker:
    """Marks workflow tasks in which a case acts by itself and that have no command of their own.

    A timer, started by the one and cancelled by the next: an event each, and nothing that waits to be indexed
    (decision 0005). Cases from before show once more what they are listed by.
    """

    def __init__(self, state: CaseState) -> None:
        self._state = state
        self._marked_at: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    def ensure_command(self) -> None:
        """Leave a command in this workflow task, unless it has been left already."""
        if self._marked_at == workflow.now():
            return
        self._marked_at = workflow.now()
        if not self._state.charter.marks_by_timer:
            steps.tell_task_apart(self._state)
        elif self._timer is None or self._timer.done():
            self._timer = asyncio.create_task(steps.marker_timer())
        else:
            self._timer.cancel()
            self._timer = None

    async def drop(self) -> None:
        """No timer is left behind."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)
