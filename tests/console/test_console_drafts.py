"""Drafts: what was written is kept closed for a day, for whoever wrote it alone, and outlives session, tab and machine."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from console.drafts.draft_seal import seal, unseal
from console.drafts.drafts import AT_MOST, Drafts
from console.forms.sheet import CHECKED, DRAFT, KEEP, KEY
from console.sign_in.sessions import Sessions
from engine.keys.key_ring import KeyRing
from engine.keys.keys import Keys
from engine.keys.tokens import Principal
from schemas.values.actor import Role
from tests.api_callers import REPORT, As
from tests.canaries import Canaries
from tests.console_browser import Browser, Form, main_form, signed_in

pytest_plugins = ("tests.api_fixture",)

PART = {"HX-Request": "true"}
RING = KeyRing("vault-1", {"vault-1": b"1" * 32})


async def somebody(http: httpx.AsyncClient, pool: asyncpg.Pool, subject: str, role: Role = Role.COORDINATOR) -> Browser:
    """Somebody who has signed in."""
    said = {"department": None, "area": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    return await signed_in(http, Sessions(pool), Principal(subject=subject, role=role, **said))


def report(description: str) -> dict[str, list[str]]:
    """A report as somebody writes it."""
    return {"category": ["环境卫生"], "description": [description], "location.address": ["幸福小区3号楼"]}


async def begun(browser: Browser, address: str, texts: dict[str, list[str]], number: int = 1) -> Form:
    """A form into which somebody has written."""
    form = await browser.form(address, number)
    form.fill(texts)
    return form


def drafts_in(page: httpx.Response) -> list[str]:
    """Where the drafts on a page lead."""
    return [each.replace("&amp;", "&") for each in re.findall(r'href="([^"]+\?draft=[^"]+)"', page.text)]


async def test_what_is_kept_is_gone_on_with_and_over_when_it_is_sent(
    http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    """By the button; in another window all of it stands there, under the same key, so that sent twice it is one act."""
    browser = await somebody(http, pool, "drafts-whole")
    form = await begun(browser, "/new/incident", report("\n 第一行<b>\n第二行 </textarea> "))
    kept = await browser.send(form, (KEEP, "1"))
    [address] = drafts_in(await browser.get("/drafts"))
    again = await browser.form(address, 1)
    check = await browser.send(again)
    sent = await browser.send(main_form(check.text), (CHECKED, "1"))
    pressed_later = await browser.send(form, (CHECKED, "1"))

    assert (kept.status_code, "草稿已保存" in kept.text) == (200, True)
    assert main_form(kept.text).texts == again.texts
    assert {name: again.texts[name] for name in (*report(""), KEY, DRAFT)} == {
        name: form.texts[name] for name in (*report(""), KEY, DRAFT)
    }
    assert (sent.status_code, pressed_later.headers["location"]) == (303, sent.headers["location"])
    assert drafts_in(await browser.get("/drafts")) == []


async def test_a_draft_of_a_command_is_over_when_it_is_given(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """And is told, before it is, what people have done at the case since."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    browser, other = await somebody(http, pool, "drafts-first"), await somebody(http, pool, "drafts-second")
    address = f"/cases/{case_id}/comment"
    await browser.send(await begun(browser, address, {"text": ["先写的"]}), (KEEP, "1"))
    await other.send(await begun(other, address, {"text": ["后写而先交的"]}))
    [kept] = drafts_in(await browser.get("/drafts"))
    form = await browser.form(kept, 1)
    told = await browser.send(form)
    given = await browser.send(main_form(told.text))

    assert case_id in (await browser.get("/drafts")).text or given.status_code == 303
    assert form.texts["text"] == ["先写的"]
    assert (told.status_code, "您打开之后" in told.text) == (409, True)
    assert main_form(told.text).texts[DRAFT] == form.texts[DRAFT]
    assert given.status_code == 303
    assert drafts_in(await browser.get("/drafts")) == []


async def test_a_draft_is_its_writer_s_and_its_form_s(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """Nobody else reads, lists, changes or throws it away; and it opens in no other form."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    browser, other = await somebody(http, pool, "drafts-mine"), await somebody(http, pool, "drafts-theirs")
    form = await begun(browser, "/new/incident", report("只有我"))
    await browser.send(form, (KEEP, "1"))
    [address] = drafts_in(await browser.get("/drafts"))
    stolen, elsewhere = (
        await other.get(address),
        await browser.get(f"/cases/{case_id}/comment?{address.partition('?')[2]}"),
    )
    odd = [(await browser.get(f"/new/incident?draft={each}")).status_code for each in ("x", str(uuid.uuid4()), "%00")]
    dropped = main_form((await browser.get("/drafts")).text)
    await other.send(dropped)
    written_over = await begun(other, "/new/incident", report("别人的"))
    written_over.texts[DRAFT] = form.texts[DRAFT]
    await other.send(written_over, (KEEP, "1"))

    assert [each.status_code for each in (stolen, elsewhere)] == [404, 404]
    assert odd == [404, 404, 404]
    assert "只有我" not in stolen.text
    assert (await browser.form(address, 1)).texts["description"] == ["只有我"]
    await browser.send(dropped)
    assert drafts_in(await browser.get("/drafts")) == []
    assert drafts_in(await other.get("/drafts")) == [address]


async def test_the_table_of_drafts_cannot_be_read(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Nothing that was written stands in it in any form; a row that was changed or given to another does not open."""
    canaries = Canaries()
    browser, other = await somebody(http, pool, "drafts-sealed"), await somebody(http, pool, "drafts-robber")
    texts = report(canaries.word()) | {"location.address": [canaries.word()], "reporter.name": [canaries.word()]}
    await browser.send(await begun(browser, "/new/incident", texts), (KEEP, "1"))
    row = str(await pool.fetchval("select to_jsonb(drafts)::text from drafts where subject = 'drafts-sealed'"))
    [address] = drafts_in(await browser.get("/drafts"))
    opened = (await browser.form(address, 1)).texts
    await pool.execute("update drafts set subject = 'drafts-robber' where subject = 'drafts-sealed'")

    assert canaries.found_in(row.encode()) == []
    assert {name: opened[name] for name in texts} == texts
    assert (await other.get(address)).status_code == 404
    assert drafts_in(await other.get("/drafts")) == []


def test_a_draft_opens_with_its_own_key_in_its_own_place() -> None:
    """Of another account, form, draft or master key it does not open; whatever a browser sent comes back as it was."""
    draft, texts = uuid.uuid4(), {"text": ["\ud800 \0 文字", ""], "_key": ["k"]}
    sealed = seal(RING, "a", draft, "/new/x", texts)
    rotated = KeyRing("vault-2", {"vault-2": b"2" * 32, "vault-1": b"1" * 32})
    retired = KeyRing("vault-2", {"vault-2": b"2" * 32})
    exchanged = KeyRing("vault-1", {"vault-1": b"3" * 32})

    assert unseal(RING, "a", draft, "/new/x", sealed) == texts == unseal(rotated, "a", draft, "/new/x", sealed)
    for ring, subject, which, action in (
        (RING, "b", draft, "/new/x"),
        (RING, "a", uuid.uuid4(), "/new/x"),
        (RING, "a", draft, "/new/y"),
        (retired, "a", draft, "/new/x"),
        (exchanged, "a", draft, "/new/x"),
    ):
        assert unseal(ring, subject, which, action, sealed) is None
    assert unseal(RING, "a", draft, "/new/x", (sealed[0], sealed[1], sealed[2][:-1])) is None
    assert seal(RING, "a", draft, "/new/x", texts)[1:] != sealed[1:]


async def test_a_draft_lasts_a_day_and_an_account_has_so_many(pool: asyncpg.Pool, keys: Keys) -> None:
    """What is too old is found by nobody and leaves the table with the next one; of too many the oldest goes."""
    drafts, old = Drafts(pool, keys.vault), uuid.uuid4()
    until = await drafts.keep("drafts-many", old, "/new/x", {"text": ["旧"]})
    await pool.execute("update drafts set expires_at = clock_timestamp() where draft = $1", old)
    found = [each.draft for each in await drafts.of_account("drafts-many")]
    many = [uuid.uuid4() for _ in range(AT_MOST + 1)]
    for each in many:
        await drafts.keep("drafts-many", each, "/new/x", {})

    assert timedelta(hours=23, minutes=59) < until - datetime.now(UTC) <= timedelta(hours=24)
    assert found == []
    assert await pool.fetchval("select count(*) from drafts where draft = $1", old) == 0
    assert [each.draft for each in await drafts.of_account("drafts-many")] == many[:0:-1]


async def test_a_form_keeps_itself_while_somebody_writes(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """To the page itself the answer is a line and no page; again and again it is one draft; a chosen file is not taken for one."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    browser = await somebody(http, pool, "drafts-by-itself")
    form = await begun(browser, f"/cases/{case_id}/attach", {"note": ["一"]})
    sent = json.dumps({"reference": "document-1", "sha256": "0" * 64, "media_type": "image/png", "size_bytes": 2048})
    form.texts["document"] = ["[object File]", sent]
    answers = []
    for text in ("一", "一二", "一二三"):
        form.texts["note"] = [text]
        answers.append(await browser.send(form, (KEEP, "1"), **PART))
    [address] = drafts_in(await browser.get("/drafts"))
    again = await browser.form(address, 1)

    assert [(each.status_code, "草稿已保存" in each.text, "<html" in each.text) for each in answers] == [
        (200, True, False)
    ] * 3
    assert "未上传的文件" in answers[0].text
    assert again.texts["note"] == ["一二三"]
    assert again.texts["document"] == [sent]


@pytest.mark.parametrize(
    ("end", "is_kept"),
    [
        ("seen_at = clock_timestamp() - interval '31 minutes'", True),
        ("expires_at = clock_timestamp() - interval '1 minute'", True),
        ("seen_at = clock_timestamp() - interval '2 days'", False),
        ("ended_at = clock_timestamp()", False),
    ],
)
@pytest.mark.parametrize("part", [False, True])
async def test_what_was_typed_outlives_session_and_tab(
    *, end: str, is_kept: bool, part: bool, http: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    """Whose session ran out meanwhile finds the text after signing in again; whom somebody signed out leaves nothing behind."""
    subject = f"drafts-{uuid.uuid4().hex[:8]}"
    browser = await somebody(http, pool, subject)
    form = await begun(browser, "/new/incident", report("写了很久"))
    await pool.execute(f"update sessions set {end} where subject = $1", subject)  # noqa: S608 - written above
    ended = await browser.send(form, (KEEP, "1") if part else None, **(PART if part else {}))
    again = await somebody(http, pool, subject)
    found = drafts_in(await again.get("/drafts"))

    assert ended.status_code == 401
    assert ("写了很久" in ended.text) is not part  # a page keeps the text itself, as ever
    assert ("draft%3D" in ended.text) is (is_kept and not part)
    assert ("草稿已保存" in ended.text) is (is_kept and part)
    assert len(found) == is_kept
    if is_kept:
        assert (await again.form(found[0], 1)).texts["description"] == ["写了很久"]


async def test_a_draft_of_what_cannot_be_done_any_more_still_shows_its_text(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """With the reason above it: what somebody has written is theirs to take along."""
    resident = as_(Role.RESIDENT, "drafts-resident")
    case_id = (await resident.report(REPORT)).json()["case_id"]
    browser = await somebody(http, pool, "drafts-resident", Role.RESIDENT)
    address = f"/cases/{case_id}/withdraw"
    form = await browser.form(address, 1)
    name = next(each for each in form.names if not each.startswith("_"))
    form.fill({name: ["已自行解决"]})
    await browser.send(form, (KEEP, "1"))
    check = await browser.send(await begun(browser, address, {name: ["另一窗口"]}))
    done = await browser.send(main_form(check.text), (CHECKED, "1"))
    [kept] = drafts_in(await browser.get("/drafts"))
    shown = await browser.get(kept)

    assert done.status_code == 303
    assert (shown.status_code, "已自行解决" in shown.text, "govuk-error-summary" in shown.text) == (200, True, True)
    assert (await browser.get(address)).status_code == 409


async def test_who_may_not_give_a_command_any_more_sees_no_form(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """A draft opens no form of another role."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    clerk = await somebody(http, pool, "drafts-clerk", Role.WINDOW_CLERK)

    assert (await clerk.get(f"/cases/{case_id}/arbitrate?draft={uuid.uuid4()}")).status_code == 403


async def test_counts_follow_and_keep_nobody_signed_in(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """A page that lies open asks for them: told only when they are others, by a part of a page, and no session lives by it."""
    browser = await somebody(http, pool, "counts", Role.SUPERVISOR)
    page = await browser.get("/inbox")
    seen = re.search(r'name="seen" value="([0-9-]+)"', page.text)
    assert seen is not None
    idle = "update sessions set seen_at = clock_timestamp() - interval '{} minutes' where subject = 'counts' returning seen_at"
    before = await pool.fetchval(idle.format(29))
    same, other = [await browser.get(f"/inbox/counts?seen={each}") for each in (seen[1], "none")]
    after = await pool.fetchval("select seen_at from sessions where subject = 'counts'")
    await pool.fetchval(idle.format(31))
    ended = await http.get("/inbox/counts", headers=PART | browser._headers())  # noqa: SLF001 - a tool of the tests

    assert "data-town-seen" in page.text
    assert (same.status_code, same.content) == (204, b"")
    assert (other.status_code, "<html" in other.text, 'id="count-mine"' in other.text) == (200, False, True)
    assert before == after
    assert (ended.status_code, "<html" in ended.text, "登录已结束" in ended.text) == (401, False, True)
