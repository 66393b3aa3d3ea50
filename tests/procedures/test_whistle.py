"""whistle 吹哨报到: each row of the table and each rule of the domain, through the public door."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from schemas.kernel.case import Message
from tests.api_driver import OpenDoor
from tests.examples.whistle import PATH, REPORT
from tests.whistle_town import LEAD, OTHER, THIRD, WhistleTown

pytestmark = pytest.mark.usefixtures("worker")

BOTH = (LEAD, OTHER)


@pytest.fixture
async def town(door: OpenDoor, pool: asyncpg.Pool) -> WhistleTown:
    """A town in which time does not matter: real speed."""
    return await WhistleTown.open(door, pool)


async def at_work(town: WhistleTown, **other: Any) -> str:
    """A whistle whose departments have come and whose work has begun."""
    whistle = await town.blow(**other)
    for department in other.get("departments", BOTH):
        await town.reports(whistle, department, "arrive")
    await town.done(whistle, "begin_work", "officer")
    return whistle


# ---- blowing -------------------------------------------------------------------------------------------------------


async def post(town: WhistleTown, by: str = "street_officer", **other: Any) -> Any:
    headers = town.street.headers(by, key=str(uuid.uuid4()))
    return await town.street.api.post(PATH, json=REPORT | other, headers=headers)


async def test_every_fault_of_a_call_is_told_at_once(town: WhistleTown) -> None:
    """Unknown departments, one named twice, a lead that is not called, a wrong area and a wrong incident: one answer."""
    answer = await post(
        town,
        departments=["urban-management", "fire-brigade", "urban-management"],
        lead="justice-office",
        location={"address": "平安街", "area": "320104.999"},
        incident="incident-20200101-000001",
    )

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == [
        "departments.1", "departments.2", "lead", "location.area", "incident",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"lead": ["urban-management", "justice-office"]}, "lead"),
        ({"departments": []}, "departments"),
        ({"departments": [LEAD, *(f"department-{number}" for number in range(12))]}, "departments"),
        ({"type": "party"}, "type"),
        ({"matter": " "}, "matter"),
        ({"incident": "whistle-20261121-000001"}, "incident"),
        ({"second_lead": OTHER}, "second_lead"),
    ],
    ids=["two leads", "no departments", "too many", "no such type", "blank", "not an incident", "unknown field"],
)
async def test_a_call_that_makes_no_sense_is_refused(town: WhistleTown, other: dict[str, Any], field: str) -> None:
    """What is wrong is named by its field, and no case comes of it."""
    answer = await post(town, **other)

    assert answer.status_code == 422
    assert field in [fault["field"] for fault in answer.json()["faults"]]


async def test_only_a_street_blows_a_whistle_and_only_in_its_own_area(town: WhistleTown) -> None:
    """A grid worker asks the street to; a street of another area is told that this one is not its own."""
    not_a_street = await post(town, by="grid_worker")
    elsewhere = await post(town, by="other_street", location={"address": "平安街", "area": "320104.003.01"})

    assert (not_a_street.status_code, not_a_street.json()["code"]) == (403, "not-your-role")
    assert [fault["field"] for fault in elsewhere.json()["faults"]] == ["location.area"]


async def test_each_department_gets_a_summons_with_clocks_of_its_own(town: WhistleTown) -> None:
    """The number is the whistle's with the department behind it; the limits are those of the type, from the summons on."""
    whistle = await town.blow(type="emergency")
    clocks = await town.clocks(f"{whistle}.{OTHER}")
    started, due = (
        {name: datetime.fromisoformat(clocks[name][at]) for name in ("respond", "arrive")}
        for at in ("started_at", "due_at")
    )

    assert due["respond"] - started["respond"] == timedelta(minutes=30)
    assert due["arrive"] - started["arrive"] == timedelta(hours=2)
    assert {each["summons"] for each in await town.entries(whistle, "whistle:summons_stands")} == {
        f"{whistle}.{LEAD}", f"{whistle}.{OTHER}",
    }  # fmt: skip
    assert await town.told(f"{whistle}.{OTHER}", "summoned") == [f"department:{OTHER}"]


async def test_a_department_sees_the_whistle_and_its_own_summons_only(town: WhistleTown) -> None:
    """What the others were called to is theirs; a street of another area sees nothing."""
    whistle = await town.blow()
    paths = (whistle, f"{whistle}.{OTHER}", f"{whistle}.{LEAD}")

    async def seen(by: str) -> list[int]:
        answers = [
            await town.street.api.get(f"/api/v1/cases/{path}", headers=town.street.headers(by)) for path in paths
        ]
        return [answer.status_code for answer in answers]

    assert await seen("other_officer") == [200, 200, 404]
    assert await seen("third_officer") == [404, 404, 404]
    assert await seen("other_street") == [404, 404, 404]


# ---- gathering and the lead ----------------------------------------------------------------------------------------


async def test_the_lead_and_a_quorum_gather_in_an_emergency(town: WhistleTown) -> None:
    """Half of three without the lead is not enough; with the lead it is, and who is missing stands in the ledger."""
    whistle = await town.blow(type="emergency", departments=[LEAD, OTHER, THIRD])
    await town.reports(whistle, OTHER, "arrive")
    without_the_lead = (await town.case(whistle))["stage"]
    await town.reports(whistle, LEAD, "arrive")
    gathered = await town.comes(whistle, "whistle:gathered")

    assert without_the_lead == "summoning"
    assert (gathered["outcome"], gathered["present"], gathered["missing"]) == ("quorum", [LEAD, OTHER], [THIRD])
    assert (await town.case(whistle))["holder"] == f"department:{LEAD}"


async def test_a_demand_waits_for_everybody(town: WhistleTown) -> None:
    """All must arrive; a department that is released need not."""
    whistle = await town.blow(type="demand", departments=[LEAD, OTHER, THIRD])
    await town.reports(whistle, LEAD, "arrive")
    await town.reports(whistle, OTHER, "arrive")
    before = (await town.case(whistle))["stage"]
    await town.reports(whistle, THIRD, "decline", "arbitrate")

    assert before == "summoning"
    assert (await town.comes(whistle, "whistle:gathered"))["outcome"] == "complete"


async def test_the_lead_is_handed_over_with_all_its_duties(town: WhistleTown) -> None:
    """One command: who holds it and may begin, whose clock it is, and what every summons knows; the due time stays."""
    whistle = await town.blow()
    before = (await town.clocks(whistle))["gather"]["due_at"]
    await town.done(whistle, "hand_over_lead")
    handed = (await town.entries(whistle, "whistle:lead_handed_over"))[0]
    shown = await town.case(whistle)
    for department in BOTH:
        changed = await town.comes(f"{whistle}.{department}", "summons:lead_changed")
        assert changed["lead"] == OTHER
        await town.reports(whistle, department, "arrive")

    assert (handed["before"], handed["lead"], handed["duties"]) == (LEAD, OTHER, ["gather"])
    assert (shown["department"], shown["holder"]) == (OTHER, f"department:{OTHER}")
    assert (await town.clocks(whistle))["gather"]["due_at"] == before
    assert (await town.give(whistle, "begin_work", "officer")).status_code == 403
    assert (await town.give(whistle, "begin_work", "other_officer")).status_code == 200


async def test_a_lead_is_one_of_the_departments_and_another_than_now(town: WhistleTown) -> None:
    """Handing over to the same, to one that was not called, or to one that is released is a fault."""
    whistle = await town.blow(departments=[LEAD, OTHER, THIRD])
    await town.reports(whistle, OTHER, "decline", "arbitrate")
    answers = [
        await town.give(whistle, "hand_over_lead", body={"department": department, "reason": "职责更符合"})
        for department in (LEAD, OTHER, "health")
    ]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert [answer.json()["faults"][0]["field"] for answer in answers] == ["department"] * 3


async def test_without_a_lead_nobody_has_gathered(town: WhistleTown) -> None:
    """When the lead's decline is upheld the street is told, holds the whistle, and hands over; then it goes on by itself."""
    whistle = await town.blow()
    await town.reports(whistle, OTHER, "arrive")
    await town.reports(whistle, LEAD, "decline", "arbitrate")
    missing = await town.comes(whistle, "whistle:lead_missing")
    shown = await town.case(whistle)
    await town.done(whistle, "hand_over_lead")

    assert missing == {"department": LEAD}
    assert (shown["stage"], shown["holder"]) == ("summoning", "role:street_officer")
    assert await town.told(whistle, "lead_missing") == ["role:street_officer"]
    assert (await town.case(whistle))["stage"] == "gathered"


# ---- further departments, cancelling -------------------------------------------------------------------------------


async def test_further_departments_are_summoned_on_the_way_and_none_twice(town: WhistleTown) -> None:
    """They have clocks of their own from then on; a department called before, released ones too, is not called again."""
    whistle = await at_work(town)
    await town.done(whistle, "summon_more")
    await town.reports(whistle, THIRD, "decline", "arbitrate")
    body = {"departments": [LEAD, THIRD, "health", "health", "fire-brigade"]}
    again = await town.give(whistle, "summon_more", body=body)

    assert (await town.case(whistle))["stage"] == "working"
    assert again.status_code == 422
    assert [fault["field"] for fault in again.json()["faults"]] == [
        "departments.0", "departments.1", "departments.3", "departments.4",
    ]  # fmt: skip


async def test_cancelling_tells_everybody(town: WhistleTown) -> None:
    """Whatever a department was at, its summons is cancelled and it is told; nothing is scored any more."""
    whistle = await town.blow(departments=[LEAD, OTHER, THIRD])
    await town.reports(whistle, LEAD, "arrive", "finish")
    await town.reports(whistle, OTHER, "decline")
    await town.done(whistle, "cancel")
    for department in (LEAD, OTHER, THIRD):
        await town.stands_at(f"{whistle}.{department}", "cancelled")
        assert await town.told(f"{whistle}.{department}", "summons_cancelled") == [f"department:{department}"]

    assert (await town.give(whistle, "score")).json()["code"] == "case-ended"


async def test_what_was_overtaken_on_its_way_counts_no_more(town: WhistleTown, temporal: Client) -> None:
    """An older word of a summons that comes after a newer one changes nothing, and leaves no entry."""
    whistle = await town.blow()
    await town.reports(whistle, LEAD, "respond", "arrive")
    before = await town.street.kinds(whistle)
    old = Message(
        message_id=f"{whistle}.{LEAD}/letter-old",
        sender=f"{whistle}.{LEAD}",
        to=whistle,
        subject="summons_reported",
        facts={"department": LEAD, "stage": "absent", "heard": 1},
    )
    await temporal.get_workflow_handle(whistle).signal("message", old)
    await town.done(whistle, "comment")

    assert await town.street.kinds(whistle) == [*before, "whistle:commented"]


# ---- scoring -------------------------------------------------------------------------------------------------------


async def test_scores_are_given_for_what_is_done_and_low_ones_with_a_reason(town: WhistleTown) -> None:
    """Not called, not finished, scored already, out of range, under sixty without a reason: each is named."""
    whistle = await at_work(town)
    await town.reports(whistle, LEAD, "finish")
    await town.done(whistle, "score")
    bodies = [
        {"department": "health", "score": 80},
        {"department": OTHER, "score": 30},
        {"department": LEAD, "score": 80},
        {"department": LEAD, "score": 101},
    ]
    answers = [await town.give(whistle, "score", body=body) for body in bodies]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422]
    assert [[fault["field"] for fault in answer.json()["faults"]] for answer in answers] == [
        ["department"], ["department", "reason"], ["department"], ["score"],
    ]  # fmt: skip


async def test_the_whistle_closes_by_itself_with_the_last_score(town: WhistleTown) -> None:
    """The evaluation stands in one entry, each department hears its score, and every summons has ended."""
    whistle = await at_work(town)
    for department in BOTH:
        await town.reports(whistle, department, "finish")
    settled = await town.case(whistle)
    await town.done(whistle, "score")
    await town.done(whistle, "score", body={"department": OTHER, "score": 55, "reason": "到场迟缓"})
    evaluated = await town.comes(whistle, "whistle:evaluated")
    await town.stands_at(f"{whistle}.{OTHER}", "scored")

    assert (settled["holder"], settled["due_clock"]) == ("role:street_officer", "score")
    assert (evaluated["scores"], evaluated["mean_score"]) == ({LEAD: 90, OTHER: 55}, 73)
    assert (await town.case(whistle))["stage"] == "closed"
    scored = (await town.entries(f"{whistle}.{OTHER}", "summons:scored"))[0]
    assert (scored["score"], scored["reason"]) == (55, "到场迟缓")


async def test_a_further_summons_stops_the_streets_clock(town: WhistleTown) -> None:
    """While somebody is at work again nothing is to be scored yet, and the lead holds the whistle."""
    whistle = await at_work(town)
    for department in BOTH:
        await town.reports(whistle, department, "finish")
    await town.done(whistle, "summon_more")

    assert (await town.clocks(whistle))["score"]["status"] == "stopped"
    assert (await town.case(whistle))["holder"] == f"department:{LEAD}"


async def test_absent_departments_stand_on_the_record_and_in_the_score(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """Who never came is given up after its last limit; work goes on without it, and it is scored like the others."""
    town = await WhistleTown.open(door, pool, speed=60_000)  # six seconds for the lead to come
    whistle = await town.blow()
    await town.reports(whistle, LEAD, "arrive", "finish")
    await town.stands_at(f"{whistle}.{OTHER}", "absent")
    gathered = await town.comes(whistle, "whistle:gathered")
    await town.comes(whistle, "whistle:all_settled")
    await town.done(whistle, "score")
    await town.done(whistle, "score", body={"department": OTHER, "score": 0, "reason": "未到场"})
    evaluated = await town.comes(whistle, "whistle:evaluated")

    assert (gathered["outcome"], gathered["missing"]) == ("short", [OTHER])
    assert (evaluated["absent"], set(evaluated["late"][OTHER])) == ([OTHER], {"respond", "arrive"})


# ---- the file ------------------------------------------------------------------------------------------------------


async def test_urging_reminds_those_who_are_behind(town: WhistleTown) -> None:
    """Not who has finished, nor who need not come."""
    whistle = await town.blow(departments=[LEAD, OTHER, THIRD])
    await town.reports(whistle, LEAD, "arrive", "finish")
    await town.reports(whistle, OTHER, "decline", "arbitrate")
    await town.done(whistle, "urge", "supervisor")

    assert await town.told(whistle, "urged") == [f"department:{THIRD}"]


async def test_another_calendar_moves_the_summonses_too(town: WhistleTown) -> None:
    """One command of the administrator, and every open clock of the whistle and its departments goes by it."""
    whistle = await town.blow()
    await town.done(whistle, "replan", "admin")
    for department in BOTH:
        replanned = await town.comes(f"{whistle}.{department}", "clock:replanned")
        assert replanned["after"] == "tests.1"
