"""Every case number in a body names an object that whoever sends it may see; nobody learns which numbers there are."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.keys.department_keys import found_department_keys, load_department_keys
from engine.keys.keys import Keys
from engine.keys.stamps import StampSigner
from engine.policies.department_policy import load_departments
from engine.runtime.settings import Settings
from local.mediation_walks import OPENING as APPLY
from schemas.contracts.department import callback_path
from schemas.contracts.payment import notice_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.incident import INCIDENT
from schemas.incident_commands import Merge
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor, Role, Stamp
from schemas.values.canonical import digest
from schemas.values.case_number import LONGEST
from schemas.welfare import WELFARE
from schemas.whistle import WHISTLE
from starter.http.command_bodies import command_body_of
from tests.api_callers import REPORT, As, BuildApp, Caller, api_of
from tests.api_driver import OpenDoor
from tests.declared_fields import CALLBACKS, DOORS, OPENINGS, OUTSIDE, strings_of
from tests.every_procedure import PROCEDURE_LIST
from tests.examples.whistle import REPORT as CALL
from tests.outside_town import BANK
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]

NOBODY = "incident-20200101-000001"
MINE, THEIRS = "320104.003.07", "320104.003.01"
BUREAU = "urban-management"
NUMBERS = frozenset({"case number", "incident number", "motion number"})
NAMED_SO = frozenset({"case", "case_id", "into", "incident", "whistle", "summons", "parent", "recovery", "ballot"})
"""What fields are called that hold the number of a case."""


@dataclass(frozen=True)
class Place:
    """A field for the number of a case in what people send: how its body is right but for the number.

    `given_in`, `named`: of which procedure the case is in which it is given, and that which is named. `several`: it takes more.
    """

    path: str
    role: str
    body: Mapping[str, Any]
    field: str
    given_in: str = "incident"
    named: str = "incident"
    several: bool = False


DECLARED_OPENINGS = tuple(
    command_body_of(procedure.opens.body).model
    for procedure in PROCEDURE_LIST
    if isinstance(procedure, DeclaredProcedure) and procedure.opens is not None and procedure.opens.body is not None
)
"""What people send to open a case of a procedure whose declaration derives its door."""


PLACES = {
    ("incident", "merge", "into"): Place(
        "/api/v1/cases/{mine}/commands/merge", "coordinator", {"reason": "同一事项"}, "into"
    ),
    ("council", "merge", "into"): Place(
        "/api/v1/cases/{mine}/commands/merge", "committee_officer", {"reason": "同一事项"}, "into", "council", "council"
    ),
    ("hall", "call_sitting", "motions[]"): Place(
        "/api/v1/cases/{mine}/commands/call_sitting",
        "committee_officer",
        {"agenda": "停车"},
        "motions",
        "hall",
        "council",
        True,
    ),
    ("", "IncidentReport", "motion"): Place("/api/v1/incidents", "grid_worker", REPORT, "motion", named="council"),
    ("", "WhistleCall", "incident"): Place("/api/v1/whistles", "street_officer", CALL, "incident"),
    ("", "ApplyBody", "incident"): Place(
        "/api/v1/mediations", "committee_officer", {**APPLY, "area": MINE}, "incident"
    ),
}
"""Every such field: the law below finds them by their type, and fails when one is not tried here."""


def test_every_number_of_a_case_is_declared_as_one() -> None:
    """A field that is called as case numbers are has their type; and each field of that type is tried below."""
    fields = {
        **{(procedure, name): model for (procedure, name), model in DOORS.items()},
        **{("", model.__name__): model for model in (*OPENINGS, *DECLARED_OPENINGS)},
    }
    found = {
        (*place, each.place)
        for place, model in fields.items()
        for each in strings_of(model)
        if each.declared in NUMBERS
    }
    wrong = [
        f"{model.__name__}.{each.place}"
        for model in OUTSIDE
        for each in strings_of(model)
        if each.name in NAMED_SO and each.declared not in NUMBERS
    ]

    assert found == set(PLACES)
    assert wrong == []
    assert {each.__name__ for each in CALLBACKS if any(one.declared in NUMBERS for one in strings_of(each))} == {
        each.__name__ for each in CALLBACKS
    }


async def reported(as_: As, area: str, who: str = "resident-1") -> str:
    """An incident of an area that has its order."""
    body = REPORT | {"location": REPORT["location"] | {"area": area}}
    case_id = str((await as_(Role.RESIDENT, who).report(body)).json()["case_id"])

    async def stands() -> bool:
        return bool((await as_("auditor").get(f"/api/v1/cases/{case_id}")).json().get("seq", 0) >= 3)

    await eventually(stands)
    return case_id


OPENED_BY: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "council": ("/api/v1/motions", "resident", {"motion": "单侧停车"}),
    "hall": ("/api/v1/halls", "committee_officer", {"households": 797}),
}
"""Where a case of a procedure is opened, by whom and with which body; an incident is reported."""


async def opened(as_: As, procedure: str, area: str) -> str:
    """A case of an area that stands."""
    if procedure == "incident":
        return await reported(as_, area)
    path, role, body = OPENED_BY[procedure]
    case_id = str((await as_(role).post(path, {**body, "area": area})).json()["case_id"])

    async def stands() -> bool:
        return bool((await as_("auditor").get(f"/api/v1/cases/{case_id}")).json().get("seq", 0) >= 1)

    await eventually(stands)
    return case_id


async def traces(pool: asyncpg.Pool, case_id: str) -> tuple[object, ...]:
    """All that a case would show if somebody had reached it."""
    return (
        await pool.fetchval("select count(*) from ledger where case_id = $1", case_id),
        await pool.fetchval("select count(*) from outbox where case_id = $1", case_id),
        await pool.fetchval("select snapshot -> 'messages' from cases where case_id = $1", case_id),
    )


def told(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says, but for what belongs to the request alone."""
    return {name: value for name, value in answer.json().items() if name not in {"request_id", "instance"}}


@pytest.fixture(scope="module")
async def whistle_of_theirs(door: OpenDoor) -> str:
    """A case of another procedure."""
    town = await door(WHISTLE)
    case_id = await town.start()
    await town.stands(case_id)
    return case_id


@pytest.mark.parametrize("named", sorted(PLACES), ids=lambda named: "-".join(filter(None, named)))
async def test_a_number_that_the_giver_does_not_see_is_one_that_is_not_there(
    named: tuple[str, str, str], as_: As, pool: asyncpg.Pool, whistle_of_theirs: str
) -> None:
    """Of another area, not there, of another procedure, over-long: 422, the first two in the same words, and nothing changes."""
    place = PLACES[named]
    mine, theirs = await opened(as_, place.given_in, MINE), await opened(as_, place.named, THEIRS)
    giver, nobody = as_(place.role, area=MINE), f"{place.named}-20200101-000001"
    before = await traces(pool, mine), await traces(pool, theirs)
    stage = (await as_("auditor").get(f"/api/v1/cases/{mine}")).json()["stage"]

    async def send(number: str) -> httpx.Response:
        body = dict(place.body)
        if "location" in body:
            body["location"] = {**body["location"], "area": MINE}
        return await giver.post(
            place.path.format(mine=mine), body | {place.field: [number] if place.several else number}
        )

    hidden, none = await send(theirs), await send(nobody)
    day = f"{place.named}-20261128"
    others = [
        await send(whistle_of_theirs), await send(f"{day}-{'0' * 1200}"), await send(f"{day}-{'0' * 13}"),
        await send(f"{nobody}.part"), await send(nobody.upper()), await send(f" {nobody}"), await send(f"{nobody}\n"),
        await send(""), await send(f"text:{'0' * 26}"),
    ]  # fmt: skip

    assert (hidden.status_code, none.status_code) == (422, 422)
    assert told(hidden) == told(none)
    assert [fault["field"] for fault in hidden.json()["faults"]] == [
        f"{place.field}.0" if place.several else place.field
    ]
    assert [answer.status_code for answer in others] == [422] * len(others)
    assert all("0" * 100 not in answer.text for answer in others), "no fault repeats a value"
    assert (await traces(pool, mine), await traces(pool, theirs)) == before
    assert (await as_("auditor").get(f"/api/v1/cases/{mine}")).json()["stage"] == stage


async def test_a_number_that_the_giver_sees_is_taken(as_: As) -> None:
    """The law above refuses for no other reason: within one's own area a merge and a whistle name their incident."""
    mine, other, third = await reported(as_, MINE), await reported(as_, MINE), await reported(as_, MINE)
    merged = await as_("coordinator", area=MINE).command(mine, "merge", {"into": other})
    blown = await as_("street_officer", area=MINE).post(
        "/api/v1/whistles", CALL | {"location": {"address": "幸福小区3号楼", "area": MINE}, "incident": third}
    )

    assert (merged.status_code, blown.status_code) == (200, 201), merged.text + blown.text


async def test_a_case_takes_in_no_other_by_the_word_of_who_does_not_see_it(
    as_: As, pool: asyncpg.Pool, temporal: Client, keys: Keys
) -> None:
    """Also past the door, with a stamp of the town: the other case refuses the offer, stays as it is, and this one goes on."""
    mine, theirs = await reported(as_, MINE), await reported(as_, THEIRS)
    giver = Actor(subject="coordinator-7", role=Role.COORDINATOR, area=MINE)
    before = await pool.fetchval("select count(*) from ledger where case_id = $1", theirs)
    await past_the_door(temporal, keys, mine, Merge(into=theirs), giver)

    async def goes_on() -> bool:
        kinds = await pool.fetch("select kind from ledger where case_id = $1 and kind like 'incident:merge%'", mine)
        return {"incident:merge:refused"} <= {row["kind"] for row in kinds}

    await eventually(goes_on)
    assert await pool.fetchval("select stage from cases where case_id = $1", mine) == "dispatched"
    assert await pool.fetchval("select count(*) from ledger where case_id = $1", theirs) == before
    assert (
        await pool.fetchval("select count(*) from outbox where case_id = $1 and template = 'report_merged'", theirs)
        == 0
    )


async def past_the_door(temporal: Client, keys: Keys, case_id: str, command: Merge, giver: Actor) -> None:
    """Give a command as the API would, without asking whether the giver may name that case."""
    stamp = Stamp(
        case_id=case_id,
        command="merge",
        command_id=uuid.uuid4().hex,
        actor=giver,
        at=datetime.now(UTC),
        digest=digest(command),
    )
    signed = StampSigner(keys).sign(stamp)
    handle = temporal.get_workflow_handle(case_id)
    await handle.execute_update("merge", args=[command, signed], id=signed.command_id)


# ---- departments and the bank -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def gate(settings: Settings, build_app: BuildApp, worker: None) -> Any:
    """An API that hears departments and the bank."""
    over = settings.model_copy(update={"departments_url": "http://127.0.0.1:9", "bank_url": "http://127.0.0.1:9"})
    register = load_departments(settings.policies / "departments.yaml", over.departments_url)
    found_department_keys(settings.key_folder, [each.code for each in register.departments if each.gateway == "http"])
    async with api_of(build_app(over=over)) as api:
        yield api


async def send(gate: httpx.AsyncClient, path: str, secret: bytes, body: dict[str, Any]) -> httpx.Response:
    """Send a body as a counterpart does."""
    content, timestamp = json.dumps(body).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(secret, timestamp, content),
    }
    return await gate.post(path, content=content, headers=headers)


@pytest.mark.parametrize("act", ["signed", "arrived", "returned", "finished"])
async def test_a_department_cannot_tell_which_cases_there_are(
    act: str, gate: httpx.AsyncClient, settings: Settings, as_: As, pool: asyncpg.Pool, whistle_of_theirs: str
) -> None:
    """About a case of others it hears what it hears about none: the same 404 in the same words, whatever else is wrong."""
    others = await reported(as_, MINE)
    secret = load_department_keys(settings.key_folder, ["justice-office"]).signing("justice-office")
    before = await traces(pool, others)
    words = {"returned": ("reason", "legal_basis"), "finished": ("result",)}.get(act, ())
    answers: dict[str, list[httpx.Response]] = {"不属本部门": [], "有控制字符\u0007": []}
    for text, heard in answers.items():
        for number in (others, whistle_of_theirs, NOBODY, "nonsense-20200101-000001"):
            body = {"act": act, "callback_id": f"J-{act}-{number}-{len(text)}", "order_id": f"{number}.order-1",
                    "case_id": number, "by": "officer-3", "as_of": "2026-11-21T10:00:00+08:00"}  # fmt: skip
            heard.append(await send(gate, callback_path("justice-office"), secret, body | dict.fromkeys(words, text)))

    first, second = answers.values()
    assert {(answer.status_code, answer.json()["code"]) for answer in first} == {(404, "unknown-order")}
    assert {answer.status_code for answer in second} == ({422} if words else {404})
    for heard in (first, second):
        assert len({json.dumps(told(answer), sort_keys=True) for answer in heard}) == 1
    assert await traces(pool, others) == before


async def test_a_bank_cannot_tell_which_cases_there_are(
    gate: httpx.AsyncClient, settings: Settings, as_: As, door: OpenDoor, pool: asyncpg.Pool
) -> None:
    """About a case that never paid this key it hears what it hears about none, and the case is told nothing."""
    town = await door(WELFARE)
    welfare = await town.start()
    await town.stands(welfare)
    incident = await reported(as_, MINE)
    secret = load_counterpart_keys(settings.key_folder, [BANK], Counterpart.BANK).signing(BANK)
    before = await traces(pool, welfare)
    answers = []
    for number in (welfare, incident, "welfare-20200101-000001", NOBODY):
        notice = {"notice_id": f"N-{number}", "act": "returned", "payment_key": "0" * 26 + ".old-age-allowance.2026-12",
                  "case_id": number, "amount_fen": 60_000, "bank_reference": "B1", "code": "account-closed",
                  "as_of": "2026-12-09T09:00:00+08:00"}  # fmt: skip
        answers.append(await send(gate, notice_path(BANK), secret, notice))

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "unknown-payment")}
    assert len({json.dumps(told(answer), sort_keys=True) for answer in answers}) == 1
    assert await traces(pool, welfare) == before


# ---- what is no number, and what no fault says ------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["redispatch", "arbitrate"])
async def test_no_code_has_a_control_character_and_no_fault_repeats_it(command: str, as_: As) -> None:
    """A NUL in a department's code, or a book in its place, is 422 and is not said back."""
    mine = await reported(as_, MINE)
    coordinator: Caller = as_("coordinator")
    for code in (
        "transport\u0000",
        "a\u0000b",
        "\u001f",
        "部门",
        "x" * 60_000,
        "A" * 49,
        "no-such-department",
    ):
        answer = await coordinator.command(mine, command, {"department": code, "reason": "误派"})
        # What is a code in form is judged by the case, and there is nothing to arbitrate at this stage.
        judged_by_the_case = command == "arbitrate" and code == "no-such-department"
        assert answer.status_code == (409 if judged_by_the_case else 422), code
        assert code not in answer.text or len(code) < 3
        assert len(answer.text) < 3000


def test_a_number_is_short_enough_for_an_engine() -> None:
    """The longest number that is taken is far below what Temporal takes as the id of a workflow."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only here

    from schemas.values.case_number import CaseNumber  # noqa: PLC0415

    adapter: TypeAdapter[str] = TypeAdapter(CaseNumber)
    longest = f"{'a' * 40}-20261128-{'1' * 12}" + f".{'b' * 64}" * 4

    assert adapter.validate_python(longest) == longest
    assert len(longest) == LONGEST < 500
    for procedure in (INCIDENT, WELFARE, WHISTLE):
        assert isinstance(procedure, Procedure)
        assert adapter.validate_python(f"{procedure.name}-20261128-000001")
