"""Reports that come in at one moment, taken by one API and by two: how many a second, and who waits for whom in Postgres.

    python -m bench.starts [--starts N] [--rounds R]

There is no worker: a start is measured to its 202, when it is kept. Once with the disk as it is, and once with commits that take
a tenth of a second longer (`commit_delay`), as on a slow disk: then the machine's cores are not what limits, and a lock that is
held to the commit shows. One API and two take turns, round after round; between two of them all that came in is delivered.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median, quantiles

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench.processes import answers
from bench.shape import REPORT
from bench.slow_disk import DISKS, commits_take
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import PROJECT
from engine.store.database import open_pool
from local.town.ports import LOOPBACK, hold_ports
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES, environment_of
from schemas.values.actor import Role

STARTS = 200
ROUNDS = 3
WARMING = 20
SAMPLE_SECONDS = 0.005
P95 = 18


@dataclass(frozen=True)
class Storm:
    """How one moment's reports were taken. `waited`: seconds that sessions waited for locks of others, all together.

    `turned_away`: how many were told to come again (503), and are in no other figure.
    """

    seconds: float
    took: list[float]
    waited: float
    turned_away: int

    @property
    def per_second(self) -> float:
        """Reports in a second."""
        return len(self.took) / self.seconds


async def run(starts: int, rounds: int) -> dict[tuple[str, int], list[Storm]]:
    """Every storm, by disk and number of APIs."""
    found: dict[tuple[str, int], list[Storm]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-starts-")))
        processes = [each for each in PROCESSES if each.name == "api"]
        os.environ["JICENG_DELIVERY_PATIENCE_SECONDS"] = "0.001"  # nobody takes the cases up
        town = await stack.enter_async_context(open_town(TownOptions(folder, processes=processes)))
        pool = await stack.enter_async_context(await open_pool(town.settings, process="bench"))
        second = stack.enter_context(_second_api(town))
        await answers(f"{second}/healthz")
        apis = [
            httpx.AsyncClient(base_url=each, trust_env=False, timeout=120) for each in (town.settings.api_url, second)
        ]
        numbers, keys = count(), Keys.of(town.settings)
        for disk, slower in DISKS:
            await storm(apis, keys, pool, list(islice(numbers, WARMING)))
            await commits_take(town, folder, slower)
            for _ in range(rounds):
                for some in (apis[:1], apis):
                    one = await storm(some, keys, pool, list(islice(numbers, starts)))
                    found.setdefault((disk, len(some)), []).append(one)
            await commits_take(town, folder, 0)
        for each in apis:
            await each.aclose()
    return found


async def storm(apis: Sequence[httpx.AsyncClient], keys: Keys, pool: asyncpg.Pool, numbers: Sequence[int]) -> Storm:
    """Send reports of so many residents at once, by turns to each API; return when they are delivered."""
    headers = [
        {
            "Authorization": f"Bearer {issue(keys, subject=f's-{each}', role=Role.RESIDENT)}",
            "Idempotency-Key": f"s-{each}",
        }
        for each in numbers
    ]
    took: list[float] = []
    turned_away: list[int] = []

    async def one(place: int) -> None:
        began = time.perf_counter()
        answer = await apis[place % len(apis)].post("/api/v1/incidents", json=dict(REPORT), headers=headers[place])
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            turned_away.append(place)
            return
        answer.raise_for_status()
        took.append(time.perf_counter() - began)

    async with _watched(pool) as waited:
        began = time.perf_counter()
        await asyncio.gather(*(one(place) for place in range(len(numbers))))
        seconds = time.perf_counter() - began
    while await pool.fetchval("select exists (select from intake where status = 'waiting')"):  # noqa: ASYNC110 - the APIs deliver
        await asyncio.sleep(0.1)
    return Storm(seconds, took, sum(waited), len(turned_away))


@asynccontextmanager
async def _watched(pool: asyncpg.Pool) -> AsyncIterator[list[float]]:
    """Looks every few milliseconds who waits for a lock; each look adds the time since the last, times who waits."""
    waited: list[float] = []

    async def look() -> None:
        before = time.perf_counter()
        while True:
            waiting = await pool.fetchval(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            now = time.perf_counter()
            waited.append(waiting * (now - before))
            before = now
            await asyncio.sleep(SAMPLE_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield waited
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@contextmanager
def _second_api(town: Town) -> Iterator[str]:
    """One more API of the town, as a process; its address."""
    with hold_ports(("second",), None, {}) as ports:
        url = f"http://{LOOPBACK}:{ports['second']}"
        other = town.settings.model_copy(update={"api_port": ports["second"], "api_url": url})
        running = subprocess.Popen(
            [sys.executable, "-m", "cli", "api"], cwd=PROJECT, env={**os.environ, **environment_of(other)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield url
        finally:
            running.terminate()
            running.wait(30)


def report(found: dict[tuple[str, int], list[Storm]], starts: int) -> None:
    """A table for people."""
    load = os.getloadavg()[0]
    table = Table(title=f"{starts} reports at once, the median of {len(next(iter(found.values())))}; load {load:.1f}")
    for heading in (
        "commits",
        "APIs",
        "starts/s",
        "ratio",
        "p50 ms",
        "p95 ms",
        "waited for locks, ms per start",
        "503",
    ):
        table.add_column(heading)
    for (disk, apis), storms in found.items():
        rate = median(each.per_second for each in storms)
        alone = median(each.per_second for each in found[disk, 1])
        took = [each * 1000 for storm_ in storms for each in storm_.took]
        waited = median(each.waited / len(each.took) * 1000 for each in storms)
        table.add_row(
            disk, str(apis), f"{rate:.0f}", f"{rate / alone:.2f}", f"{median(took):.0f}", f"{quantiles(took, n=20)[P95]:.0f}",
            f"{waited:.1f}", str(sum(each.turned_away for each in storms)),
        )  # fmt: skip
    Console(width=150).print(table)


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(prog="bench.starts")
    parser.add_argument("--starts", type=int, default=STARTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    report(asyncio.run(run(options.starts, options.rounds)), options.starts)


if __name__ == "__main__":
    main()
