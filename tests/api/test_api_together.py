"""Several people at the same moment, through the public door: one wins, the others are told why; nothing happens twice."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.api_callers import As, Caller

pytest_plugins = ("tests.api_fixture",)

SENT_ON = {"department": "justice-office", "reason": "属司法所职责"}


@pytest.fixture
async def case(as_: As) -> str:
    """A case at the urban management bureau, not yet signed."""
    return str((await as_().report()).json()["case_id"])


def officer(as_: As, subject: str, department: str = "urban-management") -> Caller:
    """Somebody of a department."""
    return as_("department_officer", subject=subject, department=department)


async def kinds(as_: As, case: str) -> list[str]:
    """The kinds of the case's entries, in order."""
    items = (await as_("auditor").get(f"/api/v1/cases/{case}/timeline")).json()["items"]
    return [item["kind"] for item in items]


async def test_of_two_officers_who_sign_at_once_one_wins(as_: As, case: str) -> None:
    """The other is told that the case is at another stage now, and what they may do there; it is signed once."""
    answers = await asyncio.gather(*(officer(as_, subject).command(case, "sign") for subject in ("cheng", "guo")))
    [won], [lost] = ([answer for answer in answers if answer.status_code == status] for status in (200, 409))

    assert won.json()["stage"] == "handling"
    assert (lost.json()["code"], lost.json()["stage"]) == ("not-now", "handling")
    assert "finish" in lost.json()["legal_commands"]
    assert (await kinds(as_, case)).count("incident:signed") == 1


async def test_the_department_signs_while_the_coordinator_sends_the_case_on(as_: As, case: str) -> None:
    """Whichever comes first: the case ends up with one department, and a refused signature says that it is not theirs."""
    signed, sent_on = await asyncio.gather(
        officer(as_, "cheng").command(case, "sign"), as_("coordinator").command(case, "redispatch", SENT_ON)
    )
    shown = (await as_("coordinator").get(f"/api/v1/cases/{case}")).json()

    assert sent_on.status_code == 200
    assert (shown["stage"], shown["department"]) == ("dispatched", "justice-office")
    if signed.status_code != 200:
        assert (signed.status_code, signed.json()["code"]) == (403, "not-your-case")
    assert (await kinds(as_, case)).count("incident:signed") == (signed.status_code == 200)


async def test_of_two_departments_that_sign_at_once_the_holder_wins(as_: As, case: str) -> None:
    """Only who holds the order signs: the department that lost it is told so, however close in time."""
    await as_("coordinator").command(case, "redispatch", SENT_ON)
    former, holder = await asyncio.gather(
        officer(as_, "cheng").command(case, "sign"), officer(as_, "si", "justice-office").command(case, "sign")
    )

    assert (former.status_code, former.json()["code"]) == (403, "not-your-case")
    assert (holder.status_code, holder.json()["stage"]) == (200, "handling")


async def test_the_same_key_from_two_clients_is_one_act(as_: As, case: str) -> None:
    """One person, two devices, the same key and body at the same time: both get the same word, it happened once."""
    key = str(uuid.uuid4())
    answers = await asyncio.gather(*(officer(as_, "cheng").command(case, "sign", key=key) for _ in range(5)))

    assert [answer.status_code for answer in answers] == [200] * 5
    accepted = [answer.json()["accepted"] for answer in answers]
    assert all(word == accepted[0] for word in accepted)
    assert (await kinds(as_, case)).count("incident:signed") == 1


async def test_the_same_key_with_two_bodies_is_one_act_and_a_fault(as_: As, case: str) -> None:
    """Two clients that took the same key for different results: one is carried out, the other is key-reused."""
    await officer(as_, "cheng").command(case, "sign")
    key = str(uuid.uuid4())
    bodies: list[dict[str, Any]] = [{"result": "已清运"}, {"result": "已清运两车"}]
    answers = await asyncio.gather(*(officer(as_, "cheng").command(case, "finish", body, key=key) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert [answer.json()["code"] for answer in answers if answer.status_code == 422] == ["key-reused"]
    assert (await kinds(as_, case)).count("incident:finished") == 1


async def test_the_same_key_of_two_people_are_two_acts(as_: As, case: str) -> None:
    """Keys are each caller's own, on one case too: both reminders count."""
    answers = await asyncio.gather(
        as_().command(case, "urge", key="same"), as_("supervisor").command(case, "urge", key="same")
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await kinds(as_, case)).count("incident:urged") == 2


async def test_many_wait_for_one_stage_and_all_are_told(as_: As, case: str) -> None:
    """Twenty who wait for a stage hold no connection each, and are answered as soon as it is so."""
    waiting = [
        asyncio.create_task(as_().get(f"/api/v1/cases/{case}", wait="stage:handling", timeout=30)) for _ in range(20)
    ]
    signed = await officer(as_, "cheng").command(case, "sign")
    answers = await asyncio.gather(*waiting)

    assert signed.status_code == 200
    assert {answer.json()["stage"] for answer in answers} == {"handling"}
