"""Pages: templates filled in, with the headers of every page; problems shown as pages; and nothing taken from another site."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Depends
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.http.assets import address_of
from console.http.file_words import file_words
from console.http.languages import Language, Pairs, speaking
from console.http.look import look_of, way_back
from console.http.site import Site
from engine.keys.tokens import Principal
from schemas.clocks.calendar import in_shanghai
from schemas.kernel.screen_words import FACTS, role_said
from schemas.values.actor import OWN_CASES_ONLY
from schemas.values.both import Both, spoken, titled, together
from schemas.values.money import yuan
from schemas.values.refusals import RefusalCode, in_both, say
from schemas.words.day_count_words import moment
from starter.http.dependencies import provided
from starter.http.problems import TOKEN_KIND, Problem

TEMPLATES = Path(__file__).parents[1] / "templates"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""What a page of ours may load: our styles and pictures. There is no script, so none may run."""

STAFF_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'"
"""The same of pages for whoever is signed in, and of the one where a ballot is taken: our scripts too; they ask this site alone.
What the page itself holds never runs."""

HTMX = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "historyEnabled": False,
    "historyCacheSize": 0,
    "selfRequestsOnly": True,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "401", "swap": True, "error": True},
        {"code": "[45]..", "swap": False, "error": True},
    ],
}
"""How htmx behaves: it runs nothing that is text, adds no style, and leaves no page behind in the browser."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # with none at all a browser hides from us where our own form is from
    "Cache-Control": "no-store",
}
SIGN_IN = "/sign-in"
HOME = "/inbox"
_ENGLISH, _MARKED = 'class="town-en"', 'class="town-en" lang="en"'
"""English stands beside the Chinese: read aloud as what it is. Told once, here; a text that somebody wrote has no such mark."""

_SAFE = frozenset({"GET", "HEAD"})


def page(
    request: Request, template: str, status: int = HTTPStatus.OK, *, scripted: bool = False, **filled: Any
) -> Response:
    """A template filled in, as its reader wants pages to look. Whoever is signed in stands in its head.

    `scripted`: a page for everybody that has a script of ours.
    """
    principal: Principal | None = getattr(request.state, "principal", None)
    site = provided(request.app, Site)
    home = HOME if principal else "/" if "public" in site.serves else SIGN_IN
    look = look_of(request)
    text = (
        ENVIRONMENTS[look.language]
        .get_template(template)
        .render(
            principal=principal,
            path=request.url.path,
            site=site,
            home=home,
            look=look,
            back_here=way_back(request, home, went_wrong=status >= HTTPStatus.BAD_REQUEST),
            **filled,
        )
    )
    text = text.replace(_ENGLISH, _MARKED)
    policy = STAFF_POLICY if scripted or principal is not None else POLICY
    return Response(text, int(status), headers=HEADERS | {"Content-Security-Policy": policy}, media_type="text/html")


def part_of_page(template: str, language: Language, **filled: Any) -> Markup:
    """A part that is the same for every reader of this language, to be kept and put into pages."""
    return Markup(ENVIRONMENTS[language].get_template(template).render(**filled))  # noqa: S704 - a template escapes what it is given


def loads_again(answer: Response, seconds: int) -> Response:
    """A page that its browser loads anew after so many seconds; not by a tag in it, which nobody could stop."""
    answer.headers["Refresh"] = str(seconds)
    return answer


def see_other(address: str) -> Response:
    """Go there now, by GET: so that going back or loading again sends nothing twice."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, headers=HEADERS)


def is_part(request: Request) -> bool:
    """Whether a page of ours asks for a part of itself (htmx), and not a browser for a page."""
    return request.headers.get("hx-request") == "true"


async def _as_pages(request: Request) -> None:
    """For every route of pages: problems are shown as pages, and what changes something comes from a page of ours."""
    request.state.shows_problem = show_problem
    if request.method not in _SAFE and not _is_ours(request):
        raise Problem(
            RefusalCode.OUT_OF_PLACE,
            say("提交来自其他网站,未受理", "this was sent by a page of another site; nothing was done"),
        )


AS_PAGES = Depends(_as_pages)


def _is_ours(request: Request) -> bool:
    """Whether a page of this very site sent it: by the browser's own word, which no page can write; of older ones by Origin."""
    said = request.headers.get("sec-fetch-site")
    if said is not None:
        return said == "same-origin"
    return request.headers.get("origin") == f"{request.url.scheme}://{request.headers.get('host', '')}"


def show_problem(request: Request, problem: Problem) -> Response:
    """A problem as a page. Who has to sign in first is sent there; what they typed stays in their hands."""
    signed_out = problem.kind is TOKEN_KIND
    part = is_part(request)
    if signed_out and request.method in _SAFE and not part:
        return see_other(f"{SIGN_IN}?{_next(request)}")
    posted = getattr(request.state, "posted", None)
    answer = page(
        request,
        "problem_part.html" if part else "problem.html",
        problem.kind.status,
        problem=problem,
        signed_out=signed_out,
        draft=getattr(request.state, "draft", None),
        kept=[] if posted is None else list(posted.pairs()),
        request_id=request.scope.get("request_id", ""),
    )
    answer.headers.update(problem.headers)
    return answer


def _next(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return urlencode({"next": f"{request.url.path}{query}"})


def shown_moment(at: datetime | None) -> str:
    """A moment as every page writes it: by the clocks of the town, to the minute; blank for none."""
    return "" if at is None else moment(in_shanghai(at).replace(second=0, microsecond=0))


def _beginning(at: datetime | None) -> str:
    """A moment from which something is counted: midnight is the beginning of its day, not the end of the one before."""
    return "" if at is None else f"{in_shanghai(at):%Y-%m-%d %H:%M}"


def _exact(at: datetime | None) -> str:
    """To the second, as the town's clocks show it: for auditors, and for those who look for a fault."""
    return "" if at is None else moment(in_shanghai(at).replace(microsecond=0))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=[Pairs],
    )
    filters: Mapping[str, Any] = {
        "moment": shown_moment,
        "beginning": _beginning,
        "exact": _exact,
        "yuan": yuan,
        "zip": zip,
        "in_both": in_both,
        "spoken": spoken,
    }
    environment.filters.update(filters)
    environment.globals.update(
        asset=address_of,
        role_words=role_said,
        together=together,
        titled=titled,
        own_cases_only=OWN_CASES_ONLY,
        optional=Both("选填", "optional"),
        YUAN=Both("元", "yuan", "元"),
        file_words=file_words,
        told_facts={code: Both(word, spoken(code), word) for code, word in FACTS.items()},
        htmx_config=json.dumps(HTMX),
    )
    return environment


ENVIRONMENTS = speaking(_environment)
"""One for each language that a page may be in."""
