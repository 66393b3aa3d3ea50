"""summons 部门报到: each row of the table, and a late department that escalates alone, through the public door."""

from typing import Any

import asyncpg
import pytest

from tests.api_driver import OpenDoor
from tests.examples.incident import document
from tests.whistle_town import LEAD, OTHER, WhistleTown

pytestmark = pytest.mark.usefixtures("worker")

DAY = 86_400
SLOW = DAY // 2
"""A town second by which a department that is to act in time has seven real ones before it is given up."""

BOUND = {"upheld": False, "reason": "属于该部门职责"}


@pytest.fixture
async def town(door: OpenDoor, pool: asyncpg.Pool) -> WhistleTown:
    """A town in which time does not matter: real speed."""
    return await WhistleTown.open(door, pool)


async def moments(town: WhistleTown, case_id: str) -> dict[str, list[str]]:
    answer = await town.street.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.street.headers("auditor"))
    found: dict[str, list[str]] = {}
    for entry in answer.json()["items"]:
        if "moment" in entry["facts"]:
            found.setdefault(entry["facts"]["clock"], []).append(entry["facts"]["moment"])
    return found


async def test_responding_and_arriving_stop_their_clocks(town: WhistleTown) -> None:
    """`respond` stops when the department says it comes, `arrive` when it is there; then `finish` runs."""
    whistle = await town.blow()
    await town.reports(whistle, LEAD, "respond")
    responded = await town.clocks(f"{whistle}.{LEAD}")
    await town.reports(whistle, LEAD, "arrive")
    arrived = await town.clocks(f"{whistle}.{LEAD}")

    assert (responded["respond"]["status"], responded["arrive"]["status"]) == ("stopped", "running")
    assert (arrived["arrive"]["status"], arrived["finish"]["status"]) == ("stopped", "running")


async def test_to_arrive_is_to_respond(town: WhistleTown) -> None:
    """Who comes without a word has answered too."""
    whistle = await town.blow()
    await town.reports(whistle, LEAD, "arrive")

    assert (await town.clocks(f"{whistle}.{LEAD}"))["respond"]["status"] == "stopped"


async def test_a_department_declines_once_and_the_ruling_binds(town: WhistleTown) -> None:
    """The coordinator says it has to come: `respond` runs anew, `arrive` never stopped, and there is no second decline."""
    whistle = await town.blow()
    summons = f"{whistle}.{OTHER}"
    before = (await town.clocks(summons))["arrive"]["due_at"]
    await town.reports(whistle, OTHER, "decline")
    declined = await town.case(summons)
    ruled = await town.at_desk(whistle, OTHER, "arbitrate", BOUND, by="coordinator")
    again = await town.at_desk(whistle, OTHER, "decline")
    clocks = await town.clocks(summons)

    assert (declined["stage"], declined["holder"], declined["due_clock"]) == (
        "declined",
        "role:coordinator",
        "arbitrate",
    )
    assert await town.told(summons, "summons_declined") == ["role:coordinator"]
    assert (ruled.status_code, ruled.json()["stage"]) == (200, "summoned")
    assert (again.status_code, again.json()["code"]) == (409, "against-the-rules")
    assert (clocks["respond"]["status"], clocks["arrive"]["due_at"]) == ("running", before)


async def test_a_decline_that_is_upheld_releases_the_department(town: WhistleTown) -> None:
    """It need not come, its summons has ended, and only the coordinator could say so."""
    whistle = await town.blow()
    await town.reports(whistle, OTHER, "decline")
    by_the_street = await town.at_desk(whistle, OTHER, "arbitrate", by="street_officer")
    await town.reports(whistle, OTHER, "arbitrate")

    assert by_the_street.status_code == 403
    assert (await town.case(f"{whistle}.{OTHER}"))["stage"] == "released"
    assert (await town.at_desk(whistle, OTHER, "arrive")).json()["code"] == "case-ended"


@pytest.mark.parametrize("left_out", ["reason", "legal_basis"])
async def test_a_decline_has_reason_and_legal_basis(town: WhistleTown, left_out: str) -> None:
    """Without either it is no decline."""
    whistle = await town.blow()
    body = {"reason": "非本单位职责", "legal_basis": "《权责清单》第三条"}
    answer = await town.at_desk(whistle, OTHER, "decline", {name: body[name] for name in body if name != left_out})

    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, left_out)


async def test_another_department_does_not_answer_for_this_one(town: WhistleTown) -> None:
    """A summons is for one department: the others do not even see it."""
    whistle = await town.blow()
    answer = await town.at_desk(whistle, LEAD, "respond", by="other_officer")

    assert answer.status_code == 404


async def test_a_late_department_escalates_alone(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Tier by tier: duty leader, supervision office, district leader; the other one's timeline knows nothing of it."""
    town = await WhistleTown.open(door, pool, speed=900)
    whistle = await town.blow(type="emergency")
    await town.reports(whistle, LEAD, "arrive")
    when_it_came = await moments(town, f"{whistle}.{LEAD}")  # on a busy machine even who comes at once is late
    final = await town.comes(f"{whistle}.{OTHER}", "clock:final_limit", within=60)
    silent, prompt = await moments(town, f"{whistle}.{OTHER}"), await moments(town, f"{whistle}.{LEAD}")

    assert final["holder"] == "role:coordinator"
    assert silent["respond"][:4] == ["warning", "breach", "tier:1", "tier:2"]
    assert prompt == when_it_came
    assert (await town.told(f"{whistle}.{OTHER}", "clock_breach"))[0] == "duty_leader"
    tiers = await town.told(f"{whistle}.{OTHER}", "clock_tier")
    assert list(dict.fromkeys(tiers)) == ["supervisor", "district_office"]


async def test_better_late_than_never(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Who was given up can still come and finish; that it was absent stays on the record."""
    town = await WhistleTown.open(door, pool, speed=DAY)
    whistle = await town.blow()
    await town.stands_at(f"{whistle}.{OTHER}", "absent", within=60)
    await town.reports(whistle, OTHER, "arrive")
    await town.reports(whistle, OTHER, "finish")
    reports = await town.entries(whistle, "whistle:department_reported")

    assert [each["stage"] for each in reports if each["department"] == OTHER] == ["absent", "arrived", "done"]
    assert set(reports[-1]["late"]) >= {"respond", "arrive"}


async def test_a_decline_that_nobody_rules_on_stands(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """The coordinator's own clock climbs to the supervision office and the district; after the last limit it is released."""
    town = await WhistleTown.open(door, pool, speed=SLOW)
    whistle = await town.blow()
    await town.reports(whistle, OTHER, "decline")
    await town.stands_at(f"{whistle}.{OTHER}", "released", within=60)

    assert (await moments(town, f"{whistle}.{OTHER}"))["arbitrate"] == ["warning", "breach", "tier:1", "tier:2"]
    assert len(await town.entries(f"{whistle}.{OTHER}", "summons:released")) == 1


async def test_a_task_that_is_not_finished_is_on_the_record(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Who came and did not finish is unfinished after its last limit, and told so."""
    town = await WhistleTown.open(door, pool, speed=4 * DAY)
    whistle = await town.blow()
    await town.reports(whistle, OTHER, "arrive")
    await town.stands_at(f"{whistle}.{OTHER}", "unfinished", within=60)

    assert await town.told(f"{whistle}.{OTHER}", "summons_unfinished") == [f"department:{OTHER}"]


async def test_documents_show_the_work(town: WhistleTown) -> None:
    """What a department names when it finishes stands in its summons, as what it is."""
    whistle = await town.blow()
    await town.reports(whistle, LEAD, "arrive")
    photo: Any = await document(town.desk, "officer")
    answer = await town.at_desk(whistle, LEAD, "finish", {"result": "已取缔", "documents": [photo]})

    assert answer.status_code == 200, answer.text
    assert (await town.entries(f"{whistle}.{LEAD}", "summons:finished"))[0]["documents"] == [photo]
