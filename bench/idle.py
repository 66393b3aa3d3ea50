"""`python -m bench.idle`: what a town costs in which nobody does anything. Memory, CPU and seconds until it is ready, by process.

    python -m bench.idle [--seconds 60] [--rounds 2] [--demo]

Memory is PSS (what processes share counts once, divided among them), of it the part that is nobody's file: pages of a program's
file can be given back. CPU is what the system counted, not the time on the wall; while others use the machine it is a little more.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from engine.runtime.settings import PROJECT

SETTLING_SECONDS = 20.0
POSTGRES = "postgres"
ABOVE = "jiceng up"


@dataclass(frozen=True)
class Part:
    """The processes of one name; memory in MiB, CPU in seconds."""

    name: str
    processes: int
    pss: float
    anonymous: float
    cpu_started: float
    cpu_idle: float


def main() -> None:
    """Bring a town up, watch it do nothing, print the table; round after round."""
    parser = argparse.ArgumentParser(prog="bench.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="so long it is watched")
    parser.add_argument("--rounds", type=int, default=2, help="each in an empty folder")
    parser.add_argument("--demo", action="store_true", help="with simulated departments and people")
    options = parser.parse_args()
    for number in range(1, options.rounds + 1):
        with town(demo=options.demo) as (above, folder, ready):
            parts = watched(above, folder, options.seconds)
        show(parts, ready, options.seconds, f"round {number}")


@contextmanager
def town(*, demo: bool) -> Iterator[tuple[psutil.Process, Path, float]]:
    """A town as a person starts it, in an empty folder; the process above it, the folder, and the seconds until it was ready."""
    with tempfile.TemporaryDirectory(prefix="jiceng-idle-") as name:
        folder = Path(name) / "town"
        command = [
            sys.executable,
            "-P",
            "-m",
            "cli",
            "up",
            "--json",
            "--data",
            str(folder),
            *(["--demo"] if demo else []),
        ]
        began = time.monotonic()
        with (Path(name) / "log").open("wb") as log:
            above = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=log)  # noqa: S603 - our own
        assert above.stdout is not None  # noqa: S101 - asked for
        try:
            if not above.stdout.readline():
                sys.exit((Path(name) / "log").read_text(encoding="utf-8"))
            yield psutil.Process(above.pid), folder, time.monotonic() - began
        finally:
            above.terminate()
            above.wait()
            above.stdout.close()


def watched(above: psutil.Process, folder: Path, seconds: float) -> list[Part]:
    """What each part of a town keeps and uses while nobody does anything, the largest first."""
    time.sleep(SETTLING_SECONDS)
    names = {life["pid"]: name for name, life in json.loads((folder / "children.json").read_text("utf-8")).items()}
    names[above.pid] = ABOVE
    everybody = [above, *above.children(recursive=True)]
    started = {each.pid: _cpu(each) for each in everybody}
    time.sleep(seconds)
    processes: Counter[str] = Counter()
    pss, anonymous, at_start, idle = (defaultdict[str, float](float) for _ in range(4))
    for each in everybody:
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):
            name = names.get(each.pid) or names.get(each.ppid(), POSTGRES)
            kept = _kept(each.pid)
            pss[name] += kept["Pss"]
            anonymous[name] += kept["Pss_Anon"]
            at_start[name] += started[each.pid]
            idle[name] += _cpu(each) - started[each.pid]
            processes[name] += 1
    return [
        Part(name, processes[name], kept, anonymous[name], at_start[name], idle[name])
        for name, kept in sorted(pss.items(), key=lambda each: -each[1])
    ]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _kept(pid: int) -> dict[str, float]:
    """MiB by kind."""
    lines = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]]
    return {name.rstrip(":"): int(kilobytes) / 1024 for name, kilobytes, *_ in lines}


def show(parts: Sequence[Part], ready: float, seconds: float, title: str) -> None:
    """A table for people."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    table = Table(title=f"{title}: ready after {ready:.1f} s; idle for {seconds:.0f} s; load {load}")
    for heading in ("part", "processes", "PSS MiB", "without files", "CPU s to start", "CPU s idle", "% of a core"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for part in (*parts, _whole(parts)):
        table.add_row(
            part.name,
            str(part.processes),
            f"{part.pss:.0f}",
            f"{part.anonymous:.0f}",
            f"{part.cpu_started:.2f}",
            f"{part.cpu_idle:.2f}",
            f"{100 * part.cpu_idle / seconds:.2f}",
        )
    Console(width=120).print(table)


def _whole(parts: Sequence[Part]) -> Part:
    return Part(
        "sum",
        sum(part.processes for part in parts),
        sum(part.pss for part in parts),
        sum(part.anonymous for part in parts),
        sum(part.cpu_started for part in parts),
        sum(part.cpu_idle for part in parts),
    )


if __name__ == "__main__":
    main()
