"""Writing the ledger while somebody listens: announced by the commit of each writing, and told afterwards.

    python -m bench.announcing [--writers N] [--seconds S] [--rounds R]

Each writer writes one entry after the other of a case of its own, by what a worker writes with. Both ways take turns, with the
disk as it is and with commits that take a tenth of a second longer. `heard` is from the end of a writing until who listens
hears of it, as an API does: so much later a `wait=` is woken.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median, quantiles

import asyncpg
from rich.console import Console
from rich.table import Table

from bench.same_ledger import SameLedger
from bench.slow_disk import DISKS, commits_take
from engine.store.announcer import Announcer
from engine.store.database import open_pool
from local.town.town import TownOptions, open_town

P95 = 18
CHANNEL = "told"
WAYS = ("by the commit", "afterwards")
WARMING_SECONDS = 1.0


@dataclass(frozen=True)
class Written:
    """What came of a time of writing: writings a second, and seconds until each was heard of.

    `unheard`: of how many nobody was told, nor of a later one of their case.
    """

    per_second: float
    heard: list[float]
    unheard: int


async def run(writers: int, seconds: float, rounds: int) -> dict[tuple[str, str], list[Written]]:
    """Every time of writing, by disk and way."""
    found: dict[tuple[str, str], list[Written]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-announcing-")))
        town = await stack.enter_async_context(open_town(TownOptions(folder, processes=())))
        wide = town.settings.model_copy(update={"database_connections": writers + 1})
        pool = await stack.enter_async_context(await open_pool(wide, process="bench"))
        numbers = count(1)
        announcer = await stack.enter_async_context(Announcer(pool))
        ledgers = dict(zip(WAYS, (SameLedger(pool), SameLedger(pool, announcer)), strict=True))
        url = town.settings.database_url.get_secret_value()
        for ledger in ledgers.values():
            await write(url, ledger, _cases(numbers, writers), WARMING_SECONDS)
        for disk, slower in DISKS:
            await commits_take(town, folder, slower)
            for _ in range(rounds):
                for way, ledger in ledgers.items():
                    one = await write(url, ledger, _cases(numbers, writers), seconds)
                    found.setdefault((disk, way), []).append(one)
            await commits_take(town, folder, 0)
    return found


async def write(url: str, ledger: SameLedger, cases: list[str], seconds: float) -> Written:
    """Write entries of these cases for so long, one writer to each."""
    stood: dict[str, list[tuple[str, float]]] = {case: [] for case in cases}
    heard: dict[str, float] = {}

    def hear(_connection: object, _pid: int, _channel: str, word: object) -> None:
        heard.setdefault(str(word).partition(" ")[2], time.perf_counter())

    listener = await asyncpg.connect(url)
    await listener.add_listener(CHANNEL, hear)
    began = time.perf_counter()

    async def one(case: str) -> None:
        seq, head = 0, ""
        while time.perf_counter() - began < seconds:
            seq += 1
            head = await ledger.write(case, seq, head, "writing")
            stood[case].append((head, time.perf_counter()))

    await asyncio.gather(*(one(case) for case in cases))
    took = time.perf_counter() - began
    await asyncio.sleep(0.5)
    await listener.close()
    waited = [each for of_case in stood.values() for each in _until_heard(of_case, heard)]
    return Written(len(waited) / took, [each for each in waited if each is not None], waited.count(None))


def _until_heard(stood: Sequence[tuple[str, float]], heard: Mapping[str, float]) -> Iterator[float | None]:
    """From each writing of a case until a word about it or about a later one; None where there was none."""
    word: float | None = None
    for head, at in reversed(stood):
        word = min((each for each in (word, heard.get(head)) if each is not None), default=None)
        yield None if word is None else max(word - at, 0.0)


def _cases(numbers: "count[int]", writers: int) -> list[str]:
    return [f"incident-20261123-{number:06d}" for number in islice(numbers, writers)]


def report(found: dict[tuple[str, str], list[Written]], writers: int) -> None:
    """A table for people."""
    table = Table(title=f"{writers} writers, two ways by turns; load {os.getloadavg()[0]:.1f}")
    for heading in ("commits", "told", "writings/s", "ratio", "heard after, p50 ms", "p95 ms", "not heard of"):
        table.add_column(heading)
    for (disk, way), times in found.items():
        rate = median(each.per_second for each in times)
        by_commit = median(each.per_second for each in found[disk, WAYS[0]])
        heard = [each * 1000 for one in times for each in one.heard]
        table.add_row(
            disk, way, f"{rate:.0f}", f"{rate / by_commit:.2f}", f"{median(heard):.1f}", f"{quantiles(heard, n=20)[P95]:.1f}",
            str(sum(each.unheard for each in times)),
        )  # fmt: skip
    Console(width=150).print(table)


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(prog="bench.announcing")
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    report(asyncio.run(run(options.writers, options.seconds, options.rounds)), options.writers)


if __name__ == "__main__":
    main()
