"""A reference is what its field declares: tried from outside, at every door at which codes of others come in."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.departments import UNAVAILABLE as DEPARTMENT_UNAVAILABLE
from activities.ledger import Ledger
from activities.means import UNAVAILABLE as SOURCE_UNAVAILABLE
from activities.payments import UNAVAILABLE as BANK_UNAVAILABLE
from audit.archive.archiver import Archiver
from audit.bundle.bundle import export_case
from engine.keys.counterpart_keys import Counterpart, load_counterpart_keys
from engine.keys.department_keys import found_department_keys, load_department_keys
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from engine.vault.vault import Vault
from schemas.audit.ledger import Batch, facts_of, row_of
from schemas.contracts.department import callback_path
from schemas.contracts.payment import PayStatus, notice_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.incident import INCIDENT
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor, Role
from schemas.values.references import Withheld
from starter.http.command_bodies import command_body_of
from tests import department_town, outside_town
from tests.api_callers import As, BuildApp, api_of
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.declared_fields import strings_of
from tests.every_procedure import EVERY_PROCEDURE
from tests.examples.incident import document
from tests.outside_town import BANK, account
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(300)]

UNKNOWN = "0" * 26
KINDS = ("text", "person", "document")
BUREAU = "urban-management"
SECRET_WORDS = "邻居的私事不得外传"
BY_PEOPLE = "select count(*) from ledger where case_id = $1 and actor <> 'engine:engine'"
"""What a case has told because somebody did something; by itself it tells more meanwhile."""
STATES = {case.procedure.name: case.procedure.state for case in PROCEDURES}


@dataclass(frozen=True)
class Foreign:
    """A case of somebody else's, and what of it a stranger may have learnt: references, and no words."""

    case_id: str
    text: str
    person: str
    document: str

    @property
    def few(self) -> tuple[str, ...]:
        """One of each sort, for doors with many fields: every other form is tried on every type of field elsewhere."""
        return (self.text, self.person, f"document:{UNKNOWN}", f"CZ-{self.text.upper()}")

    @property
    def all(self) -> tuple[str, ...]:
        """Its references, those that nothing stands behind, and forms of them that only look different."""
        known = (self.text, self.person, self.document, *(f"{kind}:{UNKNOWN}" for kind in KINDS))
        return (*known, *(each.upper() for each in known), *(f"CZ-{each}" for each in known))


@pytest.fixture(scope="module")
async def town(door: OpenDoor) -> ApiDriver:
    """A town at real speed."""
    return await door(INCIDENT)


@pytest.fixture(scope="module")
async def foreign(town: ApiDriver, pool: asyncpg.Pool) -> Foreign:
    """Somebody else's case with words, a person and a document in it."""
    told = town.examples.REPORT | {"description": SECRET_WORDS, "reporter": {"name": "何秘密"}}
    case_id = await town.start(body=told, by="stranger")
    await town.stands(case_id)
    shown = await document(town, "coordinator", town.examples.PHOTO + case_id.encode())
    await town.go(case_id, [Step("attach", "coordinator", {"document": shown})])
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    return Foreign(case_id, snapshot["description"], snapshot["reporter"], shown["reference"])


# ---- 1. what people send ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standing(door: OpenDoor) -> Callable[[Procedure], Awaitable[tuple[ApiDriver, str]]]:
    """One case of each procedure, in the first stage in which people meet it."""
    cases: dict[str, str] = {}

    async def case_of(procedure: Procedure) -> tuple[ApiDriver, str]:
        town = await door(procedure)
        if procedure.name not in cases:
            cases[procedure.name] = await town.start()
            await town.stands(cases[procedure.name])
        return town, cases[procedure.name]

    return case_of


def put(body: Any, place: str, value: str) -> Any:
    """A body with a value at a place, which is made where it is missing."""
    name, _, rest = place.partition(".")
    whole = name.removesuffix("[]").removesuffix("{}")
    if name.endswith("[]"):
        first = (body.get(whole) or [{}])[0]
        return body | {whole: [put(first, rest, value) if rest else value]}
    if name.endswith("{}"):
        return body | {whole: {value: 1}}
    inside = body.get(whole)
    return body | {whole: put(inside if isinstance(inside, dict) else {}, rest, value) if rest else value}


@EVERY_PROCEDURE
async def test_no_command_takes_a_reference_where_none_is_declared(
    procedure: Procedure,
    standing: Callable[[Procedure], Awaitable[tuple[ApiDriver, str]]],
    foreign: Foreign,
    pool: asyncpg.Pool,
) -> None:
    """In every field of every command that is no text and no document of its own, a reference is refused and changes nothing."""
    town, case_id = await standing(procedure)
    before = await pool.fetchval(BY_PEOPLE, case_id)
    tried = 0
    for name, command in procedure.commands.items():
        rule = next(rule for rule in procedure.rules if rule.command == name)
        who = next(
            (each for each, person in town.examples.PEOPLE.items() if person.role in {by.role for by in rule.by}), None
        )
        body = town.examples.BODIES.get(name, {})
        body = dict(await body(town, case_id, who) if callable(body) else body) if who else {}
        for field in strings_of(command_body_of(command).model):
            if field.declared in {"free text", "short text", "text"}:
                continue
            for form in foreign.few:
                answer = await town.give(case_id, Step(name, who or "auditor", put(body, field.place, form)))
                assert form not in answer.text, "no fault repeats a value"
                if answer.status_code == 404:
                    continue  # who has no seat yet, was never given it or is offered nothing hears of no case at all
                tried += 1
                assert answer.status_code == 422, (name, field.place, form, answer.text)
                assert field.place.partition(".")[0].rstrip("[]{}") in answer.text

    assert await pool.fetchval(BY_PEOPLE, case_id) == before
    assert tried


@pytest.mark.parametrize("path", ["/api/v1/incidents", "/api/v1/welfare-applications", "/api/v1/whistles"])
async def test_no_opening_takes_a_reference_where_none_is_declared(
    path: str, town: ApiDriver, foreign: Foreign
) -> None:
    """The account on whose behalf somebody reports, the benefit, the departments: none of them is a reference."""
    fields = {
        "/api/v1/incidents": ("clerk", ("on_behalf_of", "location.area")),
        "/api/v1/welfare-applications": ("clerk", ("on_behalf_of", "area", "benefit")),
        "/api/v1/whistles": ("street_officer", ("lead", "departments[]", "incident", "location.area")),
    }
    by, places = fields[path]
    for place in places:
        for form in foreign.all:
            answer = await town.api.post(
                path, json=put({}, place, form), headers=town.headers(by, f"{place} {form}".replace(" ", "-"))
            )
            assert answer.status_code == 422
            found = [fault["field"] for fault in answer.json()["faults"]]
            assert any(each.startswith(place.partition("[")[0]) for each in found), (place, found)


# ---- 2. what departments and the bank send ----------------------------------------------------------------------------


def signed(secret: bytes, body: dict[str, Any]) -> dict[str, Any]:
    """A body as a counterpart sends it."""
    content, timestamp = json.dumps(body).encode(), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign(secret, timestamp, content),
    }
    return {"content": content, "headers": headers}


@pytest.fixture(scope="module")
async def gate(settings: Settings, build_app: BuildApp, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """An API that hears a department and a bank."""
    over = settings.model_copy(update={"departments_url": "http://127.0.0.1:9", "bank_url": "http://127.0.0.1:9"})
    found_department_keys(settings.key_folder, _departments(over))
    async with api_of(build_app(over=over)) as api:
        yield api


def _departments(settings: Settings) -> list[str]:
    from engine.policies.department_policy import load_departments  # noqa: PLC0415 - only here

    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    return [each.code for each in register.departments if each.gateway == "http"]


@pytest.mark.parametrize("field", ["by", "callback_id", "order_id", "case_id"])
async def test_no_callback_takes_a_reference(
    field: str, gate: httpx.AsyncClient, settings: Settings, town: ApiDriver, foreign: Foreign, pool: asyncpg.Pool
) -> None:
    """What a department's system says of itself is refused where it has the form of a reference: it moves no case."""
    case_id = await town.start()
    await town.stands(case_id)
    secret = load_department_keys(settings.key_folder, [BUREAU]).signing(BUREAU)
    body = {"act": "signed", "callback_id": f"C-{case_id}", "order_id": f"{case_id}.order-1", "case_id": case_id,
            "by": "officer-9", "as_of": "2026-11-21T10:00:00+08:00"}  # fmt: skip
    for form in foreign.all:
        answer = await gate.post(callback_path(BUREAU), **signed(secret, body | {field: form}))
        assert answer.status_code == 422, form
        assert [fault["field"].rpartition(".")[2] for fault in answer.json()["faults"]] == [field]
    assert await pool.fetchval("select stage from cases where case_id = $1", case_id) == "dispatched"
    assert (await gate.post(callback_path(BUREAU), **signed(secret, body))).status_code == 200


@pytest.mark.parametrize("field", ["bank_reference", "notice_id", "payment_key", "case_id", "code"])
async def test_no_notice_takes_a_reference(
    field: str, gate: httpx.AsyncClient, settings: Settings, foreign: Foreign, standing: Any, pool: asyncpg.Pool
) -> None:
    """What the bank says of a payment that came back is refused where it has the form of a reference."""
    from schemas.welfare import WELFARE  # noqa: PLC0415 - only here

    _, case_id = await standing(WELFARE)
    reporter = await pool.fetchval("select snapshot ->> 'reporter' from cases where case_id = $1", case_id)
    key = f"{reporter.removeprefix('person:')}.old-age-allowance.2026-12"
    secret = load_counterpart_keys(settings.key_folder, [BANK], Counterpart.BANK).signing(BANK)
    notice = {"notice_id": f"N-{field}", "act": "returned", "payment_key": key, "case_id": case_id, "amount_fen": 60_000,
              "bank_reference": "B1", "code": "account-closed", "as_of": "2026-12-09T09:00:00+08:00"}  # fmt: skip
    for form in foreign.all:
        answer = await gate.post(notice_path(BANK), **signed(secret, notice | {field: form}))
        assert answer.status_code == 422, form
        assert [fault["field"] for fault in answer.json()["faults"]] == [field]


# ---- 3. what our gateways are answered --------------------------------------------------------------------------------


def answering(body: Callable[[dict[str, Any]], dict[str, Any]]) -> Starlette:
    """A counterpart that answers whatever is asked with this, made from the question."""

    async def answer(request: Request) -> Response:
        asked = await request.body()
        return JSONResponse(body(json.loads(asked) if asked else {}))

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])


@pytest.mark.parametrize("form", [f"{kind}:{UNKNOWN}" for kind in KINDS] + [f"CZ-TEXT:{UNKNOWN}"])
async def test_no_answer_brings_a_reference(form: str, tmp_path: Path) -> None:
    """A source, bank or department that answers with what has the form of a reference has not answered: it is asked again."""

    def source(asked: dict[str, Any]) -> dict[str, Any]:
        facts = dict.fromkeys(outside_town.FACTS["tax"], 0)
        return {"receipt": form, "status": "clear", "facts": facts, "answered_at": asked["as_of"]}

    def bank(asked: dict[str, Any]) -> dict[str, Any]:
        return {"payment_key": asked["payment_key"], "status": "paid", "amount_fen": asked["amount_fen"],
                "bank_reference": form, "at": asked["as_of"]}  # fmt: skip

    def bureau(asked: dict[str, Any]) -> dict[str, Any]:
        return {"receipt": form, "accepted_at": asked["as_of"]}

    async with (
        department_town.serving(answering(source)) as sources_url,
        department_town.serving(answering(bank)) as bank_url,
        department_town.serving(answering(bureau)) as bureau_url,
        outside_town.town_over(tmp_path, sources_url, bank_url) as outside,
        department_town.town_over(tmp_path, {BUREAU: bureau_url}) as departments,
    ):
        outside.people.live("A")
        order = departments.order(BUREAU)
        with pytest.raises(ApplicationError) as asked:
            await outside.ask(outside.check())
        with pytest.raises(ApplicationError) as paid:
            await outside.pay(outside.payment())
        with pytest.raises(ApplicationError) as placed:
            await departments.place(order)
        with pytest.raises(ApplicationError) as reworked:
            await departments.ask_again(departments.rework(order))

    assert (asked.value.type, paid.value.type) == (SOURCE_UNAVAILABLE, BANK_UNAVAILABLE)
    assert {placed.value.type, reworked.value.type} == {DEPARTMENT_UNAVAILABLE}
    assert all(form not in str(each.value) for each in (asked, paid, placed, reworked))


async def test_an_account_of_another_case_is_paid_nothing(tmp_path: Path) -> None:
    """Where the vault withholds the account, the bank is not asked to pay, and a person is told why."""
    async with outside_town.outside_town(tmp_path) as outside:
        outside.people.live("A")
        outside.people.texts[account("A")] = Withheld()  # type: ignore[assignment]
        receipt = await outside.pay(outside.payment())

        assert (receipt.status, receipt.code) == (PayStatus.REFUSED, "account-withheld")
        assert await outside.moved() == []


# ---- 4. what stands in an entry already -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A case whose chain has entries of an earlier day, and the facts of those, by number."""

    case_id: str
    facts: dict[int, dict[str, Any]]


async def tell(pool: asyncpg.Pool, case_id: str, kind: str, facts: dict[str, Any]) -> int:
    """Let a case tell this, through the flush by which cases tell; the number of the entry."""
    row = await pool.fetchrow("select procedure, snapshot, first_run_id from cases where case_id = $1", case_id)
    assert row is not None
    state: CaseState = STATES[row["procedure"]].model_validate(row["snapshot"])
    entry = Entry(
        case_id=case_id, seq=state.seq + 1, at=state.last_at or state.opened_at, actor=Actor(subject="engine", role=Role.ENGINE),
        kind=kind, facts=facts, prev_hash=state.head_hash,
    ).sealed()  # fmt: skip
    state = state.model_copy(update={"seq": entry.seq, "head_hash": entry.hash, "last_at": entry.at})
    row_text = row_of(state, facts_of(state))
    first = row["first_run_id"]
    batch = Batch(run_id="earlier", first_run_id=first, task_at=datetime.now(UTC), entries=(entry,), row=row_text)
    await Ledger(pool).write(batch)
    return entry.seq


@pytest.fixture(scope="module")
async def told(town: ApiDriver, foreign: Foreign, pool: asyncpg.Pool) -> Told:
    """Entries as they could be written before this law: references of others, and such as lead nowhere, in every sort of fact."""
    case_id = await town.start()
    await town.case(case_id, wait="seq:3", timeout="60")
    entries: list[tuple[str, dict[str, Any]]] = [
        ("incident:commented", {"text": f"text:{UNKNOWN}"}),
        ("incident:commented", {"text": foreign.text}),
        ("incident:order_received", {"order": 1, "department": BUREAU, "receipt": foreign.text}),
        ("incident:order_received", {"order": 1, "department": BUREAU, "receipt": foreign.person}),
        ("incident:order_received", {"order": 1, "department": BUREAU, "receipt": foreign.document}),
        ("incident:order_received", {"order": 1, "department": BUREAU, "receipt": f"person:{UNKNOWN}"}),
        ("clock:replanned", {"before": f"text:{UNKNOWN}", "after": foreign.text}),
        ("incident:attached", {"document": {"reference": f"document:{UNKNOWN}", "sha256": "0" * 64}, "note": None}),
    ]
    return Told(case_id, {await tell(pool, case_id, kind, facts): facts for kind, facts in entries})


async def test_an_entry_with_a_reference_that_leads_nowhere_is_shown_with_it_withheld(
    town: ApiDriver, told: Told, foreign: Foreign
) -> None:
    """Unknown and foreign references show as withheld where one is declared and as plain text elsewhere: never words, never 500."""
    headers = town.headers("auditor")
    timeline = await town.api.get(f"/api/v1/cases/{told.case_id}/timeline", headers=headers)
    audited = await town.api.get(f"/api/v1/audit/cases/{told.case_id}", headers=headers)

    assert (timeline.status_code, audited.status_code) == (200, 200), timeline.text + audited.text
    shown = {each["seq"]: each["facts"] for each in timeline.json()["items"] if each["seq"] in told.facts}
    lines = {each["seq"]: each["facts"] for each in audited.json()["record"]["lines"] if each["seq"] in told.facts}
    expected = {seq: {"text": "〔不予显示〕"} if set(facts) == {"text"} else facts for seq, facts in told.facts.items()}
    assert shown == expected
    assert lines == expected
    for text in (timeline.text, audited.text):
        assert SECRET_WORDS not in text
        assert "何秘密" not in text


async def test_an_entry_with_a_reference_that_leads_nowhere_is_explained(town: ApiDriver, told: Told) -> None:
    """Why an entry is as it is can be asked of each of them."""
    for seq in told.facts:
        answer = await town.api.get(
            f"/api/v1/audit/cases/{told.case_id}/entries/{seq}", headers=town.headers("auditor")
        )
        assert answer.status_code == 200, answer.text
        assert SECRET_WORDS not in answer.text


async def test_a_case_with_a_reference_that_leads_nowhere_is_exported(
    town: ApiDriver, foreign: Foreign, temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings
) -> None:
    """Its bundle is made as any other's, and holds no words of the other case."""
    case_id = await town.start()
    await town.go(case_id, [Step("withdraw", "reporter", {"reason": "不需要了"})])
    await temporal.get_workflow_handle(case_id).result()
    await tell(pool, case_id, "incident:commented", {"text": foreign.text})
    await Archiver(temporal, pool, keys, ArchiveStore(None)).archive_case(case_id)
    packed = await export_case(pool, keys, ArchiveStore(None), settings, case_id)

    assert packed
    assert SECRET_WORDS.encode() not in packed


async def test_what_an_entry_only_looks_like_opens_nothing(
    town: ApiDriver, told: Told, foreign: Foreign, pool: asyncpg.Pool, as_: As
) -> None:
    """A document and a person named in a foreign code do not stand in the case: not to be read, not in the way of an erasing."""
    stranger = as_(Role.RESIDENT, "resident-who-sees-neither")
    documents = await pool.fetch("select document_id from document_cases where case_id = $1", told.case_id)
    persons = await pool.fetch("select person_id from person_cases where case_id = $1", told.case_id)

    assert {row["document_id"] for row in documents} == {f"document:{UNKNOWN}"}
    assert foreign.person not in {row["person_id"] for row in persons}
    assert f"person:{UNKNOWN}" not in {row["person_id"] for row in persons}
    answer = await stranger.get(f"/api/v1/documents/{foreign.document}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-document")


async def test_who_sees_the_case_reads_no_document_of_another(
    door: OpenDoor, pool: asyncpg.Pool, as_: As, foreign: Foreign
) -> None:
    """A resident whose own case holds a foreign document as somebody's receipt still has 404 for it."""
    mine = as_(Role.RESIDENT, "resident-of-receipts")
    case_id = (await mine.report()).json()["case_id"]
    await (await door(INCIDENT)).case(case_id, wait="seq:3", timeout="60")
    facts = {"order": 1, "department": BUREAU, "receipt": foreign.document}
    await tell(pool, case_id, "incident:order_received", facts)
    await pool.execute(
        "insert into document_cases values ($1, $2) on conflict do nothing", foreign.document, case_id
    )  # as the database noted it before

    seen = await mine.get(f"/api/v1/cases/{case_id}/timeline")
    read = await mine.get(f"/api/v1/documents/{foreign.document}")
    photo = {
        "document": {"reference": foreign.document, "sha256": "0" * 64, "size_bytes": 1, "media_type": "image/png"}
    }
    attached = await mine.command(case_id, "attach", photo)

    assert seen.json()["items"][-1]["facts"]["receipt"] == foreign.document
    assert (read.status_code, attached.status_code) == (404, 422)


# ---- 5. the vault -----------------------------------------------------------------------------------------------------


async def test_the_vault_gives_a_text_for_its_own_case_only(pool: asyncpg.Pool, keys: Keys, foreign: Foreign) -> None:
    """Of another case, of none, unknown: withheld, and no reading is recorded; parts and wholes share what is passed on."""
    vault, reader = Vault(keys), Actor(subject="law", role=Role.ENGINE)
    whole, part, other = (
        "whistle-20990101-000001",
        "whistle-20990101-000001.urban-management",
        "whistle-20990101-0000010",
    )
    async with pool.acquire() as connection:
        (mine,) = (await vault.keep(connection, None, {"matter": "whole"}, case_id=whole)).texts.values()
        (theirs,) = (await vault.keep(connection, None, {"result": "part"}, case_id=part)).texts.values()
        (nobodys,) = (await vault.keep(connection, None, {"matter": "none"}, case_id=None)).texts.values()
        asked = [mine, theirs, nobodys, foreign.text, f"text:{UNKNOWN}"]

        async def read(case_id: str, *told_by: str) -> list[str]:
            found = await vault.read_texts(connection, asked, reader, "law", case_id, told_by)
            return [str(found[each]) for each in asked]

        gone = str(Withheld())
        assert await read(whole) == ["whole", "part", gone, gone, gone]
        assert await read(part) == ["whole", "part", gone, gone, gone]
        assert await read(other) == [gone] * 5
        assert await read("incident-20990101-000001") == [gone] * 5
        assert await read("incident-20990101-000001", whole) == ["whole", "part", gone, gone, gone]
        assert await read("whistle-20990101-000001.justice-office") == ["whole", gone, gone, gone, gone]
        recorded = await connection.fetchval("select count(*) from vault_reads where who = 'law'")
    assert recorded == 2 + 2 + 0 + 0 + 2 + 1


async def test_every_text_that_cases_keep_knows_its_case(pool: asyncpg.Pool, standing: Any) -> None:
    """Whatever opens a case or is said in one is kept for that case: openings, commands, what strangers object."""
    for case in PROCEDURES:
        _, case_id = await standing(case.procedure)
        row = await pool.fetchrow("select procedure, snapshot from cases where case_id = $1", case_id)
        assert row is not None
        rows = await pool.fetch(
            "select item_id, vault_items.case_id from references_in($1, $2) as named join vault_items on item_id = reference"
            " where refers = 'text'",
            row["procedure"], row["snapshot"],
        )  # fmt: skip
        whole = case_id.partition(".")[0]
        assert all(each["case_id"] in {case_id, whole} for each in rows), case.procedure.name


# ---- 6. timelines give the hash ---------------------------------------------------------------------------------------


async def test_a_timeline_gives_the_hash_of_each_entry_and_they_chain(town: ApiDriver, pool: asyncpg.Pool) -> None:
    """Whoever reads a timeline can compare it: each hash is the ledger's, and the next entry follows from it."""
    case_id = await town.start()
    await town.go(case_id, town.examples.MAIN.steps[:3])
    items = (await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers("reporter"))).json()["items"]
    rows = await pool.fetch("select seq, hash, prev_hash from chain_of($1)", case_id)
    head = await pool.fetchval("select head_hash from cases where case_id = $1", case_id)

    assert len(items) >= 5
    assert [(each["seq"], each["hash"]) for each in items] == [(row["seq"], row["hash"]) for row in rows][: len(items)]
    assert [each["hash"] for each in items[:-1]] == [row["prev_hash"] for row in rows[1 : len(items)]]
    assert head in {row["hash"] for row in rows}
