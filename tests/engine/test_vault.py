"""The vault on a real Postgres: what is kept is closed, what is read is recorded, what is erased is gone."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ConfigDict, ValidationError
from structlog.testing import capture_logs

from engine.keys.keys import KeyRing, Keys, ensure_keys
from engine.store.database import Queries, QueryFault
from engine.vault.person_identity import IdentityUnusable, PersonIdentity
from engine.vault.vault import (
    SQL,
    KindUnusable,
    PersonDetails,
    PersonErased,
    PersonUnknown,
    PurposeMissing,
    TextUnknown,
    Vault,
    VaultQueries,
)
from engine.vault.vault_seal import VaultDamaged, VaultKeyUnknown, unwrap, wrap
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference, Tombstone
from tests.waiting import eventually

CANARY = "金丝雀小区3号楼502王五说楼道堆满垃圾"
OFFICER = Actor(subject="officer-7", role=Role.DEPARTMENT_OFFICER, department="urban-management")
COORDINATOR = Actor(subject="coordinator-1", role=Role.COORDINATOR)
CASE = "incident-20261121-000017"


@pytest.fixture(scope="module")
def vault(keys: Keys) -> Vault:
    return Vault(keys)


@pytest_asyncio.fixture(loop_scope="session")
async def connection(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
    async with pool.acquire() as held:
        yield held


Held = asyncpg.pool.PoolConnectionProxy


async def test_kept_texts_are_read_back(vault: Vault, connection: Held) -> None:
    """What was kept of a person is what a reader gets, by reference, details included."""
    details = PersonDetails(name="王五", phone="13800001111")
    kept = await vault.keep(
        connection,
        PersonIdentity.account("back"),
        {"description": CANARY, "location": "幸福小区\x00😀𠮷"},
        details,
        case_id=CASE,
    )
    found = await vault.read_texts(connection, list(kept.texts.values()), OFFICER, "show-case", CASE)

    assert found == {kept.texts["description"]: CANARY, kept.texts["location"]: "幸福小区\x00😀𠮷"}
    stated = await vault.read_statement(
        connection, kept.person, kept.details, OFFICER, purpose="show-case", case_id=CASE
    )
    assert stated == details


async def test_a_statement_is_read_as_what_it_is(vault: Vault, connection: Held) -> None:
    """What is said of a person later, or of somebody else, or is no statement, is never read in its place."""
    who = PersonIdentity.phone("025-83100000")
    first = await vault.keep(connection, who, {"description": CANARY}, PersonDetails(name="王小明"), case_id=CASE)
    second = await vault.keep(connection, who, {}, PersonDetails(name="李红"), case_id=CASE)
    other = await vault.keep(
        connection, PersonIdentity.phone("025-83100001"), {}, PersonDetails(name="张三"), case_id=CASE
    )

    async def name(person: str, statement: str | None) -> str | None:
        found = await vault.read_statement(
            connection, person, statement, OFFICER, purpose="show-case", case_id="incident-20991231-000001"
        )
        return found.name if isinstance(found, PersonDetails) else None

    assert first.person == second.person
    assert await name(first.person, first.details) == "王小明"
    assert await name(first.person, second.details) == "李红"
    assert await name(first.person, other.details) is None
    assert await name(first.person, first.texts["description"]) is None
    assert await name(first.person, None) is None


async def test_the_same_identity_is_the_same_person(vault: Vault, connection: Held) -> None:
    """A phone number finds the person however it is written; another number, or another kind of number, does not."""
    first = await vault.find_or_create_person(connection, PersonIdentity.phone("138 0000-2222"))

    assert await vault.find_or_create_person(connection, PersonIdentity.phone("+86 13800002222")) == first
    assert await vault.find_or_create_person(connection, PersonIdentity.phone("１３８００００２２２２")) == first
    assert await vault.find_or_create_person(connection, PersonIdentity.phone("13800002223")) != first
    assert await vault.find_or_create_person(connection, PersonIdentity.account("13800002222")) != first
    assert await vault.find_or_create_person(connection, PersonIdentity.identity_number("13800002222")) != first


async def test_a_person_without_identity_is_always_new(vault: Vault, connection: Held) -> None:
    """Two reports without a name are not put together as one person."""
    assert await vault.find_or_create_person(connection, None) != await vault.find_or_create_person(connection, None)


@pytest.mark.parametrize("number", ["", "   ", "138****1111", "无", "12", "1" * 40])
def test_a_masked_or_blank_number_is_no_identity(number: str) -> None:
    """A number that does not tell one person from another is refused without being quoted."""
    for kind in (PersonIdentity.phone, PersonIdentity.identity_number):
        with pytest.raises(IdentityUnusable) as refusal:
            kind(number)
        assert not number.strip() or number not in str(refusal.value)


async def test_callers_at_once_get_the_same_person(vault: Vault, pool: asyncpg.Pool) -> None:
    """Eight transactions that meet the same new phone at the same moment end with one person, each able to keep."""
    together = asyncio.Barrier(8)

    async def keep(number: int) -> tuple[str, str]:
        async with pool.acquire() as connection, connection.transaction():
            await together.wait()
            kept = await vault.keep(
                connection, PersonIdentity.phone("13800003333"), {"description": f"text {number}"}, case_id=CASE
            )
            return kept.person, kept.texts["description"]

    kept = await asyncio.gather(*(keep(number) for number in range(8)))
    async with pool.acquire() as connection:
        texts = await vault.read_texts(connection, [reference for _, reference in kept], OFFICER, "test", None)

    assert len({person for person, _ in kept}) == 1
    assert sorted(map(str, texts.values())) == [f"text {number}" for number in range(8)]


async def test_nothing_personal_stands_in_the_tables(vault: Vault, connection: Held) -> None:
    """No row of the vault holds a kept text, name or number in plain, in any encoding that a look would find."""
    details = PersonDetails(name=CANARY, phone="13800004444", identity_number="32010419800101123X", address=CANARY)
    await vault.keep(connection, PersonIdentity.phone("13800004444"), {"description": CANARY}, details, case_id=CASE)
    tables = ("persons", "vault_items", "vault_reads")
    rows = [row for table in tables for row in await connection.fetch(f"select {table}::text from {table}")]  # noqa: S608
    stored = "\n".join(row[0] for row in rows)

    assert len(rows) > 2
    for plain in (CANARY, "13800004444", "32010419800101123X", "王五"):
        assert plain not in stored
        assert plain.encode().hex() not in stored


async def test_every_read_is_recorded(vault: Vault, connection: Held) -> None:
    """Each reference that was read leaves who, role, person, purpose and case, in the transaction of the read."""
    kept = await vault.keep(connection, None, {"description": CANARY, "location": "here"}, case_id=CASE)
    await vault.read_texts(connection, [kept.texts["description"]], OFFICER, "show-case", CASE)
    with contextlib.suppress(InterruptedError):
        async with connection.transaction():
            await vault.read_texts(connection, list(kept.texts.values()), COORDINATOR, "undone", None)
            raise InterruptedError
    reads = await connection.fetch(
        "select who, role, item_id, purpose, case_id from vault_reads where person_id = $1", kept.person
    )

    assert [tuple(read) for read in reads] == [
        ("officer-7", "department_officer", kept.texts["description"], "show-case", CASE)
    ]


@pytest.mark.parametrize(
    "change", ["update vault_reads set who = 'x'", "delete from vault_reads", "truncate vault_reads"]
)
async def test_the_record_of_reads_only_grows(connection: Held, change: str) -> None:
    """A record of a read cannot be changed or taken away by a statement."""
    with pytest.raises(asyncpg.RaiseError, match="only ever added"):
        await connection.execute(change)


async def test_a_read_needs_a_purpose(vault: Vault, connection: Held) -> None:
    """Reading without a purpose, or with a sentence that might name somebody, is refused and gives nothing."""
    kept = await vault.keep(connection, None, {"description": CANARY}, case_id=CASE)
    for purpose in ("", " ", "因为王五要求"):
        with pytest.raises(PurposeMissing):
            await vault.read_texts(connection, [kept.texts["description"]], OFFICER, purpose, None)


async def test_unknown_references_are_refused_without_quoting(vault: Vault, connection: Held) -> None:
    """Asking for what is not there is refused as a whole; a text given in place of a reference is not repeated."""
    kept = await vault.keep(connection, None, {"description": CANARY}, case_id=CASE)
    with pytest.raises(TextUnknown, match="1 of 2") as refusal:
        await vault.read_texts(connection, [kept.texts["description"], CANARY], OFFICER, "test", None)
    with pytest.raises(PersonUnknown) as unknown:
        await vault.keep_text(connection, CANARY, "description", "text", case_id=CASE)

    assert CANARY not in f"{refusal.value} {unknown.value}"


async def test_swapped_rows_are_noticed(vault: Vault, connection: Held) -> None:
    """Two closed texts of one person and kind that were exchanged in the table do not open in each other's place."""
    kept = await vault.keep(connection, None, {"description": "the first"}, case_id=CASE)
    one = kept.texts["description"]
    two = await vault.keep_text(connection, kept.person, "description", "the second", case_id=CASE)
    await connection.execute(
        """update vault_items a set nonce = b.nonce, ciphertext = b.ciphertext from vault_items b
        where a.person_id = $1 and b.person_id = $1 and a.item_id <> b.item_id""",
        kept.person,
    )

    for reference in (one, two):
        with pytest.raises(VaultDamaged, match=reference):
            await vault.read_texts(connection, [reference], OFFICER, "test", None)


@pytest.mark.parametrize(
    "change",
    [
        "update vault_items set kind = 'location' where person_id = $1",
        "update vault_items set ciphertext = substr(ciphertext, 1, 10) where person_id = $1",
        "update vault_items set ciphertext = ''::bytea where person_id = $1",
        "update vault_items set nonce = null, ciphertext = null where person_id = $1",
        "update persons set wrapped_key = set_byte(wrapped_key, 9, 255 - get_byte(wrapped_key, 9)) where person_id=$1",
        "update persons set wrapped_key = ''::bytea where person_id = $1",
        """update persons set wrapped_key = (select wrapped_key from persons where person_id <> $1
            and wrapped_key is not null limit 1) where person_id = $1""",
    ],
)
async def test_a_changed_row_is_noticed(vault: Vault, connection: Held, change: str) -> None:
    """A row of the vault that was changed in any way is refused as damaged, by reference and never by content."""
    await vault.find_or_create_person(connection, None)
    kept = await vault.keep(connection, None, {"description": CANARY}, case_id=CASE)
    await connection.execute(change, kept.person)

    with pytest.raises(VaultDamaged) as refusal:
        await vault.read_texts(connection, list(kept.texts.values()), OFFICER, "test", None)
    assert CANARY not in str(refusal.value)


async def test_an_erased_person_is_gone(vault: Vault, pool: asyncpg.Pool) -> None:
    """After erasing, texts and details read as tombstones, the key and ciphertexts are gone, the reads stay."""
    who = PersonIdentity.phone("13800005555")
    async with pool.acquire() as connection, connection.transaction():
        kept = await vault.keep(connection, who, {"description": CANARY}, PersonDetails(name="王五"), case_id=CASE)
        await vault.read_texts(connection, list(kept.texts.values()), OFFICER, "show-case", CASE)
        erased_at = await vault.erase(connection, kept.person, COORDINATOR, "个人信息保护法第47条")

    async with pool.acquire() as connection:
        found = await vault.read_texts(connection, list(kept.texts.values()), OFFICER, "show-case", CASE)
        details = await vault.read_statement(
            connection, kept.person, kept.details, OFFICER, purpose="show-case", case_id=CASE
        )
        left = await connection.fetchrow("select * from persons where person_id = $1", kept.person)
        closed = await connection.fetchval(
            "select count(ciphertext) from vault_items where person_id = $1", kept.person
        )
        reads = await connection.fetchval("select count(*) from vault_reads where person_id = $1", kept.person)
        assert left is not None
        assert found == {kept.texts["description"]: Tombstone(erased_at=erased_at)}
        assert details == Tombstone(erased_at=erased_at)
        assert (left["wrapped_key"], left["blind_index"], left["erased_by"]) == (None, None, "coordinator-1")
        assert (closed, reads) == (0, 3)
        with pytest.raises(PersonErased):
            await vault.keep_text(connection, kept.person, "description", "more", case_id=CASE)
        with pytest.raises(PersonErased):
            await vault.erase(connection, kept.person, COORDINATOR, "again")
        with pytest.raises(PersonUnknown):
            await vault.erase(connection, "person:none", COORDINATOR, "nobody")


async def test_an_erased_person_comes_back_as_another(vault: Vault, connection: Held) -> None:
    """Whoever was erased and appears again is a new person, who does not inherit the old texts."""
    who = PersonIdentity.phone("13800006666")
    old = await vault.keep(connection, who, {"description": "before"}, case_id=CASE)
    await vault.erase(connection, old.person, COORDINATOR, "request")
    new = await vault.keep(connection, who, {"description": "after"}, case_id=CASE)
    references = [old.texts["description"], new.texts["description"]]
    found = await vault.read_texts(connection, references, OFFICER, "test", None)

    assert new.person != old.person
    assert isinstance(found[references[0]], Tombstone)
    assert found[references[1]] == "after"


async def test_erasing_waits_for_whoever_is_keeping(vault: Vault, pool: asyncpg.Pool) -> None:
    """A text that is being kept while its person is erased does not survive the erasing."""
    async with pool.acquire() as keeper, pool.acquire() as eraser, pool.acquire() as reader:
        person = await vault.find_or_create_person(reader, None)

        async def erase(connection: Held, person: str) -> None:
            async with connection.transaction():
                # A busy machine may take longer than a town's sessions wait for a lock.
                await connection.execute("set local lock_timeout = '15s'")
                await vault.erase(connection, person, COORDINATOR, "request")

        async def waits() -> bool:
            waiting = "select count(*) from pg_locks where not granted and pid = $1"
            return bool(await reader.fetchval(waiting, eraser.get_server_pid()))

        async with keeper.transaction():
            reference = await vault.keep_text(keeper, person, "description", CANARY, case_id=CASE)
            erasing = asyncio.create_task(erase(eraser, person))
            await eventually(waits)
        await erasing

        assert await reader.fetchval("select ciphertext from vault_items where item_id = $1", reference) is None


async def test_a_missing_master_key_is_named(vault: Vault, keys: Keys, connection: Held, tmp_path: Path) -> None:
    """A person closed with a master key that is not at hand cannot be read, and the fault names the key."""
    kept = await vault.keep(connection, None, {"description": CANARY}, case_id=CASE)
    other = Vault(ensure_keys(tmp_path / "keys"))

    with pytest.raises(VaultKeyUnknown, match=keys.vault.active_id):
        await other.read_texts(connection, list(kept.texts.values()), OFFICER, "test", None)


def test_a_persons_key_is_bound_to_person_and_master(keys: Keys) -> None:
    """A wrapped key opens for its own person under its own master key id, and for no other."""
    twin = KeyRing("one", {"one": keys.vault.active, "two": keys.vault.active})
    wrapped, master = wrap(twin, "person:A", b"k" * 32)

    assert (master, unwrap(twin, "one", "person:A", wrapped)) == ("one", b"k" * 32)
    for master, person in (("two", "person:A"), ("one", "person:B")):
        with pytest.raises(VaultDamaged):
            unwrap(twin, master, person, wrapped)


async def test_a_kind_is_a_code(vault: Vault, connection: Held) -> None:
    """A kind stands in plain beside the text, so a sentence is no kind."""
    with pytest.raises(KindUnusable) as refusal:
        await vault.keep(connection, None, {CANARY: "text"}, case_id=CASE)
    assert CANARY not in str(refusal.value)


async def test_keeping_a_report_costs_two_round_trips(vault: Vault, connection: Held) -> None:
    """A person with details and three texts is kept with two statements; reading all of it costs one."""
    statements: list[str] = []
    texts = {"description": CANARY, "location": "here", "remark": "there"}
    with connection.query_logger(lambda logged: statements.append(logged.query)):
        kept = await vault.keep(
            connection, PersonIdentity.phone("13800007777"), texts, PersonDetails(name="王五"), case_id=CASE
        )
        await vault.read_texts(connection, list(kept.texts.values()), OFFICER, "test", None)
        await asyncio.sleep(0)  # asyncpg tells its loggers in the next turn of the loop

    assert statements == [SQL.find_or_insert_person, SQL.insert_items, SQL.read_items]


async def test_nothing_personal_is_logged_or_printed(
    vault: Vault, connection: Held, caplog: pytest.LogCaptureFixture
) -> None:
    """Keeping, reading and failing write no personal text to any log, and personal values do not print themselves."""
    who, details = PersonIdentity.phone("13800008888"), PersonDetails(name=CANARY, phone="13800008888")
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        kept = await vault.keep(connection, who, {"description": CANARY}, details, case_id=CASE)
        await vault.read_texts(connection, list(kept.texts.values()), OFFICER, "test", None)
    with pytest.raises(ValidationError) as refusal:
        PersonDetails.model_validate({"name": [CANARY]})
    printed = f"{who} {who!r} {details} {details!r} {kept} {vault!r} {logs} {caplog.text} {refusal.value}"

    assert CANARY not in printed
    assert "13800008888" not in printed


@given(st.text(max_size=40))
def test_plain_text_is_no_reference(text: str) -> None:
    """A model refuses a plain text where a reference belongs, and does not repeat it."""
    with pytest.raises(ValidationError) as refusal:
        Order(text=text, person=text)
    with pytest.raises(ValidationError) as another:
        Order(text="某人", person="某人")
    assert str(refusal.value) == str(another.value)


class Order(Model):
    """What a case holds of a report: references only."""

    model_config = ConfigDict(hide_input_in_errors=True)

    text: TextReference
    person: PersonReference


async def test_the_references_of_the_vault_fit_into_a_case(vault: Vault, connection: Held) -> None:
    """What the vault gives stands in a model; a person's reference is not taken for a text's, nor one with a tail."""
    kept = await vault.keep(connection, None, {"description": CANARY}, case_id=CASE)
    order = Order(text=kept.texts["description"], person=kept.person)

    assert Order.model_validate_json(order.model_dump_json()) == order
    for wrong in (kept.person, kept.texts["description"] + "\n", kept.texts["description"].lower(), "text:"):
        with pytest.raises(ValidationError):
            Order(text=wrong, person=kept.person)


async def test_every_query_fits_the_schema(connection: Held) -> None:
    """Postgres accepts each named query against the migrated tables."""
    for text in SQL.texts.values():
        await connection.prepare(text)


async def test_sessions_have_limits_and_speak_utc(connection: Held) -> None:
    """A session says who it is, lives in UTC, gives up after a while, and takes JSON as Python values."""
    shown = {
        name: await connection.fetchval(f"show {name}")
        for name in ("application_name", "timezone", "statement_timeout", "lock_timeout")
    }
    actor = await connection.fetchval("select $1::jsonb", COORDINATOR)

    assert shown == {
        "application_name": "tests",
        "timezone": "UTC",
        "statement_timeout": "15s",
        "lock_timeout": "5s",
    }
    assert Actor.model_validate(actor) == COORDINATOR


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("-- name: one\n-- About.\nselect 1;\n-- name: one\n-- About.\nselect 2;", "twice"),
        ("-- name: one\nselect 1;", "what it is for"),
        ("-- name: one\n-- About.\n", "empty"),
        ("-- name: One Two\n-- About.\nselect 1;", "not a name"),
        ("select 1;\n-- name: one\n-- About.\nselect 1;", "before the first"),
        ("-- name: one\n-- About.\nselect 1;", "lacks empty_items_of_person"),
    ],
)
def test_a_faulty_query_file_is_refused_at_load(tmp_path: Path, text: str, fault: str) -> None:
    """What is wrong with a file of queries is said when it is loaded, not when a query runs for the first time."""
    (tmp_path / "vault.sql").write_text(text)
    with pytest.raises(QueryFault, match=fault):
        VaultQueries.load("vault", tmp_path)


def test_queries_are_found_by_name(tmp_path: Path) -> None:
    """A query is its text by name; a name or a file that is not there is said so."""
    (tmp_path / "town.sql").write_text("-- About the file.\n\n-- name: one\n-- The one.\nselect 1;\n")
    queries = Queries.load("town", tmp_path)

    assert (queries.one, queries.about["one"]) == ("select 1", "The one.")
    with pytest.raises(AttributeError, match="two"):
        _ = queries.two
    with pytest.raises(QueryFault, match=r"village\.sql"):
        Queries.load("village", tmp_path)
