"""Waiting for what nobody announces: asked again, a little later each time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

FoundT = TypeVar("FoundT")
SOONEST_SECONDS = 0.05
LATEST_SECONDS = 1.0


async def until(ask: Callable[[], Awaitable[FoundT | None]], within_seconds: float) -> FoundT:
    """Ask until something is found that counts as true; that. Raises TimeoutError."""
    began = time.monotonic()
    while not (found := await ask()):
        waited = time.monotonic() - began
        if waited > within_seconds:
            raise TimeoutError(f"waited {waited:.0f} s in vain: {ask}")
        await asyncio.sleep(min(LATEST_SECONDS, max(SOONEST_SECONDS, waited / 10)))
    return found
