"""GET /api/v1/indicators/weak-points: counted from the rows of cases, for whose figures they are."""

from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from engine.keys.keys import Keys
from schemas.clocks.calendar import SHANGHAI, in_shanghai
from tests.api_callers import As, OwnTown, api_of, callers

pytest_plugins = ("tests.api_fixture",)

PATH = "/api/v1/indicators/weak-points"
ROW = """
insert into cases (case_id, procedure, stage, area, department, holder, labels, opened_at, closed_at, ended, seq, head_hash, clocks,
                   snapshot, task_at)
values ($1, 'incident', 'closed', $2, $3, '', $4, $5, $5, true, 1, '', $6, $7, $5)
"""


async def month_of_cases(
    pool: asyncpg.Pool, first: date, late: int, department: str, area: str = "320104.003.07.01"
) -> None:
    """Twenty closed cases of a month, of which so many were finished late."""
    for number in range(20):
        opened = datetime(first.year, first.month, 2, 9, tzinfo=SHANGHAI) + timedelta(hours=number)
        stopped = {"at": opened.isoformat(), "kind": "stopped", "actor": "officer", "seq": 2}
        await pool.execute(
            ROW,
            f"incident-{first:%Y%m}{department[:2]}-{number:06}",
            area,
            department,
            {"category": "环境卫生", "urgency": "ordinary"},
            opened,
            [{"name": "finish", "status": "stopped", "breached": number < late}],
            {"returns": 0, "clocks": {"finish": {"facts": [stopped]}}},
        )


def months_before(day: date, many: int) -> date:
    number = day.year * 12 + day.month - 1 - many
    return date(number // 12, number % 12 + 1, 1)


async def asked(as_: As, who: str = "supervisor", **query: Any) -> httpx.Response:
    claims = {name: query.pop(name) for name in ("area", "department") if name in query}
    return await as_(who, **claims).get(PATH, **query)


async def test_what_grew_worse_is_shown_to_whose_figures_it_is(own_town: OwnTown, keys: Keys) -> None:
    """The last whole month against the six before it; a department hears of itself, another area of nothing."""
    async with api_of(own_town.build()) as http:
        as_ = callers(http, keys)
        this = in_shanghai(own_town.town_time.to_town(datetime.now(SHANGHAI))).date()
        for many in range(1, 8):
            await month_of_cases(own_town.pool, months_before(this, many), 12 if many == 1 else 2, "urban-management")
            await month_of_cases(own_town.pool, months_before(this, many), 2, "transport")
        answer = await asked(as_)
        found = answer.json()
        own = (await asked(as_, "department_officer", department="transport")).json()
        elsewhere = (await asked(as_, area="320104.008")).json()
        earlier = (await asked(as_, month=f"{months_before(this, 2):%Y-%m}")).json()
        refused = await asked(as_, "resident")
        future = await asked(as_, month="2099-01")

    assert answer.status_code == 200, answer.text
    assert found["month"] == f"{months_before(this, 1):%Y-%m}"
    worst = found["items"][0]
    assert (worst["kind"], worst["name"], worst["figure"]) == ("department", "urban-management", "finished_late")
    assert (worst["wrong"], worst["judged"], worst["wrong_before"], worst["judged_before"]) == (12, 20, 12, 120)
    assert {each["name"] for each in found["items"]} == {"urban-management", "环境卫生", "320104.003.07"}
    assert own["items"] == elsewhere["items"] == earlier["items"] == []
    assert refused.status_code == 403
    assert (future.status_code, future.json()["faults"][0]["field"]) == (422, "month")
