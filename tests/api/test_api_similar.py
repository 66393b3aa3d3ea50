"""Which open cases may be the same matter: same category, 200 metres, 24 hours."""

import math
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.incident import INCIDENT
from starter.incident_similar import WITHIN_METRES
from tests.api_callers import REPORT, As
from tests.api_driver import OpenDoor
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.usefixtures("worker")

METRES_PER_DEGREE = 111_320
REASON = {"reason": "不属于公共事务"}


def place(latitude: float, north: float = 0, east: float = 0, area: str = "860.1", **other: Any) -> dict[str, Any]:
    """A report so many metres away from 118.5 degrees east at this latitude."""
    lat = latitude + north / METRES_PER_DEGREE
    lon = 118.5 + east / (METRES_PER_DEGREE * math.cos(math.radians(latitude)))
    return REPORT | {"location": {"address": "某处", "lat": lat, "lon": lon, "area": area}} | other


async def reported(as_: As, body: dict[str, Any], subject: str = "neighbour") -> str:
    """The number of a new case that stands."""
    answer = await as_(subject=subject).report(body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def similar(as_: As, case_id: str, **claims: Any) -> list[dict[str, Any]]:
    """What a coordinator is proposed."""
    answer = await as_("coordinator", **claims).get(f"/api/v1/cases/{case_id}/similar")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_near_cases_of_the_same_category_are_proposed_nearest_first(as_: As) -> None:
    """Within 200 m in any direction, also where a degree of longitude is short; the corner of the square is too far."""
    for latitude in (18.25, 52.95):
        this = await reported(as_, place(latitude))
        near = [await reported(as_, place(latitude, *way)) for way in ((0, 60), (-130, 0), (0, -198), (199, 0))]
        for too_far in ((0, 203), (203, 0), (150, 150)):
            await reported(as_, place(latitude, *too_far))
        items = await similar(as_, this)

        assert [item["case_id"] for item in items] == near
        assert [
            abs(item["distance_metres"] - metres) <= 1 for item, metres in zip(items, (60, 130, 198, 199), strict=True)
        ] == [True] * 4


async def test_another_category_is_another_matter(as_: As) -> None:
    """The same place with another category is not proposed."""
    this = await reported(as_, place(30.1))
    await reported(as_, place(30.1, category="安全隐患"))

    assert await similar(as_, this) == []


async def test_what_is_over_is_not_proposed(as_: As) -> None:
    """A rejected case is none into which another could be merged; from it, the open one is still found."""
    this, other = [await reported(as_, place(30.2)) for _ in range(2)]
    rejected = await as_("coordinator").command(other, "reject", REASON)

    assert rejected.status_code == 200, rejected.text
    assert await similar(as_, this) == []
    assert [item["case_id"] for item in await similar(as_, other)] == [this]


async def test_a_proposal_ends_at_the_area_of_its_reader(as_: As) -> None:
    """A coordinator is not shown a case of another area, however near it lies."""
    this = await reported(as_, place(30.3, area="861.1"))
    beyond = await reported(as_, place(30.3, area="862.1"))

    assert await similar(as_, this, area="861") == []
    assert [item["case_id"] for item in await similar(as_, this)] == [beyond]


async def test_a_resident_is_shown_own_cases_only(as_: As) -> None:
    """What others reported in the neighbourhood is not a resident's to know."""
    this = await reported(as_, place(30.4))
    await reported(as_, place(30.4), "another")
    answer = await as_(subject="neighbour").get(f"/api/v1/cases/{this}/similar")

    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert len(await similar(as_, this)) == 1


async def test_a_case_without_coordinates_has_no_proposals(as_: As) -> None:
    """An address alone is not compared, nor are words: of two people. What one person sends again is tests/laws' matter."""
    body = REPORT | {"location": {"address": "同一地址", "area": "863"}}
    [this, _] = [await reported(as_, body, subject) for subject in ("one-neighbour", "another-neighbour")]

    assert await similar(as_, this) == []


async def test_more_than_a_day_apart_is_another_matter(door: OpenDoor) -> None:
    """Twenty-four hours of town time: before they have passed the case is proposed, afterwards not.

    Two come in together: on a slow machine too they lie within a day. Of the others each lies nearer than the one before:
    a fast machine makes more of them in a day than a proposal lists.
    """
    town = await door(INCIDENT, speed=36_000)
    lines = [{"idempotency_key": str(uuid.uuid4()), "report": place(30.5)} for _ in range(2)]
    batch = await town.api.post("/api/v1/incidents:batch", json={"lines": lines}, headers=town.headers("reporter"))
    first, soon = [line["case_id"] for line in batch.json()["results"]]
    assert (await town.case(soon, wait="seq:1", timeout="60"))["seq"]
    opened = datetime.fromisoformat((await town.case(first, wait="seq:1", timeout="60"))["opened_at"])
    nearer = iter(range(WITHIN_METRES - 1, 0, -1))

    async def a_day_later() -> bool:
        late = await town.start(body=place(30.5, north=next(nearer)))
        apart = datetime.fromisoformat((await town.case(late, wait="seq:1", timeout="60"))["opened_at"]) - opened
        answer = await town.api.get(f"/api/v1/cases/{first}/similar", headers=town.headers("coordinator"))
        shown = {item["case_id"]: item["apart_seconds"] for item in answer.json()["items"]}
        assert soon in shown
        assert (late in shown) == (apart <= timedelta(hours=24))
        return apart > timedelta(hours=24)

    await eventually(a_day_later)
