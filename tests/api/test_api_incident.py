"""Reporting an incident, through the public door."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.keys import Keys
from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.town_time import TownTime
from schemas.incident_report import REPORTERS
from schemas.values.actor import Role
from schemas.values.references import OPAQUE
from tests.api_callers import REPORT, As, BuildApp, api_of, callers

pytest_plugins = ("tests.api_fixture",)

BLANK = {"category": " ", "description": "\n\t ", "location": {"address": "　"}}
MILLION = 1_000_000


def report(**other: Any) -> dict[str, Any]:
    """A good report with something else in it."""
    return REPORT | other


def fields(answer: httpx.Response) -> list[str]:
    """The fields that a problem names."""
    return [fault["field"] for fault in answer.json()["faults"]]


async def test_a_report_becomes_a_case(as_: As) -> None:
    """A report is answered with the case that stands: number, stage, department and running clocks."""
    answer = await as_().report()

    case = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/api/v1/cases/{case['case_id']}"
    assert (case["stage"], case["department"], case["area"]) == ("dispatched", "urban-management", "320104.003.07")
    assert {clock["name"]: clock["status"] for clock in case["clocks"]} == dict.fromkeys(
        ("respond", "finish", "sign"), "running"
    )
    assert case["legal_commands"] == ["urge", "withdraw", "comment", "attach"]


async def test_the_same_key_and_body_is_the_same_case(as_: As) -> None:
    """A repeat is answered with the first case, as 200, also when its fields come in another order."""
    first = await as_().report(key="same-key-1")
    again = await as_().report(dict(reversed(REPORT.items())), key="same-key-1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["case_id"] == first.json()["case_id"]


async def test_the_same_key_with_another_body_is_refused(as_: As) -> None:
    """A key stands for one body: another one under it is refused, and makes no case."""
    await as_().report(key="same-key-2")
    other = await as_().report(report(description="路灯不亮"), key="same-key-2")

    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


async def test_two_people_may_choose_the_same_key(as_: As) -> None:
    """Keys are each caller's own."""
    one, other = [await as_(subject=subject).report(key="same-key-3") for subject in ("resident-a", "resident-b")]

    assert (one.status_code, other.status_code) == (201, 201)
    assert one.json()["case_id"] != other.json()["case_id"]


async def test_the_same_key_at_the_same_time_is_one_case(as_: As, pool: asyncpg.Pool) -> None:
    """Ten equal requests at once make one case and keep its texts once."""
    answers = await asyncio.gather(*(as_(subject="resident-once").report(key="at-once") for _ in range(10)))

    assert len({answer.json()["case_id"] for answer in answers}) == 1
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    query = "select count(*) from intake where subject = 'resident-once'"
    assert await pool.fetchval(query) == 1


async def test_case_numbers_of_a_day_have_no_gaps(build_app: BuildApp, keys: Keys, worker: None) -> None:
    """A refused report uses up no number: the numbers of cases started one after the other follow one another.

    In the morning of a town of its own, so that no midnight comes between them.
    """
    morning = TownTime.starting(datetime(2025, 7, 15, 9, tzinfo=SHANGHAI), datetime.now(UTC), 1)
    async with api_of(build_app(town_time=morning)) as client:
        caller = callers(client, keys)()
        first = await caller.report()
        await caller.report(BLANK)
        await caller.report(report(description="x" * 4001))
        second = await caller.report()

    numbers = [int(answer.json()["case_id"].rpartition("-")[2]) for answer in (first, second)]
    assert numbers[1] == numbers[0] + 1


async def test_nothing_but_blanks_are_three_faults_in_one_answer(as_: As) -> None:
    """Blank category, description and address are each named, with reason and remedy, at once."""
    answer = await as_().report(BLANK)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert fields(answer) == ["category", "description", "location.address"]
    assert all(fault["reason"] == "为空白 (is blank)" and fault["remedy"] for fault in problem["faults"])


async def test_a_missing_key_is_told_with_all_other_faults(as_: As, http: httpx.AsyncClient) -> None:
    """Header and body are judged together, so that nobody mends one thing only to hear of the next."""
    caller = as_()
    answer = await http.post("/api/v1/incidents", json={"description": 7, "extra": 1}, headers=caller.headers)

    assert fields(answer) == ["Idempotency-Key", "description", "location", "extra"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "键"])
async def test_a_key_is_1_to_255_visible_characters(key: str, as_: As, http: httpx.AsyncClient) -> None:
    """A key that is blank, too long or not visible ASCII is refused."""
    headers = [*as_().headers.items(), ("Content-Type", "application/json")]
    raw = [(name.encode(), value.encode()) for name, value in [*headers, ("Idempotency-Key", key)]]
    answer = await http.post("/api/v1/incidents", content=json.dumps(REPORT), headers=raw)

    assert (answer.status_code, fields(answer)) == (422, ["Idempotency-Key"])


async def test_a_category_off_the_list_goes_to_the_coordination_centre(as_: As) -> None:
    """What is on nobody's responsibility list is accepted all the same, and never lost."""
    answer = await as_().report(report(category="外星人来访"))

    assert answer.status_code == 201
    assert answer.json()["department"] == "coordination-centre"


async def test_an_address_that_was_not_stated_is_taken_as_it_is(as_: As) -> None:
    """The words "not stated" are an address like any other; coordinates and area may be absent."""
    answer = await as_().report(report(location={"address": "未说明 not stated"}))

    assert answer.status_code == 201
    assert answer.json()["area"] == "unassigned"


async def test_any_character_survives_the_way_through_the_town(as_: As) -> None:
    """Emoji, rare and combined characters, and line breaks come back from the vault as they were sent."""
    text = "𠮷野家门口 🚮👨‍👩‍👧\n㐂䶮𪚥 e\u0301 \u202bשלום\u202c\t完"
    case = (await as_().report(report(description=text))).json()["case_id"]

    timeline = (await as_().get(f"/api/v1/cases/{case}/timeline")).json()
    facts = timeline["items"][0]["facts"]
    assert facts["description"] == text
    assert facts["address"] == REPORT["location"]["address"]
    assert facts["reporter"] == REPORT["reporter"]


@pytest.mark.parametrize("bad", ["a\0b", "a\x07b", "\x1b[2J", "a\x7fb", "a\x85b"])
async def test_control_characters_are_refused(bad: str, as_: As) -> None:
    """What only a machine sees has no place in a text of people."""
    answer = await as_().report(report(description=bad))

    assert (answer.status_code, fields(answer)) == (422, ["description"])


async def test_four_thousand_characters_are_taken_and_one_more_is_not(as_: As) -> None:
    """The limit counts characters, not bytes: four thousand emoji fit."""
    fits = await as_().report(report(description="🚮" * 4000))
    too_long = await as_().report(report(description="🚮" * 4001))

    assert (fits.status_code, too_long.status_code) == (201, 422)
    assert "4000" in too_long.json()["faults"][0]["reason"]


async def test_a_megabyte_is_too_large(as_: As) -> None:
    """A body beyond the limit is refused as such, whatever is in it."""
    answer = await as_().report(report(description="x" * MILLION))

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_only_json_is_read(as_: As, http: httpx.AsyncClient) -> None:
    """A body that is not declared as JSON is not guessed at."""
    headers = as_().headers | {"Idempotency-Key": "k", "Content-Type": "text/plain"}
    answer = await http.post("/api/v1/incidents", content=json.dumps(REPORT), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "not-json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"category": "a", "category": "b"}',
        b'{"category": NaN}',
        b'{"category": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 5000,
    ],
)
async def test_what_is_no_json_is_told_as_a_fault(body: bytes, as_: As, http: httpx.AsyncClient) -> None:
    """Broken, doubled or half-written JSON is a fault of the body, never a failure of ours."""
    headers = as_().headers | {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = await http.post("/api/v1/incidents", content=body, headers=headers)

    assert (answer.status_code, fields(answer)) == (422, ["body"])


@pytest.mark.parametrize(
    ("location", "field"),
    [
        ({"lat": "32.1", "lon": 118.8}, "location.lat"),
        ({"lat": 91, "lon": 118.8}, "location.lat"),
        ({"lat": 32.1, "lon": 1e999}, "location.lon"),
        ({"lat": 32.1, "lon": True}, "location.lon"),
        ({"lat": 32.1}, "location"),
        ({"area": "../etc"}, "location.area"),
    ],
)
async def test_a_place_must_make_sense(location: dict[str, Any], field: str, as_: As, http: httpx.AsyncClient) -> None:
    """Coordinates are numbers in range and come together; an area is a code."""
    body = json.dumps(report(location={"address": "幸福小区"} | location)).replace("Infinity", "1e999")
    headers = as_().headers | {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = await http.post("/api/v1/incidents", content=body, headers=headers)

    assert (answer.status_code, fields(answer)) == (422, [field])


async def test_coordinates_become_integer_micro_degrees(as_: As, pool: asyncpg.Pool) -> None:
    """Inside the town a coordinate is an integer, so that its hash means the same everywhere."""
    case = (await as_().report()).json()["case_id"]

    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case)
    assert (snapshot["latitude_micro"], snapshot["longitude_micro"]) == (32060255, 118796877)


async def test_no_text_of_people_stands_outside_the_vault(as_: As, pool: asyncpg.Pool) -> None:
    """Intake, projection and ledger hold references in place of what people wrote, who they are and where they live."""
    secret = report(
        description="秘密描述", location={"address": "秘密地址"}, reporter={"name": "秘密姓名", "phone": "13912345678"}
    )
    case = (await as_().report(secret, key="秘密".encode().hex())).json()["case_id"]

    queries = ("select * from intake where case_id = $1", "select * from cases where case_id = $1",
               "select * from ledger where case_id = $1", "select * from outbox where case_id = $1")  # fmt: skip
    written = " ".join([str([dict(row) for row in await pool.fetch(query, case)]) for query in queries])
    assert "秘密" not in written
    assert "13912345678" not in written
    assert "秘密".encode().hex() not in written


async def test_the_stamp_of_a_case_covers_its_start(as_: As, pool: asyncpg.Pool) -> None:
    """The first entry carries the reporter's stamp, and its digest is that of the whole start input."""
    from schemas.incident_report import start_digest  # noqa: PLC0415 - only here
    from schemas.incident_state import IncidentState  # noqa: PLC0415 - only here

    case = (await as_().report()).json()["case_id"]

    state = IncidentState.model_validate(await pool.fetchval("select payload from intake where case_id = $1", case))
    body = json.loads(await pool.fetchval("select body from ledger where case_id = $1 and seq = 1", case))
    assert body["command_digest"] == state.opening.digest == start_digest(state)
    assert body["stamp"]["signature"]


@pytest.mark.parametrize("role", sorted(set(Role) - REPORTERS - {Role.ENGINE}))
async def test_only_those_who_report_may_report(role: Role, as_: As) -> None:
    """Departments, supervisors, auditors and administrators do not report incidents."""
    department = "urban-management" if role is Role.DEPARTMENT_OFFICER else None
    answer = await as_(role, department=department).report()

    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-role")


async def test_staff_report_for_a_resident_who_then_sees_the_case(as_: As) -> None:
    """With `on_behalf_of`, the case belongs to that resident's account."""
    body = report(channel="window", on_behalf_of="resident-granny")
    case = (await as_(Role.WINDOW_CLERK).report(body)).json()["case_id"]

    assert (await as_(subject="resident-granny").get(f"/api/v1/cases/{case}")).status_code == 200
    assert (await as_(subject="resident-other").get(f"/api/v1/cases/{case}")).status_code == 404


@pytest.mark.parametrize("number", ["13912345678", "320104194006151234", "32010419400615123X", "王小明"])
async def test_an_account_is_a_code_and_never_says_who_it_is(as_: As, number: str) -> None:
    """Accounts stand open in the ledger: a name, a mobile or an identity number in their place is refused."""
    answer = await as_(Role.WINDOW_CLERK).report(report(channel="window", on_behalf_of=number))

    assert (answer.status_code, fields(answer)) == (422, ["on_behalf_of"])
    assert number not in answer.text


async def test_residents_report_for_themselves_only(as_: As) -> None:
    """A resident who names somebody else's account is refused."""
    answer = await as_().report(report(on_behalf_of="resident-granny"))

    assert fields(answer) == ["on_behalf_of"]


async def test_a_masked_phone_number_is_no_reason_to_refuse(as_: As) -> None:
    """What somebody said is kept as they said it; it only finds nobody."""
    answer = await as_(Role.WINDOW_CLERK).report(report(reporter={"name": " ", "phone": "138****0001"}))

    assert answer.status_code == 201


async def test_texts_in_the_payload_are_references(as_: As, pool: asyncpg.Pool) -> None:
    """What Temporal gets is what stands in intake: references of the vault's form."""
    case = (await as_().report()).json()["case_id"]

    matches = await pool.fetchval("select payload ->> 'description' ~ $2 from intake where case_id = $1", case, OPAQUE)
    assert matches
