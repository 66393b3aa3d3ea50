"""Every page of the console that a link leads to, in a browser: in each look and width.

Pages are found by following links, so that a new one is taken in by itself. Where Chromium can be had nothing is left out.
"""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from itertools import groupby

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser as Chromium

from console.http.languages import Language
from console.sign_in.sessions import Sessions
from engine.keys.keys import Keys
from schemas.contest import CONTEST
from schemas.values.actor import Role
from tests.api_callers import REPORT, As, BuildApp
from tests.api_driver import ApiDriver, token_of
from tests.browsing import needs_browser
from tests.console_browser import Browser, signed_in
from tests.console_crawl import Came, Crawl, pages_of
from tests.console_languages import foreign
from tests.console_looks import FORM, LOOKS, PHONE, Eyes, principal, town_at, window
from tests.every_procedure import PROCEDURE_LIST
from tests.sampling import chosen
from tests.served_api import Serve

pytest_plugins = ("tests.api_fixture", "tests.served_fixture", "tests.browser_fixture")
pytestmark = [needs_browser, pytest.mark.timeout(300)]

DEPARTMENT = "urban-management"
LINKED_AT_TIMES = {"/votes/{vote}", "/filters", "/stuck/{act}/{target}"}
"""Whether a link leads there hangs on what other tests have left in the town."""

NO_LINK_LEADS_THERE = {
    "/sign-in/once": "a link that `jiceng login` prints: test_console_stories.py begins there",
    "/sign-in/issuer": "leads to the issuer: test_console_issuer.py",
    "/sign-in/back": "the way back from there, where it went wrong: test_console_unlinked_story.py",
    "/signed-out": "after signing out, where the town has an issuer: there too",
    "/inbox/counts": "a part that the inbox asks for by itself",
    "/docs": "for who writes programs, at an address that docs/api.md names: test_console_unlinked_story.py",
    "/submissions/{submission}": "after a case was opened: test_console_paper_story.py",
    "/audit/cases/{case_id}/replay": "after a replay was asked for by a button: test_console_unlinked_story.py",
    "/bulk": "after cases were ticked in a list: test_console_unlinked_story.py",
    "/bulk/{command}": "after a command was chosen for them, with what came of it: there too",
    "/filters": "after a filter was kept: there too",
    "/report/{procedure}/check": "after all questions of a report: test_console_resident_story.py",
    "/report/{procedure}/receipt": "after it was sent: there too",
    "/votes/{vote}": "while a vote is posted, open or counted: test_console_votes.py",
    "/stuck/{act}/{target}": "where something does not get on: there too",
}
"""Pages that a link does not lead to, and where they are looked at instead. A new one stands here, or in a menu."""

ALONE = (Language.CHINESE, Language.ENGLISH)
READ_AT_EACH_COMMIT, SEEN_AT_EACH_COMMIT = 40, 4
"""Of the pages in one language: so many are read, and so many looked at in a browser, by the seed; all are read in the long run."""

HTML_BYTES_MAX = 20_000
"""Compressed: what a page may take of a slow line (docs/bench.md)."""


async def cases_of_all(http: httpx.AsyncClient, keys: Keys, as_: As) -> None:
    """A case of each procedure, one that went on to where it is posted, and one with long words."""
    token = token_of(keys)
    for procedure in PROCEDURE_LIST:
        driver = ApiDriver(http, token, procedure)
        case_id = await driver.start()
        await driver.stands(case_id)
        if procedure is CONTEST:
            await driver.go(case_id, driver.examples.MAIN.steps)
    clerk = as_(Role.WINDOW_CLERK)
    case_id = (await clerk.report(REPORT)).json()["case_id"]
    await clerk.command(
        case_id, "comment", {"text": "第一行\n" + "很长的文字" * 60 + " https://example.invalid/" + "x" * 90}
    )


async def everybody(http: httpx.AsyncClient, pool: asyncpg.Pool) -> dict[str, Browser]:
    """Somebody of each role, with a browser; and nobody."""
    found = {"nobody": Browser(http)}
    for role in Role:
        if role is not Role.ENGINE:
            department = DEPARTMENT if role is Role.DEPARTMENT_OFFICER else None
            found[role.value] = await signed_in(
                http, Sessions(pool), principal(role, f"{role}-seen", department=department)
            )
    return found


@pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["in one look", "in each look"]
)
async def test_every_page_is_for_everybody(
    whole: bool,  # noqa: FBT001 - in how many looks each page is seen
    http: httpx.AsyncClient,
    keys: Keys,
    pool: asyncpg.Pool,
    as_: As,
    build_app: BuildApp,
    serve: Serve,
    chromium: Chromium,
) -> None:
    """Each page, on a phone and on a desk, usual or in the 长辈版, breaks no rule of accessibility and fits 320 pixels.

    In Chinese alone no English stands on it and in English alone no Chinese, but what people wrote or the town is called.

    The browser reports nothing; in the 长辈版 whatever is pressed is 60 pixels large, and contrast is 7:1. A form is looked at
    once more as it comes back when nothing was written in it. In which look a page is seen says the seed.
    """
    crawl = await crawled(http, keys, pool, as_, build_app)
    people = crawl.people
    unreached = {each.path for each in pages_of(crawl.app)} - crawl.reached

    telling = crawl.telling()
    print(f"console: {len(crawl.came)} pages, {len(telling)} of them tell all that there is")  # noqa: T201 - the count is asked for

    assert crawl.broken == []
    assert [each for each in crawl.came if each.compressed_bytes > HTML_BYTES_MAX] == []
    assert await strange(crawl, chosen(crawl.came, READ_AT_EACH_COMMIT, "pages in one language")) == []
    assert unreached | LINKED_AT_TIMES == NO_LINK_LEADS_THERE.keys(), (
        "no link leads to these pages: link them, or say why not"
    )

    faults: list[str] = []
    seen = [
        (look, came) for came in telling for look in (LOOKS if whole else chosen(LOOKS, 1, f"look of {came.address}"))
    ]
    async with town_at(serve) as town:
        for (look, who), pages in groupby(sorted(seen, key=as_whom), as_whom):
            async with window(chromium, town, session=people[who].session, look=look) as eyes:
                for _, each in pages:
                    await eyes.page.goto(each.address)
                    faults += await eyes.faults()
                    faults += await pressed_blank(eyes)
        for language in ALONE:
            for each in chosen(telling, SEEN_AT_EACH_COMMIT, f"pages seen in {language}"):
                async with window(chromium, town, session=people[each.who].session, look=language) as eyes:
                    await eyes.page.goto(each.address)
                    faults += await eyes.faults(widths=(PHONE,))
    assert faults == [], "\n".join(faults)


def as_whom(seen: tuple[str, Came]) -> tuple[str, str]:
    """In which look, and as whom a page is seen."""
    look, came = seen
    return look, came.who


async def crawled(http: httpx.AsyncClient, keys: Keys, pool: asyncpg.Pool, as_: As, build_app: BuildApp) -> Crawl:
    """Every page that a link leads to, gone to as somebody of each role in a town with a case of each procedure."""
    await cases_of_all(http, keys, as_)
    people = await everybody(http, pool)
    crawl = Crawl(build_app(), people)
    await crawl.go(("nobody", "/"), ("nobody", "/sign-in"), *((who, "/inbox") for who in people if who != "nobody"))
    return crawl


async def strange(crawl: Crawl, pages: Iterable[Came]) -> list[str]:
    """What stands on the pages in the language that their reader has turned off."""
    found = []
    for each in pages:
        for language in ALONE:
            answer = await replace(crawl.people[each.who], look=language).get(each.address)
            assert answer.status_code == HTTPStatus.OK, each.address
            assert f'<html lang="{language.tag}"' in answer.text
            found += [f"{language} {each.route}: {text}" for text in foreign(answer.text, language)]
    return found


@pytest.mark.long
async def test_every_page_is_in_one_language_alone(
    http: httpx.AsyncClient, keys: Keys, pool: asyncpg.Pool, as_: As, build_app: BuildApp
) -> None:
    """All of the pages, and not some of them: in Chinese alone there is no English, in English alone no Chinese of ours."""
    crawl = await crawled(http, keys, pool, as_, build_app)

    assert await strange(crawl, crawl.came) == []


async def pressed_blank(eyes: Eyes) -> list[str]:
    """What is wrong with the page that comes when a form is sent in which nothing was written. A case may go on by it."""
    button = eyes.page.locator(f"{FORM} button.govuk-button:not([name])")
    if await button.count() != 1:
        return []
    async with eyes.page.expect_navigation():
        await button.click()
    eyes.reported.clear()  # a browser calls an answer of 422 an error of its own
    return await eyes.faults(widths=(PHONE,))
