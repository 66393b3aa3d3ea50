"""What people wait for at the pages of an old town, and how much of a slow line a page takes, against budgets (docs/bench.md).

    python -m bench.console [ROWS]     1,000,000 by default

Over HTTP on this machine, each page asked for again and again; the rows are those of bench/fill.py.
"""

import asyncio
import gzip
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import httpx
from rich.console import Console
from rich.table import Table

from bench.fill import grow
from bench.growth import ASKED, ASKED_FOR_SECONDS, P95
from bench.shape import REPORT
from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import LOCAL_COOKIE
from engine.keys.keys import Keys
from engine.keys.tokens import Principal, issue
from engine.store.database import open_pool
from local.town.town import TownOptions, open_town
from schemas.values.actor import Role

ENTRIES = 50
FIRST_VISIT_KB = 60
KB = 1000
OURS = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of ours."""

_STYLES = re.compile(r'rel="stylesheet" href="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """A page and its budget: milliseconds at the 95th percentile, kB of HTML when compressed. `form`: it is asked for by POST."""

    name: str
    who: str
    address: str
    most_ms: float
    most_kb: float
    form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What came of it. `html_kb` is as sent: pages with secrets are not compressed; `styles_kb` are, and are kept for ever."""

    page: Page
    p50_ms: float
    p95_ms: float
    html_kb: float
    gz_kb: float
    styles_kb: float


def pages(case_id: str, code: str) -> tuple[Page, ...]:
    """What is asked for."""
    follow = {"number": case_id, "code": code}
    return (
        Page("inbox of a department", "officer", "/inbox", 60, 15),
        Page("inbox of a supervisor", "supervisor", "/inbox", 60, 15),
        Page("newest of a department", "officer", "/cases?sort=opened", 60, 15),
        Page("newest of the town", "coordinator", "/cases?sort=opened", 60, 15),
        Page("overdue", "coordinator", "/cases?overdue=true", 60, 15),
        Page("part of a number", "coordinator", "/cases?number=00099", 60, 15),
        Page("a month, as a part of a number", "coordinator", f"/cases?number={_month()}", 60, 15),
        Page("a part that all numbers have", "coordinator", "/cases?number=incident", 60, 15),
        Page(f"case of {ENTRIES} entries", "coordinator", f"/cases/{case_id}", 80, 20),
        Page("the same, texts open", "coordinator", f"/cases/{case_id}?texts=open", 80, 20),
        Page("form of a command", "coordinator", f"/cases/{case_id}/comment", 30, 6),
        Page("form of an opening", "coordinator", "/new/incident", 30, 6),
        Page("form on paper", "", "/forms/incident", 30, 6),
        Page("follow, by number and code", "", "/follow", 60, 5, follow),
        Page("notices", "", "/notices", 60, 15),
        Page("report by a resident", "", "/report", 40, 6),
        Page("indicators", "supervisor", "/indicators/incidents", 300, 12),
        Page("wall", "supervisor", "/wall", 100, 10),
    )


def _month() -> str:
    """One that is over, as it stands in a number."""
    return f"{datetime.now(UTC) - timedelta(days=45):%Y%m}"


async def seen_of(http: httpx.AsyncClient, page: Page, cookies: Mapping[str, str]) -> Seen:
    """Ask for a page again and again. Raises httpx.HTTPStatusError: it is not there."""

    async def ask() -> httpx.Response:
        headers = OURS | ({"Cookie": f"{LOCAL_COOKIE}={cookies[page.who]}"} if page.who else {})
        if page.form:
            return await http.post(page.address, data=dict(page.form), headers=headers)
        return await http.get(page.address, headers=headers, follow_redirects=True)

    answer, taken = (await ask()).raise_for_status(), list[float]()  # caches are not what is measured
    while len(taken) < ASKED and sum(taken) < ASKED_FOR_SECONDS * 1000:
        began = time.perf_counter()
        answer = (await ask()).raise_for_status()
        taken.append((time.perf_counter() - began) * 1000)
    styles = [await http.get(each, headers={"Accept-Encoding": "gzip"}) for each in _STYLES.findall(answer.text)]
    return Seen(
        page,
        median(taken),
        quantiles(taken, n=20)[P95],
        len(answer.content) / KB,
        len(gzip.compress(answer.content)) / KB,
        sum(len(gzip.compress(each.content)) for each in styles) / KB,
    )


async def told_case(http: httpx.AsyncClient, keys: Keys) -> tuple[str, str]:
    """A case of so many entries; its number and code."""

    def headers(role: Role, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue(keys, subject=f'{role}-bench', role=role)}", "Idempotency-Key": key}

    answer = await http.post("/api/v1/incidents", json=REPORT, headers=headers(Role.RESIDENT, "console"))
    made = answer.raise_for_status().json()
    path = f"/api/v1/cases/{made['case_id']}"
    await http.get(path, headers=headers(Role.COORDINATOR, ""), params={"wait": "stage:dispatched"})
    for number in range(ENTRIES):
        shown = (await http.get(path, headers=headers(Role.COORDINATOR, ""))).json()
        if shown["seq"] >= ENTRIES:
            break
        key, body = (
            headers(Role.COORDINATOR, f"comment-{number}"),
            {"text": f"第{number}次说明:已到现场查看,正在处理。"},
        )
        (await http.post(f"{path}/commands/comment", json=body, headers=key)).raise_for_status()
    return made["case_id"], made["code"]


def principals() -> dict[str, Principal]:
    """Who looks at pages."""
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    who = {
        "officer": (Role.DEPARTMENT_OFFICER, "department-7"),
        "coordinator": (Role.COORDINATOR, None),
        "supervisor": (Role.SUPERVISOR, None),
    }
    return {
        name: Principal(
            subject=f"{name}-bench", role=role, department=department, area=None, token_id=None, expires_at=ends_at
        )
        for name, (role, department) in who.items()
    }


async def run(rows: int) -> None:
    """Fill a town and look at its pages."""
    with tempfile.TemporaryDirectory(prefix="jiceng-console-") as folder:
        async with (
            open_town(TownOptions(data=Path(folder), durable=False)) as town,
            httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=120) as http,
            await open_pool(town.settings, process="bench") as pool,
        ):
            case_id, code = await told_case(http, Keys.load(town.settings.key_folder))
            real = (await pool.fetch("select * from cases where case_id = $1", case_id))[0]
            await grow(pool, dict(real), 1, rows)
            cookies = {name: await Sessions(pool).open(each) for name, each in principals().items()}
            report(rows, [await seen_of(http, page, cookies) for page in pages(case_id, code)])


def report(rows: int, seen: list[Seen]) -> None:
    """A table for people; what is over its budget is marked."""
    table = Table(title=f"pages over HTTP, {rows:,} rows, up to {ASKED} times each; load {os.getloadavg()[0]:.1f}")
    for column in ("page", "p50 / p95 ms", "budget", "HTML kB", "gz kB", "budget", "first visit kB"):
        table.add_column(column)
    for each in seen:
        visit = each.html_kb + each.styles_kb
        table.add_row(
            each.page.name,
            f"{each.p50_ms:.1f} / {each.p95_ms:.1f}{_over(each.p95_ms, each.page.most_ms)}",
            f"{each.page.most_ms:.0f}",
            f"{each.html_kb:.1f}",
            f"{each.gz_kb:.1f}{_over(each.gz_kb, each.page.most_kb)}",
            f"{each.page.most_kb:.0f}",
            f"{visit:.1f}{_over(visit, FIRST_VISIT_KB)}",
        )
    Console(width=130).print(table)


def _over(value: float, most: float) -> str:
    return " OVER" if value > most else ""


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
