"""What the API lets in and how it answers: rates, headers, pages without scripts."""

from collections.abc import AsyncIterator

import httpx
import pytest

from console.http.docs_page import WrittenOut
from console.http.languages import Language
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.values.actor import Role
from starter.http.middleware import PAGE_POLICY
from starter.http.rates import BUCKETS_MAX, Rates
from tests.api_callers import BuildApp, api_of, callers

pytest_plugins = ("tests.api_fixture",)


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_bucket_fills_evenly() -> None:
    """Two a second for three seconds: six at once, then one for each half second; and never more than six saved up."""
    clock = Hand()
    rates = Rates(2, 3, clock)
    first = [rates.take("a") for _ in range(7)]
    clock.seconds = 0.5
    second = [rates.take("a"), rates.take("a")]
    clock.seconds = 1000
    third = [rates.take("a") for _ in range(7)]

    assert first == [None] * 6 + [1]
    assert second == [None, 1]
    assert third == first
    assert rates.take("b") is None


def test_a_slow_rate_says_how_long_to_wait() -> None:
    """Whoever is told to wait so many seconds is let in after them."""
    clock = Hand()
    rates = Rates(0.1, 10, clock)
    assert (rates.take("a"), rates.take("a")) == (None, 10)
    clock.seconds = 9.9
    assert rates.take("a") == 1
    clock.seconds = 10.1
    assert rates.take("a") is None


def test_no_rate_lets_everybody_in() -> None:
    """Zero is no limit."""
    rates = Rates(0, 10)
    assert {rates.take("a") for _ in range(1000)} == {None}


def test_whoever_was_seen_longest_ago_is_forgotten() -> None:
    """Made-up addresses do not fill the memory, and do not push out who asks just now."""
    rates = Rates(1, 1)
    for number in range(BUCKETS_MAX + 10):
        rates.take("the one that asks")
        rates.take(str(number))

    assert rates.take("the one that asks") == 1
    assert len(vars(rates)["_buckets"]) == BUCKETS_MAX


@pytest.fixture
async def limited(build_app: BuildApp, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An API that lets an account ask three times, and an address five times, and then for a long time not at all."""
    over = settings.model_copy(
        update={"requests_per_token": 0.003, "requests_per_address": 0.005, "burst_seconds": 1000.0, "hsts_seconds": 60}
    )
    async with api_of(build_app(over=over)) as http:
        yield http


async def test_one_account_is_told_to_wait_and_others_are_not(limited: httpx.AsyncClient, keys: Keys) -> None:
    """The fourth request of an account is 429 with a pause, by whatever token; another account is let in."""
    as_ = callers(limited, keys)
    busy = [await as_(Role.SUPERVISOR, "busy").get("/api/v1/categories") for _ in range(4)]
    other = await as_(Role.SUPERVISOR, "other").get("/api/v1/categories")

    assert [each.status_code for each in busy] == [200, 200, 200, 429]
    assert busy[3].json()["code"] == "too-many-requests"
    assert 1 <= int(busy[3].headers["retry-after"]) <= 334
    assert other.status_code == 200


async def test_one_address_is_told_to_wait_whoever_asks(limited: httpx.AsyncClient) -> None:
    """The sixth request from an address is 429 before anything is looked at; what watches the API is never refused."""
    answers = [await limited.get("/public/notices") for _ in range(6)]
    watched = [await limited.get("/healthz") for _ in range(20)]

    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert {each.status_code for each in watched} == {200}
    assert answers[5].headers["content-type"] == "application/problem+json"
    assert len(answers[5].headers["x-request-id"]) == 32


@pytest.mark.parametrize("path", ["/openapi.json", "/api/v1/cases", "/nowhere", "/public/notices", "/metrics"])
async def test_every_answer_says_what_a_browser_may_do_with_it(
    path: str, http: httpx.AsyncClient, limited: httpx.AsyncClient
) -> None:
    """Not guessed at, not framed, not run, not kept unless it is public; by https only where the town says so."""
    headers = (await http.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["content-security-policy"] == PAGE_POLICY
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store" or path == "/public/notices"
    assert "strict-transport-security" not in headers
    assert (await limited.get(path)).headers["strict-transport-security"] == "max-age=60"


async def test_a_page_runs_nothing_and_loads_nothing(http: httpx.AsyncClient) -> None:
    """It has no script, no style or picture of its own, and no link that leads to another server."""
    page = await http.get("/public/notices", headers={"Accept": "text/html"})
    text = page.text.lower()

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for forbidden in (
        "<script",
        "<img",
        "<style",
        "javascript:",
        "onload=",
        'src="',
        'href="http',
        'href="//',
    ):
        assert forbidden not in text


async def test_the_description_can_be_read_without_a_program(http: httpx.AsyncClient) -> None:
    """/docs names every address of the description, escaped."""
    page = (await http.get("/docs")).text
    paths = (await http.get("/openapi.json")).json()["paths"]

    assert [path for path in paths if path not in page] == []
    assert (await http.get("/redoc")).status_code == 404


async def test_the_description_is_written_once_for_each_language(http: httpx.AsyncClient) -> None:
    """Asked again it is the same, and in its reader's language: nobody gets the page that another one asked for."""
    looks: tuple[dict[str, str], ...] = ({}, {"Cookie": "jiceng-look=en"}, {"Cookie": "jiceng-look=zh"})
    pages = [[(await http.get("/docs", headers=look)).text for look in looks] for _ in range(2)]
    both, english, chinese = pages[0]

    assert pages[0] == pages[1]
    assert ("无需登录 open" in both, "无需登录" in english, "· open" in chinese) == (True, False, False)
    assert "· open" in english
    assert "· 无需登录" in chinese
    assert len({(await http.get("/openapi.json")).content for _ in range(2)}) == 1


async def test_a_description_that_is_written_is_not_written_again(build_app: BuildApp) -> None:
    """Who asks without an account, again and again, costs the API nothing that it has done already."""
    written, description = WrittenOut(), build_app().openapi()

    assert written.of(description, Language.ENGLISH) is written.of(description, Language.ENGLISH)
    assert written.of(description, Language.ENGLISH) != written.of(description, Language.CHINESE)
