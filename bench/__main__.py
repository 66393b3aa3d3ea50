"""`make bench`: a shape of case by every contender, in one run on one machine. Only ratios count: the machine is noisy.

python -m bench [--shape standard|whistle|welfare] [--cases N] [--at-once K] [--pause SECONDS] [--rounds R] [--only NAME,…]
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from bench.contender import Contender, Measured, drive
from bench.contenders import BareTemporal, OverHttp
from bench.ours import Ours
from bench.processes import answers, bare_worker, pids_of, process
from bench.shape import STANDARD, Shape
from bench.wide_shapes import WELFARE, WHISTLE
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.store.database import open_pool
from local.town.ports import hold_ports
from local.town.town import TownOptions, open_town
from local.town.town_processes import PROCESSES

RESULTS = Path(__file__).parent / "results"
SHAPES = {each.name: each for each in (STANDARD, WHISTLE, WELFARE)}
NAMES = ("jiceng", "bare temporal", "bare fastapi", "dbos")
WIDE_NAMES = NAMES[:2]
CLOCK_SPEED = 1.0
WARMING = 20


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, default=STANDARD.name)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two commands of a case")
    parser.add_argument("--rounds", type=int, default=3, help="each contender so often, in turn; the median counts")
    parser.add_argument("--only", help=f"{','.join(NAMES)}; the wide shapes have the first two")
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    present = NAMES if shape is STANDARD else WIDE_NAMES
    names = options.only.split(",") if options.only else present
    if unknown := set(names) - set(present):
        parser.error(f"no contender for this shape: {', '.join(sorted(unknown))}")
    measured = asyncio.run(run(shape, names, options))
    report(measured, options)


async def run(shape: Shape, names: Sequence[str], options: argparse.Namespace) -> list[list[Measured]]:
    """Every contender in turn, round after round, so that a noisy minute is everybody's."""
    rounds: list[list[Measured]] = []
    numbers = count()
    async with contenders(shape, names) as present:
        for contender in present:  # caches, connections and compiled SQL: not what is measured
            await drive(contender, shape, list(islice(numbers, WARMING)), options.at_once, 0.0)
        for _ in range(options.rounds):
            given = list(islice(numbers, options.cases))
            one = [await drive(each, shape, given, options.at_once, options.pause) for each in present]
            rounds.append(one)
    return rounds


@asynccontextmanager
async def contenders(shape: Shape, names: Sequence[str]) -> AsyncIterator[list[Contender]]:
    """A town with everything on, and beside it the others on its servers."""
    processes = [each for each in PROCESSES if not each.demo]
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(hold_ports(("outside", "bare", "dbos"), None, {}))
        outside_port, bare_port, dbos_port = ports["outside"], ports["bare"], ports["dbos"]
        outside = f"http://127.0.0.1:{outside_port}"
        os.environ["JICENG_DEPARTMENTS_URL"] = os.environ["JICENG_SOURCES_URL"] = outside
        stack.enter_context(process("bench.outside", str(outside_port)))
        await answers(outside)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-bench-"))
        town = await stack.enter_async_context(
            open_town(TownOptions(data=Path(folder), processes=processes, durable=True, speed=CLOCK_SPEED))
        )
        keys = Keys.of(town.settings)
        pool = await stack.enter_async_context(await open_pool(town.settings, process="bench"))
        temporal = town.settings.temporal_address
        bare = await Client.connect(temporal)
        present: list[Contender] = []
        if "jiceng" in names:
            ours = Ours(town, keys, pool, await connect(town.settings, keys), shape)
            await ours.prepare()
            present.append(ours)
        if {"bare temporal", "bare fastapi"} & set(names):
            program = "bench.bare_case" if shape is STANDARD else "bench.bare_wide"
            worker = await stack.enter_async_context(bare_worker(program, temporal, outside))
            if "bare temporal" in names:
                present.append(BareTemporal(town, bare, worker, shape))
            if "bare fastapi" in names:
                api = stack.enter_context(process("bench.bare_api", temporal, str(bare_port)))
                await answers(f"http://127.0.0.1:{bare_port}/docs")
                carried = pids_of(town, "temporal") | {"worker": worker, "api": api}
                present.append(OverHttp("bare fastapi", f"http://127.0.0.1:{bare_port}", carried, bare, shape))
        if "dbos" in names:
            url = town.settings.database_url.get_secret_value()
            app = stack.enter_context(process("bench.dbos_case", url, outside, str(dbos_port)))
            await answers(f"http://127.0.0.1:{dbos_port}/docs")
            carried = pids_of(town, "postgres") | {"app": app}
            present.append(OverHttp("dbos", f"http://127.0.0.1:{dbos_port}", carried, None, shape))
        yield present


def report(rounds: list[list[Measured]], options: argparse.Namespace) -> None:
    """A table for people, a file for the next comparison."""
    table = Table(
        title=f"{options.shape}: {options.cases} cases, {options.at_once} at once, {options.pause} s between commands"
    )
    for heading in ("contender", "cases/s", "ratio", "p50 ms", "p99 ms", "CPU ms per case", "events", "bytes", "rows"):
        table.add_column(heading)
    lines = [summary([each[place] for each in rounds]) for place in range(len(rounds[0]))]
    ours = next((line for line in lines if line["name"] == "jiceng"), lines[0])
    for line in lines:
        cpu = ", ".join(f"{name} {spent:.0f}" for name, spent in line["cpu"].items())
        weight = line["weight"]
        table.add_row(
            line["name"],
            f"{line['per_second']:.1f}",
            f"{ours['per_second'] / line['per_second']:.2f}",
            f"{line['p50']:.0f}",
            f"{line['p99']:.0f}",
            f"{sum(line['cpu'].values()):.0f} ({cpu})",
            *(f"{weight[name]:.0f}" if name in weight else "-" for name in ("events", "history_bytes", "rows")),
        )
    Console(width=170).print(table)
    RESULTS.mkdir(exist_ok=True)
    at = datetime.now(UTC)
    said = {
        "at": at.isoformat(timespec="seconds"), "machine": platform.machine(), "cores": os.cpu_count(),
        "load": os.getloadavg()[0], "options": vars(options), "contenders": lines,
    }  # fmt: skip
    (RESULTS / f"{at:%Y%m%d-%H%M%S}.json").write_text(json.dumps(said, indent=1), encoding="utf-8")


def summary(measured: list[Measured]) -> dict[str, Any]:
    """The median over the rounds."""
    first = measured[0]
    return {
        "name": first.name,
        "per_second": median(each.per_second for each in measured),
        "p50": median(each.percentile(0.5) for each in measured),
        "p99": median(each.percentile(0.99) for each in measured),
        "cpu": {name: median(each.cpu[name] for each in measured) for name in first.cpu},
        "weight": first.weight,
    }


if __name__ == "__main__":
    main()
