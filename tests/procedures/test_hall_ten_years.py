"""Ten years of halls: each sits every month, closes on its own 31 December with its report, and the next one begins."""

import time
from typing import Any

import pytest

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.hall import HALL
from tests.api_driver import Step
from tests.skipping_town import SkippingTown, skipping_town

YEARS = 10
NO_SITTING = 8
"""In August nobody calls it."""

SHORT = 100
"""A run so short that a year does not fit into one; in a town it is forty times as long."""

MEMBERS = Step("set_members", "committee", {"delegates": 60, "women": 20})
CALL = Step("call_sitting", "committee", {"agenda": "物业费与停车"})
CLOSE = Step("close_sitting", "committee", {"present": 48})


def minutes_of(sitting: int) -> list[Step]:
    """What is published of a sitting; of the first of a year nothing ever comes."""
    body = {"sitting": sitting, "minutes": "逐项讨论,停车事项提请表决"}
    return [Step("publish_minutes", "committee", body)] if sitting > 1 else []


async def until(town: SkippingTown, moment: str) -> None:
    """Skip to a moment; the door that is opened there is that of halls again."""
    await town.until(moment)
    town.door.procedure = HALL


async def report(town: SkippingTown, case: str) -> dict[str, Any]:
    """What the last entry of a hall says of its year: it has more entries than a page holds."""
    facts = await town.pool.fetchval("select body::jsonb -> 'facts' from chain_of($1) where kind = 'hall:closed'", case)
    return dict(facts)


async def a_year(town: SkippingTown, year: int) -> str:
    """A hall that sits in the evening of the 18th of each month but one, until its last evening; its number."""
    await town.for_a_new_case()
    town.door.procedure = HALL
    case = await town.door.start(body={"households": 797, "area": "320104.003.01"})
    await until(town, f"{year}-01-04 10:00")
    await town.door.go(case, [MEMBERS])
    sat = 0
    for month in range(1, 13):
        if month != NO_SITTING:
            sat += 1
            await until(town, f"{year}-{month:02d}-10 19:30")
            await town.door.go(case, [CALL])
            await until(town, f"{year}-{month:02d}-18 19:30")
            await town.door.go(case, [CLOSE, *minutes_of(sat)])
    await until(town, f"{year}-12-31 23:00")
    assert (await town.snapshot(case))["stage"] == "open"
    await until(town, f"{year + 1}-01-01 00:30")
    return case


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_ten_years_of_halls_on_the_time_skipping_server(settings: Settings, keys: Keys) -> None:
    """A hundred and ten sittings, ten gaps, each year over by itself at 24:00; chains hold, and each run replays."""
    reports, faults, runs = [], list[str](), list[list[int]]()
    began = time.monotonic()
    async with skipping_town(settings.model_copy(update={"history_limit": SHORT}), keys, "2026-12-10 09:00") as town:
        for year in range(2027, 2027 + YEARS):
            case = await a_year(town, year)
            reports.append(await report(town, case))
            wrong, events = await town.audited(case)
            faults += wrong
            runs.append(events)

    took = time.monotonic() - began
    print(f"ten halls: {sum(map(len, runs))} runs, {sum(map(sum, runs))} events, {took:.0f} s")  # noqa: T201
    assert faults == []
    assert [each["year"] for each in reports] == list(range(2027, 2027 + YEARS))
    for each in reports:
        assert each["gaps"] == [f"{each['year']}-{NO_SITTING:02d}"]
        assert (each["held"], each["missed"], each["without_minutes"]) == (11, 1, [1])
        assert (each["after_work"], each["present"]) == (11, 11 * 48)
    assert min(map(len, runs)) > 1
    assert max(map(max, runs)) < 2 * SHORT
