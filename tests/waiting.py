"""How tests wait: for a condition, with a deadline; never for a length of time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

import psutil

SHORTEST_SECONDS, LONGEST_SECONDS = 0.02, 0.25


async def eventually(predicate: Callable[[], bool | Awaitable[bool]], within: float = 30.0) -> None:
    """Return as soon as the predicate holds; fail the test when it does not within so many seconds.

    It is asked again after a tenth of what was waited already: whoever waits long keeps nobody from working.
    """
    began = time.monotonic()
    deadline = began + within
    while True:
        held = predicate()
        if await held if inspect.isawaitable(held) else held:
            return
        assert time.monotonic() < deadline, f"not true within {within} s: {_wanted(predicate)}"
        await asyncio.sleep(min(max((time.monotonic() - began) / 10, SHORTEST_SECONDS), LONGEST_SECONDS))


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended and that nobody has asked after does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _wanted(predicate: Callable[[], bool | Awaitable[bool]]) -> str:
    return inspect.getsource(predicate).strip() if inspect.isfunction(predicate) else str(predicate)
