"""What it costs that an account's requests are counted over all APIs: the same requests at three APIs of one town, by turns.

    python -m bench.rates [--accounts N] [--rounds R]

One API counts nothing, one as a town does (20 a second, 200 at once: a draw for ten requests), one draws for each request (a bucket
of less than twenty). Each account asks as often as its bucket lets it, one request after the other, two accounts at once; a new
round has new accounts. CPU is that of the API's process and of the Postgres of the town.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median, quantiles

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from bench.processes import answers
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import PROJECT
from local.town.ports import LOOPBACK, hold_ports
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import environment_of
from schemas.values.actor import Role

WAYS = {"counts nothing": (0.0, 10.0), "a draw for ten": (20.0, 10.0), "a draw for each": (20.0, 0.9)}
"""Requests a second of an account, and so many seconds' worth at once."""

PATHS = ("/api/v1/categories", "/api/v1/cases?limit=1")
"""One that asks the database nothing, and one that does."""

ACCOUNTS = 40
EACH = 18
AT_ONCE = 2
ROUNDS = 6
P95 = 18


@dataclass(frozen=True)
class Turn:
    """What one turn of requests took, in milliseconds each, and in CPU altogether."""

    took: list[float]
    cpu: float


@contextmanager
def api(town: Town, per_second: float, burst_seconds: float) -> Iterator[tuple[str, psutil.Process]]:
    """One more API of the town, as a process: its address, and the process."""
    with hold_ports(("rated",), None, {}) as ports:
        url = f"http://{LOOPBACK}:{ports['rated']}"
        other = town.settings.model_copy(update={"api_port": ports["rated"], "api_url": url})
        rates = {"JICENG_REQUESTS_PER_TOKEN": str(per_second), "JICENG_BURST_SECONDS": str(burst_seconds)}
        running = subprocess.Popen(
            [sys.executable, "-m", "cli", "api"], cwd=PROJECT, env={**os.environ, **environment_of(other), **rates},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield url, psutil.Process(running.pid)
        finally:
            running.terminate()
            running.wait(30)


async def run(accounts: int, rounds: int) -> dict[tuple[str, str], list[Turn]]:
    """Every turn, by path and way of counting."""
    found: dict[tuple[str, str], list[Turn]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-rates-")))
        town = await stack.enter_async_context(open_town(TownOptions(folder, processes=[])))
        apis = {way: stack.enter_context(api(town, *rate)) for way, rate in WAYS.items()}
        for url, _ in apis.values():
            await answers(f"{url}/healthz")
        keys, numbers = Keys.of(town.settings), count()
        for number in range(-1, rounds):  # the first one warms up
            for path in PATHS:
                ways = list(apis.items())
                turned = number % len(ways)  # each is first as often as last
                for way, (url, process) in ways[turned:] + ways[:turned]:
                    turn = await asked(url, path, process, keys, list(islice(numbers, accounts)))
                    if number >= 0:
                        found.setdefault((path, way), []).append(turn)
    return found


async def asked(url: str, path: str, process: psutil.Process, keys: Keys, accounts: list[int]) -> Turn:
    """Let each of these accounts ask as often as it may."""
    took: list[float] = []
    places = asyncio.Semaphore(AT_ONCE)
    tokens = [issue(keys, subject=f"busy-{each}", role=Role.COORDINATOR) for each in accounts]

    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:

        async def one(token: str) -> None:
            async with places:
                for _ in range(EACH):
                    began = time.perf_counter()
                    (await http.get(path, headers={"Authorization": f"Bearer {token}"})).raise_for_status()
                    took.append((time.perf_counter() - began) * 1000)

        before = cpu_of(process)
        await asyncio.gather(*map(one, tokens))
        return Turn(took, cpu_of(process) - before)


def cpu_of(process: psutil.Process) -> float:
    """Seconds of CPU of an API and of its town's Postgres, which works in a folder of the town."""
    town = Path(process.environ()["JICENG_DATA"])
    total = 0.0
    for each in [process, *psutil.process_iter(["name"])]:
        try:
            if each is process or (each.info["name"] == "postgres" and Path(each.cwd()).is_relative_to(town)):
                times = each.cpu_times()
                total += times.user + times.system
        except psutil.Error:
            continue
    return total


def report(found: dict[tuple[str, str], list[Turn]]) -> None:
    """A table for people."""
    table = Table(title=f"the median of {len(next(iter(found.values())))} turns; load {os.getloadavg()[0]:.1f}")
    for heading in ("request", "way", "p50 ms", "p95 ms", "CPU ms a request"):
        table.add_column(heading)
    for (path, way), turns in found.items():
        p50 = median(median(each.took) for each in turns)
        p95 = median(quantiles(each.took, n=20)[P95] for each in turns)
        cpu = median(each.cpu * 1000 / len(each.took) for each in turns)
        table.add_row(path, way, f"{p50:.2f}", f"{p95:.2f}", f"{cpu:.2f}")
    Console(width=120).print(table)


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(prog="bench.rates")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    report(asyncio.run(run(options.accounts, options.rounds)))


if __name__ == "__main__":
    main()
