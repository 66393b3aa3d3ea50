"""incident 事件处置: a whistle that is asked for, and one that an incident waits for, through the public door."""

import asyncpg
import pytest

from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.whistle_town import LEAD, OTHER, WhistleTown

pytestmark = pytest.mark.usefixtures("worker")

SIGN = Step("sign", "officer")


@pytest.fixture
async def town(door: OpenDoor, pool: asyncpg.Pool) -> WhistleTown:
    """A town in which time does not matter: real speed."""
    return await WhistleTown.open(door, pool)


@pytest.fixture
async def incidents(door: OpenDoor) -> ApiDriver:
    """The same town, seen from incidents."""
    return await door(INCIDENT)


async def test_who_is_on_the_spot_asks_the_street_for_a_whistle(incidents: ApiDriver, town: WhistleTown) -> None:
    """With a reason; the street officers are told, and the case goes on meanwhile."""
    case_id = await incidents.start()
    await incidents.go(case_id, [Step("ask_whistle", "grid_worker"), SIGN, Step("ask_whistle", "officer")])

    assert await town.told(case_id, "whistle_asked") == ["role:street_officer"] * 2
    assert (await incidents.case(case_id))["stage"] == "handling"


@pytest.mark.parametrize(("kind", "status"), [("enforcement", "paused"), ("emergency", "running")])
async def test_an_incident_waits_and_gets_the_result(
    incidents: ApiDriver, town: WhistleTown, kind: str, status: str
) -> None:
    """Its clocks pause or run on, as the type says; with the whistle's end it is where it stood, with what was done."""
    case_id = await incidents.start()
    await incidents.go(case_id, [SIGN])
    whistle = await town.blow(type=kind, incident=case_id)
    await town.comes(whistle, "whistle:incident:waits")
    waiting = await town.case(case_id)
    clocks = await town.clocks(case_id)
    nothing_to_finish = await incidents.give(case_id, Step("finish", "officer"))
    for department in (LEAD, OTHER):
        await town.reports(whistle, department, "arrive", "finish")
    await town.done(whistle, "score")
    await town.done(whistle, "score", body={"department": OTHER, "score": 80})
    ended = await town.comes(case_id, "incident:whistle:ended")
    after = await town.clocks(case_id)

    assert (waiting["stage"], waiting["holder"]) == ("whistled", "role:street_officer")
    assert (clocks["finish"]["status"], after["finish"]["status"]) == (status, "running")
    assert nothing_to_finish.json()["code"] == "not-now"
    assert (ended["whistle"], ended["stage"]) == (whistle, "closed")
    assert ended["results"] == {LEAD: "已取缔占道摊位", OTHER: "已取缔占道摊位"}
    assert (await town.case(case_id))["stage"] == "handling"
    await incidents.go(case_id, [Step("finish", "officer")])


async def test_an_incident_goes_back_to_where_it_stood(incidents: ApiDriver, town: WhistleTown) -> None:
    """Not signed before, not signed after: the department still has to, and its clock goes on."""
    case_id = await incidents.start()
    whistle = await town.blow(incident=case_id)
    await town.comes(whistle, "whistle:incident:waits")
    held = (await town.clocks(case_id))["sign"]["status"]
    await town.done(whistle, "cancel")
    ended = await town.comes(case_id, "incident:whistle:ended")
    await incidents.go(case_id, [SIGN])

    assert (held, ended["stage"], ended["results"]) == ("paused", "cancelled", {})


async def test_an_incident_that_cannot_wait_says_so(incidents: ApiDriver, town: WhistleTown) -> None:
    """While it is verified nobody holds it, and a second whistle it does not wait for: the whistles go on alone."""
    verifying, waiting = await incidents.start(), await incidents.start()
    await incidents.go(verifying, [SIGN, Step("finish", "officer")])
    first = await town.blow(incident=waiting)
    await town.comes(first, "whistle:incident:waits")
    alone = [await town.blow(incident=case_id) for case_id in (verifying, waiting)]
    answers = [await town.comes(whistle, "whistle:incident:goes_on") for whistle in alone]
    for whistle in alone:
        await town.done(whistle, "cancel")

    assert [answer["stage"] for answer in answers] == ["verifying", "whistled"]
    assert await town.told(alone[0], "incident_does_not_wait") == ["role:street_officer"]
    assert (await town.case(waiting))["stage"] == "whistled"


async def test_an_incident_that_ends_meanwhile_leaves_the_whistle_alone(
    incidents: ApiDriver, town: WhistleTown
) -> None:
    """Withdrawn while it waits: the whistle says so in its timeline, and goes on."""
    case_id = await incidents.start()
    await incidents.go(case_id, [SIGN])
    whistle = await town.blow(incident=case_id)
    await town.comes(whistle, "whistle:incident:waits")
    await incidents.go(case_id, [Step("withdraw", "reporter")])
    answer = await town.comes(whistle, "whistle:incident:goes_on")
    await town.reports(whistle, LEAD, "arrive")

    assert answer["stage"] == "withdrawn"
    assert (await town.case(whistle))["stage"] == "summoning"


async def test_the_coordinator_need_not_wait(incidents: ApiDriver, town: WhistleTown) -> None:
    """With a reason the incident goes on without the result, its clocks too, and the whistle hears of it."""
    case_id = await incidents.start()
    await incidents.go(case_id, [SIGN])
    whistle = await town.blow(incident=case_id)
    await town.comes(whistle, "whistle:incident:waits")
    await incidents.go(case_id, [Step("stop_waiting", "coordinator")])

    assert (await town.comes(whistle, "whistle:incident:goes_on"))["stage"] == "handling"
    assert (await town.clocks(case_id))["finish"]["status"] == "running"


async def test_a_whistle_names_an_open_incident_of_the_streets_own(incidents: ApiDriver, town: WhistleTown) -> None:
    """One that has ended, and one of another area, are faults of the call."""
    ended = await incidents.start()
    await incidents.go(ended, [Step("reject", "coordinator")])
    refused = await town.street.api.post(
        town.street.examples.PATH,
        json=town.street.examples.REPORT | {"incident": ended},
        headers=town.street.headers("street_officer", key=f"for-{ended}"),
    )
    elsewhere = await town.street.api.post(
        town.street.examples.PATH,
        json=town.street.examples.REPORT | {"incident": await incidents.start()},
        headers=town.street.headers("other_street", key=f"from-elsewhere-{ended}"),
    )

    assert [answer.status_code for answer in (refused, elsewhere)] == [422, 422]
    assert [[fault["field"] for fault in answer.json()["faults"]] for answer in (refused, elsewhere)] == [
        ["incident"]
    ] * 2
