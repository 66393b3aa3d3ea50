"""Every page of the console that somebody can come to by its links: found by going, so that a new page is taken in by itself."""

import gzip
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urldefrag, urljoin

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match

from console.http.pages import AS_PAGES
from tests.console_browser import Browser

_NUMBERS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+|document:[^/?]+|cursor=[^&]+")
_ONE_OF_EACH = 1
_TOLD = {200, 415}
"""A document that says it is a picture, and cannot be drawn, is told so: that is a page too."""


@dataclass(frozen=True)
class Came:
    """A page that somebody came to: `route` is the address as the app has it, `shape` what its HTML is made of."""

    who: str
    address: str
    route: str
    shape: frozenset[str]
    compressed_bytes: int


@dataclass
class Crawl:
    """Goes from page to page as several people, none twice to pages that differ by a number alone."""

    app: FastAPI
    people: Mapping[str, Browser]
    came: list[Came] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)

    async def go(self, *begin: tuple[str, str]) -> None:
        """Begin at (who, address)."""
        waiting, seen = deque(begin), set[tuple[str, str]]()
        while waiting:
            who, address = waiting.popleft()
            route = route_of(self.app, address)
            if route is None or (once := _kind(who, address, route)) in seen:
                continue
            seen.add(once)
            waiting.extend((who, each) for each in await self._open(who, address, route))

    async def _open(self, who: str, address: str, route: str) -> list[str]:
        answer = await self.people[who].get(address)
        self.reached.add(route)
        if answer.is_redirect:
            return [answer.headers["location"]]
        if answer.status_code not in _TOLD:
            self.broken.append(f"{who}: {address}: {answer.status_code}")
        elif answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
            page = Links(answer.text)
            self.came.append(Came(who, address, route, frozenset(page.shape), len(gzip.compress(answer.content))))
            return [urljoin(address, urldefrag(each).url) for each in page.links if not each.startswith("tel:")]
        return []

    def telling(self) -> list[Came]:
        """As few of the pages as have all that there is: each address once, and whatever any page is made of."""
        kept, known, routes = list[Came](), set[str](), set[str]()
        for each in sorted(self.came, key=lambda came: -len(came.shape)):
            if each.route not in routes or each.shape - known:
                kept.append(each)
                known |= each.shape
                routes.add(each.route)
        return kept


class Links(HTMLParser):
    """Where a page leads, by links and by forms that only ask; and what it is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.shape: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.links += [said["href"]] if tag == "a" and said.get("href") and "download" not in said else []
        self.links += [said["action"]] if tag == "form" and said.get("method") == "get" else []
        kinds = sorted(said.get("class", "").split())
        self.shape.add(" ".join([tag, said.get("type", ""), said.get("role", ""), *kinds]))


def pages_of(app: FastAPI) -> Iterator[APIRoute]:
    """The addresses of pages that can be opened."""
    for route in app.router.routes:
        if isinstance(route, APIRoute) and AS_PAGES in route.dependencies and "GET" in (route.methods or ()):
            yield route


def route_of(app: FastAPI, address: str) -> str | None:
    """The page that an address leads to, as the app has it; None: it is none of ours."""
    path = address.partition("?")[0]
    asked = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return next((each.path for each in pages_of(app) if each.matches(asked)[0] is Match.FULL), None)


def _kind(who: str, address: str, route: str) -> tuple[str, str]:
    """What is opened once: a page without parts as each of the people, a form once for all.

    Numbers do not count, nor what a list is narrowed to: by what it is narrowed does.
    """
    path, _, asked = _NUMBERS.sub("#", address).partition("?")
    names = sorted(name for name, value in parse_qsl(asked, keep_blank_values=True))
    return ("" if route.count("{") > _ONE_OF_EACH else who, f"{path}?{'&'.join(names)}")
