"""An application on paper and a form that takes long, in a browser: what a clerk enters, what is missing, what ends in between."""

import re

import asyncpg
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from console.sign_in.sessions import Sessions, keep_link
from schemas.values.actor import Role
from tests.api_callers import As
from tests.browsing import needs_browser
from tests.console_browser import written
from tests.console_looks import FORM, principal, town_at, window
from tests.console_story import SEND, Seen, acts, fill_in, photo, press, sends
from tests.examples.welfare import SUBSISTENCE, of_their_own
from tests.served_api import Serve
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture", "tests.served_fixture", "tests.browser_fixture")
pytestmark = [needs_browser, pytest.mark.timeout(180)]

CASE = re.compile(r"welfare-[0-9]{8}-[0-9]{6,}")
BROUGHT_LATER = ("household-register", "income-statement")


def on_paper(who: str) -> dict[str, str]:
    """What somebody has written on the form: an application of their own, by the names of the fields on the screen."""
    return {place: text for place, [text] in written(of_their_own(SUBSISTENCE, who)).items()}


async def value_of(page: Page, name: str) -> str:
    """What stands in a field, or is chosen in it."""
    chosen = page.locator(f"{FORM} [name='{name}']:checked")
    if await chosen.count():
        return await chosen.get_attribute("value") or ""
    return await page.input_value(f"{FORM} [name='{name}']")


async def test_a_clerk_enters_a_form_on_paper_and_papers_come_later(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """Printed blank, entered with one paper of three, its scan attached; what is missing is told on a sheet and brought later."""
    session = await Sessions(pool).open(principal(Role.WINDOW_CLERK, "clerk-paper"))
    seen = Seen()

    async def stands(stage: str) -> None:
        async def there() -> bool:
            return bool(await pool.fetchval("select stage = $2 from cases where case_id = $1", case_id, stage))

        await eventually(there)

    async with town_at(serve) as town, window(chromium, town, session=session) as eyes:
        page = eyes.page
        await page.goto("/forms/welfare")
        await page.emulate_media(media="print")
        blank, pressed = (
            await page.inner_text("main"),
            await page.locator("main button:visible, main .govuk-button:visible").count(),
        )
        await page.emulate_media(media="screen")
        await page.goto("/new/welfare")
        await fill_in(page, on_paper("paper"))
        if not await page.locator("[name='documents.0.kind']").count():
            await press(page, "button[name=_more][value=documents]")
        await fill_in(page, {"documents.0.kind": "identity-card", "documents.0.document": photo("identity-card")})
        await press(page, SEND)
        await seen.look(eyes)
        await press(page, "button[name=_checked]")
        await seen.look_in_each_look(eyes)
        case_id = CASE.findall(await page.inner_text("main"))[0]
        await press(page, "main a[href$='/attach']")
        await sends(page, {"document": photo("scan of the form"), "note": "纸质申请表扫描件"})
        await stands("correcting")
        await page.goto(f"/cases/{case_id}")
        await press(page, "a[href*='/paper/wanting']")
        sheet = await page.inner_text("main")
        for kind in BROUGHT_LATER:
            await acts(page, case_id, "hand_in", {"kind": kind, "document": photo(kind)})
        await stands("applied")
        await page.goto(f"/cases/{case_id}")
        documents = await page.locator(".town-documents li").count()

    assert ("签名" in blank, pressed) == (True, 0)
    assert "户口" in sheet
    assert documents == 2 + len(BROUGHT_LATER)
    assert seen.faults == [], "\n".join(seen.faults)


async def test_a_long_form_outlives_the_session_and_the_window(
    serve: Serve, pool: asyncpg.Pool, worker: None, chromium: Chromium
) -> None:
    """Whose session ran out signs in again and goes on with every word; so does who closed the window, from the drafts."""
    clerk = principal(Role.WINDOW_CLERK, "clerk-interrupted")
    session = await Sessions(pool).open(clerk)
    texts = on_paper("interrupted")
    seen = Seen()
    async with town_at(serve) as town, window(chromium, town, session=session) as eyes:
        page = eyes.page
        await page.goto("/new/welfare")
        await fill_in(page, texts)
        await pool.execute(
            "update sessions set seen_at = seen_at - interval '31 minutes' where subject = $1", clerk.subject
        )
        await press(page, SEND)
        await seen.look_in_each_look(eyes)
        ended = await page.inner_text("main")
        onward = await page.get_attribute("main a[href^='/sign-in?']", "href")

        await page.goto(f"/sign-in/once?code={await keep_link(pool, clerk)}")
        await seen.look_in_each_look(eyes)
        await press(page, "main button")
        await page.goto("/drafts")
        await seen.look_in_each_look(eyes)
        await press(page, "main a[href*='draft=']")
        found = {name: await value_of(page, name) for name in texts}
        later = await eyes.page.context.new_page()
        await page.close()
        await later.goto("/drafts")
        await press(later, "main a[href*='draft=']")
        found_later = {name: await value_of(later, name) for name in texts}

    assert "登录已结束" in ended
    assert onward is not None
    assert "draft%3D" in onward
    assert found == found_later == texts
    assert seen.faults == [], "\n".join(seen.faults)
