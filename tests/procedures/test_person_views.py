"""What of a person each role reads: decided in one place, masked where it need not be known."""

import uuid

import pytest

from schemas.kernel.visibility import may_read_persons
from schemas.values.actor import Actor, Role
from schemas.values.person_views import PERSON_VIEWS, Shown, masked_number, masked_phone, shown_person
from tests.api_callers import REPORT, As

pytest_plugins = ("tests.api_fixture",)

DETAILS = {
    "name": "张小明",
    "phone": "13812340001",
    "identity_number": "32010419800101123X",
    "address": "幸福小区3号楼",
}
MASKED = {"name": "张*", "phone": "138****0001", "identity_number": "32*", "address": "*"}


@pytest.mark.parametrize("role", Role)
def test_a_detail_is_whole_or_masked_and_never_in_between(role: Role) -> None:
    """For every role, each detail is what it is or its mask; who is in no line of the table gets nothing at all."""
    shown = shown_person(DETAILS, role)
    view = PERSON_VIEWS.get(role)

    if view is None:
        assert shown is None
        return
    ways = view.model_dump()
    assert shown == {name: (DETAILS if ways[name] == Shown.FULL else MASKED)[name] for name in DETAILS}


def test_who_need_not_know_does_not() -> None:
    """Departments, supervisors, administrators and the engine read no persons; an auditor reads no whole detail of one."""
    without = {Role.DEPARTMENT_OFFICER, Role.SUPERVISOR, Role.ADMIN, Role.ENGINE, Role.SPECIALIST, Role.PARTNER}

    assert {role for role in Role if role not in PERSON_VIEWS} == without
    assert shown_person(DETAILS, Role.AUDITOR) == MASKED
    whole_phones = {role for role, view in PERSON_VIEWS.items() if view.phone is Shown.FULL}
    assert whole_phones == {
        Role.RESIDENT, Role.GRID_WORKER, Role.WINDOW_CLERK, Role.STREET_OFFICER, Role.COORDINATOR, Role.COMMITTEE_OFFICER,
        Role.MEDIATOR,
    }  # fmt: skip


def test_a_detail_that_nobody_thought_of_is_masked() -> None:
    """What comes into the details later is hidden until somebody says who reads it."""
    assert shown_person({"illness": "某病"}, Role.STREET_OFFICER) == {"illness": "*"}


@pytest.mark.parametrize(
    ("number", "shown"),
    [("13812340001", "138****0001"), ("+8613812340001", "+86****0001"), ("83112233", "*33"), ("110", "*"), ("", "*")],
)
def test_a_masked_phone_cannot_be_called(number: str, shown: str) -> None:
    """At least four digits are hidden, of a short number all but its end."""
    assert masked_phone(number) == shown


def test_a_masked_identity_number_tells_neither_birthday_nor_sex() -> None:
    """Only the province is left."""
    assert masked_number("32010419800101123X") == "32*"


async def test_the_api_shows_what_the_table_says(as_: As) -> None:
    """A timeline shows the reporter whole to the one who calls back, masked to the auditor, not at all to a supervisor."""
    case = (await as_(subject=f"resident-{uuid.uuid4().hex[:8]}").report()).json()["case_id"]
    shown = {
        role: (await as_(role).get(f"/api/v1/cases/{case}/timeline")).json()["items"][0]["facts"]["reporter"]
        for role in (Role.COORDINATOR, Role.AUDITOR, Role.SUPERVISOR)
    }

    assert shown == {
        Role.COORDINATOR: REPORT["reporter"],
        Role.AUDITOR: {"name": "王*", "phone": "138****0001"},
        Role.SUPERVISOR: "〔不予显示〕",
    }
    assert {role for role in Role if role in PERSON_VIEWS} == {
        role for role in Role if may_read_persons(Actor(subject="a", role=role))
    }
