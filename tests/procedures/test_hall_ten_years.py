"""Ten years of halls: each closes on its own 31 December with all its months, kept or not, and the next one begins."""

from typing import Any

import pytest

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.hall import HALL
from tests.api_driver import Step
from tests.skipping_town import SkippingTown, skipping_town

YEARS = 10
MEMBERS = Step("set_members", "committee", {"delegates": 60, "women": 20})
CALL = Step("call_sitting", "committee", {"agenda": "物业费与停车"})
CLOSE = Step("close_sitting", "committee", {"present": 48})


async def until(town: SkippingTown, moment: str) -> None:
    """Skip to a moment; the door that is opened there is that of halls again."""
    await town.until(moment)
    town.door.procedure = HALL


async def report(town: SkippingTown, case: str) -> dict[str, Any]:
    """What the last entry of a hall says of its year."""
    (found,) = [each for each in await town.entries(case) if each["kind"] == "hall:closed"]
    return dict(found["facts"])


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_ten_years_of_halls_on_the_time_skipping_server(settings: Settings, keys: Keys) -> None:
    """Each hall sits once, in March; eleven months are gaps, told once each, and the year ends by itself at 24:00."""
    reports = []
    async with skipping_town(settings, keys, "2026-12-10 09:00") as town:
        for year in range(2027, 2027 + YEARS):
            town.door.procedure = HALL
            case = await town.door.start(body={"households": 797, "area": "320104.003.01"})
            await town.door.go(case, [MEMBERS])
            await until(town, f"{year}-03-10 19:30")
            await town.door.go(case, [CALL])
            await until(town, f"{year}-03-14 19:30")
            await town.door.go(case, [CLOSE])
            await until(town, f"{year}-12-31 23:00")
            assert (await town.snapshot(case))["stage"] == "open"
            await until(town, f"{year + 1}-01-01 00:30")
            reports.append(await report(town, case))

    assert [each["year"] for each in reports] == list(range(2027, 2027 + YEARS))
    for each in reports:
        wanted = [f"{each['year']}-{month:02d}" for month in range(1, 13) if month != 3]
        assert each["gaps"] == wanted
        assert (each["held"], each["missed"], each["without_minutes"]) == (1, len(wanted), [1])
        assert each["after_work"] == 1
