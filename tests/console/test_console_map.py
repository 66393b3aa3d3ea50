"""The map of staff: open and overdue cases by area, the same in picture and table, and those that whoever looks may see."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx

from console.sign_in.sessions import Sessions
from engine.keys.tokens import Principal
from engine.policies.area_shapes import load_area_shapes
from engine.policies.areas import load_areas
from engine.runtime.settings import PROJECT
from schemas.values.actor import Role
from starter.cases.area_counts import Count, by_area
from tests.api_callers import REPORT, As, OwnTown, api_of
from tests.console_browser import Browser, signed_in

pytest_plugins = ("tests.api_fixture",)

POLICIES = PROJECT / "policies"


async def somebody(http: httpx.AsyncClient, pool: asyncpg.Pool, role: Role, area: str | None = None) -> Browser:
    said = {"department": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    return await signed_in(http, Sessions(pool), Principal(subject=f"{role}-map", role=role, area=area, **said))


def row_of(page: str, name: str) -> tuple[int, int]:
    """Open and overdue of an area, as the table has them."""
    row = page.partition(f'<th scope="rowgroup" class="govuk-table__header">{name}')[2].partition("</tr>")[0]
    found = [int(each) for each in re.findall(r">\s*(\d+)\s*<", row)]
    assert len(found) == 2, row
    return found[0], found[1]


def test_each_case_counts_in_one_area() -> None:
    """In the shape where it lies, however narrow its own area is; else in its community. No list has others besides."""
    shapes = load_area_shapes(POLICIES, load_areas(POLICIES))
    counts = [
        Count("320104.003.01", "incident", "环境卫生", 2, 1),
        Count("320104.003.01.02", "incident", "环境卫生", 3, 0),
        Count("320104.003.01.02", "contest", "", 1, 1),
        Count("320104.003", "incident", "噪声", 4, 0),
        Count("999.1.2.3", "incident", "噪声", 1, 1),
    ]
    found = {each.code: each for each in by_area(counts, shapes)}
    bare = {each.code: (each.open, each.overdue, each.whole) for each in by_area(counts, None)}

    assert {code: (each.open, each.overdue) for code, each in found.items()} == {
        "320104.003.01": (6, 2),
        "320104.003.02": (0, 0),
        "320104.003.03": (0, 0),
        "320104.003.07": (0, 0),
        "320104.003": (4, 0),
        "999.1.2": (1, 1),
    }
    assert {code for code, each in found.items() if not each.drawn} == {"320104.003", "999.1.2"}
    assert {code for code, each in found.items() if not each.whole} == {"320104.003"}
    assert [(part.procedure, part.open, part.overdue) for part in found["320104.003.01"].parts] == [
        ("incident", 5, 1),
        ("contest", 1, 1),
    ]
    assert sum(each.open for each in found.values()) == sum(each.open for each in counts)
    assert bare == {"320104.003.01": (6, 2, True), "320104.003": (4, 0, False), "999.1.2": (1, 1, True)}


async def test_the_map_has_the_numbers_of_its_table_and_of_its_lists(own_town: OwnTown) -> None:
    """Picture and table agree; a category narrows both; whoever is bound to an area sees that one; residents see none."""
    async with api_of(own_town.build()) as http:
        pool = own_town.pool
        await _opened(pool, "incident-20260101-000001", "320104.003.07", "环境卫生", late=True)
        await _opened(pool, "incident-20260101-000002", "320104.003.07.01", "噪声", late=False)
        await _opened(pool, "incident-20260101-000003", "320104.003.01", "噪声", late=False)
        await _opened(pool, "incident-20260101-000004", "320104.003.01", "噪声", late=True, ended=True)
        supervisor = await somebody(http, pool, Role.SUPERVISOR)
        near = await somebody(http, pool, Role.STREET_OFFICER, "320104.003.07")
        whole = (await supervisor.get("/map")).text
        noise = (await supervisor.get("/map?category=%E5%99%AA%E5%A3%B0&procedure=")).text
        theirs = (await near.get("/map")).text
        resident = await (await somebody(http, pool, Role.RESIDENT)).get("/map")

    river, luck = "幸福街道 滨河社区", "幸福街道 幸福社区"
    assert (row_of(whole, river), row_of(whole, luck)) == ((2, 1), (1, 0))
    assert (row_of(noise, river), row_of(noise, luck)) == ((1, 0), (1, 0))
    assert (row_of(theirs, river), row_of(theirs, luck)) == ((2, 1), (0, 0))
    assert "在办 3 件,其中逾期 1 件" in whole
    assert f"{river}<tspan" in whole
    assert re.search(rf"{river}<tspan[^>]*>2,逾期 late 1</tspan>", whole)
    assert 'href="/cases?area=320104.003.07&amp;ended=false"' in whole
    assert 'href="/cases?area=320104.003.07&amp;ended=false&amp;overdue=true"' in whole
    assert "town-map__area--3" in whole
    assert resident.status_code == 403


async def test_a_number_leads_to_the_cases_that_it_counts(as_: As, http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Of an area that only this test has: the list has as many rows as the table says; where there is none, no link."""
    area = f"7{uuid.uuid4().int % 10**5:05d}.1.1"
    for _ in range(2):
        report = REPORT | {"location": REPORT["location"] | {"area": area}}
        assert (await as_(Role.COORDINATOR).report(report)).status_code == 201
    supervisor = await somebody(http, pool, Role.SUPERVISOR)
    page = (await supervisor.get("/map")).text
    listed = (await supervisor.get(f"/cases?area={area}&ended=false")).text

    assert row_of(page, area) == (2, 0)
    assert f'href="/cases?area={area}&amp;ended=false"' in page
    assert f'href="/cases?area={area}&amp;ended=false&amp;overdue=true"' not in page
    assert "共 2 件" in listed


async def _opened(  # a row of a case as lists have it
    pool: asyncpg.Pool, case_id: str, area: str, category: str, *, late: bool, ended: bool = False
) -> None:
    due = datetime.now(UTC) + timedelta(days=-9000 if late else 9000)
    await pool.execute(
        "insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, due_at, due_clock, seq,"
        " head_hash, clocks, snapshot, task_at) values ($1, 'incident', 'handling', $2, 'role:coordinator', $3, now(), $4, $5,"
        " 'finish', 1, $6, '[]', '{}', now())",
        case_id, area, {"category": category}, ended, due, "0" * 64,
    )  # fmt: skip
