"""What a case costs in a town that carries many, how fast many come in, and what the processes keep in memory meanwhile.

    python -m bench.load [OPEN …]     with 1,000 and with 10,000 open cases by default, after none

The open cases are imported from a file (`jiceng import`), as a hotline would hand over its backlog. Ratios are against the
empty town; memory is that of the processes, in MB.
"""

import asyncio
import csv
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.__main__ import WARMING, contenders
from bench.contender import Measured, drive
from bench.ours import Ours
from bench.processes import megabytes
from bench.shape import STANDARD
from engine.keys.keys import Keys
from local.real.importer import ImportOptions, import_file
from local.simulation.simulation import tokens
from local.simulation.townspeople import Persona
from schemas.values.actor import Role

CASES = 200
AT_ONCE = 16
CLERK = Persona("importer-bench", Role.WINDOW_CLERK)
CATEGORIES = ("环境卫生", "交通运输", "劳动和社会保障", "城乡建设")
TEXT = "小区北门外的垃圾堆放点多日无人清运,气味难闻,下雨后污水流到路面,老人和孩子经过时容易滑倒,希望尽快处理。"


class Silent:
    """Who is told how an import goes, and tells nobody."""

    def begun(self, rows: int) -> None:
        """So many rows will be sent."""

    def sent(self) -> None:
        """One more row is dealt with."""

    def waiting(self, closed: int, total: int) -> None:
        """So many of the cases are closed by now."""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    open_cases: int
    rows_per_second: float | None
    measured: Measured
    megabytes: Mapping[str, float]


async def run(numbers: list[int]) -> list[Line]:
    """Measure the standard case in the empty town, and each time that so many cases are open."""
    lines: list[Line] = []
    driven = count()
    async with contenders(STANDARD, ["jiceng"]) as present:
        ours = present[0]
        assert isinstance(ours, Ours)  # noqa: S101 - it is what was asked for
        await drive(ours, STANDARD, list(islice(driven, WARMING)), AT_ONCE, 0.0)
        imported = 0
        for number in [0, *numbers]:
            rate = await _import(ours, imported, number) if number > imported else None
            imported = number
            measured = await drive(ours, STANDARD, list(islice(driven, CASES)), AT_ONCE, 0.0)
            lines.append(Line(number, rate, measured, megabytes(ours.processes())))
    return lines


async def _import(ours: Ours, first: int, last: int) -> float:
    """Import rows until so many are open; rows per second."""
    with tempfile.TemporaryDirectory(prefix="jiceng-load-") as folder:
        file = Path(folder) / "messages.csv"
        await asyncio.to_thread(_write, file, first, last)
        token_for = tokens(ours.town.settings, Keys.of(ours.town.settings))
        options = ImportOptions(file=file, api_url=ours.town.settings.api_url, token=lambda: token_for(CLERK))
        report = await import_file(options, Silent())
        if not report.well or report.started != last - first:
            raise RuntimeError(f"not all were imported: {report}")
        await ours.rest()
        return report.cases_per_second


def _write(file: Path, first: int, last: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["message_id", "user", "subject", "submitted_at", "text", "category"])
        for row in range(first, last):
            category = CATEGORIES[row % len(CATEGORIES)]
            rows.writerow([row, f"A{row:08d}", "垃圾无人清运", "2026-11-01T09:00:00+08:00", f"{TEXT}({row})", category])


def report(lines: list[Line]) -> None:
    """A table for people."""
    table = Table(title=f"the standard case, {AT_ONCE} at once, by how many others are open")
    for heading in ("open", "imported rows/s", "cases/s", "CPU ms per case", "ratio", "MB"):
        table.add_column(heading)
    alone = sum(lines[0].measured.cpu.values())
    for line in lines:
        cpu = line.measured.cpu
        table.add_row(
            f"{line.open_cases:,}",
            f"{line.rows_per_second:.1f}" if line.rows_per_second else "-",
            f"{line.measured.per_second:.1f}",
            f"{sum(cpu.values()):.0f} ({', '.join(f'{name} {spent:.0f}' for name, spent in cpu.items())})",
            f"{sum(cpu.values()) / alone:.2f}",
            ", ".join(f"{name} {size:.0f}" for name, size in line.megabytes.items()),
        )
    Console(width=170).print(table)


if __name__ == "__main__":
    report(asyncio.run(run([int(number) for number in sys.argv[1:]] or [1_000, 10_000])))
