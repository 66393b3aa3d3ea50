"""What is killed while the cluster works, and what the ledger shows of it: each role of Temporal, ours, both databases."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import structlog

from local.town.supervisor import Supervisor

KILLED = (
    "temporal-history-1",
    "temporal-frontend-1",
    "temporal-matching-1",
    "temporal-internal-frontend-1",
    "temporal-worker-1",
    "worker-1",
    "api-1",
    "archiver-1",
    "notices-1",
    "temporal-postgres",
    "postgres",
)
"""One of each role, and each database, in this order."""

EVERY_SECONDS = 7.0
LOOKED_AT = timedelta(seconds=EVERY_SECONDS)
"""What of the ledger belongs to a fault: until the next one."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Struck:
    """A process that was killed, and when; `silence_seconds`: the longest time after it in which the ledger got no row."""

    target: str
    at: datetime
    pid: int
    silence_seconds: float = 0.0


async def strike(supervisor: Supervisor, done: list[Struck]) -> None:
    """Kill one after the other (kill -9) at a fixed pace, and note it in `done`; the supervisor starts each again."""
    began = time.monotonic()
    for number, target in enumerate(KILLED, start=1):
        await asyncio.sleep(max(0.0, began + number * EVERY_SECONDS - time.monotonic()))
        while (pid := supervisor.pid_of(target)) is None:  # noqa: ASYNC110 - a supervisor tells nobody of a new life
            await asyncio.sleep(0.1)  # it died of a fault before this one, and comes back
        os.kill(pid, signal.SIGKILL)
        done.append(Struck(target, datetime.now(UTC), pid))
        log.info("fault", task=target, pid=pid)
    await asyncio.sleep(EVERY_SECONDS)


async def measured(pool: asyncpg.Pool, struck: list[Struck]) -> list[Struck]:
    """With how long the ledger was silent after each: between two rows, or from the fault to the first."""
    found = []
    for each in struck:
        rows = await pool.fetch(
            "select written_at from ledger where written_at between $1 and $2 order by 1", each.at, each.at + LOOKED_AT
        )
        times = [each.at, *(row["written_at"] for row in rows), each.at + LOOKED_AT]
        longest = max(after - before for before, after in pairwise(times))
        found.append(replace(each, silence_seconds=round(longest.total_seconds(), 1)))
    return found
