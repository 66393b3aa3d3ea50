"""Documents on a page: small pictures, PDFs in a tab; each a reading, recorded as what it was."""

import io
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
from PIL import Image

from console.sign_in.sessions import Sessions
from engine.keys.tokens import Principal
from schemas.values.actor import Role
from tests.api_callers import REPORT, As, Caller
from tests.console_browser import Browser, signed_in

pytest_plugins = ("tests.api_fixture",)


async def somebody(http: httpx.AsyncClient, pool: asyncpg.Pool, role: Role, subject: str) -> Browser:
    said = {"department": None, "area": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    return await signed_in(http, Sessions(pool), Principal(subject=subject, role=role, **said))


def photo() -> bytes:
    """A picture that no other test sends."""
    written = io.BytesIO()
    Image.effect_noise((640, 480), 50).convert("RGB").save(written, "JPEG", comment=uuid.uuid4().bytes)
    return written.getvalue()


def pdf() -> bytes:
    return b"%PDF-1.7\n% " + uuid.uuid4().hex.encode() + b"\n%%EOF\n"


async def attached(resident: Caller, case_id: str, content: bytes) -> str:
    """A file that stands in the case; its reference."""
    kept = await resident._http.post(  # noqa: SLF001 - a caller posts JSON only
        "/api/v1/documents", content=content, headers=resident.headers | {"Content-Type": "application/octet-stream"}
    )
    assert kept.status_code == 201, kept.text
    given = await resident.command(case_id, "attach", {"document": kept.json()})
    assert given.status_code == 200, given.text
    return str(kept.json()["reference"])


async def test_documents_are_shown_and_each_reading_is_recorded_as_what_it_was(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """A page that is only looked at asks for no picture; opened, it does, and thumbnail, picture, PDF and file are told apart."""
    resident = as_(Role.RESIDENT, f"resident-{uuid.uuid4().hex[:8]}")
    case_id = (await resident.report(REPORT)).json()["case_id"]
    sent = photo()
    image, paper = await attached(resident, case_id, sent), await attached(resident, case_id, pdf())
    who = f"supervisor-{uuid.uuid4().hex[:8]}"
    browser = await somebody(http, pool, Role.SUPERVISOR, who)
    closed = (await browser.get(f"/cases/{case_id}")).text
    before = await pool.fetchval("select count(*) from vault_reads where who = $1", who)
    opened = (await browser.get(f"/cases/{case_id}?texts=open")).text
    thumbnail = await browser.get(f"/documents/{image}/thumbnail")
    larger = await browser.get(f"/documents/{image}/picture")
    in_a_tab = await browser.get(f"/documents/{paper}/pdf")
    wrong = [await browser.get(f"/documents/{paper}/thumbnail"), await browser.get(f"/documents/{image}/pdf")]
    file = await browser.get(f"/documents/{image}")
    rows = await pool.fetch(
        "select purpose, item_id, case_id from vault_reads where who = $1 and purpose <> 'show-timeline' order by read_id",
        who,
    )

    assert "<img" not in closed
    assert before == 0
    assert f'<img class="town-thumbnail" src="/documents/{image}/thumbnail" loading="lazy"' in opened
    assert opened.count("<img") == 1
    assert f'href="/documents/{paper}/pdf" target="_blank" rel="noopener"' in opened
    with Image.open(io.BytesIO(thumbnail.content)) as small, Image.open(io.BytesIO(larger.content)) as large:
        assert (small.size, large.size) == ((240, 180), (640, 480))
    assert sent[-200:] not in larger.content
    assert [each.status_code for each in wrong] == [415, 415]
    assert (file.content, in_a_tab.content[:8]) == (sent, b"%PDF-1.7")
    assert [(row["purpose"], row["item_id"], row["case_id"]) for row in rows] == [
        ("show-thumbnail", image, case_id),
        ("show-picture", image, case_id),
        ("show-document", paper, case_id),
        ("show-document", image, case_id),
    ]


async def test_what_is_shown_of_a_file_is_kept_by_no_browser_and_runs_nothing(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Type told and not guessed, nothing cached, for this site alone; a PDF may be drawn by the page that the browser makes."""
    resident = as_(Role.RESIDENT, f"resident-{uuid.uuid4().hex[:8]}")
    case_id = (await resident.report(REPORT)).json()["case_id"]
    image, paper = await attached(resident, case_id, photo()), await attached(resident, case_id, pdf())
    browser = await somebody(http, pool, Role.SUPERVISOR, "supervisor-heads")
    answers = {
        shown: await browser.get(shown) for shown in (f"/documents/{image}/thumbnail", f"/documents/{paper}/pdf")
    }
    thumbnail, in_a_tab = answers.values()

    for answer in answers.values():
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["content-security-policy"].count("script-src") == 0
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert thumbnail.headers["content-security-policy"].startswith("sandbox")
    assert in_a_tab.headers["content-type"] == "application/pdf"
    assert "sandbox" not in in_a_tab.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in in_a_tab.headers["content-security-policy"]
    assert in_a_tab.headers["content-disposition"].startswith("inline; filename=")
    assert (await browser.get(f"/documents/{image}/whole")).status_code == 404


async def test_who_sees_no_document_sees_no_picture_of_it(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """Another resident gets 404 for each form of it, and the attempts are kept; nothing counts as read."""
    resident = as_(Role.RESIDENT, f"resident-{uuid.uuid4().hex[:8]}")
    case_id = (await resident.report(REPORT)).json()["case_id"]
    image = await attached(resident, case_id, photo())
    who = f"curious-{uuid.uuid4().hex[:8]}"
    stranger = await somebody(http, pool, Role.RESIDENT, who)
    answers = [await stranger.get(f"/documents/{image}{form}") for form in ("", "/thumbnail", "/picture", "/pdf")]

    assert [each.status_code for each in answers] == [404] * 4
    assert await pool.fetchval("select count(*) from refusals where subject = $1 and case_id = $2", who, case_id) == 4
    assert await pool.fetchval("select count(*) from vault_reads where who = $1", who) == 0
