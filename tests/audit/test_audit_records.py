"""Who read personal data, and who tried what he may not: on record for auditors, whoever it was."""

import uuid
from typing import Any

import asyncpg
import pytest

from tests.api_callers import As, Caller

pytest_plugins = ("tests.api_fixture",)


@pytest.fixture
async def resident(as_: As) -> Caller:
    """A resident of this test alone."""
    return as_(subject=f"resident-{uuid.uuid4().hex[:8]}")


@pytest.fixture
async def case(resident: Caller) -> str:
    """A case of the resident's."""
    return str((await resident.report()).json()["case_id"])


async def listed(as_: As, what: str, **query: Any) -> list[dict[str, Any]]:
    answer = await as_("auditor").get(f"/api/v1/audit/{what}", **query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_auditors_see_who_read_what(as_: As, case: str) -> None:
    """Each reading of a case's texts and persons stands there with who, role, purpose and reference; no word of any text."""
    who = f"street-{uuid.uuid4().hex[:8]}"
    await as_("street_officer", subject=who).get(f"/api/v1/cases/{case}/timeline")
    rows = await listed(as_, "readings", case_id=case, who=who)
    person = rows[0]["person"]

    assert {(row["who"], row["role"], row["purpose"], row["case_id"]) for row in rows} == {
        (who, "street_officer", "show-timeline", case)
    }
    assert len({row["reference"] for row in rows}) == len(rows) >= 3
    assert await listed(as_, "readings", case_id=case, who="nobody") == []
    assert {row["person"] for row in await listed(as_, "readings", person=person)} == {person}
    assert await listed(as_, "readings", case_id=case, until="2020-01-01") == []
    assert await listed(as_, "readings", case_id=case, purpose="elsewhere") == []


@pytest.mark.parametrize(
    ("role", "path", "code"),
    [
        ("resident", "/api/v1/cases/{case}", "not-your-case"),
        ("resident", "/api/v1/cases/{case}/timeline", "not-your-case"),
        ("resident", "/api/v1/indicators/incidents", "not-your-role"),
        ("coordinator", "/api/v1/audit/readings", "not-your-role"),
        ("admin", "/api/v1/audit/refusals", "not-your-role"),
        ("admin", "/api/v1/documents/document:00000000000000000000000000", "not-your-role"),
    ],
)
async def test_who_is_turned_away_stands_on_record(role: str, path: str, code: str, as_: As, case: str) -> None:
    """Whoever asks for what is not theirs is refused, and the attempt is kept with who, what and, where there is one, the case."""
    who = f"curious-{uuid.uuid4().hex[:8]}"
    answer = await as_(role, subject=who).get(path.format(case=case))
    (row,) = await listed(as_, "refusals", who=who)

    assert answer.status_code in {403, 404}
    assert (row["role"], row["code"], row["case_id"]) == (role, code, case if "{case}" in path else None)
    assert row["command"]


async def test_a_start_that_is_not_for_a_role_is_kept(as_: As) -> None:
    """A refused opening of a case is an attempt like any other."""
    who = f"curious-{uuid.uuid4().hex[:8]}"
    answer = await as_("auditor", subject=who).report()

    assert answer.status_code == 403
    assert [row["command"] for row in await listed(as_, "refusals", who=who)] == ["report"]


async def test_a_refused_command_is_kept_once(as_: As, resident: Caller, case: str) -> None:
    """What a case or its door refuses stands there once, however often and by whatever way it is answered."""
    clerk, officer = (f"{role}-{uuid.uuid4().hex[:8]}" for role in ("clerk", "officer"))
    await as_("window_clerk", subject=clerk).command(case, "sign")
    for _ in range(2):
        by = as_("department_officer", subject=officer, department="urban-management")
        await by.command(case, "finish", {"result": "完成"}, key="early")
    kept = [
        (row["case_id"], row["command"], row["code"])
        for who in (clerk, officer)
        for row in await listed(as_, "refusals", who=who)
    ]

    assert kept == [(case, "sign", "not-your-role"), (case, "finish", "not-now")]
    assert [row["command"] for row in await listed(as_, "refusals", case_id=case, code="not-now")] == ["finish"]


async def test_what_is_not_there_is_no_attempt(as_: As, pool: asyncpg.Pool) -> None:
    """A number that no case has is nobody's secret: asking for it leaves nothing."""
    who = f"curious-{uuid.uuid4().hex[:8]}"
    answer = await as_(subject=who).get("/api/v1/cases/incident-20990101-000001")

    assert answer.status_code == 404
    assert await listed(as_, "refusals", who=who) == []


async def test_an_auditor_of_an_area_sees_that_area(as_: As, case: str) -> None:
    """Readings and refusals of other areas are not shown to an auditor who is bound to one."""
    await as_("street_officer").get(f"/api/v1/cases/{case}/timeline")
    await as_(subject="curious").get(f"/api/v1/cases/{case}")
    shown = {
        (area, what): len((await as_("auditor", area=area).get(f"/api/v1/audit/{what}", case_id=case)).json()["items"])
        for area in ("320104.003", "320104.00", "320105")
        for what in ("readings", "refusals")
    }

    assert all(shown["320104.003", what] > 0 for what in ("readings", "refusals"))
    assert [number for (area, _), number in shown.items() if area != "320104.003"] == [0, 0, 0, 0]


async def test_pages_follow_one_another(as_: As, case: str) -> None:
    """A long record is read in pages, the newest first, none twice and none left out."""
    await as_("street_officer").get(f"/api/v1/cases/{case}/timeline")
    whole = [row["number"] for row in await listed(as_, "readings", case_id=case)]
    paged: list[int] = []
    before: dict[str, int] = {}
    while True:
        page = (await as_("auditor").get("/api/v1/audit/readings", case_id=case, limit=2, **before)).json()
        paged += [row["number"] for row in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}

    assert paged == whole == sorted(whole, reverse=True)
    assert len(whole) >= 3
