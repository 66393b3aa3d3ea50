"""The law of confidential cases: nobody outside an audience finds its words, by any route of the API.

A dispute is played in which every side, the mediator and the clerk have said something that only some may hear; then everybody who
could ask asks everywhere.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from local.simulation.pictures import PICTURE
from schemas.incident import INCIDENT
from schemas.mediation import MEDIATION
from schemas.values.actor import Role
from tests.api_driver import ApiDriver, OpenDoor, Person, Step

pytestmark = pytest.mark.usefixtures("worker")

HIS, HERS, THEIRS, OF_MEDIATOR, DANGER = (f"密{number}{uuid.uuid4().hex}" for number in range(5))
"""What he said, what she said apart, what all hear, the mediator's own note, and what she fears."""

WORDS = (HIS, HERS, THEIRS, OF_MEDIATOR, DANGER)
AREA = "320104.003.01"

HEARD: Mapping[str, set[str]] = {
    "applicant": {HIS, THEIRS},
    "other": {HERS, THEIRS, DANGER},
    "mediator": set(WORDS),
    "committee": {HIS, THEIRS},
    "coordinator": {DANGER},
}
"""Who hears which; who is not here hears none."""

OUTSIDERS = {
    "another mediator": Person("mediator-lu", Role.MEDIATOR, area=AREA),
    "stranger": Person("resident-li", Role.RESIDENT),
    "specialist": Person("specialist-tang", Role.SPECIALIST),
    **{
        role.value: Person(f"{role}-listens", role, department="court" if role is Role.DEPARTMENT_OFFICER else None)
        for role in Role
        if role
        not in {Role.ENGINE, Role.COORDINATOR, Role.COMMITTEE_OFFICER, Role.RESIDENT, Role.MEDIATOR, Role.SPECIALIST}
    },
}


@pytest.fixture(scope="module")
async def played(door: OpenDoor) -> tuple[ApiDriver, str, str]:
    """A dispute in which everybody has spoken; and a document that only he and the mediator may see."""
    opened = await door(MEDIATION)
    report = {**opened.examples.REPORT, "matter": THEIRS, "claim": HIS, "area": AREA}
    case_id = await opened.start(body=report)
    picture = await sent(opened, case_id, "applicant")
    apart = {"at": "2040-01-01T09:00:00+08:00", "joint": False, "sides": ["b1"]}
    await opened.go(
        case_id,
        [
            Step("accept", "committee"),
            Step("consent", "other"),
            Step("choose_mediator", "applicant"),
            Step("choose_mediator", "other"),
            Step("comment", "applicant", {"text": HIS}),
            Step("attach", "applicant", {"document": picture, "note": HIS}),
            Step("comment", "other", {"text": HERS}),
            Step("comment", "mediator", {"text": OF_MEDIATOR}),
            Step("call_session", "mediator", apart),
            Step("record_session", "mediator", {"session": 1, "minutes": HERS}),
            Step("report_danger", "other", {"text": DANGER}),
        ],
    )
    return opened, case_id, str(picture["reference"])


async def sent(opened: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """A file of somebody's own."""
    content = PICTURE + uuid.uuid4().bytes
    headers = opened.headers(by, str(uuid.uuid4())) | {"Content-Type": "image/png"}
    answer = await opened.api.post("/api/v1/documents", params={"case_id": case_id}, content=content, headers=headers)
    assert answer.status_code == 201, answer.text
    kept: Mapping[str, Any] = answer.json()
    return kept


async def everything(opened: ApiDriver, case_id: str, headers: Mapping[str, str]) -> list[httpx.Response]:
    """What somebody gets who asks for the case wherever one can ask for it."""
    paths = (
        f"/api/v1/cases/{case_id}", f"/api/v1/cases/{case_id}/timeline", f"/api/v1/cases/{case_id}/commands",
        f"/api/v1/cases/{case_id}/alike", f"/api/v1/cases/{case_id}/precedents", f"/api/v1/cases/{case_id}/export",
        f"/api/v1/audit/cases/{case_id}", f"/api/v1/cases?number={case_id}", "/api/v1/inbox", "/api/v1/notices",
        f"/cases/{case_id}?texts=open", f"/audit/cases/{case_id}", f"/cases/{case_id}/paper/receipt",
    )  # fmt: skip
    found = [await opened.api.get(path, headers=headers) for path in paths]
    for by in ("phone", "identity_number"):
        asked = {"by": by, "number": "13800000001"}
        found.append(await opened.api.post("/api/v1/cases:find", json=asked, headers=headers))
    return found


def heard_in(answers: list[httpx.Response]) -> set[str]:
    return {word for word in WORDS for answer in answers if word in answer.text}


@pytest.mark.parametrize("who", HEARD)
async def test_everybody_hears_what_is_theirs(played: tuple[ApiDriver, str, str], who: str) -> None:
    """Their own words and what is for all; of another side nothing. Words are there: the law is not empty."""
    opened, case_id, _ = played

    assert heard_in(await everything(opened, case_id, opened.headers(who))) == HEARD[who]


@pytest.mark.parametrize("who", OUTSIDERS)
async def test_nobody_outside_hears_a_word(played: tuple[ApiDriver, str, str], who: str) -> None:
    """Street, departments, supervisors, auditors, another mediator: none, wherever they ask."""
    opened, case_id, document = played
    headers = {"Authorization": f"Bearer {opened.token(OUTSIDERS[who])}"}
    picture = await opened.api.get(f"/api/v1/documents/{document}", headers=headers)

    assert heard_in(await everything(opened, case_id, headers)) == set()
    assert picture.status_code == 404


@pytest.mark.parametrize(("who", "status"), [("applicant", 200), ("mediator", 200), ("other", 404), ("committee", 404)])
async def test_a_document_is_for_the_audience_of_its_entry(
    played: tuple[ApiDriver, str, str], who: str, status: int
) -> None:
    """What he attached, he and the mediator open; the other side and the committee find none."""
    opened, _, document = played

    assert (await opened.api.get(f"/api/v1/documents/{document}", headers=opened.headers(who))).status_code == status


@pytest.mark.parametrize(
    ("who", "knows"), [("applicant", False), ("other", True), ("mediator", True), ("auditor", True)]
)
async def test_a_danger_is_not_even_named_to_the_other_side(
    played: tuple[ApiDriver, str, str],
    who: str,
    knows: bool,  # noqa: FBT001 - of a table
) -> None:
    """Neither by its entry, nor by a clock that is called so."""
    opened, case_id, _ = played
    headers = opened.headers(who)
    shown = [
        (await opened.api.get(f"/api/v1/cases/{case_id}{part}", headers=headers)).text for part in ("", "/timeline")
    ]

    assert any("mediation:danger" in each for each in shown) is knows


@pytest.mark.parametrize(("who", "knows"), [("applicant", False), ("mediator", True), ("coordinator", True)])
async def test_no_clock_of_a_danger_runs_before_the_eyes_of_the_other_side(
    played: tuple[ApiDriver, str, str],
    who: str,
    knows: bool,  # noqa: FBT001 - of a table
) -> None:
    """Anybody may read what its clocks are called: neither the case nor a list, an entry or its maker says that they run."""
    opened, case_id, _ = played
    headers = opened.headers(who)
    paths = (
        f"/api/v1/cases/{case_id}",
        f"/api/v1/cases/{case_id}/timeline",
        f"/api/v1/cases?number={case_id}",
        f"/cases/{case_id}",
    )
    shown = [(await opened.api.get(path, headers=headers)).text for path in paths]
    listed = (await opened.api.get(paths[2], headers=headers)).json()["items"] if who == "applicant" else []

    assert any("attend:1" in each or "跟进" in each for each in shown) is knows
    assert [(each["due_at"], each["due_clock"]) for each in listed] == [(None, None)] * len(listed)


async def test_the_committee_reads_no_word_of_what_is_none_of_its_matters(door: OpenDoor) -> None:
    """Elected neighbours: of a report to the town they see where it stands, no word and nobody, and they look for no phone."""
    opened = await door(INCIDENT)
    told = f"密{uuid.uuid4().hex}"
    report = opened.examples.REPORT
    near = {**report["location"], "area": AREA}
    case_id = await opened.start(body={**report, "description": told, "location": near})
    await opened.stands(case_id)
    headers = {
        "Authorization": f"Bearer {opened.token(Person('committee-ma', Role.COMMITTEE_OFFICER, area=AREA[:10]))}"
    }
    answers = await everything(opened, case_id, headers)
    clerk = await opened.api.get(f"/api/v1/cases/{case_id}/timeline", headers=opened.headers("clerk"))

    assert told in clerk.text
    assert answers[0].status_code == 200
    assert not any(told in each.text for each in answers)
    assert {each.status_code for each in answers[-2:]} == {403}


async def test_two_sides_get_out_what_is_their_own(played: tuple[ApiDriver, str, str]) -> None:
    """What she said is kept with her, and not with whoever applied: it is hers to get out and to have erased."""
    opened, case_id, _ = played
    assert opened.filing is not None
    pool = opened.filing.attachments.pool
    owners = await pool.fetch(
        "select person_id, array_agg(distinct kind) as kinds from vault_items where case_id = $1 group by person_id",
        case_id,
    )
    kinds = [set(each["kinds"]) for each in owners]

    assert any({"claim", "text"} <= each for each in kinds)  # his application, and his comment
    assert len(kinds) > 2  # hers, and what those said who are of no side
