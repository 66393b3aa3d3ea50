"""`make bench`: the standard case by every contender, in one run on one machine. Only ratios count: the machine is noisy.

python -m bench [--cases N] [--at-once K] [--pause SECONDS] [--rounds R] [--only NAME,…]
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from bench.contender import Contender, Measured, drive
from bench.contenders import BareTemporal, Ours, OverHttp, answers, bare_worker, pids_of, process
from engine.database import open_pool
from engine.keys import Keys
from engine.temporal import connect
from local.town import TownOptions, open_town
from local.town_processes import PROCESSES

RESULTS = Path(__file__).parent / "results"
NAMES = ("jiceng", "bare temporal", "bare fastapi", "dbos")
CLOCK_SPEED = 1.0


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two commands of a case")
    parser.add_argument("--rounds", type=int, default=3, help="each contender so often, in turn; the median counts")
    parser.add_argument("--only", default=",".join(NAMES))
    options = parser.parse_args()
    measured = asyncio.run(run(options.only.split(","), options))
    report(measured, options)


async def run(names: Sequence[str], options: argparse.Namespace) -> list[list[Measured]]:
    """Every contender in turn, round after round, so that a noisy minute is everybody's."""
    rounds: list[list[Measured]] = []
    async with contenders(names) as present:
        for contender in present:
            await drive(
                contender, 20, options.at_once, 0.0
            )  # caches, connections and compiled SQL: not what is measured
        for _ in range(options.rounds):
            one = [await drive(each, options.cases, options.at_once, options.pause) for each in present]
            rounds.append(one)
    return rounds


@asynccontextmanager
async def contenders(names: Sequence[str]) -> AsyncIterator[list[Contender]]:
    """A town with everything on, and beside it the others on its servers."""
    department_port, bare_port, dbos_port = free_port(), free_port(), free_port()
    department = f"http://127.0.0.1:{department_port}"
    os.environ["JICENG_DEPARTMENTS_URL"] = department
    processes = [each for each in PROCESSES if not each.demo]
    async with AsyncExitStack() as stack:
        stack.enter_context(process("bench.department", str(department_port)))
        await answers(department)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="jiceng-bench-"))
        town = await stack.enter_async_context(
            open_town(TownOptions(data=Path(folder), processes=processes, durable=True, speed=CLOCK_SPEED))
        )
        keys = Keys.of(town.settings)
        pool = await stack.enter_async_context(await open_pool(town.settings, process="bench"))
        bare = await Client.connect(town.settings.temporal_address)
        present: list[Contender] = []
        if "jiceng" in names:
            present.append(Ours(town, keys, pool, await connect(town.settings, keys)))
        if {"bare temporal", "bare fastapi"} & set(names):
            worker = await stack.enter_async_context(bare_worker(town.settings, department))
            if "bare temporal" in names:
                present.append(BareTemporal(town, bare, worker))
            if "bare fastapi" in names:
                api = stack.enter_context(process("bench.bare_api", town.settings.temporal_address, str(bare_port)))
                await answers(f"http://127.0.0.1:{bare_port}/docs")
                carried = pids_of(town, "temporal") | {"worker": worker, "api": api}
                present.append(OverHttp("bare fastapi", f"http://127.0.0.1:{bare_port}", carried, bare))
        if "dbos" in names:
            url = town.settings.database_url.get_secret_value()
            await pool.execute("create database bench_dbos")
            url = url.rpartition("/")[0] + "/bench_dbos"
            app = stack.enter_context(process("bench.dbos_case", url, department, str(dbos_port)))
            await answers(f"http://127.0.0.1:{dbos_port}/docs")
            carried = pids_of(town, "postgres") | {"app": app}
            present.append(OverHttp("dbos", f"http://127.0.0.1:{dbos_port}", carried, None))
        yield present


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def report(rounds: list[list[Measured]], options: argparse.Namespace) -> None:
    """A table for people, a file for the next comparison."""
    table = Table(title=f"{options.cases} cases, {options.at_once} at once, {options.pause} s between commands")
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
