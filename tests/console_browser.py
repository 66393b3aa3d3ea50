"""A browser without scripts, for the console: it keeps a cookie, reads the forms of a page, fills them in and sends them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx

from console.forms.sheet import MORE
from console.http.look import COOKIE
from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import LOCAL_COOKIE
from engine.keys.tokens import Principal

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
Texts = dict[str, list[str]]


@dataclass
class Form:
    """A form of a page: where it is sent, what stands in it, and what may be chosen in it."""

    action: str
    texts: Texts = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    options: dict[str, set[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def fill(self, texts: Mapping[str, Sequence[str]]) -> None:
        """Write texts into it. Raises LookupError: it has no such field, or no such choice."""
        for name, values in texts.items():
            if name not in self.names:
                raise LookupError(f"{self.action} has no field {name}; there are {sorted(self.names)}")
            if missing := set(values) - self.options.get(name, set(values)):
                raise LookupError(f"{self.action}: {name} offers no {missing}")
            self.texts[name] = list(values)


class Forms(HTMLParser):
    """Reads the forms of a page, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._form: Form | None = None
        self._area: str | None = None
        self._select: str | None = None
        self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name, value = said.get("name") or "", said.get("value") or ""
        if tag == "form":
            self._form = Form(said.get("action") or "")
            self.found.append(self._form)
        elif self._form is None:
            return
        elif tag == "input" and name:
            self._input(self._form, said.get("type") or "text", name, value, chosen="checked" in said)
        elif tag == "button":
            self._form.buttons.append((name, value))
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "select":
            self._select = name
            self._form.names.add(name)
            self._form.options[name] = set()
        elif tag == "option" and self._select is not None:
            self._form.options[self._select].add(value)
            if "selected" in said:
                self._form.texts[self._select] = [value]

    def _input(self, form: Form, kind: str, name: str, value: str, *, chosen: bool) -> None:
        form.names.add(name)
        if kind in {"radio", "checkbox"}:
            if kind == "radio" or not value.startswith("{"):
                form.options.setdefault(name, set()).add(value)
            if chosen:
                form.texts.setdefault(name, []).append(value)
        elif kind != "file":
            form.texts.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None and self._form is not None:
            self._form.names.add(self._area)
            # The line break behind the tag is the tag's: so a text may begin with one of its own.
            self._form.texts.setdefault(self._area, []).append(self._text.removeprefix("\n"))
            self._area = None
        elif tag == "select":
            self._select = None
        elif tag == "form":
            self._form = None


@dataclass
class Browser:
    """Somebody's browser at the console of a town; `look`: as they want pages."""

    http: httpx.AsyncClient
    session: str | None = None
    look: str = ""

    async def get(self, address: str) -> httpx.Response:
        """Open a page."""
        return await self.http.get(address, headers=self._headers())

    async def form(self, address: str, number: int = 0) -> Form:
        """A form of a page that can be opened."""
        answer = await self.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {_said(answer)}"
        return Forms(answer.text).found[number]

    async def filled(self, form: Form, texts: Texts) -> Form:
        """The form with these texts in it; where there are more rows of something than it shows, one more is asked for."""
        while missing := [
            name for name in texts if name not in form.names and any(part.isdecimal() for part in name.split("."))
        ]:
            form.fill({name: each for name, each in texts.items() if name in form.names})
            answer = await self.send(form, (MORE, missing[0].partition(".")[0]))
            again = main_form(answer.text)
            assert again.names > form.names, f"{form.action} has no more rows for {missing[0]}"
            form = again
        form.fill(texts)
        return form

    async def send(self, form: Form, button: tuple[str, str] | None = None, **headers: str) -> httpx.Response:
        """Press a button of a form; the first one is the one without a name."""
        texts = form.texts | ({button[0]: [button[1]]} if button else {})
        return await self.http.post(
            form.action,
            content=urlencode([(name, text) for name, values in texts.items() for text in values]).encode(),
            headers=self._headers() | SAME_ORIGIN | {"Content-Type": "application/x-www-form-urlencoded"} | headers,
        )

    def _headers(self) -> dict[str, str]:
        kept = {LOCAL_COOKIE: self.session, COOKIE: self.look}
        said = "; ".join(f"{name}={value}" for name, value in kept.items() if value)
        return {"Cookie": said} if said else {}


def _said(answer: httpx.Response) -> str:
    return answer.text.partition("<main")[2][:1500]


def main_form(page: str) -> Form:
    """The form of a page of the console, beside that by which one signs out."""
    return next(form for form in Forms(page).found if form.action != "/sign-out")


async def signed_in(http: httpx.AsyncClient, sessions: Sessions, principal: Principal) -> Browser:
    """The browser of somebody who has signed in."""
    return Browser(http, await sessions.open(principal))


def written(body: Mapping[str, Any], place: str = "") -> Texts:
    """A body as somebody writes it into a form: money in yuan, each thing by the place where it stands."""
    found: Texts = {}
    for name, value in body.items():
        found |= _written(value, f"{place}.{name}".removeprefix("."))
    return found


def _written(value: Any, place: str) -> Texts:
    if isinstance(value, Mapping):
        return _mapping(value, place)
    if isinstance(value, list | tuple):
        return _several(value, place)
    if isinstance(value, bool):
        return {place: [str(value).lower()]}
    if isinstance(value, int) and place.endswith("_fen"):
        return {place: [f"{value // 100}.{value % 100:02d}"]}
    return {} if value is None else {place: [str(value)]}


def _mapping(value: Mapping[str, Any], place: str) -> Texts:
    if {"reference", "sha256"} <= set(value) or "holidays" in value:
        return {place: [json.dumps(value)]}
    if place != "facts":
        return written(value, place)
    pairs = [(f"{place}.{row}", name, number) for row, (name, number) in enumerate(value.items())]
    return {f"{row}.name": [name] for row, name, _ in pairs} | {
        f"{row}.number": [str(number)] for row, _, number in pairs
    }


def _several(value: Sequence[Any], place: str) -> Texts:
    if not value:
        return {}
    if isinstance(value[0], Mapping) and "reference" not in value[0]:
        return {name: text for row, each in enumerate(value) for name, text in _written(each, f"{place}.{row}").items()}
    return {place: [text for each in value for text in _written(each, place)[place]]}
