"""People who go a whole way through the pages in a browser: what they fill in, and what was wrong with what they saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from playwright.async_api import FilePayload, Page

from console.http.languages import Language
from console.http.look import COOKIE
from local.simulation.pictures import PICTURE
from tests.console_languages import foreign
from tests.console_looks import FORM, HEIGHT, LOOKS, PHONE, Eyes

SEND = f"{FORM} button.govuk-button:not([name])"
Texts = Mapping[str, str | FilePayload]


def photo(name: str) -> FilePayload:
    """A picture of its own for each name, as somebody chooses it for a form."""
    return {"name": f"{name}.png", "mimeType": "image/png", "buffer": PICTURE + name.encode().ljust(60, b"\0")}


@dataclass
class Seen:
    """What was wrong with the pages on the way."""

    faults: list[str] = field(default_factory=list)

    async def look(self, eyes: Eyes) -> None:
        """Look at a page as it stands there, on a phone and on a desk."""
        self.faults += await eyes.faults()
        await eyes.page.set_viewport_size({"width": PHONE, "height": HEIGHT})

    async def look_in_each_look(self, eyes: Eyes) -> None:
        """Look at a page that can be loaded again, in the 长辈版, as usual, and read it in one language. What was typed is gone."""
        context = eyes.page.context
        for look in reversed(LOOKS):
            await context.clear_cookies(name=COOKIE)
            if look:
                await context.add_cookies([{"name": COOKIE, "value": look, "url": eyes.page.url}])
            await eyes.page.reload()
            eyes.elder = bool(look)
            eyes.reported.clear()  # a page that said what was wrong says so again: a browser calls that an error of its own
            await self.look(eyes)
        for language in (Language.CHINESE, Language.ENGLISH):
            await context.clear_cookies(name=COOKIE)
            await context.add_cookies([{"name": COOKIE, "value": language, "url": eyes.page.url}])
            await eyes.page.reload()
            self.faults += [f"{eyes.page.url}: {each}" for each in foreign(await eyes.page.content(), language)]
        await context.clear_cookies(name=COOKIE)
        await eyes.page.reload()
        eyes.reported.clear()


async def press(page: Page, selector: str) -> None:
    """Press what leads to another page, and wait until that one is there: else the page before it is what one looks at."""
    async with page.expect_navigation():
        await page.click(selector)


async def fill_in(page: Page, texts: Texts) -> None:
    """Write, choose, tick and add files, by the names of the fields."""
    for name, text in texts.items():
        one = page.locator(f"{FORM} [name='{name}']:not([type=hidden])")
        kind = await one.last.evaluate("each => each.type")
        if not isinstance(text, str):
            await page.set_input_files(f"{FORM} [name='{name}'][type=file]", text)
        elif kind in {"radio", "checkbox"}:
            await page.check(f"{FORM} [name='{name}'][value='{text}']")
        elif kind == "select-one":
            await one.select_option(text)
        else:
            await one.fill(text)


async def sends(page: Page, texts: Texts) -> None:
    """Fill in the form that stands there and send it; what is asked once more is confirmed."""
    await fill_in(page, texts)
    await press(page, SEND)
    if await page.locator("button[name=_checked]").count():
        await press(page, "button[name=_checked]")


async def acts(page: Page, case_id: str, command: str, texts: Texts) -> None:
    """What somebody of the staff does with the case, from its page: by one click, or by its form."""
    await page.goto(f"/cases/{case_id}")
    await press(page, f".town-acts form[action$='/{command}'] button, .town-acts a[href$='/{command}']")
    if page.url.endswith(f"/{command}"):
        await sends(page, texts)
    assert page.url.endswith(f"/cases/{case_id}"), await page.inner_text("main")
