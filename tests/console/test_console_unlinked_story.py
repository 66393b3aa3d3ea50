"""Pages that no link leads to, looked at in a browser: kept filters, one command for many cases, a replay, what does not get on."""

import asyncpg
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from console.sign_in.sessions import Sessions
from schemas.values.actor import Role
from tests.api_callers import REPORT, As
from tests.browsing import needs_browser
from tests.console_looks import principal, town_at, window
from tests.console_story import SEND, Seen, fill_in, press
from tests.openid_issuer import CLIENT, open_issuer
from tests.served_api import Serve

pytest_plugins = ("tests.api_fixture", "tests.served_fixture", "tests.browser_fixture")
pytestmark = [needs_browser, pytest.mark.timeout(180)]

GRID = "320104.003.02.02"
THERE = f"/cases?procedure=incident&area={GRID}"
GIVEN_UP = (
    "insert into notice_deliveries (case_id, seq, position, content, channel, recipient, template, text, at, status, attempts,"
    " settled_at) values ($1, 1, 99, 'x', 'group', 'role:coordinator', 'breach', '逾期', now(), 'given_up', 5, now())"
    " returning delivery_id"
)
ONE_OF_EACH = """selector => {
    const known = new Set();
    for (const each of document.querySelectorAll(selector)) {
        const shape = new Set();
        for (const part of each.querySelectorAll('*')) {
            const place = [];
            for (let one = part; one !== each; one = one.parentElement) place.push(`${one.tagName}.${one.className}`);
            shape.add(place.join(' in '));
        }
        const said = [...shape].sort().join();
        if (known.has(said)) each.remove();
        known.add(said);
    }
}"""
"""Leaves of the parts of a page that a template repeats one of each kind: what rules say of it they say of all."""


async def ticks(page: Page, cases: list[str]) -> None:
    """Tick cases in the list, and ask what can be done with all of them."""
    await page.goto(THERE)
    for case_id in cases:
        await page.check(f"[name=_case][value^='{case_id}']")
    await press(page, "form[action='/bulk'] button")


async def test_pages_that_come_by_a_button_are_for_everybody(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """Each, on a phone and on a desk, usual and in the 长辈版, breaks no rule of accessibility; what was begun is done."""
    report = {**REPORT, "location": {"address": "和平小区2号楼", "area": GRID}}
    cases = [(await as_(Role.WINDOW_CLERK).report(report)).json()["case_id"] for _ in range(2)]
    notice = await pool.fetchval(GIVEN_UP, cases[0])
    sessions, seen = Sessions(pool), Seen()
    supervisor = await sessions.open(principal(Role.SUPERVISOR, "supervisor-unlinked"))
    auditor = await sessions.open(principal(Role.AUDITOR, "auditor-unlinked"))
    async with (
        town_at(serve) as town,
        window(chromium, town, session=supervisor) as eyes,
        window(chromium, town, session=auditor) as audit,
    ):
        page = eyes.page
        await page.goto(THERE)
        await page.click("summary:has-text('保存此筛选')")
        await page.fill("#name", "事件")
        await press(page, "form[action='/filters'] button")
        await page.goto("/filters")
        await seen.look_in_each_look(eyes)
        kept = await page.inner_text("main")

        await ticks(page, cases)
        await seen.look_in_each_look(eyes)
        await press(page, "button[formaction='/bulk/comment']")
        await seen.look_in_each_look(eyes)
        await fill_in(page, {"text": "一并备注"})
        await press(page, SEND)
        await seen.look_in_each_look(eyes)
        await press(page, "button[name=_checked]")
        await seen.look_in_each_look(eyes)
        done = await page.inner_text("main [role=status]")

        await page.goto(f"/stuck/send-again/{notice}")
        await seen.look_in_each_look(eyes)
        await press(page, SEND)
        eyes.reported.clear()  # a browser calls an answer of 422 an error of its own
        await seen.look_in_each_look(eyes)
        await fill_in(page, {"text": "群机器人已恢复"})
        await press(page, SEND)
        await seen.look(eyes)
        again = await pool.fetchval("select status from notice_deliveries where delivery_id = $1", notice)

        await audit.page.goto(f"/audit/cases/{cases[0]}/replay")
        await seen.look_in_each_look(audit)
        await audit.page.goto(f"/audit/cases/{cases[0]}")
        await press(audit.page, "form[action$='/replay'] button")
        # While it runs the page loads itself again, under whoever measures it: it has nothing but a heading and a line.
        await audit.page.wait_for_selector("h1:has-text('与记录一致')", timeout=90_000)
        await seen.look_in_each_look(audit)

    assert "事件" in kept
    assert done.startswith("已办 2 件,未办 0 件")
    assert again != "given_up"
    assert seen.faults == [], "\n".join(seen.faults)


async def test_pages_of_a_town_with_an_issuer_are_for_everybody(serve: Serve, worker: None, chromium: Chromium) -> None:
    """Where one signs in, what stands there when that did not go well, and after signing out; and what is written for programs."""
    seen = Seen()
    async with open_issuer() as issuer:
        there = {"token_issuer": issuer.url, "token_jwks": f"{issuer.url}/jwks", "sign_in_client": CLIENT}
        behind = {"local_issuer": False, "site_url": "https://town.example", "trusted_proxies": "127.0.0.1"}
        async with serve(**there, **behind) as served, window(chromium, f"http://127.0.0.1:{served.port}") as eyes:
            await eyes.page.set_extra_http_headers({"X-Forwarded-Proto": "https"})  # as the proxy in front says it
            for address in ("/sign-in", "/sign-in/back?error=access_denied&state=x"):
                await eyes.page.goto(address)
                eyes.reported.clear()  # a browser calls an answer of 403 an error of its own
                await seen.look_in_each_look(eyes)
            await eyes.page.goto("/docs")
            seen.faults += await eyes.faults(widths=())
            await eyes.page.evaluate(ONE_OF_EACH, "main section")
            await seen.look(eyes)  # the longest page there is: in one look
            # Of another site, so that the browser stays: from our own page it goes on to the issuer's.
            await eyes.page.set_extra_http_headers({"Sec-Fetch-Site": "cross-site"})
            await eyes.page.goto("/signed-out")
            await seen.look_in_each_look(eyes)
            told = await eyes.page.inner_text("main")

    assert "同时退出统一登录" in told
    assert seen.faults == [], "\n".join(seen.faults)
