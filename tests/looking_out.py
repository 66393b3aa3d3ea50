"""Cases that look at what no case may look at: who guards against it is tried with them (tests/engine/test_loaded_once.py)."""

import random
import time
from collections.abc import Callable
from pathlib import Path

from temporalio import workflow

LOADED: list[int] = []


@workflow.defn
class LooksOut:
    """Looks where it is told to, and says how often its code was loaded as it sees it."""

    @workflow.run
    async def run(self, where: str) -> int:
        """Only at `nothing` may it look."""
        looks: dict[str, Callable[[], object]] = {
            "nothing": lambda: 0,
            "the clock": time.time,
            "chance": random.random,
            "the machine": lambda: Path("/etc/hostname").read_text(encoding="utf-8"),
            "another case": lambda: LOADED.append(1),
        }
        looks[where]()
        return len(LOADED)
