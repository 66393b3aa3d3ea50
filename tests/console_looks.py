"""What is asked of every page in a browser: rules of accessibility, room on a phone, targets for old hands."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from console.http.look import COOKIE, ELDER
from console.sign_in.signed_in import LOCAL_COOKIE
from engine.keys.tokens import Principal
from schemas.values.actor import Role
from tests.served_api import Serve

WIDE, PHONE, NARROWEST, HEIGHT = 1280, 360, 320, 740
LOOKS = ("", ELDER)
"""Chinese alone hides what stands beside and changes nothing else: a story looks at it (tests/console/test_console_stories.py)."""

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
BY_WIDTH = ("target-size", "scrollable-region-focusable", "link-in-text-block")
"""What else a wide page could break: our styles show, hide and colour nothing by width, so all other rules say the same of both."""

TARGET_PIXELS = 60
AXE = Axe()

TOO_SMALL = """least => [...document.querySelectorAll('a[href], button, summary, input, select, textarea')].filter(each => {
    const box = each.getBoundingClientRect();
    const hidden = each.closest('.govuk-visually-hidden, .govuk-skip-link, .town-away, [hidden], [type=hidden]') || !box.width;
    return !hidden && (Math.round(box.width) < least || Math.round(box.height) < least);
}).map(each => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 20)} `
    + `${Math.round(each.getBoundingClientRect().width)}x${Math.round(each.getBoundingClientRect().height)}`)"""
SMALL_TYPE = """least => [...document.querySelectorAll('main *, footer *')].filter(each =>
    [...each.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
    && each.getBoundingClientRect().width && parseFloat(getComputedStyle(each).fontSize) < least
).map(each => `${each.tagName} ${each.className} ${getComputedStyle(each).fontSize}`)"""
SMALLEST_TYPE = 20
FORM = "main form[novalidate]"
"""A form that somebody fills in."""

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Eyes:
    """A window, and whatever the browser reports of the pages in it."""

    page: Page
    elder: bool = False
    reported: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self.reported.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.reported.append(str(error)))

    async def faults(self, *, widths: Sequence[int] = (WIDE, PHONE)) -> list[str]:
        """Everything that is wrong with the page as it stands there."""
        found, self.reported = self.reported[:], []
        await self.page.evaluate(AXE.axe_script)
        for width in widths:
            await self.page.set_viewport_size({"width": width, "height": HEIGHT})
            rules = TAGS if width == PHONE else BY_WIDTH
            found += [f"{width}px: {each}" for each in await self._violations(rules)]
        await self.page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
        if (over := await self.page.evaluate(SIDEWAYS)) > 0:
            found.append(f"{NARROWEST}px: {over} pixels too wide")
        if self.elder:
            found += [f"target: {each}" for each in await self.page.evaluate(TOO_SMALL, TARGET_PIXELS)]
            found += [f"type: {each}" for each in await self.page.evaluate(SMALL_TYPE, SMALLEST_TYPE)]
        return [f"{self.page.url}: {each}" for each in found]

    async def _violations(self, rules: Sequence[str]) -> list[str]:
        """What axe-core finds; contrast as high as the look promises."""
        kind = "tag" if rules == TAGS else "rule"
        # Whatever has the higher contrast has the lower one: both rules look at the same texts.
        higher = {"color-contrast-enhanced": {"enabled": True}, "color-contrast": {"enabled": False}}
        enhanced = higher if self.elder and kind == "tag" else {}
        only = {"type": kind, "values": list(rules)}
        options = {"runOnly": only, "rules": enhanced, "resultTypes": ["violations"], "elementRef": False}
        answer: dict[str, Any] = await self.page.evaluate("options => axe.run(options)", options)
        return [f"{each['id']}: {node['html'][:160]}" for each in answer["violations"] for node in each["nodes"][:3]]


@asynccontextmanager
async def window(
    chromium: Browser, town: str, *, session: str | None = None, look: str = "", scripts: bool = True
) -> AsyncIterator[Eyes]:
    """A window of somebody who has signed in, or of nobody; `look`: as they want pages."""
    cookies = {COOKIE: look, LOCAL_COOKIE: session or ""}
    context: BrowserContext = await chromium.new_context(
        base_url=town, viewport={"width": PHONE, "height": HEIGHT}, java_script_enabled=scripts, locale="zh-CN"
    )
    async with context:
        await context.add_cookies(
            [{"name": name, "value": said, "url": town} for name, said in cookies.items() if said]
        )
        yield Eyes(await context.new_page(), elder=ELDER in look)


def principal(role: Role, subject: str, department: str | None = None) -> Principal:
    """Somebody who may sign in."""
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    return Principal(subject=subject, role=role, department=department, area=None, token_id=None, expires_at=ends_at)


@asynccontextmanager
async def town_at(serve: Serve) -> AsyncIterator[str]:
    """The address of the town's pages."""
    async with serve() as served:
        yield f"http://127.0.0.1:{served.port}"
