"""Persons as such: what is held of one is given out, an erased one is gone while the cases stay, and all of it is on record."""

import asyncio
import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError
from temporalio.client import Client
from typer.testing import CliRunner

from audit.archive.archiver import Archiver
from audit.bundle.bundle import export_case
from audit.bundle.check_bundle import check
from cli import app
from engine.keys.keys import Keys
from engine.policies.document_policy import load_document_policy
from engine.policies.policies import PolicyFaults
from engine.policies.privacy_policy import load_privacy_policy, years_by_procedure
from engine.runtime.settings import PROJECT, Settings
from engine.store.archive import ArchiveStore
from engine.vault.documents import Documents, open_store
from engine.vault.person_identity import PersonIdentity
from engine.vault.privacy import Persons, StillNeeded
from engine.vault.privacy_log import entries, verify_privacy_log
from engine.vault.vault import PersonDetails, PersonUnknown, Vault
from schemas.kernel.privacy import PrivacyPolicy
from schemas.values.actor import Actor, Role
from starter.intake.delivery import ConnectTemporal
from tests.api_callers import REPORT, As, Caller, OwnTown, api_of, callers
from tests.api_driver import Audited
from tests.engine.test_documents import get, kept, pdf
from tests.every_procedure import PROCEDURE_LIST
from tests.examples.welfare import application, identity_number
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)

BY = Actor(subject="machine:tests", role=Role.ADMIN)
BASIS = "个人信息保护法第四十七条"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LISTED = tuple(case.procedure for case in PROCEDURES)

YEARS = {each.name: 3 for each in PROCEDURE_LIST if each.parent is None} | {"welfare": 10}


def canary() -> str:
    return f"金丝雀{uuid.uuid4().hex[:12]}"


def persons(settings: Settings, keys: Keys, pool: asyncpg.Pool) -> Persons:
    vault = Vault(keys)
    return Persons(pool, vault, Documents(vault, keys, open_store(settings), load_document_policy(settings.policies)))


@pytest.fixture
def office(settings: Settings, keys: Keys, pool: asyncpg.Pool) -> Persons:
    """Who gives out and erases in the tests' town."""
    return persons(settings, keys, pool)


async def person_of(pool: asyncpg.Pool, case_id: str) -> str:
    return str(await pool.fetchval("select snapshot ->> 'reporter' from cases where case_id = $1", case_id))


async def reported(reporter: Caller, bird: str) -> str:
    body = REPORT | {
        "description": f"{bird}说楼道堆满垃圾",
        "location": REPORT["location"] | {"address": f"{bird}小区"},
        "reporter": {"name": bird, "phone": "13800000001"},
    }
    answer = await reporter.report(body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def ended(reporter: Caller, case_id: str, bird: str) -> None:
    """Withdraw a case, and wait until its workflow has ended."""
    withdrawn = await reporter.command(case_id, "withdraw", {"reason": f"{bird}已自行清理"})
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await reporter.get(f"/api/v1/cases/{case_id}", wait="ended", timeout=60)).json()["ended"]


async def everything(pool: asyncpg.Pool) -> str:
    """Every row of every table, as text; bytes as hex."""
    tables = await pool.fetch(
        "select quote_ident(table_name) as name from information_schema.tables "
        "where table_schema = current_schema() and table_type = 'BASE TABLE'"
    )
    rows = [
        row[0]
        for table in tables
        for row in await pool.fetch(f"select each::text from {table['name']} as each")  # noqa: S608 - names of our tables
    ]
    assert len(tables) > 10
    return "\n".join(rows)


async def test_an_erased_person_is_gone_and_the_case_stays(
    office: Persons, as_: As, pool: asyncpg.Pool, settings: Settings, audited: Audited
) -> None:
    """After erasing, texts, details and documents read as tombstones and lie nowhere; history and chain are as before."""
    bird, subject = canary(), f"resident-{uuid.uuid4().hex[:8]}"
    resident = as_(subject=subject)
    case_id = await reported(resident, bird)
    person = await person_of(pool, case_id)
    reference = await kept(resident, pdf(bird.encode()), case_id=case_id)
    await resident.command(case_id, "attach", {"document": (await document(resident, reference))})
    await ended(resident, case_id, bird)
    files = set((settings.data / "documents").rglob(f"*{reference.removeprefix('document:')}"))
    before, audit_before = await office.export(person, BY, NOW), await audited(case_id)
    erasure = await office.erase(person, BY, BASIS, NOW)
    after, audit_after = await office.export(person, BY, NOW), await audited(case_id)
    timeline = await as_("auditor").get(f"/api/v1/cases/{case_id}/timeline")
    stored = await everything(pool)

    assert bird in before.model_dump_json()
    assert {case.case_id: case.roles for case in before.cases} == {case_id: ("reporter",)}
    assert [each["name"] for each in before.details] == [bird]
    assert bird not in after.model_dump_json()
    assert all("依法清除" in text.text for text in after.texts)
    assert len(after.texts) == len(before.texts) == erasure.texts - 1 >= 3
    assert [(each.reference, each.cleared_at is None) for each in before.documents] == [(reference, True)]
    assert [(each.reference, each.cleared_at is None) for each in after.documents] == [(reference, False)]
    assert len(files) == 1
    assert not any(file.exists() for file in files)
    assert (await get(resident, reference)).status_code == 410
    assert "依法清除" in timeline.text
    assert bird not in timeline.text
    for form in (bird, bird.encode().hex(), json.dumps(bird)[1:-1]):
        assert form not in stored
    assert [finding.ok for finding in audit_before] == [finding.ok for finding in audit_after] == [True, True]
    assert [finding.detail for finding in audit_before] == [finding.detail for finding in audit_after]


async def test_an_applicant_is_erased_and_the_bundle_stays_whole(
    office: Persons,
    as_: As,
    temporal: Client,
    pool: asyncpg.Pool,
    keys: Keys,
    settings: Settings,
    audited: Audited,
    tmp_path: Path,
) -> None:
    """A household, its applicant and the account that sent it: after erasing all of them the case replays, verifies, is exported.

    The sealed bundle that was exported before is whole too, and none holds a word of theirs.
    """
    bird, resident = canary(), as_(subject=f"resident-{uuid.uuid4().hex[:8]}")
    papers = [
        {"kind": kind, "document": await document(resident, await kept(resident, pdf(bird.encode())))}
        for kind in ("identity-card", "household-register", "income-statement")
    ]
    body = application(
        "subsistence-allowance", "19800101", monthly_income_fen=60000, address=f"{bird}小区", reason=f"{bird}病了",
        household=[{"name": f"{bird}之子", "identity_number": identity_number("20080101", 7)}], documents=papers,
        applicant={"name": bird, "identity_number": identity_number("19800101", 321), "phone": "13912345678"},
    )  # fmt: skip
    case_id = str((await resident.post("/api/v1/welfare-applications", body)).json()["case_id"])
    withdrawn = await resident.command(case_id, "withdraw_application", {"reason": f"{bird}不申请了"})
    assert withdrawn.status_code == 200, withdrawn.text
    await temporal.get_workflow_handle(case_id).result()
    stands = await pool.fetch("select person_id from person_cases where case_id = $1 order by 1", case_id)
    applicant = await person_of(pool, case_id)
    before = await office.export(applicant, BY, NOW)
    member = next(row[0] for row in stands if row[0] not in {applicant, *before.also})

    async def looked_at(name: str) -> list[object]:
        store = ArchiveStore(None)
        await Archiver(temporal, pool, keys, store).archive_case(case_id)
        (tmp_path / name).write_bytes(await export_case(pool, keys, store, settings, case_id))
        return [*[finding.model_dump() for finding in await audited(case_id)], check(tmp_path / name)]

    looked_before = await looked_at("before.zip")
    gone = [await office.erase(person, BY, BASIS, NOW) for person in (applicant, member, *before.also)]
    looked_after = await looked_at("after.zip")
    after = await office.export(applicant, BY, NOW)

    assert bird in before.model_dump_json()
    assert (gone[0].also, len(before.also), len(stands)) == (before.also, 1, 3)
    assert {case.case_id: case.roles for case in before.cases} == {case_id: ("reporter",)}
    assert {each.case_id: each.roles for each in (await office.export(member, BY, NOW)).cases} == {
        case_id: ("members",)
    }
    assert looked_before == looked_after
    assert looked_after[-1] == check(tmp_path / "before.zip") == []
    assert bird not in after.model_dump_json()
    assert bird not in await everything(pool)


async def document(caller: Caller, reference: str) -> dict[str, Any]:
    answer = await get(caller, reference)
    assert answer.status_code == 200
    return {
        "reference": reference,
        "sha256": hashlib.sha256(answer.content).hexdigest(),
        "size_bytes": len(answer.content),
        "media_type": "application/pdf",
    }


async def test_erasing_and_giving_out_are_on_record(office: Persons, as_: As, pool: asyncpg.Pool) -> None:
    """Who, when, on which basis and which references: in the log, in a whole chain, and each item among the readings."""
    bird = canary()
    resident = as_(subject=f"resident-{uuid.uuid4().hex[:8]}")
    case_id = await reported(resident, bird)
    person = await person_of(pool, case_id)
    await ended(resident, case_id, bird)
    await office.export(person, BY, NOW)
    await office.erase(person, BY, BASIS, NOW)
    items = {row[0] for row in await pool.fetch("select item_id from vault_items where person_id = $1", person)}
    reads = await pool.fetch(
        "select purpose, item_id from vault_reads where person_id = $1 and who = $2", person, BY.subject
    )
    async with pool.acquire() as connection:
        exported, erased = await entries(connection, person)

    assert (exported.kind, erased.kind) == ("privacy:exported", "privacy:erased")
    assert (erased.actor, erased.at, erased.facts["basis"]) == (BY, NOW, BASIS)
    assert set(erased.facts["references"]) == items
    for purpose in ("privacy-export", "privacy-erase"):
        assert {row["item_id"] for row in reads if row["purpose"] == purpose} == items
    assert [finding.ok async for finding in verify_privacy_log(pool)] == [True]


async def test_twice_erased_is_once(office: Persons, as_: As, pool: asyncpg.Pool) -> None:
    """Erasing again changes nothing, writes nothing, and tells what the first one was."""
    bird, resident = canary(), as_(subject=f"resident-{uuid.uuid4().hex[:8]}")
    case_id = await reported(resident, bird)
    person = await person_of(pool, case_id)
    await ended(resident, case_id, bird)
    first = await office.erase(person, BY, BASIS, NOW)
    again = await office.erase(person, Actor(subject="machine:other", role=Role.ADMIN), "another", NOW)
    async with pool.acquire() as connection:
        assert [entry.kind for entry in await entries(connection, person)] == ["privacy:erased"]
    assert again == first.model_copy(update={"repeated": True})
    with pytest.raises(PersonUnknown):
        await office.erase("person:" + "0" * 26, BY, BASIS, NOW)


async def test_who_stands_in_a_running_case_is_not_erased(office: Persons, as_: As, pool: asyncpg.Pool) -> None:
    """While one of a person's cases runs, erasing is refused with their names; nothing is lost, and the attempt stays."""
    bird, resident = canary(), as_(subject=f"resident-{uuid.uuid4().hex[:8]}")
    over, runs = await reported(resident, bird), await reported(resident, bird)
    await ended(resident, over, bird)
    person = await person_of(pool, runs)
    with pytest.raises(StillNeeded) as refusal:
        await office.erase(person, BY, BASIS, NOW)
    async with pool.acquire() as connection:
        (attempt,) = await entries(connection, person)

    assert [case.case_id for case in refusal.value.cases] == [runs]
    assert runs in str(refusal.value)
    assert over not in str(refusal.value)
    assert (attempt.kind, attempt.facts["cases"]) == ("privacy:erasure_refused", [runs])
    assert bird in (await office.export(person, BY, NOW)).model_dump_json()


async def test_what_is_on_its_way_keeps_a_person(own_town: OwnTown, keys: Keys, settings: Settings) -> None:
    """A report that was accepted and has not reached Temporal needs its reporter."""

    async def away() -> Any:
        raise RuntimeError("Temporal is away")

    connect: ConnectTemporal = away
    async with api_of(own_town.build(connect_temporal=connect)) as http:
        answer = await callers(http, keys)().report()
    pool = own_town.pool
    person = await pool.fetchval("select person_id from persons")
    with pytest.raises(StillNeeded) as refusal:
        await persons(settings, keys, pool).erase(person, BY, BASIS, NOW)

    assert answer.status_code == 202
    assert (len(refusal.value.cases), len(refusal.value.submissions)) == (0, 1)


async def test_people_whom_no_entry_names_are_found_in_their_cases(own_town: OwnTown, keys: Keys) -> None:
    """A person stands in a case by their own reference or by a text of theirs, in its first state or in an entry."""
    pool, vault = own_town.pool, Vault(keys)
    async with pool.acquire() as connection:
        named, said, neither = [
            await vault.keep(
                connection, PersonIdentity.account(name), {"description": name}, PersonDetails(name=name), case_id=None
            )
            for name in ("named", "said", "neither")
        ]
    words = json.dumps({"members": [named.person], "note": [{"text": said.texts["description"]}], "x": "text:zzz"})
    found = await pool.fetch("select persons_in($1) as person", words)

    assert {row["person"] for row in found} == {named.person, said.person}
    assert neither.person not in words


async def test_the_log_shows_where_it_was_changed(own_town: OwnTown, keys: Keys, settings: Settings) -> None:
    """An entry that was put in past the engine, or does not follow, is found; changing one is refused by the database."""
    pool = own_town.pool
    async with pool.acquire() as connection:
        person = await Vault(keys).find_or_create_person(connection, None)
    office = persons(settings, keys, pool)
    await office.export(person, BY, NOW)
    whole = [finding.ok async for finding in verify_privacy_log(pool)]
    await pool.execute(
        """insert into privacy_log (seq, person_id, kind, body, prev_hash, hash)
        select 3, person_id, kind, replace(body, '"seq":1', '"seq":3'), prev_hash, 'made up' from privacy_log"""
    )
    broken = [finding async for finding in verify_privacy_log(pool)]

    assert whole == [True]
    assert not broken[0].ok
    assert "entry 3 does not follow" in broken[0].detail
    assert "entry 3 is not what was hashed" in broken[0].detail


@pytest.mark.parametrize("table", ["refusals", "vault_reads", "privacy_log", "ledger"])
@pytest.mark.parametrize("change", ["delete from {}", "truncate {}", "update {} set {} = {}"])
async def test_records_only_grow(pool: asyncpg.Pool, table: str, change: str) -> None:
    """No statement changes or empties a record of refusals, readings or erasings; the guard holds in any kind of session."""
    always = "select tgenabled = 'A' from pg_trigger where tgrelid = $1::regclass and tgname like '%only_grow%'"
    assert await pool.fetchval(always, table)
    column = await pool.fetchval(
        "select column_name from information_schema.columns where table_name = $1 and column_name in ('code', 'who', 'kind')",
        table,
    )
    async with pool.acquire() as connection, connection.transaction():
        with pytest.raises(asyncpg.RaiseError, match="only ever added"):
            await connection.execute(change.format(table, column, column))


# ---- the time of keeping --------------------------------------------------------------------------------------------


async def test_who_is_due_is_who_was_kept_long_enough(office: Persons, as_: As, pool: asyncpg.Pool) -> None:
    """Listed is who stands in ended cases only, each of them closed for as many years as its procedure is kept; erased no more."""
    policy = PrivacyPolicy(version="t", keep_years=YEARS, keep_days_without_case=90)
    bird, resident = canary(), as_(subject=f"resident-{uuid.uuid4().hex[:8]}")
    over = await reported(resident, bird)
    await ended(resident, over, bird)
    person = await person_of(pool, over)
    closed = await pool.fetchval("select closed_at from cases where case_id = $1", over)
    three_years = closed.replace(year=closed.year + 3)

    async def listed(now: datetime) -> bool:
        return person in {each.person for each in await office.due(policy, LISTED, now, limit=100_000)}

    early, late = await listed(three_years - timedelta(seconds=1)), await listed(three_years)
    await pool.execute("insert into person_cases values ($1, 'incident-20990101-000001')", person)
    while_starting = await listed(three_years)
    await pool.execute("delete from person_cases where case_id = 'incident-20990101-000001'")
    runs = await reported(resident, bird)
    while_running = await listed(three_years)
    await ended(resident, runs, bird)
    again = await listed(three_years + timedelta(days=1))
    await office.erase(person, BY, BASIS, NOW)

    assert (early, late, while_starting, while_running, again) == (False, True, False, False, True)
    assert not await listed(three_years + timedelta(days=1))


async def test_who_stands_in_no_case_is_kept_for_days(own_town: OwnTown, keys: Keys, settings: Settings) -> None:
    """Somebody who left something and never had a case is due after days of their own."""
    policy = PrivacyPolicy(version="t", keep_years=YEARS, keep_days_without_case=9)
    pool = own_town.pool
    async with pool.acquire() as connection:
        person = await Vault(keys).find_or_create_person(connection, None)
    office = persons(settings, keys, pool)
    early = await office.due(policy, LISTED, NOW)
    await pool.execute("update persons set created_at = created_at - interval '10 days'")

    assert early == []
    assert [each.person for each in await office.due(policy, LISTED, NOW)] == [person]


def test_every_procedure_has_a_time_of_keeping(tmp_path: Path) -> None:
    """The town's own rules say it for each, or its declaration does; where neither does, file, line and remedy are told."""
    policy = load_privacy_policy(PROJECT / "policies", LISTED)
    assert set(years_by_procedure(policy, LISTED)) == {procedure.name for procedure in LISTED}

    (tmp_path / "privacy.yaml").write_text('version: "1"\nkeep_days_without_case: 9\nkeep_years: {whistle: 3, x: 0}\n')
    with pytest.raises(PolicyFaults, match=r"privacy.yaml:3: keep_years.x: 0 years"):
        load_privacy_policy(tmp_path, LISTED)
    (tmp_path / "privacy.yaml").write_text('version: "1"\nkeep_days_without_case: 9\nkeep_years:\n  whistle: 3\n')
    with pytest.raises(PolicyFaults, match=r"privacy.yaml:3: keep_years: nothing for welfare; write"):
        load_privacy_policy(tmp_path, LISTED)
    with pytest.raises(ValidationError):
        PrivacyPolicy(version="1", keep_years={}, keep_days_without_case=0)


# ---- the terminal ---------------------------------------------------------------------------------------------------


async def run(settings: Settings, *words: str, given: str | None = None) -> Any:
    """A command of the terminal, in the tests' town."""
    return await asyncio.to_thread(
        CliRunner().invoke, app(), ["privacy", *words, "--data", str(settings.data)], input=given
    )


async def test_the_terminal_finds_exports_and_erases(
    as_: As, pool: asyncpg.Pool, settings: Settings, tmp_path: Path
) -> None:
    """A person is found by an identity from standard input, written to a private file, erased, and found no more."""
    bird, account = canary(), f"resident-{uuid.uuid4().hex[:8]}"
    resident = as_(subject=account)
    case_id = await reported(resident, bird)
    person, out = await person_of(pool, case_id), tmp_path / "held.json"
    refused = await run(settings, "erase", "account", "--basis", BASIS, given=f"{account}\n")
    exported = await run(settings, "export", "account", "--out", str(out), given=f"{account}\n")
    await ended(resident, case_id, bird)
    erased = await run(settings, "erase", person, "--basis", BASIS)
    again = await run(settings, "erase", person, "--basis", BASIS)
    gone = await run(settings, "export", "account", given=f"{account}\n")
    log = await run(settings, "log")

    assert refused.exit_code == 1
    assert case_id in " ".join(refused.stderr.split())
    assert exported.exit_code == 0, exported.output
    assert bird in out.read_text()
    assert out.stat().st_mode & 0o777 == 0o600
    assert (erased.exit_code, again.exit_code) == (0, 0), erased.output
    assert "before" in again.output
    assert gone.exit_code == 1
    assert person in log.output
    assert BASIS in log.output
    assert bird not in log.output + erased.output + exported.output + refused.output
    assert account not in gone.output


async def test_a_phone_number_of_several_people_is_said_to_be_one(as_: As, settings: Settings, tmp_path: Path) -> None:
    """Under a number that two people gave, nobody gets what the other said: the terminal says so, and asks for the case."""
    clerk, phone = as_("window_clerk"), f"025{uuid.uuid4().int % 10**8:08d}"
    birds = [canary(), canary()]
    cases = []
    for bird in birds:
        body = REPORT | {"description": f"{bird}的事", "reporter": {"name": f"王{bird}", "phone": phone}}
        cases.append(str((await clerk.report(body)).json()["case_id"]))
    asked = await run(settings, "export", "phone", given=f"{phone}\n")
    of_one = await run(
        settings, "export", "phone", "--case", cases[1], "--out", str(tmp_path / "one.json"), given=f"{phone}\n"
    )
    elsewhere = await run(settings, "export", "phone", "--case", "incident-20991231-000001", given=f"{phone}\n")
    erased = await run(settings, "erase", "phone", "--basis", BASIS, given=f"{phone}\n")
    of_all = await run(settings, "erase", "phone", "--everybody", "--basis", BASIS, given=f"{phone}\n")
    words = (tmp_path / "one.json").read_text(encoding="utf-8")
    held = json.loads(words)

    for refusal in (asked, erased):
        told = " ".join(refusal.stderr.split())
        assert (refusal.exit_code, refusal.stdout) == (1, "")
        assert "several people" in told
        assert [case in told for case in cases] == [True, True]
        assert not [bird for bird in birds if bird in told]
    assert of_one.exit_code == 0, of_one.output
    assert [bird in words for bird in birds] == [False, True]
    assert [each["case_id"] for each in held["cases"]] == [cases[1]]
    assert [each["stated_in"] for each in held["details"]] == [[cases[1]]]
    assert (elsewhere.exit_code, of_all.exit_code) == (1, 1)  # not in that case; and they still run
    assert "several people" not in of_all.stderr


async def test_nobody_is_erased_without_a_basis(settings: Settings) -> None:
    """Erasing, of one or of all that are due, asks for the law it rests on."""
    blank = await run(settings, "erase", "person:" + "0" * 26, "--basis", " ")
    all_due = await run(settings, "due", "--erase")
    unknown = await run(settings, "erase", "person:" + "0" * 26, "--basis", BASIS)

    assert (blank.exit_code, all_due.exit_code, unknown.exit_code) == (2, 2, 1)
