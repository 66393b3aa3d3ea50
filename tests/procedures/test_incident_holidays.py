"""A long limit over a real holiday, at speed, on the real server; tests/procedures/test_time_skipping.py has the others."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from schemas.clocks.town_time import TownTime
from schemas.incident import INCIDENT
from schemas.values.actor import Role
from starter.app import create_app
from tests.api_driver import ApiDriver, Person, Step
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPEED = 60_000  # a town day is 1.44 s: the API has four seconds to open before National Day


@pytest.fixture
def open_town_at(settings: Settings, keys: Keys, pool: asyncpg.Pool, temporal: Client) -> Callable[..., Any]:
    """A door into a town whose clock starts at a given moment."""

    @asynccontextmanager
    async def opened(start: datetime) -> AsyncIterator[tuple[ApiDriver, TownTime]]:
        async def connected() -> Client:
            return temporal

        def token(person: Person) -> str:
            role = Role(person.role)
            return issue(keys, subject=person.subject, role=role, department=person.department, area=person.area)

        time = TownTime.starting(start, datetime.now(UTC), SPEED)
        app = create_app(settings.model_copy(update={"speed": SPEED}), keys, pool, connected, town_time=time)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town", timeout=30) as api,
        ):
            yield ApiDriver(api, token, INCIDENT), time

    return opened


async def clock(door: ApiDriver, case_id: str, name: str) -> dict[str, Any]:
    return next(clock for clock in (await door.case(case_id))["clocks"] if clock["name"] == name)


async def entries(door: ApiDriver, case_id: str) -> list[dict[str, Any]]:
    answer = await door.api.get(f"/api/v1/cases/{case_id}/timeline", headers=door.headers("auditor"))
    return list(answer.json()["items"])


def at_midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


async def test_seven_natural_days_over_national_day_end_on_the_first_working_day_after_it(
    open_town_at: Callable[..., Any],
) -> None:
    """Reported on 29 September, the seventh day is 6 October: a holiday, so the limit ends with 8 October at 24:00.

    The breach fires then and not before: in its own time, on the real server, through the whole of the holiday.
    """
    async with open_town_at(datetime(2026, 9, 29, 10, tzinfo=SHANGHAI)) as (door, _):
        case_id = await door.start()
        await door.go(case_id, [Step("sign", "officer"), Step("arrive", "officer")])
        due = datetime.fromisoformat((await clock(door, case_id, "finish"))["due_at"])

        async def breached() -> bool:
            return bool((await clock(door, case_id, "finish"))["breached"])

        await eventually(breached, within=60)
        fired = [
            (each["facts"]["moment"], datetime.fromisoformat(each["at"]))
            for each in await entries(door, case_id)
            if each["facts"].get("clock") == "finish"
        ]

    assert due == at_midnight(date(2026, 10, 9))
    assert [name for name, _ in fired][:2] == ["warning", "breach"]
    assert fired[0][1] < due <= fired[1][1]
