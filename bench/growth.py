"""What people wait for when a town grows old: lists, inbox and indicators with many cases behind it.

    python -m bench.growth [ROWS …]     10,000 and 1,000,000 by default; as many open cases each time

The rows are made of one real case in SQL. Ratios are against the first number. Answers are of the same length each
time, a full page where it is a list: how much there is to say must not be taken for how long it takes to find.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.fill import OPEN, grow
from bench.shape import REPORT
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.store.database import open_pool
from local.town.town import Town, TownOptions, open_town
from schemas.values.actor import Role

ASKED = 200
ASKED_FOR_SECONDS = 10.0
"""What takes long is asked less often."""

P95 = 18


def questions(town: Town) -> dict[str, tuple[dict[str, str], str, dict[str, Any]]]:
    """What is asked, by name: headers, path, parameters."""
    keys = Keys.load(town.settings.key_folder)

    def who(role: Role, subject: str, area: str | None = None, department: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue(keys, subject=subject, role=role, area=area, department=department)}"}

    coordinator = who(Role.COORDINATOR, "c")
    officer = who(Role.DEPARTMENT_OFFICER, "o", department="department-7")
    today = datetime.now(UTC).date()
    month = {"opened_from": str(today - timedelta(days=40)), "opened_to": str(today - timedelta(days=10))}
    return {
        "newest of the town": (coordinator, "/api/v1/cases", {}),
        "newest of a street": (who(Role.COORDINATOR, "s", area="900.7"), "/api/v1/cases", {}),
        "newest of a resident": (who(Role.RESIDENT, "resident-77"), "/api/v1/cases", {}),
        "overdue": (coordinator, "/api/v1/cases", {"overdue": "true", "sort": "due"}),
        "part of a number": (coordinator, "/api/v1/cases", {"number": "00099"}),
        "inbox of a department": (officer, "/api/v1/inbox", {}),
        "inbox of a supervisor": (who(Role.SUPERVISOR, "z"), "/api/v1/inbox", {}),
        "indicators of a month": (who(Role.AUDITOR, "a"), "/api/v1/indicators/incidents", {"by": "department"} | month),
        "indicators, no period": (who(Role.AUDITOR, "a"), "/api/v1/indicators/incidents", {"by": "department"}),
        "indicators of all": (
            who(Role.AUDITOR, "a"),
            "/api/v1/indicators/incidents",
            {"by": "department", "opened_from": "2000-01-01"},
        ),
    }


async def measured(http: httpx.AsyncClient, town: Town) -> dict[str, tuple[float, float]]:
    """Median and 95th percentile of each question, in milliseconds."""
    found = {}
    for name, (headers, path, parameters) in questions(town).items():
        await http.get(path, headers=headers, params=parameters)  # caches are not what is measured
        taken: list[float] = []
        while len(taken) < ASKED and sum(taken) < ASKED_FOR_SECONDS * 1000:
            began = time.perf_counter()
            (await http.get(path, headers=headers, params=parameters)).raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
        found[name] = (median(taken), quantiles(taken, n=20)[P95])
    return found


async def run(sizes: list[int]) -> None:
    """Measure at each size."""
    seen: list[dict[str, tuple[float, float]]] = []
    with tempfile.TemporaryDirectory(prefix="jiceng-growth-") as folder:
        async with (
            open_town(TownOptions(data=Path(folder), durable=False)) as town,
            httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=120) as http,
            await open_pool(town.settings, process="bench") as pool,
        ):
            resident = issue(Keys.load(town.settings.key_folder), subject="resident-bench", role=Role.RESIDENT)
            headers = {"Authorization": f"Bearer {resident}", "Idempotency-Key": "growth"}
            answer = await http.post("/api/v1/incidents", json=REPORT, headers=headers)
            case_id = answer.raise_for_status().json()["case_id"]
            await http.get(f"/api/v1/cases/{case_id}", headers=headers, params={"wait": "stage:dispatched"})
            real = (await pool.fetch("select * from cases where case_id = $1", case_id))[0]
            before = 0
            for size in sizes:
                await grow(pool, dict(real), before + 1, size)
                before = size
                seen.append(await measured(http, town))
    report(sizes, seen)


def report(sizes: list[int], seen: list[dict[str, tuple[float, float]]]) -> None:
    """A table for people."""
    table = Table(title=f"milliseconds over HTTP, {OPEN} open cases, up to {ASKED} times each")
    table.add_column("question")
    for size in sizes:
        table.add_column(f"{size:,} rows: p50 / p95")
    table.add_column("p95, last to first")
    for name, (_, first) in seen[0].items():
        shown = [f"{each[name][0]:.1f} / {each[name][1]:.1f}" for each in seen]
        table.add_row(name, *shown, f"{seen[-1][name][1] / first:.2f}")
    Console(width=130).print(table)


if __name__ == "__main__":
    asyncio.run(run([int(given) for given in sys.argv[1:]] or [10_000, 1_000_000]))
