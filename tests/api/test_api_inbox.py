"""The inbox: what waits for whom, counted from the projection, inside area and department."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from engine.keys.keys import Keys
from schemas.clocks.town_time import TownTime
from tests.api_callers import REPORT, As, BuildApp, Caller, api_of, callers

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.usefixtures("worker")

PLACE = REPORT["location"]
SEATED = """
insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks, snapshot, task_at)
values ($1, 'proposal', 'signing', '844', $2, '{}', $4, false, 1, '', '[]', $3::text::jsonb, $4)
"""
REASON = {"reason": "不属本部门", "legal_basis": "条例第三条"}


async def inbox(caller: Caller, **query: Any) -> dict[str, Any]:
    """What a caller's inbox says."""
    answer = await caller.get("/api/v1/inbox", **query)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def numbers(part: dict[str, Any]) -> list[str]:
    """The numbers of a list of the inbox."""
    return [item["case_id"] for item in part["items"]]


async def report(as_: As, area: str, subject: str = "inbox-resident", category: str = "环境卫生") -> str:
    """A case in an area."""
    body = REPORT | {"location": PLACE | {"area": area}, "category": category}
    return str((await as_(subject=subject).report(body)).json()["case_id"])


async def test_a_case_waits_in_one_inbox_after_the_other(as_: As) -> None:
    """The department, the grid worker and the resident have it in turn, each only while it is theirs to act."""
    case = await report(as_, "840.1", "inbox-1")
    officer = as_("department_officer", department="civil-affairs")
    await as_("coordinator").command(case, "redispatch", {"department": "civil-affairs", "reason": "民政事项"})
    turns: dict[str, Caller] = {
        "department:civil-affairs": officer,
        "role:grid_worker": as_("grid_worker", area="840.1"),
        "reporter": as_(subject="inbox-1"),
    }

    async def who_has_it() -> list[str]:
        return [holder for holder, caller in turns.items() if case in numbers((await inbox(caller))["mine"])]

    seen = [await who_has_it()]
    await officer.command(case, "sign")
    await officer.command(case, "finish", {"result": "已办"})
    seen.append(await who_has_it())
    await as_("grid_worker", area="840.1").command(case, "verify", {"passed": True})
    seen.append(await who_has_it())
    await as_(subject="inbox-1").command(case, "rate", {"solved": "solved", "satisfied": "satisfied"})
    seen.append(await who_has_it())

    assert seen == [["department:civil-affairs"], ["role:grid_worker"], ["reporter"], []]


async def test_what_waits_for_a_seat_is_in_the_inbox_of_whoever_has_it(as_: As, pool: asyncpg.Pool) -> None:
    """A carrier's signature waits for the carrier; what waits for the team, in whose case it has a seat too, waits for the team."""
    lead, carrier = as_(subject="inbox-lead"), as_("partner", subject="inbox-carrier")
    seats = {"reporter_subject": "inbox-lead", "participants": [{"subject": "inbox-carrier", "left_at": None}]}
    holders = {"participant:inbox-carrier": carrier, "reporter": lead, "participant:inbox-other": None}
    for number, holder in enumerate(holders, start=1):
        values = (f"round-20260501-00084{number}.proposal-1", holder, json.dumps(seats), datetime.now(UTC))
        await pool.execute(SEATED, *values)
    own = {holder: numbers((await inbox(caller))["mine"]) for holder, caller in holders.items() if caller is not None}

    assert own == {
        "participant:inbox-carrier": ["round-20260501-000841.proposal-1"],
        "reporter": ["round-20260501-000842.proposal-1"],
    }
    assert await pool.fetchval("delete from cases where case_id like 'round-20260501-00084%' returning true")


async def test_an_inbox_ends_at_the_area_of_its_owner(as_: As) -> None:
    """A coordinator of one area is not shown, and does not count, what was returned in another."""
    here, there = await report(as_, "841.1"), await report(as_, "842.1")
    for case in (here, there):
        await as_("department_officer", department="urban-management").command(case, "return_order", REASON)
    own = await inbox(as_("coordinator", area="841"))

    assert (own["holder"], own["mine"]["count"], numbers(own["mine"])) == ("role:coordinator", 1, [here])


async def test_a_resident_has_only_own_cases_in_the_inbox(as_: As) -> None:
    """What waits for another reporter is not in it."""
    case = await report(as_, "843", "inbox-2")
    officer = as_("department_officer", department="urban-management")
    for step, body in (("sign", {}), ("finish", {"result": "已清运"})):
        await officer.command(case, step, body)
    await as_("coordinator").command(case, "verify", {"passed": True})

    assert numbers((await inbox(as_(subject="inbox-2")))["mine"]) == [case]
    assert (await inbox(as_(subject="inbox-3")))["mine"]["count"] == 0


async def test_the_list_of_an_inbox_goes_on_where_its_page_ends(as_: As) -> None:
    """`list_url` with `next_cursor` gives the rest, the earliest due first; `count` is of all."""
    cases = [await report(as_, "844.1", category=category) for category in ("环境卫生", "供水供电", "突发险情")]
    for case in cases:
        await as_("coordinator").command(case, "redispatch", {"department": "health", "reason": "卫健"})
    caller = as_("department_officer", department="health")
    first = (await inbox(caller, limit=1))["mine"]
    rest = (await caller.get(f"{first['list_url']}&limit=200&cursor={first['next_cursor']}")).json()["items"]

    due = [item["due_at"] for item in [*first["items"], *rest]]
    assert first["count"] == len(due)
    assert due == sorted(due)
    assert set(cases) <= {item["case_id"] for item in [*first["items"], *rest]}


async def test_soon_is_after_the_warning_and_overdue_after_the_due_time(
    as_: As, build_app: BuildApp, keys: Keys
) -> None:
    """A case is due soon from its warning (80 % of the time) on, then overdue, never both; those who watch see it too."""
    case = await report(as_, "845.1", category="商贸旅游")
    clocks = (await as_("auditor").get(f"/api/v1/cases/{case}")).json()["clocks"]
    [(warning, due)] = [
        [datetime.fromisoformat(clock[name]) for name in ("warning_at", "due_at")]
        for clock in clocks
        if clock["name"] == "sign"
    ]

    async def seen_at(moment: datetime) -> list[list[str]]:
        """Where an officer and a supervisor have the case, in an API whose clock shows this moment."""
        clock = TownTime.starting(moment, datetime.now(UTC), 1)
        async with api_of(build_app(town_time=clock)) as http:
            at_that_time = callers(http, keys)
            people = [
                at_that_time("department_officer", department="commerce-tourism"),
                at_that_time("supervisor", area="845"),
            ]
            shown = [await inbox(who, limit=100) for who in people]
        return [[part for part in ("due_soon", "overdue") if case in numbers(each[part])] for each in shown]

    assert (due - warning) * 4 == warning - (due - timedelta(hours=1))
    assert await seen_at(warning - timedelta(minutes=5)) == [[], []]
    assert await seen_at(warning) == [["due_soon"]] * 2
    assert await seen_at(due - timedelta(minutes=5)) == [["due_soon"]] * 2
    assert await seen_at(due) == [["overdue"]] * 2


@pytest.mark.parametrize("limit", [0, 101, "many"])
async def test_a_page_of_an_inbox_has_1_to_100_cases(limit: Any, as_: As) -> None:
    """Anything else is a fault of `limit`."""
    answer = await as_("coordinator").get("/api/v1/inbox", limit=limit)

    assert [fault["field"] for fault in answer.json()["faults"]] == ["limit"]
