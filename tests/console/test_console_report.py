"""上报 by somebody without an account: pages that lose nothing, machines kept off, and what comes in so looked at first."""

import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from starlette.requests import Request

from console.residents.photos import AT_MOST
from console.residents.report_drafts import LOCAL_COOKIE, ReportDrafts
from console.residents.sending import FASTEST_SECONDS, SENDING, TRAP
from console.sign_in.sessions import Sessions
from engine.keys.keys import Keys
from engine.keys.tokens import Principal
from local.simulation.pictures import PICTURE
from schemas.values.account import is_guest
from schemas.values.actor import Role
from starter.http.dependencies import provided
from starter.http.senders import FREE, Attempts
from tests.api_callers import As, BuildApp, api_of, callers
from tests.console_browser import SAME_ORIGIN, Browser, Form, Forms, signed_in
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

COMMUNITY = "320104.003.07"
FIRST, LAST = "/report/incident/1", "/report/incident/check"
PLACE, MATTER, NAME, PHONE = "幸福小区3号楼后门", "垃圾三天没有清\n</textarea>很臭", "王小明", "13800000001"
FEW_SECONDS = 3.0
"""Of the processor: compared whole, such words took more than a minute."""

PNG = PICTURE
Visit = Callable[[str], Browser]


@pytest.fixture(scope="module")
async def visit(build_app: BuildApp, worker: None) -> AsyncIterator[Visit]:
    """Somebody's browser at an address: what is sent is counted by where it comes from."""
    app = build_app()
    async with api_of(app):
        yield lambda address: Browser(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://town", timeout=60
            )
        )


@pytest.fixture(scope="module")
def staff(build_app: BuildApp, keys: Keys, visit: Visit) -> As:
    """People with tokens, at the same town."""
    return callers(visit("10.9.9.9").http, keys)


def form_of(page: httpx.Response, action: str) -> Form:
    """The form of a page that is sent there."""
    return next(each for each in Forms(page.text).found if each.action == action)


async def answered(
    browser: Browser, number: int, button: tuple[str, str] | None = None, **texts: str
) -> httpx.Response:
    """A page of the report, opened, filled in and sent."""
    address = f"/report/incident/{number}"
    form = form_of(await browser.get(address), address)
    form.fill({name.replace("__", "."): [text] for name, text in texts.items()})
    return await browser.send(form, button)


async def written(browser: Browser, category: str = "环境卫生", area: str = COMMUNITY, **contact: str) -> None:
    """Everything of a report but the last press."""
    found = await answered(browser, 1, ("_find", "1"), _words=category)
    assert found.headers["location"] == FIRST, found.text
    sent = [
        await answered(browser, 1, category=category),
        await answered(browser, 2, location__area=area, location__address=PLACE),
        await answered(browser, 3, description=MATTER),
        await answered(browser, 4, None, **contact),
    ]
    assert [each.headers["location"] for each in sent] == [f"/report/incident/{page}" for page in (2, 3, 4)] + [LAST]


async def slowly(pool: asyncpg.Pool) -> None:
    """Every report that is being written was begun a while ago."""
    await pool.execute("update report_drafts set begun_at = begun_at - interval '1 minute'")


async def pressed(browser: Browser, **more: str) -> httpx.Response:
    """The last press."""
    form = form_of(await browser.get(LAST), LAST)
    form.fill({name: [text] for name, text in more.items()})
    return await browser.send(form)


async def reported(browser: Browser, pool: asyncpg.Pool, **told: str) -> tuple[str, str]:
    """A whole report; its number and code, as the receipt has them."""
    await written(browser, **told)
    await slowly(pool)
    sent = await pressed(browser)
    assert sent.status_code == 303, sent.text
    receipt = (await browser.get(sent.headers["location"])).text
    number, code = re.search(r"incident-[0-9]{8}-[0-9]{6,}", receipt), re.search(r'town-code">([^<]+)<', receipt)
    assert number is not None
    assert code is not None
    return number[0], code[1]


async def stands(pool: asyncpg.Pool, case_id: str, stage: str = "screening") -> Any:
    """The row of a case, when it stands there."""

    async def there() -> bool:
        return bool(await pool.fetchval("select stage = $2 from cases where case_id = $1", case_id, stage))

    await eventually(there)
    return await pool.fetchrow("select * from cases where case_id = $1", case_id)


async def followed(browser: Browser, number: str, code: str) -> httpx.Response:
    """The page of a case, by number and code."""
    form = form_of(await browser.get(f"/follow?number={number}"), "/follow")
    assert form.texts["number"] == [number]
    form.fill({"code": [code]})
    return await browser.send(form)


async def act(browser: Browser, page: httpx.Response, command: str, **texts: str) -> httpx.Response:
    """A command, from the page of the case: its form, filled in and sent."""
    drawn = await browser.send(form_of(page, f"/follow/{command}"))
    assert drawn.status_code == 200, drawn.text
    form = form_of(drawn, f"/follow/{command}")
    form.fill({name: [text] for name, text in texts.items()})
    return await browser.send(form)


async def test_a_report_goes_from_the_first_question_to_the_receipt(visit: Visit, pool: asyncpg.Pool) -> None:
    """One question a page, by words; back shows what was written; the receipt's picture leads on with the number alone."""
    browser = visit("10.1.0.1")
    assert (await browser.get("/report")).headers["location"] == FIRST
    await written(browser, reporter__name=NAME, reporter__phone=PHONE)
    pages = [(await browser.get(f"/report/incident/{page}")).text for page in (1, 2, 3, 4)]
    check = await browser.get(LAST)
    await slowly(pool)
    sent = await pressed(browser)
    receipt = await browser.get(sent.headers["location"])
    number, code = (
        re.findall(r"incident-[0-9]{8}-[0-9]{6,}", receipt.text)[0],
        re.findall(r'town-code">([^<]+)', receipt.text)[0],
    )
    row = await stands(pool, number)
    [address] = set(re.findall(r"http://town/[^\s<\"]+", receipt.text))

    assert 'value="环境卫生" checked' in pages[0]
    assert f'value="{PLACE}"' in pages[1]
    assert "垃圾三天没有清\n&lt;/textarea&gt;很臭" in pages[2]
    assert all(text in check.text for text in ("环境卫生", PLACE, NAME, PHONE))
    assert address == f"http://town/follow?number={number}"
    assert (receipt.text.count(code), code in address) == (1, False)
    assert (row["stage"], row["holder"], row["department"]) == ("screening", "role:coordinator", "coordination-centre")
    assert is_guest(row["reporter_subject"])
    assert row["category"] == "环境卫生"
    for told in (NAME, PHONE, PLACE, "很臭"):
        assert told not in str(dict(row))


async def test_what_fits_no_category_is_sent_as_it_was_written(visit: Visit, pool: asyncpg.Pool) -> None:
    """None of these: the words go to the coordination centre, and into the vault."""
    browser, words = visit("10.1.0.2"), "邻居家的猴子跑了"
    found = await answered(browser, 1, _words=words)
    chosen = await answered(browser, 1, category=words)
    case_id, _ = await reported(browser, pool)

    assert (found.headers["location"], chosen.headers["location"]) == (FIRST, "/report/incident/2")
    assert words not in str(dict(await stands(pool, case_id)))


async def test_what_is_missing_is_said_on_its_page_and_nothing_is_lost(visit: Visit) -> None:
    """Each page says what is wrong on it; what was written stays, also when the next page is opened by its address."""
    browser = visit("10.1.0.3")
    nothing = await answered(browser, 1, _words="")
    await answered(browser, 1, _words="垃圾")
    far = await answered(browser, 3, description="先写这一页")
    blank = await answered(browser, 2, location__area=COMMUNITY, location__address="")
    check = await browser.get(LAST)
    sent = await pressed(browser)

    # Who does not know what it is goes on: a category is proposed, or the centre decides (docs/dispatch-help.md).
    assert (nothing.status_code, blank.status_code, far.headers["location"]) == (303, 422, "/report/incident/4")
    assert "缺失" in blank.text
    assert f'value="{COMMUNITY}" selected' in blank.text
    assert "先写这一页" in check.text
    assert "/report/incident/2" in check.text
    assert sent.status_code in {422, 429}


async def test_what_was_written_lies_closed_and_opens_for_this_browser_alone(visit: Visit, pool: asyncpg.Pool) -> None:
    """No text in an address, in the table none that could be read, and with the cookie of another browser nothing."""
    browser = visit("10.1.0.4")
    await written(browser, reporter__name=NAME)
    secret = browser.http.cookies["jiceng-report"]
    rows = await pool.fetch("select digest, sealed from report_drafts")
    other = visit("10.1.0.4")
    other.http.cookies.set("jiceng-report", secret[:-2] + ("AA" if secret[-2:] != "AA" else "BB"))
    stranger = await other.get("/report/incident/3")
    await browser.send(Form("/report/incident/receipt"))  # it is the same as another's: not sent, and forgotten
    forgotten = visit("10.1.0.4")
    forgotten.http.cookies.set("jiceng-report", secret)

    assert all(text.encode() not in bytes(row["sealed"]) for row in rows for text in (NAME, "很臭", secret))
    assert all(secret.encode() not in bytes(row["digest"]) for row in rows)
    assert (stranger.status_code, stranger.headers["location"]) == (303, FIRST)
    for each in (browser, forgotten):
        assert (await each.get(LAST)).headers["location"] == FIRST


async def test_what_is_still_being_written_does_not_undo_what_was_sent(
    visit: Visit, pool: asyncpg.Pool, build_app: BuildApp
) -> None:
    """Two windows: an answer that was on its way while the report was sent comes too late, and the receipt stays."""
    browser = visit("10.1.0.18")
    await written(browser)
    drafts = provided(build_app(), ReportDrafts)
    request = Request({"type": "http", "scheme": "http", "path": "/", "headers": [(b"cookie", cookie_of(browser))]})
    on_its_way = await drafts.find(request, "incident")
    await slowly(pool)
    sent = await pressed(browser)
    assert on_its_way is not None
    await drafts.keep(on_its_way, on_its_way.draft.model_copy(update={"words": "垃圾"}))
    receipt = await browser.get(sent.headers["location"])

    assert (sent.status_code, receipt.status_code) == (303, 200)
    assert "town-code" in receipt.text


def cookie_of(browser: Browser) -> bytes:
    """What the browser has of the report that it writes."""
    return f"{LOCAL_COOKIE}={browser.http.cookies[LOCAL_COOKIE]}".encode()


async def test_machines_are_kept_off_and_people_press_once_more(visit: Visit, pool: asyncpg.Pool) -> None:
    """Too fast, or a field that nobody sees: said so, nothing is opened, nothing is lost; then one press, or two, is one case."""
    browser = visit("10.1.0.5")
    await written(browser)
    fast = await pressed(browser)
    await slowly(pool)
    trapped = await pressed(browser, **{TRAP: "http://example.org"})
    form = form_of(await browser.get(LAST), LAST)
    sent = [await browser.send(form) for _ in range(2)]
    guests = await pool.fetch(
        "select subject from intake where subject like 'guest:%' and received_at > now() - interval '1 minute'"
    )

    assert (fast.status_code, fast.headers["retry-after"], trapped.status_code) == (429, str(FASTEST_SECONDS), 422)
    assert [each.headers["location"] for each in sent] == ["/report/incident/receipt"] * 2
    assert len(guests) == len({row["subject"] for row in guests})
    assert (await browser.get(FIRST)).headers["location"] == "/report/incident/receipt"


async def test_too_many_reports_of_one_address_wait_and_others_do_not(
    visit: Visit, pool: asyncpg.Pool, keys: Keys
) -> None:
    """The eleventh of an hour has to wait, and what was written stays; somebody at another address sends theirs."""
    browser, other = visit("10.1.0.6"), visit("10.1.0.7")
    attempts = Attempts(keys, pool)
    for _ in range(FREE + 8):  # a pause that a slow machine does not sit out
        await attempts.count(SENDING, "address 10.1.0.6")
    for each in (browser, other):
        await written(each)
    await slowly(pool)
    refused, sent = await pressed(browser), await pressed(other)

    assert (refused.status_code, sent.status_code) == (429, 303)
    assert PLACE in refused.text


async def test_photos_are_few_pictures_and_stand_in_the_case(visit: Visit, pool: asyncpg.Pool) -> None:
    """What is no picture is refused, and so is one too many; the text stays, and what was taken is filed with the case."""
    browser, page = visit("10.1.0.8"), "/report/incident/3"
    await answered(browser, 1, _words="环境卫生")
    files = [("documents", (f"{n}.png", PNG + uuid.uuid4().bytes.ljust(60, b"\0"))) for n in range(AT_MOST)]

    async def send(*sent: Any, **data: Any) -> httpx.Response:
        return await browser.http.post(page, data={"description": MATTER} | data, files=list(sent), headers=SAME_ORIGIN)

    wrong = await send(("documents", ("a.pdf", b"%PDF-1.4\n" + b"x" * 60)), files[0])
    kept = form_of(wrong, page).texts["documents"]
    forged = await send(files[1], documents=[*kept, '{"reference":"document:01ARZ3NDEKTSV4RRFFQ69G5FAV"}'])
    drawn = form_of(await browser.get(page), page).texts["documents"]
    many = await send(files[2], ("documents", ("b.png", PNG + b"one too many".ljust(60, b"\0"))), documents=drawn)
    case_id, _ = await reported_with_photos(browser, pool)
    await stands(pool, case_id)

    async def filed() -> bool:
        kept = await pool.fetchval(
            "select jsonb_array_length(snapshot -> 'documents') from cases where case_id = $1", case_id
        )
        return bool(kept == AT_MOST)

    await eventually(filed)
    assert (wrong.status_code, forged.status_code, many.status_code) == (422, 303, 422)
    assert "垃圾三天没有清" in wrong.text
    assert (len(kept), len(drawn)) == (1, 2)


async def reported_with_photos(browser: Browser, pool: asyncpg.Pool) -> tuple[str, str]:
    """The rest of a report of which the third page is written."""
    await answered(browser, 1, category="环境卫生")
    await answered(browser, 2, location__area=COMMUNITY, location__address=PLACE)
    await answered(browser, 4)
    await slowly(pool)
    sent = await pressed(browser)
    receipt = (await browser.get(sent.headers["location"])).text
    return re.findall(r"incident-[0-9]{8}-[0-9]{6,}", receipt)[0], re.findall(r'town-code">([^<]+)', receipt)[0]


async def test_nobody_is_sent_out_before_the_coordination_centre_has_looked(
    visit: Visit, staff: As, pool: asyncpg.Pool
) -> None:
    """No department sees it or has an order; admitted it goes like every other, rejected whoever has the code reads why."""
    admitted, _ = await reported(visit("10.1.0.9"), pool)
    browser = visit("10.1.0.10")
    rejected, code = await reported(browser, pool)
    officer, coordinator = staff(Role.DEPARTMENT_OFFICER, department="urban-management"), staff(Role.COORDINATOR)
    for each in (admitted, rejected):
        await stands(pool, each)
    before = await officer.get(f"/api/v1/cases/{admitted}")
    waits = (await coordinator.get(f"/api/v1/cases/{admitted}")).json()
    answers = [
        await coordinator.command(admitted, "admit"),
        await coordinator.command(rejected, "reject", {"reason": "属于物业合同纠纷"}),
    ]
    row = await stands(pool, admitted, "dispatched")
    page = await followed(browser, rejected, code)

    assert before.status_code == 404
    assert [each["name"] for each in waits["clocks"] if each["status"] == "running"] == ["screen"]
    assert {"admit", "reject", "merge"} <= set(waits["legal_commands"])
    assert [each.status_code for each in answers] == [200, 200]
    assert (row["department"], (await officer.get(f"/api/v1/cases/{admitted}")).status_code) == (
        "urban-management",
        200,
    )
    assert "不予受理" in page.text
    assert "属于物业合同纠纷" in page.text


async def test_the_code_is_the_authority_to_rate_and_to_send_it_back(
    visit: Visit, staff: As, pool: asyncpg.Pool
) -> None:
    """Promise, who has it, answer; *not solved* goes back to the department; the code is not shown."""
    browser = visit("10.1.0.11")
    case_id, code = await reported(browser, pool)
    await stands(pool, case_id)
    officer = staff(Role.DEPARTMENT_OFFICER, department="urban-management")
    await staff(Role.COORDINATOR).command(case_id, "admit")
    for command, body in (("sign", {}), ("finish", {"result": "垃圾已清运"})):
        assert (await officer.command(case_id, command, body)).status_code == 200
    assert (await staff(Role.GRID_WORKER).command(case_id, "verify", {"passed": True})).status_code == 200
    page = await followed(browser, case_id, code)
    lacks = await act(browser, page, "rate", solved="not")
    form = form_of(lacks, "/follow/rate")
    form.fill({"satisfied": ["not"], "comment": ["还是很臭"]})
    done = await browser.send(form)
    if done.status_code == 200 and "提交前请核对" in done.text:
        done = await browser.send(form_of(done, "/follow/rate"), ("_checked", "1"))
    row = await stands(pool, case_id, "handling")

    assert (page.status_code, lacks.status_code, done.status_code) == (200, 422, 200)
    assert "垃圾已清运" in page.text
    assert "您" in page.text
    for each in (page, lacks, done):
        assert code not in each.text
    assert row["solved"] == "not"
    assert form_of(done, "/follow/urge").texts["_pass"]


async def test_who_has_only_the_number_or_another_code_or_an_old_pass_has_nothing(
    visit: Visit, pool: asyncpg.Pool, keys: Keys
) -> None:
    """Each is asked for the code; what was written stays, and is sent with the right one. Nothing came of it before."""
    from starter.cases.passes import LASTS, Passes  # noqa: PLC0415 - beside what it is for

    browser = visit("10.1.0.12")
    case_id, code = await reported(browser, pool)
    other_id, other_code = await reported(visit("10.1.0.13"), pool)
    for each in (case_id, other_id):
        await stands(pool, each)
    passes = Passes(keys)
    right, seal = passes.issue(case_id), passes.issue(other_id).rpartition(" ")[2]
    written_in = {"_key": [uuid.uuid4().hex], "text": ["补充\n一句 </textarea>"]}
    wrong = [
        {"_pass": [f"{case_id} {right.split()[1]} {seal}"]},
        {"_pass": [right.replace(case_id, other_id)]},
        {"_pass": [passes.issue(case_id, datetime.now(UTC) - LASTS)]},
        {"_pass": [case_id]},
        {"_number": [case_id], "_code": [other_code]},
        {"_number": [case_id], "_code": [""]},
    ]
    answers = [await browser.send(Form("/follow/comment", written_in | each)) for each in wrong]
    again = form_of(answers[0], "/follow/comment")
    before = await pool.fetchval("select seq from cases where case_id = $1", case_id)
    again.fill({"_number": [case_id], "_code": [code]})
    sent = await browser.send(again)

    assert [each.status_code for each in answers] == [403, 403, 403, 403, 404, 403]
    assert again.texts["text"] == written_in["text"]
    assert sent.status_code == 200, sent.text
    assert await pool.fetchval("select seq from cases where case_id = $1", case_id) > before
    kinds = await pool.fetch("select kind from ledger where case_id = any($1)", [case_id, other_id])
    assert [row["kind"] for row in kinds].count("incident:commented") == 1


async def test_whatever_goes_wrong_the_code_stands_in_no_page(visit: Visit, pool: asyncpg.Pool) -> None:
    """After the code was right a pass goes on in its place, and what was written with it; before, the code is asked for again."""
    browser = visit("10.1.0.16")
    case_id, code = await reported(browser, pool)
    await stands(pool, case_id)
    shown = {"_number": [case_id], "_code": [code], "text": ["补充一句"]}
    no_such_command = await browser.send(Form("/follow/no_such_command", shown))
    passed = form_of(no_such_command, "/follow/no_such_command").texts
    for _ in range(FREE + 1):
        slowed = await browser.send(Form("/follow/comment", shown | {"_code": [code[::-1]]}))
    too_often = await browser.send(Form("/follow/comment", shown))

    assert (no_such_command.status_code, slowed.status_code, too_often.status_code) == (404, 429, 429)
    for each in (no_such_command, slowed, too_often):
        assert code not in each.text
        assert code[::-1] not in each.text
    assert passed["text"] == shown["text"]
    assert passed["_pass"][0].startswith(case_id)
    assert (await browser.send(Form("/follow/comment", {"_pass": passed["_pass"]}))).status_code == 200


async def test_who_has_a_code_fills_no_case(visit: Visit, pool: asyncpg.Pool) -> None:
    """As many words an hour as anybody has; then each waits, is not lost, and hinders nobody in another case."""
    browser = visit("10.1.0.19")
    case_id, code = await reported(browser, pool)
    other_id, other_code = await reported(visit("10.1.0.19"), pool)
    for each in (case_id, other_id):
        await stands(pool, each)
    page = await followed(browser, case_id, code)
    taken = [(await act(browser, page, "comment", text=f"第{number}句")).status_code for number in range(FREE)]
    told = await pool.fetchval("select seq from cases where case_id = $1", case_id)
    slowed = await act(browser, page, "comment", text="再一句")
    elsewhere = await act(browser, await followed(browser, other_id, other_code), "comment", text="另一件")

    assert (taken, slowed.status_code, elsewhere.status_code) == ([200] * FREE, 429, 200)
    assert int(slowed.headers["retry-after"]) > 0
    assert form_of(slowed, "/follow/comment").texts["text"] == ["再一句"]
    assert await pool.fetchval("select seq from cases where case_id = $1", case_id) == told


async def test_many_words_are_no_work_for_who_finds_the_matter(visit: Visit) -> None:
    """A megabyte of words takes no longer than a sentence, when it is sent and whenever the page is opened again."""
    browser = visit("10.1.0.17")
    words = "".join(chr(0x4E00 + number % 20000) for number in range(80_000))
    began = time.process_time()
    found = await answered(browser, 1, ("_find", "1"), _words=words)
    page = await browser.get(FIRST)

    assert (found.status_code, page.status_code) == (303, 200)
    assert time.process_time() - began < FEW_SECONDS


async def test_of_a_case_of_somebody_with_an_account_the_code_shows_and_does_nothing(
    visit: Visit, staff: As, pool: asyncpg.Pool
) -> None:
    """Who found the receipt of a signed-in resident, or of who was entered by staff, takes nothing back and rates nothing."""
    browser = visit("10.1.0.14")
    for caller in (staff(Role.RESIDENT, "resident-with-an-account"), staff(Role.WINDOW_CLERK)):
        told = (await caller.report()).json()
        page = await followed(browser, told["case_id"], told["code"])
        tried = await browser.send(Form("/follow/withdraw", {"_number": [told["case_id"]], "_code": [told["code"]]}))

        assert (page.status_code, tried.status_code) == (200, 403)
        assert "/follow/withdraw" not in page.text
        assert await pool.fetchval("select ended from cases where case_id = $1", told["case_id"]) is False


async def test_nobody_signs_in_as_somebody_without_an_account(
    visit: Visit, staff: As, pool: asyncpg.Pool, keys: Keys
) -> None:
    """Such an account stands in lists, and opens nothing: no token has it, no session, no staff enters a case for it."""
    import jwt  # noqa: PLC0415 - a forged token of the town's own key

    case_id, _ = await reported(visit("10.1.0.15"), pool)
    guest = (await stands(pool, case_id))["reporter_subject"]
    key_id, key = keys.token_key()
    now = datetime.now(UTC)
    claims = {
        "iss": "jiceng-local",
        "aud": "jiceng",
        "sub": guest,
        "role": "resident",
        "iat": now,
        "exp": now + timedelta(hours=1),
    }
    token = jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id})
    http = visit("10.1.0.16").http
    read = await http.get(f"/api/v1/cases/{case_id}", headers={"Authorization": f"Bearer {token}"})
    report = {"category": "环境卫生", "description": "x", "location": {"address": "x"}, "on_behalf_of": guest}
    entered = await staff(Role.WINDOW_CLERK).report(report)

    assert read.status_code == 401
    assert (entered.status_code, [each["field"] for each in entered.json()["faults"]]) == (422, ["on_behalf_of"])


async def test_others_have_reported_it_is_told_of_what_everybody_may_hear(
    visit: Visit, staff: As, pool: asyncpg.Pool
) -> None:
    """Day and stage, in the same community, after the centre has looked; never of what concerns a home, never more than that."""
    area = "320104.003.03"
    report = {"category": "交通运输", "description": "路灯坏了", "location": {"address": "某人家门口", "area": area}}
    told = (await staff(Role.WINDOW_CLERK).report(report)).json()
    home = (await staff(Role.WINDOW_CLERK).report(report | {"category": "邻里纠纷"})).json()
    for each in (told, home):
        await stands(pool, each["case_id"], "dispatched")
    looking, quarrel, elsewhere = visit("10.1.0.17"), visit("10.1.0.18"), visit("10.1.0.19")
    await written(looking, "交通运输", area)
    await written(quarrel, "邻里纠纷", area)
    await written(elsewhere, "交通运输", "320104.003.01")
    page, other, far = [(await each.get(LAST)).text for each in (looking, quarrel, elsewhere)]

    assert ("已有人上报" in page, "已有人上报" in other, "已有人上报" in far) == (True, False, False)
    assert told["case_id"] not in page
    assert "某人家门口" not in page


async def test_a_coordinator_sees_it_in_the_inbox_and_admits_it_by_one_click(visit: Visit, pool: asyncpg.Pool) -> None:
    """The table's new command has its button like every other: no screen was written for it."""
    case_id, _ = await reported(visit("10.1.0.20"), pool)
    await stands(pool, case_id)
    principal = Principal(
        subject="coordinator-screens",
        role=Role.COORDINATOR,
        department=None,
        area=None,
        token_id=None,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
    )
    browser = await signed_in(visit("10.1.0.21").http, Sessions(pool), principal)
    page = await browser.get(f"/cases/{case_id}")
    done = await browser.send(form_of(page, f"/cases/{case_id}/admit"))

    assert done.status_code == 303
    await stands(pool, case_id, "dispatched")


async def test_the_progress_of_what_is_public_names_no_case_that_is_not_posted(visit: Visit) -> None:
    """Stages in words, where things are posted and how many: nothing beside the notices."""
    browser = visit("10.1.0.22")
    page, notices = (await browser.get("/progress")).text, (await browser.get("/notices")).text
    numbers = set(re.findall(r"/notices/([^/\"]+)/object", notices))

    assert "您的项目正在公示" in page
    assert set(re.findall(r"contest-[0-9]+-[0-9]+|welfare-[0-9]+-[0-9]+", page)) == set()
    assert all(number in page for number in numbers)
