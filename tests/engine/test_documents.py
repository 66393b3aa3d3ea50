"""Documents: what a file is counts, not what it is called; it lies closed, once, and is gone with its person."""

import asyncio
import io
import uuid
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from activities.ledger import Ledger
from engine.keys.keys import Keys
from engine.policies.document_policy import load_document_policy
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import Settings
from engine.vault.document_types import recognise
from engine.vault.documents import Documents, open_store
from engine.vault.vault import Vault
from schemas.audit.ledger import Batch, Projection
from schemas.kernel.case import ENGINE, Entry
from schemas.values.actor import Actor, Role
from schemas.values.document import DOCX, XLSX
from tests.api_callers import As, Caller, OwnTown, api_of, callers

pytest_plugins = ("tests.api_fixture",)

CANARY = b"canary in the yard, flat 502"
BY = Actor(subject="admin-1", role=Role.ADMIN)


def pdf(content: bytes = CANARY) -> bytes:
    """A PDF that no other test sends."""
    return b"%PDF-1.7\n% " + content + uuid.uuid4().hex.encode() + b"\n%%EOF\n"


def office(*names: str) -> bytes:
    """An archive as offices write them."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return written.getvalue()


async def send(
    caller: Caller, content: bytes, *, kind: str = "application/octet-stream", **query: str
) -> httpx.Response:
    """Send a file as the body."""
    return await caller._http.post(  # noqa: SLF001 - a caller posts JSON only
        "/api/v1/documents", content=content, headers=caller.headers | {"Content-Type": kind}, params=query
    )


async def kept(caller: Caller, content: bytes, **query: str) -> str:
    """The reference of a file that is taken."""
    answer = await send(caller, content, **query)
    assert answer.status_code in {200, 201}, answer.text
    return str(answer.json()["reference"])


async def get(caller: Caller, reference: str) -> httpx.Response:
    """Ask for a document."""
    return await caller.get(f"/api/v1/documents/{reference}")


async def quiet_case(reporter: Caller) -> str:
    """A case that writes nothing by itself any more, so that the test's own entry stays its head."""
    case_id = (await reporter.report()).json()["case_id"]
    withdrawn = await reporter.command(case_id, "withdraw", {"reason": "已自行清理"})
    assert withdrawn.status_code == 200, withdrawn.text
    assert (await reporter.get(f"/api/v1/cases/{case_id}", wait="ended")).json()["ended"]
    return str(case_id)


async def attached(pool: asyncpg.Pool, case_id: str, reference: str, *, on_chain: bool = True) -> None:
    """An entry of the case that names the document, as its own command would write it; or one beside its chain."""
    row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
    assert row is not None
    entry = Entry(
        case_id=case_id, seq=row["seq"] + 1, at=row["opened_at"], actor=ENGINE, kind="incident:attached",
        facts={"document": {"reference": reference}}, prev_hash=row["head_hash"],
    ).sealed()  # fmt: skip
    fields = {name: row[name] for name in Projection.model_fields} | {"seq": entry.seq, "head_hash": entry.hash}
    task_at = row["task_at"] + timedelta(milliseconds=1)
    await Ledger(pool).write(
        Batch(
            row=Projection(**fields).model_dump_json(),
            run_id="tests",
            first_run_id=row["first_run_id"],
            task_at=task_at,
            entries=(entry,),
        )
    )
    if not on_chain:  # a lost workflow task: its entry stays, and the head is what was before
        await pool.execute(
            "update cases set seq = $2, head_hash = $3 where case_id = $1", case_id, row["seq"], row["head_hash"]
        )


async def test_a_document_comes_back_as_it_was_sent(as_: As) -> None:
    """Sent as a body, it has reference, SHA-256, size and type; its sender gets the same bytes, never to be run."""
    content = pdf()
    answer = await send(as_(), content, kind="text/html")
    read = await get(as_(), answer.json()["reference"])

    assert (answer.status_code, answer.json()["media_type"], answer.json()["size_bytes"]) == (
        201, "application/pdf", len(content),
    )  # fmt: skip
    assert read.content == content
    assert read.headers["content-disposition"].startswith("attachment")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-type"] == "application/pdf"


async def test_a_form_is_taken_too(http: httpx.AsyncClient, as_: As) -> None:
    """As the part `file` of a form it is the very same document; a form without one, or with two, is refused."""
    content, headers = pdf(), as_().headers
    first = await http.post("/api/v1/documents", files={"note": b"x", "file": ("王小明.pdf", content)}, headers=headers)
    none = await http.post("/api/v1/documents", files={"other": content}, headers=headers)
    two = await http.post("/api/v1/documents", files=[("file", content), ("file", content)], headers=headers)
    cut = await http.post(
        "/api/v1/documents", content=b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n%PDF-1.7',
        headers=headers | {"Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip

    assert first.status_code == 201
    assert await kept(as_(), content) == first.json()["reference"]
    assert [(each.status_code, each.json()["faults"][0]["field"]) for each in (none, two, cut)] == [(422, "file")] * 3


async def test_the_same_file_twice_is_one(as_: As) -> None:
    """By the same person it is one document, sent at the same moment too; by another person it is another."""
    content = pdf()
    together = await asyncio.gather(*(send(as_(), content) for _ in range(4)))
    again = await send(as_(), content)

    assert {answer.status_code for answer in together} <= {200, 201}
    assert len({answer.json()["reference"] for answer in (*together, again)}) == 1
    assert again.status_code == 200
    assert await kept(as_(subject="resident-2"), content) != again.json()["reference"]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7\n1 0 obj", "application/pdf"),
        (bytes.fromhex("ffd8ffe000104a464946000101") + bytes(40), "image/jpeg"),
        (bytes.fromhex("ffd8ffe1001045786966") + bytes(40), "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40), "image/png"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40), "image/webp"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40), "image/heic"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(40), "video/mp4"),
        (office("[Content_Types].xml", "word/document.xml"), DOCX),
        (office("[Content_Types].xml", "xl/workbook.xml"), XLSX),
        (office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), None),
        (office("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"), None),
        (office("notes.txt"), None),
        (b"PK\x03\x04 not really", None),
        (b"<!DOCTYPE html><script>alert(1)</script>", None),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', None),
        (b"MZ\x90\0\3" + bytes(200), None),
        (b"just words", None),
    ],
)
def test_the_content_says_what_a_file_is(content: bytes, found: str | None) -> None:
    """A kind is told by content; what a browser or an office would run by itself is nothing that is taken."""
    assert recognise(content) == found


async def test_a_file_of_another_kind_is_refused(as_: As) -> None:
    """A page that is called a picture is a page."""
    answer = await send(as_(), b"<html><script>alert(1)</script></html>", kind="image/png")

    assert (answer.status_code, answer.json()["code"]) == (415, "document-type")


async def test_an_empty_file_is_refused(as_: As) -> None:
    """Nothing is no evidence."""
    answer = await send(as_(), b"")

    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "file")


async def test_the_limit_is_exact_and_holds_while_streaming(as_: As) -> None:
    """The last allowed byte is taken, one more is not; a sender without a length is cut off by counting."""
    limit = 10 * 1024 * 1024
    content = pdf()

    async def endless() -> AsyncIterator[bytes]:
        yield content
        for _ in range(11 * 16):
            yield bytes(64 * 1024)

    caller = as_(subject="resident-limit")
    allowed = await send(caller, content + bytes(limit - len(content)))
    over = await send(caller, content + bytes(limit - len(content) + 1))
    streamed = await caller._http.post("/api/v1/documents", content=endless(), headers=caller.headers)  # noqa: SLF001

    assert allowed.status_code == 201
    assert [(each.status_code, each.json()["code"]) for each in (over, streamed)] == [(413, "body-too-large")] * 2


def files_of(settings: Settings) -> Iterator[bytes]:
    """Everything that lies in the object store."""
    yield from (file.read_bytes() for file in (settings.data / "documents").rglob("*") if file.is_file())


async def test_nothing_lies_open(as_: As, settings: Settings, pool: asyncpg.Pool) -> None:
    """Neither the object store nor a table holds a file, or the key that opens it, in plain."""
    reference = await kept(as_(), pdf())
    rows = await pool.fetch(
        "select row(documents.*, vault_items.*)::text from documents, vault_items where item_id = document_id"
    )
    stored = list(files_of(settings))

    assert reference in "".join(row[0] for row in rows)
    assert stored
    # As much of the beginning as chance does not write into megabytes that are encrypted.
    assert all(CANARY not in file and b"%PDF-1.7\n% " not in file for file in stored)
    assert all(CANARY.decode() not in row[0] and CANARY.hex() not in row[0] for row in rows)


async def test_who_sees_the_case_sees_its_documents(as_: As, pool: asyncpg.Pool) -> None:
    """Before it stands in a case only its sender reads a document; then who sees the case, nobody else, and it is recorded."""
    mine, officer = as_(), as_("department_officer", department="urban-management")
    case_id = await quiet_case(mine)
    content = pdf()
    reference = await kept(mine, content)
    before = [(await get(who, reference)).status_code for who in (mine, officer, as_(subject="resident-2"))]
    await attached(pool, case_id, reference)
    after = [
        (await get(who, reference)).status_code
        for who in (
            mine,
            officer,
            as_(subject="resident-2"),
            as_("department_officer", department="health"),
            as_("admin"),
        )
    ]
    reads = await pool.fetch(
        "select who, purpose, case_id from vault_reads where item_id = $1 order by read_id", reference
    )

    assert before == [200, 404, 404]
    assert after == [200, 200, 404, 404, 404]
    assert [tuple(read) for read in reads] == [
        ("resident-1", "show-document", None),
        ("resident-1", "show-document", case_id),
        ("department_officer-1", "show-document", case_id),
    ]


async def test_an_entry_beside_the_chain_gives_no_sight(as_: As, pool: asyncpg.Pool) -> None:
    """What a lost workflow task wrote does not open a document to who sees that case."""
    mine, officer = as_(), as_("department_officer", department="urban-management")
    case_id = await quiet_case(mine)
    reference = await kept(mine, pdf())
    await attached(pool, case_id, reference, on_chain=False)

    assert (await get(officer, reference)).status_code == 404
    assert (await get(mine, reference)).status_code == 200


async def test_an_erased_person_leaves_a_tombstone(as_: As, keys: Keys, pool: asyncpg.Pool, settings: Settings) -> None:
    """With the person their documents are gone, also those that staff sent for their case: 410, and the file is cleared."""
    mine, clerk = as_(subject="resident-erased"), as_("window_clerk")
    case_id = await quiet_case(mine)
    references = [await kept(mine, pdf()), await kept(clerk, pdf(), case_id=case_id)]
    for reference in references:
        await attached(pool, case_id, reference)
    person = await pool.fetchval("select snapshot ->> 'reporter' from cases where case_id = $1", case_id)
    vault = Vault(keys)
    async with pool.acquire() as connection:
        await vault.erase(connection, person, BY, "个人信息保护法第四十七条")
    answers = [await get(clerk, reference) for reference in references]
    documents = Documents(vault, keys, open_store(settings), load_document_policy(settings.policies))

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(410, "document-erased")] * 2
    assert await documents.clear_erased(pool) >= 2
    assert await documents.clear_erased(pool) == 0
    lying = {file.name for file in (settings.data / "documents").rglob("*")}
    assert not lying & {reference.removeprefix("document:") for reference in references}
    assert (await send(mine, pdf())).status_code == 201


async def test_a_document_that_was_changed_in_the_store_is_not_given(
    http: httpx.AsyncClient, as_: As, settings: Settings
) -> None:
    """A file exchanged for another one does not open: an error of ours, and not a byte of it."""
    one, two = await kept(as_(), pdf()), await kept(as_(), pdf())
    paths = {file.name: file for file in (settings.data / "documents").rglob("*") if file.is_file()}
    paths[one.removeprefix("document:")].write_bytes(paths[two.removeprefix("document:")].read_bytes())
    answer = await get(as_(), one)

    assert answer.status_code == 500
    assert CANARY not in answer.content


async def test_a_store_that_is_away_loses_nothing(own_town: OwnTown, tmp_path: Path, keys: Keys) -> None:
    """While the object store is away the answer is 503; sent again when it is back, the file is stored, as one document."""
    place = tmp_path / "store"
    settings = own_town.settings.model_copy(update={"documents_url": place.as_uri()})
    content = pdf()
    async with api_of(own_town.build(over=settings)) as client:
        caller = callers(client, keys)()
        place.rmdir()
        place.write_text("a file where the folder was")
        away = await send(caller, content)
        place.unlink()
        place.mkdir()
        back, again = await send(caller, content), await send(caller, content)
        read = await get(caller, back.json()["reference"])

    assert (away.status_code, away.json()["code"]) == (503, "documents-away")
    assert [back.status_code, again.status_code] == [201, 200]
    assert read.content == content
    assert await own_town.pool.fetchval("select count(*) from documents") == 1


async def test_nobody_fills_the_store(own_town: OwnTown, tmp_path: Path, keys: Keys) -> None:
    """A person with as many unattached documents as the policy allows is told to attach them first."""
    (tmp_path / "policies").mkdir()
    for file in own_town.settings.policies.rglob("*.yaml"):
        copy = tmp_path / "policies" / file.relative_to(own_town.settings.policies)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8").replace("waiting_at_most: 50", "waiting_at_most: 2"))
    settings = own_town.settings.model_copy(update={"policies": tmp_path / "policies"})
    async with api_of(own_town.build(over=settings)) as client:
        caller = callers(client, keys)()
        statuses = [(await send(caller, pdf())).status_code for _ in range(3)]

    assert statuses == [201, 201, 409]


@pytest.mark.parametrize("role", ["admin", "auditor"])
async def test_who_runs_the_system_attaches_nothing(as_: As, role: str) -> None:
    """Administrators and auditors add no evidence to a case."""
    assert (await send(as_(role), pdf())).status_code == 403


async def test_a_document_for_a_case_one_does_not_see_is_refused(as_: As) -> None:
    """Nobody keeps a file with the reporter of a case that is not there for them."""
    case_id = (await as_().report()).json()["case_id"]
    answer = await send(as_(subject="resident-2"), pdf(), case_id=case_id)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-case")


def test_the_kinds_of_the_policy_are_recognised(tmp_path: Path) -> None:
    """A kind that is not recognised, or stands twice, is told with file, line and remedy, together with the other."""
    text = 'version: "1"\nbytes_max: 2048\nwaiting_at_most: 1\ntypes:\n- image/png\n- text/html\n- image/png\n'
    (tmp_path / "documents.yaml").write_text(text)
    with pytest.raises(PolicyFaults) as refused:
        load_document_policy(tmp_path)

    assert [fault.partition(": ")[0] for fault in refused.value.faults] == [
        f"{tmp_path}/documents.yaml:6", f"{tmp_path}/documents.yaml:7",
    ]  # fmt: skip
    assert all(";" in fault for fault in refused.value.faults)


async def test_what_is_attached_is_a_document_of_the_callers(as_: As) -> None:
    """An officer attaches and the resident reads; a document that is unknown, another's, or has other facts is refused."""
    mine, officer = as_(), as_("department_officer", department="urban-management")
    case_id = (await mine.report()).json()["case_id"]
    document = (await send(officer, pdf())).json()
    theirs = (await send(as_(subject="resident-2"), pdf())).json()
    unknown = document | {"reference": "document:" + "0" * 26}
    refused = [
        await officer.command(case_id, "attach", {"document": each})
        for each in (theirs, unknown, document | {"sha256": "0" * 64}, document | {"media_type": "image/png"})
    ]
    before = (await get(mine, document["reference"])).status_code
    attached_now = await officer.command(case_id, "attach", {"document": document})
    # Who sees a document may attach it to another case that they see.
    other = (await mine.report()).json()["case_id"]
    again = await mine.command(other, "attach", {"document": document})

    assert [(each.status_code, [fault["field"] for fault in each.json()["faults"]]) for each in refused] == [
        (422, ["document"])
    ] * 4
    assert (before, attached_now.status_code, again.status_code) == (404, 200, 200)
    assert (await get(mine, document["reference"])).status_code == 200
