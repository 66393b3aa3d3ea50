"""The fixture `chromium`: one browser for all tests of a process that look at pages."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browsing import browser


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A browser. Each test opens a context of its own in it: cookies and pages of another's are not there."""
    async with browser() as started:
        yield started
