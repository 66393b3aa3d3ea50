"""The order in which what runs beside each other in a case goes on, where several of them can (decision 0006)."""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from temporalio import workflow

from schemas.kernel.case import CaseState


class Priority(IntEnum):
    """Who goes on, the first one first: the ledger writes last, what the others have recorded."""

    STORY = 1
    CLOCKS = 2
    ERRAND_WAITING = 3
    ERRAND_DISPATCH = 4
    LEDGER = 5


class _Waiting(NamedTuple):
    priority: Priority
    about: str
    condition: Callable[[], bool]
    called: asyncio.Future[None]


class WakeOrder:
    """Wakes whoever waits in the order of `Priority`, and not in that in which they began to wait, as Temporal does.

    A replay that takes heartbeats of a slow flush for one workflow task lets them begin in another order, and the commands
    of what comes after would be in another order too. Cases from before are woken as they were.
    """

    def __init__(self, state: CaseState) -> None:
        self._state = state
        self._waiting: list[_Waiting] = []

    async def until(self, condition: Callable[[], bool], priority: Priority, about: str = "") -> None:
        """Wait for a condition; `about` tells apart who waits with the same priority."""
        if not self._state.charter.takes_turns:
            await workflow.wait_condition(condition)
            return
        waiting = _Waiting(priority, about, condition, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            await waiting.called
        finally:
            self._waiting = [each for each in self._waiting if each is not waiting]

    async def run(self) -> None:
        """Call whoever may go on, until cancelled."""
        while True:
            await workflow.wait_condition(lambda: any(each.condition() for each in self._waiting))
            due = [each for each in self._waiting if each.condition()]
            for each in sorted(due, key=lambda each: (each.priority, each.about)):
                if not each.called.done():
                    each.called.set_result(None)
