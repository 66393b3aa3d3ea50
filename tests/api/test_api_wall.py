"""What is overdue, and who had such before: figures of what the caller sees, without a case or a person in them."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from console.staff.wall_page import TIERS
from engine.keys.keys import Keys
from schemas.values.actor import Role
from tests.api_callers import REPORT, As, OwnTown, api_of, callers

pytest_plugins = ("tests.api_fixture",)

ROW = """
insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, due_at, due_clock, seq, head_hash,
                   clocks, snapshot, task_at)
values ($1, 'incident', 'handling', $2, $3, '{}', $4, $5, $6, $7, 1, $1, $8::jsonb, '{}', $4)
"""
"""A case as far as a wall looks at it."""


def clocks(name: str, *fired: str) -> list[dict[str, Any]]:
    """The clocks of a case: the one that is due, and another that has climbed further and counts for nothing here."""
    return [{"name": "respond", "fired": ["breach", "tier:1", "tier:2"]}, {"name": name, "fired": fired}]


@pytest.fixture
async def town(own_town: OwnTown) -> OwnTown:
    """A town of its own with overdue work: of two departments and the coordinator, in two streets; and some that is not."""
    now = own_town.build().state.parts.reading.now()
    late = [
        ("320104.003.07", "department:urban-management", "finish", 2, ("breach",)),
        ("320104.003.07", "department:urban-management", "finish", 25, ("breach", "tier:1")),
        ("320104.003.08", "department:urban-management", "finish", 200, ("breach", "tier:1", "tier:2", "tier:3")),
        ("320104.003.07", "department:urban-management", "sign", 1, ()),
        ("320104.001.02", "department:water-supply", "finish", 480, ("breach", "tier:1", "tier:2")),
        ("320104.0031", "role:coordinator", "redispatch", 96, ("breach",)),
    ]
    rows: list[tuple[Any, ...]] = [
        (area, holder, now, False, now - timedelta(hours=hours), clock, clocks(clock, *fired))
        for area, holder, clock, hours, fired in late
    ]
    at, holder = "320104.003.07", "department:urban-management"
    rows += [
        (at, holder, now, False, now + timedelta(hours=1), "finish", clocks("finish", "warning")),
        (at, holder, now, True, now - timedelta(hours=1), "finish", clocks("finish", "breach")),
        (at, holder, now, False, None, None, []),
    ]
    for number, row in enumerate(rows):
        await own_town.pool.execute(ROW, f"incident-20260101-{number:06d}", *row)
    return own_town


@pytest.fixture
async def api(town: OwnTown) -> AsyncIterator[httpx.AsyncClient]:
    """Its API."""
    async with api_of(town.build()) as http:
        yield http


async def wall(api: httpx.AsyncClient, keys: Keys, role: Role, **claims: Any) -> list[tuple[Any, ...]]:
    """The lines of somebody's wall."""
    answer = await callers(api, keys)(role, **claims).get("/api/v1/wall")
    assert answer.status_code == 200, answer.text
    lines = answer.json()["lines"]
    assert answer.json()["overdue"] == sum(each["overdue"] for each in lines)
    return [(each["holder"], each["clock"], each["overdue"], each["tiers"]) for each in lines]


async def test_a_wall_shows_what_is_overdue_the_oldest_first(api: httpx.AsyncClient, keys: Keys) -> None:
    """By holder and clock, told apart by the tiers that it has climbed; what is not due yet or has ended is not there."""
    assert await wall(api, keys, Role.SUPERVISOR) == [
        ("department:water-supply", "finish", 1, [0, 0, 1]),
        ("department:urban-management", "finish", 3, [1, 1, 1]),
        ("role:coordinator", "redispatch", 1, [1, 0, 0]),
        ("department:urban-management", "sign", 1, [1, 0, 0]),
    ]


async def test_a_wall_counts_what_its_reader_has_the_figures_of(api: httpx.AsyncClient, keys: Keys) -> None:
    """An area has all inside it and nothing whose code only begins alike; a department what it holds; residents nothing."""
    street = await wall(api, keys, Role.COORDINATOR, area="320104.003")
    water = await wall(api, keys, Role.DEPARTMENT_OFFICER, department="water-supply")
    both = await wall(api, keys, Role.DEPARTMENT_OFFICER, department="water-supply", area="320104.003")
    refused = await callers(api, keys)(Role.RESIDENT).get("/api/v1/wall")

    assert [line[:3] for line in street] == [
        ("department:urban-management", "finish", 3),
        ("department:urban-management", "sign", 1),
    ]
    assert [line[:3] for line in water] == [("department:water-supply", "finish", 1)]
    assert both == []
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-role")


def test_tiers_are_told_by_word_and_shape() -> None:
    """No two tiers have the same shape or the same word: who sees no colours tells them apart."""
    for said in zip(*TIERS, strict=True):
        assert len(set(said)) == len(TIERS)


async def test_precedents_say_who_had_such_before_and_gave_it_back(as_: As) -> None:
    """Cases of the same category that the caller sees: by department how many, how often given back; residents hear nothing."""
    area = "320104.003.07"
    officer = as_(Role.DEPARTMENT_OFFICER, f"officer-{uuid.uuid4().hex[:6]}", department="urban-management")
    supervisor = as_(Role.SUPERVISOR, area=area)
    asked, other = [(await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"] for _ in range(2)]
    before = await told(supervisor, asked)
    given = await officer.command(other, "return_order", {"reason": "非本部门职责", "legal_basis": "条例第三条"})
    after = await told(supervisor, asked)
    elsewhere = await told(as_(Role.SUPERVISOR), asked)

    assert given.status_code == 200, given.text
    assert before["urban-management"]["cases"] == after["urban-management"]["cases"] >= 1
    assert after["urban-management"]["returned"] == before["urban-management"]["returned"] + 1
    assert elsewhere["urban-management"]["cases"] >= after["urban-management"]["cases"]
    resident = as_(Role.RESIDENT, "resident-precedents")
    own = (await resident.report(REPORT)).json()["case_id"]
    assert await told(resident, own) == {}


async def told(caller: Any, case_id: str) -> dict[str, Any]:
    """The precedents of a case, by department."""
    answer = await caller.get(f"/api/v1/cases/{case_id}/precedents")
    assert answer.status_code == 200, answer.text
    return {each["department"]: each for each in answer.json()["departments"]}
