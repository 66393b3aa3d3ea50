"""上报 from the first question to the last answer, in a browser: by a resident on a phone, and by everybody whom it passes."""

from contextlib import AsyncExitStack

import asyncpg
import pytest
from playwright.async_api import Browser as Chromium

from console.sign_in.sessions import Sessions
from schemas.values.actor import Role
from tests.api_callers import REPORT, As
from tests.browsing import needs_browser
from tests.console_looks import FORM, Eyes, principal, town_at, window
from tests.console_story import SEND, Seen, acts, photo, press, sends
from tests.served_api import Serve
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture", "tests.served_fixture", "tests.browser_fixture")
pytestmark = [needs_browser, pytest.mark.timeout(180)]

AREA = "320104.003.02"
CATEGORY, DEPARTMENT = "环境卫生", "urban-management"
PLACE, MATTER = "幸福小区3号楼后门", "垃圾三天没有清,很臭"
FIRST, UNANSWERED, ANSWERED = "已清运一车", "还有一半没有清", "全部清运,地面已冲洗"


async def stands(pool: asyncpg.Pool, case_id: str, stage: str) -> None:
    """Wait until a case has come there."""

    async def there() -> bool:
        return bool(await pool.fetchval("select stage = $2 from cases where case_id = $1", case_id, stage))

    await eventually(there)


async def reported(eyes: Eyes, seen: Seen, pool: asyncpg.Pool) -> tuple[str, str]:
    """The questions answered one by one, from the first page of the town; number and code as the receipt has them."""
    page = eyes.page
    await page.goto("/")
    await press(page, "main a[href='/report']")
    await page.fill("#_words", "垃圾没人清")
    await press(page, "button[name=_find]")
    await seen.look_in_each_look(eyes)
    await page.check(f"{FORM} [value='{CATEGORY}']")
    await press(page, SEND)
    await seen.look_in_each_look(eyes)
    await sends(page, {"location.area": AREA, "location.address": PLACE})
    await sends(page, {"description": MATTER, "documents": photo("on the spot")})
    await seen.look_in_each_look(eyes)
    await press(page, "[name=_back]")
    await seen.look_in_each_look(eyes)
    assert await page.input_value("[name=description]") == MATTER
    await press(page, SEND)
    await press(page, SEND)
    await seen.look_in_each_look(eyes)
    check = await page.inner_text("main")
    assert all(each in check for each in ("已有人上报", CATEGORY, PLACE, MATTER))
    await pool.execute("update report_drafts set begun_at = begun_at - interval '1 minute'")  # by hand it takes longer
    await press(page, SEND)
    await seen.look_in_each_look(eyes)
    assert await page.locator("img.town-picture").evaluate("each => each.naturalWidth") > 0
    return await page.inner_text(".govuk-panel__body strong"), await page.inner_text(".town-code")


async def follows(eyes: Eyes, code: str) -> str:
    """The page of the case, by number and code, as the link of the receipt leads to it; what it says."""
    await eyes.page.fill("#code", code)
    await press(eyes.page, SEND)
    assert code not in eyes.page.url
    return await eyes.page.inner_text("main")


async def test_a_resident_reports_on_a_phone_and_is_heard_twice(
    serve: Serve, pool: asyncpg.Pool, as_: As, chromium: Chromium
) -> None:
    """Words, category, place, photo, check, receipt; admitted, signed, arrived, finished, verified by staff in their pages.

    *Not solved* sends it back to the department; what it does then is rated *solved*, and closes it.
    """
    before = {**REPORT, "location": {"address": "幸福小区1号楼", "area": AREA}}
    await stands(pool, (await as_(Role.WINDOW_CLERK).report(before)).json()["case_id"], "dispatched")
    people = {
        Role.COORDINATOR: principal(Role.COORDINATOR, "coordinator-story"),
        Role.DEPARTMENT_OFFICER: principal(Role.DEPARTMENT_OFFICER, "officer-story", department=DEPARTMENT),
        Role.GRID_WORKER: principal(Role.GRID_WORKER, "grid-story"),
    }
    seen = Seen()
    async with town_at(serve) as town, AsyncExitStack() as windows:
        resident = await windows.enter_async_context(window(chromium, town))
        centre, officer, grid_worker = [
            await windows.enter_async_context(window(chromium, town, session=await Sessions(pool).open(each)))
            for each in people.values()
        ]
        case_id, code = await reported(resident, seen, pool)
        await stands(pool, case_id, "screening")
        await acts(centre.page, case_id, "admit", {})
        await stands(pool, case_id, "dispatched")
        await acts(officer.page, case_id, "sign", {})
        await acts(officer.page, case_id, "arrive", {})
        await acts(officer.page, case_id, "finish", {"result": FIRST})
        await acts(grid_worker.page, case_id, "verify", {"passed": "true"})
        await stands(pool, case_id, "calling_back")

        await press(resident.page, "a[href^='/follow']")
        told = await follows(resident, code)
        await seen.look_in_each_look(resident)
        await press(resident.page, "form[action='/follow/rate'] button")
        await seen.look_in_each_look(resident)
        await sends(resident.page, {"solved": "not", "satisfied": "not", "comment": UNANSWERED})
        await seen.look(resident)
        await stands(pool, case_id, "handling")
        await officer.page.goto(f"/cases/{case_id}")
        heard = await officer.page.inner_text("main")
        await acts(officer.page, case_id, "finish", {"result": ANSWERED})
        await acts(grid_worker.page, case_id, "verify", {"passed": "true"})
        await stands(pool, case_id, "calling_back")

        await resident.page.goto(f"/follow?number={case_id}")
        told_again = await follows(resident, code)
        await press(resident.page, "form[action='/follow/rate'] button")
        await sends(resident.page, {"solved": "solved", "satisfied": "satisfied"})
        await stands(pool, case_id, "closed")
        thanks = await resident.page.inner_text("main")

    assert FIRST in told
    assert UNANSWERED in heard
    assert ANSWERED in told_again
    assert "办结" in thanks
    assert seen.faults == [], "\n".join(seen.faults)
