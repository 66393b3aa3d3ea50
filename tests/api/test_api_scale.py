"""A town of many years: 100,000 cases. Lists, inbox, counts and proposals go by indexes, and people need not wait."""

import json
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.keys import Keys
from schemas.clocks.calendar import SHANGHAI
from schemas.values.actor import Actor, Role
from starter.cases.case_lists import COUNT, PAGES, Filters, Sort, sight
from starter.cases.case_queries import SQL
from tests.api_callers import As, OwnTown, api_of, callers

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CASES = 100_000
BATCH = 5_000
NOW = datetime(2026, 11, 21, 9, tzinfo=SHANGHAI)
ASKED = 20
PATIENCE_SECONDS = 1.0
CITY = Actor(subject="c", role=Role.COORDINATOR)
STREET = Actor(subject="c", role=Role.COORDINATOR, area="900.7")
OFFICER = Actor(subject="o", role=Role.DEPARTMENT_OFFICER, department="department-7")
RESIDENT = Actor(subject="resident-77", role=Role.RESIDENT)

# Made of one real case: five years, 50 streets of 20 communities, 14 departments, 3,000 residents, 2 % open; the snapshot
# without charter and terms, which no list reads. One in 500 open cases lies in one neighbourhood.
FILL = """
insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended, due_at,
                   due_clock, seq, head_hash, clocks, snapshot, task_at)
select 'incident-' || to_char(opened, 'YYYYMMDD') || '-' || lpad(n::text, 6, '0'), 'incident',
       case when is_open then 'handling' else 'closed' end, '900.' || n % 50 || '.' || n % 20, 'department-' || n % 14,
       case when is_open then 'department:department-' || n % 14 else '' end,
       jsonb_build_object('category', 'category-' || n % 9, 'urgency', 'ordinary', 'channel', 'app'), opened,
       case when is_open then null else opened + interval '3 days' end, not is_open,
       case when is_open then $3::timestamptz + (n % 97 - 20) * interval '1 hour' end,
       case when is_open then 'finish' end, 9, $4::text, $5::jsonb,
       $6::jsonb || jsonb_build_object('reporter_subject', 'resident-' || n % 3000, 'latitude_micro', 32000000 + n % 900000,
                                       'longitude_micro', 118000000 + n % 700000), $3::timestamptz
from (select n, n % 50 = 3 as is_open, $3::timestamptz - (n * interval '1 minute') * 26 as opened
      from generate_series($1::integer, $2::integer) as numbers (n)) as made
"""


@pytest.fixture
async def old_town(as_: As, pool: asyncpg.Pool, own_town: OwnTown) -> OwnTown:
    """A town with many cases behind it."""
    case_id = (await as_().report()).json()["case_id"]
    real = await pool.fetchrow("select * from cases where case_id = $1", case_id)
    assert real is not None
    snapshot = {name: value for name, value in real["snapshot"].items() if name not in {"charter", "terms"}}
    for first in range(1, CASES, BATCH):
        await own_town.pool.execute(FILL, first, first + BATCH - 1, NOW, real["head_hash"], real["clocks"], snapshot)
    await own_town.pool.execute("vacuum analyze cases")
    return own_town


async def plan(pool: asyncpg.Pool, query: str, *arguments: Any) -> str:
    """How Postgres would do it, for the values at hand."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL.plan_for_what_is_asked)
        return json.dumps(await connection.fetchval(f"explain (format json) {query}", *arguments))


LISTS = {
    "the whole town, newest first": (CITY, Filters(), Sort.OPENED),
    "one street": (STREET, Filters(), Sort.OPENED),
    "one community, by filter": (CITY, Filters(area="900.7.7"), Sort.OPENED),
    "a department": (OFFICER, Filters(), Sort.OPENED),
    "a resident": (RESIDENT, Filters(), Sort.OPENED),
    "one stage": (CITY, Filters(procedure="incident", stage="handling"), Sort.OPENED),
    "a month": (CITY, Filters(opened_from=datetime(2025, 3, 1, tzinfo=SHANGHAI),
                              opened_before=datetime(2025, 4, 1, tzinfo=SHANGHAI)), Sort.OPENED),
    "overdue": (CITY, Filters(overdue=True), Sort.DUE),
    "due soon": (CITY, Filters(due_soon=True), Sort.DUE),
    "what a department holds": (OFFICER, Filters(holder="department:department-7"), Sort.DUE),
}  # fmt: skip


async def test_lists_and_counts_go_by_indexes(old_town: OwnTown) -> None:
    """No list and no count of an inbox reads the whole table."""
    scanning = []
    for name, (actor, filters, sort) in LISTS.items():
        arguments = (*sight(actor), NOW, *filters.values())
        if "Seq Scan" in await plan(old_town.pool, PAGES[sort], *arguments, None, None, 51):
            scanning.append(name)
        if sort is Sort.DUE and "Seq Scan" in await plan(old_town.pool, COUNT, *arguments):
            scanning.append(f"count: {name}")
    middle = await old_town.pool.fetchval("select case_id from cases order by opened_at offset 50000 limit 1")
    arguments = (*sight(CITY), NOW, *Filters().values())
    plans = {
        f"a page in the middle by {sort}": await plan(old_town.pool, PAGES[sort], *arguments, NOW, middle, 51)
        for sort in Sort
    }
    plans["similar"] = await plan(
        old_town.pool, SQL.similar, middle, None, None, None, 200, timedelta(days=1), 8480, 20
    )
    plans["overdue work"] = await plan(old_town.pool, SQL.overdue_work, NOW, None, None, 200)
    year = NOW - timedelta(days=365)
    plans["precedents"] = await plan(
        old_town.pool, SQL.precedents, middle, year, None, None, None, 500, ["incident:returned"]
    )
    scanning += [name for name, way in plans.items() if "Seq Scan" in way]

    assert scanning == []


async def test_nobody_waits_long(old_town: OwnTown, keys: Keys) -> None:
    """Over HTTP, twenty times each: nine in ten answers and more come within a second, whatever is asked."""
    taken: dict[str, list[float]] = {}

    async def measure(name: str, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
        for _ in range(ASKED):
            begun = time.perf_counter()
            answer = await ask()
            taken.setdefault(name, []).append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.text

    async with api_of(old_town.build()) as http:
        as_ = callers(http, keys)
        people = {actor: as_(actor.role, actor.subject, area=actor.area, department=actor.department)
                  for actor in (CITY, STREET, OFFICER, RESIDENT)}  # fmt: skip
        for name, (actor, filters, sort) in LISTS.items():
            query = {**filters.query(), "sort": sort.value}
            query |= {part: value for part in ("area", "stage", "procedure") if (value := getattr(filters, part))}
            query |= {"opened_from": "2025-03-01", "opened_to": "2025-03-31"} if filters.opened_from else {}
            await measure(name, lambda actor=actor, query=query: people[actor].get("/api/v1/cases", **query))  # type: ignore[misc]
        await measure("any part of a number", lambda: people[CITY].get("/api/v1/cases", number="99999"))
        await measure("inbox of a department", lambda: people[OFFICER].get("/api/v1/inbox"))
        await measure("inbox of a supervisor", lambda: as_("supervisor").get("/api/v1/inbox"))
        await measure("wall of what is overdue", lambda: as_("supervisor").get("/api/v1/wall"))
        path, month = "/api/v1/indicators/incidents", {"opened_from": "2026-10-01", "opened_to": "2026-10-31"}
        await measure("indicators of a month", lambda: as_("auditor").get(path, by=["department", "category"], **month))
        await measure("indicators of five years", lambda: as_("auditor").get(path, by=["department", "month"]))

    for name, seconds in taken.items():
        p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[18]
        print(f"{name:32} p50 {p50 * 1000:7.1f} ms   p95 {p95 * 1000:7.1f} ms")  # noqa: T201 - for who runs it with -s
    slow = {name: max(seconds) for name, seconds in taken.items()
            if statistics.quantiles(seconds, n=20)[18] > PATIENCE_SECONDS}  # fmt: skip
    assert set(slow) <= {"indicators of five years"}
