"""Somebody who has a keyboard and nothing else: goes by Tab, sees where they are, presses Enter."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

TABS_AT_MOST = 120
FOCUSED = """() => {
    const at = document.activeElement;
    const ticked = at.matches('[type=radio], [type=checkbox]') && at.nextElementSibling;
    const drawn = ticked ? getComputedStyle(at.nextElementSibling, '::before') : getComputedStyle(at);
    const labels = [...(at.labels || [])].map(each => each.innerText).join(' ');
    return {
        called: [at.getAttribute('aria-label') || labels || at.innerText || '', at.name || '', at.getAttribute('href') || ''],
        acts: Boolean(at.closest('.town-acts')),
        seen: drawn.boxShadow !== 'none' || drawn.backgroundColor === 'rgb(255, 221, 0)'
            || (drawn.outlineStyle !== 'none' && parseFloat(drawn.outlineWidth) > 0),
        html: at.outerHTML.slice(0, 120),
    };
}"""


@dataclass(frozen=True)
class Keyboard:
    """Goes to what it is told by its words, its name or its address. Raises AssertionError: Tab does not lead there."""

    page: Page

    async def to(self, called: str) -> None:
        """Go to it, and see that one is there."""
        for _ in range(TABS_AT_MOST):
            at = await self._next()
            words, name, address = at["called"]
            if called in words or called in {name, address}:
                assert at["seen"], f"nobody sees that they are at {at['html']}"
                return
        raise AssertionError(f"{self.page.url}: Tab does not lead to {called}")

    async def to_an_act(self) -> None:
        """Go to the first thing that can be done with a case."""
        for _ in range(TABS_AT_MOST):
            if (await self._next())["acts"]:
                return
        raise AssertionError(f"{self.page.url}: Tab leads to nothing that can be done")

    async def write(self, called: str, text: str) -> None:
        """Write into a field."""
        await self.to(called)
        await self.page.keyboard.insert_text(text)

    async def enter(self) -> None:
        """Press Enter, and wait for the page to which that leads."""
        async with self.page.expect_navigation():
            await self.page.keyboard.press("Enter")

    async def press(self, called: str) -> None:
        """Go to it and press it."""
        await self.to(called)
        await self.enter()

    async def _next(self) -> dict[str, Any]:
        await self.page.keyboard.press("Tab")
        found: dict[str, Any] = await self.page.evaluate(FOCUSED)
        return found
