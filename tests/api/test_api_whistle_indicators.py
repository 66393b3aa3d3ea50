"""GET /api/v1/indicators/whistles: on-time response and arrival, scores, and whistles per street, from the projection."""

from typing import Any

import asyncpg
import pytest

from tests.api_driver import OpenDoor
from tests.waiting import eventually
from tests.whistle_town import LEAD, OTHER, WhistleTown

pytestmark = pytest.mark.usefixtures("worker")

DAY = 86_400
PATH = "/api/v1/indicators/whistles"


async def figures(town: WhistleTown, by: str = "auditor", **query: str) -> Any:
    answer = await town.street.api.get(PATH, headers=town.street.headers(by), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def line_of(shown: dict[str, Any], department: str) -> dict[str, Any]:
    return next(line for line in shown["departments"] if line["department"] == department)


@pytest.fixture
async def town(door: OpenDoor, pool: asyncpg.Pool) -> WhistleTown:
    """A town in which time does not matter: real speed."""
    return await WhistleTown.open(door, pool)


async def test_response_arrival_and_scores_are_counted_by_department_and_type(town: WhistleTown) -> None:
    """In time is what the department did before its due time; the street's score is averaged; streets are told apart."""
    place = {"address": "平安街", "area": "860101.001.01"}
    whistle = await town.blow(location=place)
    await town.reports(whistle, LEAD, "respond", "arrive")
    await town.reports(whistle, OTHER, "arrive", "finish")
    await town.reports(whistle, LEAD, "finish")

    await town.done(whistle, "score")
    await town.done(whistle, "score", body={"department": OTHER, "score": 55, "reason": "到场迟缓"})
    for department in (LEAD, OTHER):
        await town.stands_at(f"{whistle}.{department}", "scored")
    shown = await figures(town, area="860101")
    lead, other = line_of(shown, LEAD), line_of(shown, OTHER)

    assert (lead["type"], lead["summoned"], lead["mean_score"]) == ("enforcement", 1, 90.0)
    assert (lead["response_rate"], lead["arrival_rate"], lead["finish_rate"]) == (1.0, 1.0, 1.0)
    assert (other["mean_score"], shown["whole"]["mean_score"], shown["whole"]["summoned"]) == (55.0, 72.5, 2)
    assert shown["streets"] == [
        {
            "street": "860101.001", "whistles": 1, "open": 0, "closed": 1, "whistles_cancelled": 0, "unresolved": 0,
            "born_of_incidents": 0, "incidents": 0, "per_thousand_incidents": None,
        }
    ]  # fmt: skip


async def test_what_nobody_stopped_is_not_judged_and_what_is_broken_is(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Cancelled in time says nothing of a department; one that was absent broke both clocks; released ones need not come."""
    town = await WhistleTown.open(door, pool, speed=DAY // 2)  # seven seconds for the lead to decline in time
    place = {"address": "平安街", "area": "860102.001.01"}
    whistle = await town.blow(location=place)
    await town.reports(whistle, LEAD, "decline", "arbitrate")
    quick = await WhistleTown.open(door, pool)
    cancelled = await quick.blow(location=place)
    await quick.done(cancelled, "cancel")
    for department in (LEAD, OTHER):
        await quick.stands_at(f"{cancelled}.{department}", "cancelled")
    await town.stands_at(f"{whistle}.{OTHER}", "absent", within=60)
    shown = await figures(town, area="860102")
    lead, other = line_of(shown, LEAD), line_of(shown, OTHER)

    assert (lead["released"], lead["cancelled"]) == (1, 1)
    assert (lead["response_judged"], lead["arrival_judged"]) == (1, 0)
    assert (other["absent"], other["response_judged"], other["arrival_judged"]) == (1, 1, 1)
    assert (other["response_rate"], other["arrival_rate"]) == (0.0, 0.0)
    assert shown["streets"][0]["whistles_cancelled"] == 1


async def test_whistles_of_a_street_stand_beside_its_incidents(town: WhistleTown) -> None:
    """Too few is as wrong as too many: a street that blows none has a line too, if something was reported there."""
    report = {
        "category": "环境卫生",
        "description": "垃圾堆积",
        "location": {"address": "幸福小区", "area": "860103.002.01"},
        "channel": "app",
    }
    headers = town.street.headers("grid_worker", key="incident-860103")

    async def stands() -> bool:
        answer = await town.street.api.post("/api/v1/incidents", json=report, headers=headers)
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.status_code != 202

    await eventually(stands)
    await town.blow(location={"address": "平安街", "area": "860103.001"})
    streets = (await figures(town, area="860103"))["streets"]

    assert [(line["street"], line["whistles"], line["incidents"]) for line in streets] == [
        ("860103.001", 1, 0), ("860103.002", 0, 1),
    ]  # fmt: skip
    assert [line["per_thousand_incidents"] for line in streets] == [None, 0.0]


async def test_a_department_gets_its_own_figures_and_a_resident_none(town: WhistleTown) -> None:
    """An officer sees how the own department does; filters of others leave nothing; residents are refused."""
    await town.blow(location={"address": "平安街", "area": "860104.001"})
    own = await figures(town, by="other_officer", area="860104")
    others = await figures(town, by="other_officer", area="860104", department=LEAD)
    by_type = await figures(town, area="860104", type="emergency")
    refused = await town.street.api.get(PATH, headers=town.street.headers("stranger"))

    assert [line["department"] for line in own["departments"]] == [OTHER]
    assert own["streets"][0]["incidents"] == 0
    assert (others["departments"], by_type["departments"]) == ([], [])
    assert refused.status_code == 403
