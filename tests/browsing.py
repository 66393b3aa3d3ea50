"""A headless Chromium for looking at pages as a person would: the one that the system has, driven by Playwright.

`make test` brings it where it may, which is as root on Debian; where there is none, tests that need it are left out.
"""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Error, Page, async_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PROGRAM = next((found for each in NAMES if (found := shutil.which(each))), None)
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-proxy-server",
)  # fmt: skip
needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: `make browser`")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser without a profile; it ends with the block."""
    assert PROGRAM is not None
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=PROGRAM, args=list(FLAGS))
        yield started
        await started.close()


async def text_of(page: Page) -> str:
    """What a person can read on a page now, the frames in it included; nothing while it goes to another page."""
    try:
        found = [await frame.evaluate("document.body ? document.body.innerText : ''") for frame in page.frames]
    except Error:
        return ""
    return "\n".join(found)
