"""The cases of a person, by phone or document: for who reads that number whole, of what they see, and always on record."""

import uuid
from typing import Any

import asyncpg
import httpx
import pytest

from schemas.kernel.visibility import may_find_by
from schemas.values.actor import Actor, Role
from tests.api_callers import REPORT, As

pytest_plugins = ("tests.api_fixture",)

PATH = "/api/v1/cases:find"


def new_phone() -> str:
    """A mobile number that nobody else has."""
    return f"139{uuid.uuid4().int % 10**8:08d}"


async def reported(as_: As, phone: str) -> str:
    """An incident that a window clerk entered for somebody known by their phone."""
    body: dict[str, Any] = REPORT | {"reporter": {"name": "赵小芳", "phone": phone}}
    answer = await as_(Role.WINDOW_CLERK).report(body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


def numbers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["case_id"] for row in answer.json()["items"]]


async def test_a_phone_finds_the_cases_of_its_person_and_each_is_on_record(as_: As, pool: asyncpg.Pool) -> None:
    """In any writing of the number, the newest first; who looked stands beside each case, with the purpose."""
    phone = new_phone()
    cases = [await reported(as_, phone), await reported(as_, phone)]
    seeker = as_(Role.COORDINATOR, "seeker-1")
    found = numbers(await seeker.post(PATH, {"by": "phone", "number": f"+86 {phone[:3]}-{phone[3:7]} {phone[7:]}"}))
    recorded = await pool.fetch(
        "select case_id, role, purpose from vault_reads where who = 'seeker-1' order by case_id desc"
    )

    assert found == cases[::-1]
    assert [tuple(row) for row in recorded] == [(case, "coordinator", "find-person") for case in found]


async def test_what_somebody_does_not_see_is_neither_found_nor_read(as_: As, pool: asyncpg.Pool) -> None:
    """Bound to another area one finds nothing, and nothing stands in the record of readings."""
    phone = new_phone()
    await reported(as_, phone)
    elsewhere = as_(Role.COORDINATOR, "seeker-elsewhere", area="320104.00")
    near = as_(Role.COORDINATOR, "seeker-near", area="320104.003")

    assert numbers(await elsewhere.post(PATH, {"by": "phone", "number": phone})) == []
    assert await pool.fetchval("select count(*) from vault_reads where who = 'seeker-elsewhere'") == 0
    assert len(numbers(await near.post(PATH, {"by": "phone", "number": phone}))) == 1


async def test_a_part_of_a_number_finds_nobody(as_: As) -> None:
    """Nor does a number that nobody has; one that is masked or no number is a fault, which does not repeat it."""
    phone = new_phone()
    await reported(as_, phone)
    seeker = as_(Role.COORDINATOR)
    masked = await seeker.post(PATH, {"by": "phone", "number": f"{phone[:3]}****{phone[7:]}"})

    assert numbers(await seeker.post(PATH, {"by": "phone", "number": phone[:-1]})) == []
    assert (masked.status_code, [each["field"] for each in masked.json()["faults"]]) == (422, ["number"])
    assert phone[7:] not in masked.text


async def test_the_same_digits_as_a_document_are_somebody_else(as_: As) -> None:
    """A phone is no identity number: what is known by the one is not found by the other."""
    phone = new_phone()
    await reported(as_, phone)

    assert numbers(await as_(Role.WINDOW_CLERK).post(PATH, {"by": "identity_number", "number": phone})) == []


@pytest.mark.parametrize(
    ("role", "by", "status"),
    [
        (Role.COORDINATOR, "identity_number", 403),
        (Role.CIVIL_AFFAIRS_OFFICER, "phone", 403),
        (Role.CIVIL_AFFAIRS_OFFICER, "passport", 200),
        (Role.AUDITOR, "phone", 403),
        (Role.RESIDENT, "phone", 403),
        (Role.SUPERVISOR, "phone", 403),
        (Role.ADMIN, "phone", 403),
    ],
)
async def test_who_does_not_read_a_number_whole_does_not_search_by_it(
    role: Role, by: str, status: int, as_: As
) -> None:
    """The search would tell what the mask hides."""
    answer = await as_(role).post(PATH, {"by": by, "number": "13800000000"})

    assert answer.status_code == status


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.RESIDENT])
def test_searching_goes_by_what_is_read_whole(role: Role) -> None:
    """Of each role: as the table of docs/privacy.md has it; residents look for nobody, though they read their own phone."""
    by_phone = {Role.GRID_WORKER, Role.WINDOW_CLERK, Role.STREET_OFFICER, Role.COORDINATOR}
    by_document = {Role.WINDOW_CLERK, Role.STREET_OFFICER, Role.CIVIL_AFFAIRS_OFFICER}
    actor = Actor(subject="x", role=role)

    assert may_find_by(actor, "phone") is (role in by_phone)
    assert may_find_by(actor, "identity_number") is (role in by_document)
    assert not may_find_by(Actor(subject="x", role=Role.RESIDENT), "phone")
