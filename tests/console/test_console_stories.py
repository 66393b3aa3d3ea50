"""People at the console with a browser: by keyboard alone, in large type, without scripts, on paper, over a line that breaks."""

from contextlib import suppress

import asyncpg
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Error

from console.sign_in.sessions import Sessions, keep_link
from schemas.values.actor import Role
from tests.api_callers import REPORT, As
from tests.browsing import needs_browser
from tests.console_looks import FORM, NARROWEST, SIDEWAYS, principal, town_at, window
from tests.cut_line import cut_line
from tests.keyboard import Keyboard
from tests.served_api import Serve
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture", "tests.served_fixture", "tests.browser_fixture")
pytestmark = [needs_browser, pytest.mark.timeout(120)]

DEPARTMENT = "urban-management"
KILOBYTES_A_SECOND = 50
SLOW = {
    "offline": False,
    "latency": 100,
    "downloadThroughput": KILOBYTES_A_SECOND * 1024,
    "uploadThroughput": KILOBYTES_A_SECOND * 1024,
}
PRINTED = """() => {
    const seen = each => each.checkVisibility() && each.getBoundingClientRect().height > 0;
    return {
        pressed: [...document.querySelectorAll('nav, button, .govuk-button, .govuk-skip-link, .town-look')].filter(seen).length,
        folded: [...document.querySelectorAll('.govuk-details__text')].filter(each => !seen(each)).length,
        details: document.querySelectorAll('details').length,
    };
}"""


async def test_a_clerk_takes_a_report_by_keyboard_alone(
    serve: Serve, pool: asyncpg.Pool, worker: None, chromium: Chromium
) -> None:
    """From the link by which she signs in to the code that she hands over: by Tab and Enter, seeing at each step where she is."""
    code = await keep_link(pool, principal(Role.WINDOW_CLERK, "clerk-keyboard"))
    async with town_at(serve) as town, window(chromium, town) as eyes:
        keys = Keyboard(eyes.page)
        await eyes.page.goto(f"/sign-in/once?code={code}")
        faults = await eyes.faults()
        await keys.press("登录")
        await keys.press("/new")
        await keys.press("/new/incident")
        await keys.write("category", "环境卫生")
        await keys.write("description", "小区垃圾堆积未清理")
        await keys.write("location.address", "幸福小区3号楼")
        await keys.enter()
        faults += await eyes.faults()
        await keys.press("确认提交")
        await eyes.page.wait_for_selector(".town-code")
        faults += await eyes.faults()

        assert "/submissions/" in eyes.page.url
        assert faults == []


async def test_an_officer_handles_a_case_by_keyboard_alone(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """From the inbox to the case, and what can be done with it is done: the case has told of it."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    session = await Sessions(pool).open(principal(Role.DEPARTMENT_OFFICER, "officer-keyboard", department=DEPARTMENT))
    async with town_at(serve) as town, window(chromium, town, session=session) as eyes:
        keys = Keyboard(eyes.page)
        await eyes.page.goto("/inbox")
        await keys.press("/cases")
        await keys.write("number", case_id)
        await keys.enter()
        told = await eyes.page.locator(".town-timeline > li").count()
        await keys.to_an_act()
        await keys.enter()

        assert eyes.page.url.endswith(f"/cases/{case_id}")
        assert await eyes.page.locator(".town-timeline > li").count() > told


async def test_a_case_is_printed_without_what_is_pressed(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """On paper there are no menus and no buttons, and what is folded up is open: how a clock is counted stands there."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    session = await Sessions(pool).open(principal(Role.SUPERVISOR, "supervisor-prints"))
    async with town_at(serve) as town, window(chromium, town, session=session) as eyes:
        await eyes.page.goto(f"/cases/{case_id}")
        on_screen = await eyes.page.evaluate(PRINTED)
        await eyes.page.emulate_media(media="print")
        on_paper = await eyes.page.evaluate(PRINTED)

    assert on_screen["pressed"] > 0
    assert on_screen["folded"] == on_screen["details"] > 0
    assert (on_paper["pressed"], on_paper["folded"]) == (0, 0)


async def test_a_resident_follows_in_large_type_by_keyboard_alone(serve: Serve, as_: As, chromium: Chromium) -> None:
    """Switched to the 长辈版 and to Chinese alone in the head: number and code are asked one by one, and the promise is shown."""
    reported = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()
    async with town_at(serve) as town, window(chromium, town) as eyes:
        keys = Keyboard(eyes.page)
        await eyes.page.goto("/")
        await keys.press("长辈版")
        eyes.elder = True
        faults = await eyes.faults()
        await keys.press("仅中文")
        faults += await eyes.faults()
        english = await eyes.page.locator(".town-en:visible").count()
        await keys.press("/follow")
        asked = [await eyes.page.locator("main input:not([type=hidden])").count()]
        await keys.write("number", reported["case_id"])
        await keys.enter()
        asked.append(await eyes.page.locator("main input:not([type=hidden])").count())
        faults += await eyes.faults()
        await keys.write("code", reported["code"])
        await keys.enter()
        faults += await eyes.faults()

        assert (asked, english) == ([1, 1], 0)
        assert "承诺的时限" in await eyes.page.inner_text("main")
        assert faults == []


async def test_a_clerk_works_on_a_phone_without_scripts(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """A link, a comment, out, in a browser that runs no script; afterwards the inbox is closed."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    code = await keep_link(pool, principal(Role.WINDOW_CLERK, "clerk-phone"))
    async with town_at(serve) as town, window(chromium, town, scripts=False) as eyes:
        page = eyes.page
        await page.set_viewport_size({"width": NARROWEST, "height": 640})
        await page.goto(f"/sign-in/once?code={code}")
        await page.click("main button")
        await page.goto(f"/cases/{case_id}/comment")
        await page.fill("#text", "手机上写的备注")
        await page.click(f"{FORM} button.govuk-button")
        await page.goto(f"/cases/{case_id}?texts=open")
        read, over = await page.inner_text("main"), await page.evaluate(SIDEWAYS)
        await page.click(".town-head__out button")
        await page.goto("/inbox")

        assert "手机上写的备注" in read
        assert over == 0
        assert "/sign-in" in page.url


async def test_a_form_keeps_itself_while_somebody_writes(serve: Serve, pool: asyncpg.Pool, chromium: Chromium) -> None:
    """Without a button; and counts are looked at again without a word of the person.

    Our scripts run under our own policy, nothing that is text does, and nothing of a page stays behind in the browser.
    """
    session = await Sessions(pool).open(principal(Role.WINDOW_CLERK, "clerk-writes"))
    async with town_at(serve) as town, window(chromium, town, session=session) as eyes:
        page = eyes.page
        await page.goto("/inbox")
        await page.evaluate("document.querySelector('[name=seen]').value = 'others'")
        async with page.expect_response(lambda answer: "/inbox/counts" in answer.url) as looked:
            await page.evaluate("htmx.trigger('[data-town-seen]', 'town:seen')")
        await page.goto("/new/incident")
        await page.fill("#description", "自动保存的描述")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await page.wait_for_selector("#kept:has-text('草稿已保存')")
        text = await page.evaluate("htmx.config.allowEval")
        left = await page.evaluate(
            "localStorage.length + Object.keys(sessionStorage).filter(each => /cache/.test(each)).length"
        )
        styles = await page.evaluate("document.querySelectorAll('style').length")
        await page.goto("/drafts")
        await page.click("main a")

        assert (await looked.value).status == 200
        assert await page.input_value("#description") == "自动保存的描述"
        assert (text, left, styles, eyes.reported) == (False, 0, 0, [])


async def test_a_press_whose_answer_was_lost_is_pressed_again(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """At 50 kB/s the line breaks when the comment has arrived and its answer has not: sent once more, it stands there once."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    session = await Sessions(pool).open(principal(Role.WINDOW_CLERK, "clerk-line"))
    async with (
        serve() as served,
        cut_line(served.port) as line,
        window(
            chromium, f"http://127.0.0.1:{line.port}", session=session, scripts=False
        ) as eyes,  # no draft is sent besides
    ):
        page = eyes.page
        await (await page.context.new_cdp_session(page)).send("Network.emulateNetworkConditions", SLOW)
        await page.goto(f"/cases/{case_id}/comment")
        await page.fill("#text", "只记一次的备注")
        line.breaks = True
        await page.click(f"{FORM} button.govuk-button", no_wait_after=True)
        await eventually(lambda: line.broke == 1)
        await page.wait_for_load_state()
        if line.posts == 1:  # a browser that did not send it again by itself
            with suppress(Error):  # it does so at this very moment
                await page.reload()
        await eventually(lambda: line.posts == 2)
        await page.wait_for_load_state()
        await page.goto(f"/cases/{case_id}?texts=open")

        assert (line.broke, line.posts) == (1, 2)
        assert (await page.inner_text("main")).count("只记一次的备注") == 1
