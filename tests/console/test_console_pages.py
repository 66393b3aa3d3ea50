"""Pages as a browser gets them: nothing from elsewhere, no script, nothing lost when a session or a case has gone on."""

import gzip
import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import asyncpg
import httpx
import pytest

from console.forms.sheet import CHECKED, KEY, SEQ
from console.http.assets import address_of, assets
from console.sign_in.sessions import Sessions
from console.styles.vendor import vendored
from engine.keys.tokens import Principal
from engine.runtime.logging import configure_logging
from engine.runtime.settings import Settings
from local.simulation.pictures import PICTURE
from schemas.values.actor import Actor, Role
from starter.cases.case_lists import CaseLists, Filters
from tests.api_callers import REPORT, As, BuildApp, OwnTown, api_of
from tests.console_browser import SAME_ORIGIN, Browser, Forms, main_form, signed_in

pytest_plugins = ("tests.api_fixture",)

COORDINATOR = "coordinator-1"
PNG = PICTURE + b"console".ljust(60, b"\0")
_LOADS = {"link": "href", "script": "src", "img": "src", "iframe": "src", "a": "href", "form": "action"}


class Addresses(HTMLParser):
    """Every address that a page names, and what of it a browser would run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.named: list[str] = []
        self.runs: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.named += [said[_LOADS[tag]] or ""] if _LOADS.get(tag) in said else []
        self.runs += [tag] if tag in {"script", "object", "embed", "iframe"} else []
        self.runs += [name for name in said if name.startswith("on") or name == "style"]


async def somebody(http: httpx.AsyncClient, pool: asyncpg.Pool, role: Role, subject: str = "", **other: Any) -> Browser:
    """Somebody of a role who has signed in."""
    said = {"department": None, "area": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    return await signed_in(http, Sessions(pool), Principal(subject=subject or f"{role}-1", role=role, **said | other))


async def reported(as_: As) -> tuple[str, str]:
    """Number and code of a new incident."""
    answer = await as_(Role.WINDOW_CLERK).report(REPORT)
    assert answer.status_code == 201, answer.text
    return answer.json()["case_id"], answer.json()["code"]


async def test_pages_load_nothing_from_elsewhere_and_run_nothing_of_their_own(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Each page names addresses of this site alone, and tells the browser to load and run nothing else.

    Scripts are our two files, and of pages for whoever is signed in alone; nothing in a page itself ever runs.
    """
    case_id, _ = await reported(as_)
    browser = await somebody(http, pool, Role.COORDINATOR)
    admin = await somebody(http, pool, Role.ADMIN)
    own = (
        "/inbox",
        "/cases",
        f"/cases/{case_id}",
        f"/cases/{case_id}/comment",
        f"/cases/{case_id}/similar",
        "/search",
        "/filters",
        "/wall",
        "/indicators",
        "/indicators/incidents",
        "/new",
        "/new/incident",
        "/nowhere-new",
    )
    pages = [await browser.get(each) for each in own[:-1]]
    pages += [await admin.get(each) for each in ("/sessions", "/stuck", "/map")]
    pages.append(await browser.get("/drafts"))
    auditor = await somebody(http, pool, Role.AUDITOR)
    record = f"/audit/cases/{case_id}"
    oversight = (
        record,
        f"{record}?texts=open",
        f"{record}/entries/1",
        f"{record}/replay",
        "/audit/readings",
        "/audit/refusals",
    )
    pages += [await auditor.get(each) for each in oversight]
    pages.append(await browser.get("/cases/incident-20200101-000001"))
    ours = len(pages)
    pages += [
        await http.get(each)
        for each in ("/", "/follow", "/notices", "/progress", "/report/incident/1", "/sign-in", "/docs")
    ]
    for number, page in enumerate(pages):
        found = Addresses(page.text)
        policy = page.headers["content-security-policy"]

        assert page.headers["content-type"].startswith("text/html"), page.url
        assert found.runs == (["script", "script"] if number < ours else []), page.url
        assert ("script-src 'self'" in policy) is (number < ours)
        assert [each for each in found.named if not re.match(r"(/(?!/)|#|\?|data:,|tel:)", each)] == [], page.url
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'")
        assert "unsafe" not in policy
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        assert "<h1" in page.text
        assert '<html lang="zh-CN"' in page.text


async def test_styles_are_named_by_their_content_and_kept_for_ever(http: httpx.AsyncClient) -> None:
    """Compressed for who takes that, the same bytes for who does not; another name for another content."""
    for name, asset in assets().items():
        plain = await http.get(f"/assets/{name}", headers={"Accept-Encoding": "identity"})
        packed = await http.get(f"/assets/{name}", headers={"Accept-Encoding": "gzip"})

        assert (plain.content, packed.content) == (asset.content, asset.content)
        assert packed.headers["content-encoding"] == "gzip"
        assert "immutable" in plain.headers["cache-control"]
    sizes = {
        kind: sum(len(gzip.compress(asset.content)) for name, asset in assets().items() if name.endswith(kind))
        for kind in (".css", ".js")
    }
    assert address_of("town.css") in (await http.get("/")).text
    assert max(sizes.values()) < 20_000


def test_nothing_of_another_service_is_in_the_styles() -> None:
    """Font, crest and names of GOV.UK are left out when its styles are taken over, and are in nothing that we serve."""
    css = (
        '@charset "UTF-8";:root{--a:1}@font-face{font-family:GDS Transport;src:url(/x.woff)}'
        ".govuk-body{font-family:GDS Transport,arial,sans-serif}.govuk-tabs,.govuk-body-m{a:b}"
        "@media print{.govuk-header{a:b}.govuk-footer__copyright-logo:before{background:url(crest.svg)}}/*# x */"
    )

    assert vendored(css) == ":root{--a:1}.govuk-body{font-family:var(--town-font)}.govuk-body-m{a:b}\n"
    for asset in (each for each in assets().values() if each.name.endswith(".css")):
        for theirs in (b"GDS", b"crest", b"url(", b"@import", b"@font-face"):
            assert theirs not in asset.content
    with pytest.raises(ValueError, match="crest"):
        vendored(".govuk-new{background:url(crest.svg)}")


@pytest.mark.parametrize(
    ("serve", "there", "gone"),
    [
        (
            "public",
            ("/", "/follow", "/progress", "/report/incident/1"),
            ("/inbox", "/sign-in", "/api/v1/cases", "/docs"),
        ),
        ("staff", ("/sign-in",), ("/follow", "/report", "/api/v1/cases")),
        ("api", ("/docs",), ("/", "/follow", "/inbox", "/assets/none.css")),
    ],
)
async def test_a_process_serves_what_it_is_asked_to(
    serve: str, there: tuple[str, ...], gone: tuple[str, ...], build_app: BuildApp, settings: Settings
) -> None:
    """Behind a firewall each part stands alone; what is not asked for has no address there. Health is always told."""
    app = build_app(over=settings.model_copy(update={"serve": serve}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town") as client:
        statuses = {each: (await client.get(each)).status_code for each in (*there, *gone, "/healthz")}

    assert {each: statuses[each] for each in (*there, "/healthz")} == dict.fromkeys((*there, "/healthz"), 200)
    assert {statuses[each] for each in gone} == {404}


@pytest.mark.parametrize("serve", ["", "api,web", "API"])
def test_what_cannot_be_served_is_refused(serve: str) -> None:
    """A slip of the pen ends the start, and not in a town without its pages."""
    with pytest.raises(ValueError, match="is made of api, staff, public"):
        Settings(serve=serve)


async def test_what_was_typed_outlives_the_session(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """Whoever was signed out meanwhile signs in beside the page, and goes on with the very text and the very key."""
    case_id, _ = await reported(as_)
    browser = await somebody(http, pool, Role.COORDINATOR)
    form = await browser.form(f"/cases/{case_id}/comment", 1)
    form.texts["text"] = ["\n 说明<b>第一行</b>\n第二行 </textarea> "]
    await pool.execute("update sessions set ended_at = clock_timestamp() where subject = $1", COORDINATOR)
    ended = await browser.send(form)
    kept = main_form(ended.text)
    again = await somebody(http, pool, Role.COORDINATOR)
    sent = await again.send(kept)
    shown = await again.get(f"/cases/{case_id}?texts=open")

    assert ended.status_code == 401
    assert kept.texts["text"] == form.texts["text"]
    assert (sent.status_code, sent.headers["location"]) == (303, f"/cases/{case_id}")
    assert "第二行 &lt;/textarea&gt;" in shown.text


async def test_what_was_typed_outlives_a_town_that_is_too_busy(
    build_app: BuildApp, settings: Settings, pool: asyncpg.Pool
) -> None:
    """Told to come back a little later, one has the text on the page, with a button that sends it again."""
    app = build_app(over=settings.model_copy(update={"requests_per_token": 0.001, "burst_seconds": 1.0}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town") as http:
        browser = await somebody(http, pool, Role.COORDINATOR, "coordinator-busy")
        form = await browser.form("/new/incident", 1)
        form.texts["description"] = ["第一行\n第二行"]
        refused = await browser.send(form)

    assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
    assert main_form(refused.text).action == "/new/incident"
    assert main_form(refused.text).texts["description"] == ["第一行\n第二行"]


async def test_a_fault_of_ours_is_a_page_too(own_town: OwnTown) -> None:
    """With the request's number for the administrator, what was typed to send it again, and nothing of what is inside."""
    stream = io.StringIO()
    async with api_of(own_town.build()) as http:
        browser = await somebody(http, own_town.pool, Role.COORDINATOR)
        await own_town.pool.execute("alter table case_numbers rename column last to latest")
        form = await browser.form("/new/incident", 1)
        form.fill({"category": ["环境卫生"], "description": ["秘密描述"], "location.address": ["幸福小区3号楼"]})
        with configure_logging("test", "INFO", stream):
            broken = await browser.send(form, (CHECKED, "1"))

    assert (broken.status_code, broken.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "系统内部错误" in broken.text
    assert broken.headers["x-request-id"] in broken.text
    assert main_form(broken.text).texts["description"] == ["秘密描述"]
    assert "latest" not in broken.text
    assert "UndefinedColumnError" in stream.getvalue()
    assert "秘密" not in stream.getvalue()


async def test_a_second_press_is_the_same_act(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """The form's key goes with what is sent: pressed twice, one comment stands in the case, and both presses lead there."""
    case_id, _ = await reported(as_)
    browser = await somebody(http, pool, Role.COORDINATOR)
    form = await browser.form(f"/cases/{case_id}/comment", 1)
    form.texts["text"] = ["只记一次"]
    answers = [await browser.send(form) for _ in range(2)]
    shown = await browser.get(f"/cases/{case_id}?texts=open")

    assert [(each.status_code, each.headers["location"]) for each in answers] == [(303, f"/cases/{case_id}")] * 2
    assert shown.text.count("只记一次") == 1


async def test_who_comes_second_is_told_what_happened_since(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Two people at one case: the second sees what the first did, keeps their text, and sends it if it still fits."""
    case_id, _ = await reported(as_)
    one, other = await somebody(http, pool, Role.COORDINATOR), await somebody(http, pool, Role.SUPERVISOR)
    forms = [await each.form(f"/cases/{case_id}/comment", 1) for each in (one, other)]
    for form, text in zip(forms, ("先到的备注", "后到的备注"), strict=True):
        form.texts["text"] = [text]
    first, second = await one.send(forms[0]), await other.send(forms[1])
    again = main_form(second.text)
    third = await other.send(again)

    assert (first.status_code, second.status_code, third.status_code) == (303, 409, 303)
    assert again.texts["text"] == ["后到的备注"]
    assert int(again.texts[SEQ][0]) > int(forms[1].texts[SEQ][0])
    assert "综合协调: 备注" in second.text
    assert "先到的备注" not in second.text  # what was written is opened by a click, and recorded


async def test_what_is_final_is_sent_after_a_second_look(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """The check page shows what was written and can be left for the form again; only its button ends the case."""
    resident = as_(Role.RESIDENT, "resident-console")
    case_id = (await resident.report(REPORT)).json()["case_id"]
    browser = await somebody(http, pool, Role.RESIDENT, "resident-console")
    form = await browser.form(f"/cases/{case_id}/withdraw", 1)
    texts = {name: ["已自行解决"] for name in form.names if not name.startswith("_")}
    form.fill(texts)
    check = await browser.send(form)
    back = main_form((await browser.send(main_form(check.text), ("_back", "1"))).text)
    before = (await resident.get(f"/api/v1/cases/{case_id}")).json()["closed_at"]
    done = await browser.send(main_form(check.text), (CHECKED, "1"))

    assert (check.status_code, done.status_code) == (200, 303)
    assert {name: back.texts[name] for name in texts} == texts
    assert before is None
    assert (await resident.get(f"/api/v1/cases/{case_id}")).json()["closed_at"] is not None


async def test_a_file_is_kept_although_the_rest_is_wrong(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """A file that came stands in the form as sent, and need not be chosen again; one that is not taken says why at its field."""
    case_id, _ = await reported(as_)
    browser = await somebody(http, pool, Role.COORDINATOR)
    address = f"/cases/{case_id}/attach"
    form = await browser.form(address, 1)
    fields = {KEY: form.texts[KEY][0], SEQ: form.texts[SEQ][0], "note": "\u0007"}
    headers = SAME_ORIGIN | browser._headers()  # noqa: SLF001 - a tool of the tests
    wrong = await http.post(address, data=fields, files={"document": ("a.png", PNG)}, headers=headers)
    kept = main_form(wrong.text)
    refused = await http.post(address, data=fields, files={"document": ("a.exe", b"MZ" + bytes(90))}, headers=headers)
    sent = await browser.send(_with(kept, note=["现场照片"]))
    shown = await browser.get(f"/cases/{case_id}?texts=open")

    assert (wrong.status_code, refused.status_code, sent.status_code) == (422, 422, 303)
    assert "image/png" in kept.texts["document"][0]
    assert "文件类型不受理" in refused.text
    assert "现场照片" in shown.text
    [address] = set(re.findall(r'href="(/documents/[^"/]+)"', shown.text))
    assert (await browser.get(address)).content == PNG


def _with(form: Any, **texts: list[str]) -> Any:
    form.texts |= texts
    return form


async def test_an_inbox_counts_what_waits_and_lists_keep_their_filters(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Whoever holds a case finds it with its due moment and the working time left; a filter is an address without blanks."""
    await reported(as_)
    officer = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "officer-console", department="urban-management")
    inbox = await officer.get("/inbox")
    filtered = await officer.get("/cases/filter?procedure=incident&stage=&department=&number=+&sort=due")
    listed = await officer.get(filtered.headers["location"])
    by_number = await officer.get("/cases/filter?number=incident-20260101-000001&sort=due")

    assert re.search(r"还剩\d+个?(工作小时|工作日|分钟)|还剩\d+天", inbox.text)
    assert 'id="mine"' in inbox.text
    assert filtered.headers["location"] == "/cases?procedure=incident&sort=due"
    assert '<option value="incident" selected>' in listed.text
    assert by_number.headers["location"] == "/cases/incident-20260101-000001"


async def test_pages_of_a_list_follow_each_other(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """Next leads on behind the last row and keeps the filters; no case stands on two pages."""
    area = f"320104.003.{uuid.uuid4().hex[:6]}"
    for _ in range(3):
        assert (await as_().report(REPORT)).status_code == 201
    browser = await somebody(http, pool, Role.SUPERVISOR)
    seen: list[str] = []
    address: str | None = "/cases?sort=opened&procedure=incident"
    for _ in range(3):
        if address is None:
            break
        page = await browser.get(address)
        seen += re.findall(r'href="/cases/(incident-[0-9]+-[0-9]+)"', page.text)
        following = re.search(r'href="(/cases\?[^"]*cursor=[^"]*)"', page.text)
        address = following[1].replace("&amp;", "&") if following else None

    assert len(seen) == len(set(seen)) >= 3
    assert (await browser.get(f"/cases?area={area}")).text.count("/cases/incident-") == 0
    assert (await browser.get("/cases?cursor=nonsense")).status_code == 422


async def test_a_number_on_a_page_is_counted_no_further_than_anybody_reads(as_: As, pool: asyncpg.Pool) -> None:
    """Where there are as many or more the count stops: a page does not go through a million rows to say how many they are."""
    for _ in range(3):
        await reported(as_)
    lists, actor, now = CaseLists(pool), Actor(subject="x", role=Role.SUPERVISOR), datetime.now(UTC)
    async with lists.transaction() as opened:
        whole = await opened.count(actor, Filters(), now)

    assert [await lists.count_some(actor, Filters(), now, at_most) for at_most in (2, whole, whole + 1)] == [
        2,
        whole,
        whole,
    ]


async def test_texts_are_opened_by_a_click_of_who_only_looks_in(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Whoever holds the case reads at once; a supervisor opens the texts, and only that stands in the record of readings."""
    case_id, _ = await reported(as_)
    supervisor = await somebody(http, pool, Role.SUPERVISOR, "supervisor-console")
    officer = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "officer-reads", department="urban-management")
    closed, opened = await supervisor.get(f"/cases/{case_id}"), None
    readings = "select count(*) from vault_reads where who = 'supervisor-console'"
    before = await pool.fetchval(readings)
    opened = await supervisor.get(f"/cases/{case_id}?texts=open")

    assert (REPORT["description"] in closed.text, "〔未打开〕" in closed.text) == (False, True)
    assert (before, await pool.fetchval(readings) > 0) == (0, True)
    assert REPORT["description"] in opened.text
    assert REPORT["description"] in (await officer.get(f"/cases/{case_id}")).text


async def test_what_somebody_may_not_do_is_kept_as_at_the_api(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Who opens or sends what is another role's, and who looks for a case that is not theirs, stands in the record of refusals."""
    case_id, _ = await reported(as_)
    clerk = await somebody(http, pool, Role.WINDOW_CLERK, "clerk-tries")
    stranger = await somebody(http, pool, Role.RESIDENT, "resident-tries")
    opened = await clerk.get(f"/cases/{case_id}/arbitrate")
    form = await clerk.form(f"/cases/{case_id}/comment", 1)
    form.action = f"/cases/{case_id}/arbitrate"
    sent, looked = await clerk.send(form), await stranger.get(f"/cases/{case_id}")
    kept = await pool.fetch("select subject, command, code from refusals where case_id = $1", case_id)

    assert (opened.status_code, sent.status_code, looked.status_code) == (403, 403, 404)
    assert sorted((row["subject"], row["command"], row["code"]) for row in kept) == [
        ("clerk-tries", "arbitrate", "not-your-role"),
        ("clerk-tries", "arbitrate", "not-your-role"),
        ("resident-tries", "GET /cases/{case_id}", "not-your-case"),
    ]


async def test_a_resident_follows_by_number_and_code(http: httpx.AsyncClient, as_: As) -> None:
    """Number and code in any writing show where it stands; the code is in no address, and nothing of any person is shown."""
    case_id, code = await reported(as_)
    form = Forms((await http.get("/follow")).text).found[0]
    form.fill({"number": [f" {case_id.upper()} "], "code": [f"{code[:4]} - {code[4:].lower()}"]})
    found = await Browser(http).send(form)
    form.fill({"code": ["WRONG"]})
    wrong = await Browser(http).send(form)

    assert (found.status_code, case_id in found.text) == (200, True)
    assert "承诺的时限" in found.text
    for personal in (REPORT["reporter"]["name"], REPORT["reporter"]["phone"], REPORT["description"], code):
        assert personal not in found.text
    assert wrong.status_code == 404
    assert main_form(wrong.text).texts["number"] == [case_id.upper()]
    assert "WRONG" not in wrong.text
