"""The page of the ballot box on which the choice is made: by the box alone, so that no page of the town ever holds a choice.

    GET /<code>/vote/<id>?lang=zh|en&look=elder#<serial>.<signature>

The ballot stands behind `#`: a browser sends that to nobody. The page has what the town told of the question (`VoteWords`), a
script and a style of its own, and loads nothing from elsewhere. It asks for no cookie and says where it came from to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from schemas.contracts.ballot_box import BallotBody, VoteWords

FOLDER = Path(__file__).parent / "page"
TYPES: Mapping[str, str] = {"vote.css": "text/css; charset=utf-8", "vote.js": "text/javascript; charset=utf-8"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
ENGLISH, CHINESE, ELDER = "en", "zh", "elder"


@dataclass(frozen=True)
class _Tongue:
    """In what the page is: both languages beside each other, or one alone."""

    lang: str

    def both(self, zh: str, en: str) -> Markup:
        """Words of the page."""
        if self.lang == ENGLISH:
            return Markup.escape(en)
        if self.lang == CHINESE:
            return Markup.escape(zh)
        return Markup('{} <span class="en" lang="en">{}</span>').format(zh, en)

    def say(self, zh: str, en: str) -> str:
        """The same where no mark can stand."""
        return {ENGLISH: en, CHINESE: zh}.get(self.lang, f"{zh} {en}")


def vote_page(request: Request, opened: BallotBody, words: VoteWords | None, *, is_open: bool) -> Response:
    """The page of a vote; of one that is closed the place where a receipt is looked up."""
    lang = request.query_params.get("lang", "")
    tongue = _Tongue(lang if lang in {ENGLISH, CHINESE} else "")
    base = request.url.path.rpartition("/vote/")[0]
    told = {} if words is None else words.choices
    text = (
        _environment()
        .get_template("vote.html")
        .render(
            lang=tongue.lang,
            large=request.query_params.get("look") == ELDER,
            assets=f"{base}/page",
            votes=f"{base}/ballots/{opened.ballot_id}",
            ballot=opened.ballot_id,
            question=None if words is None else words.question,
            most=opened.choices_at_most,
            open=is_open,
            choices=[
                (code, tongue.both(told[code].zh, told[code].en) if code in told else code) for code in opened.choices
            ],
            both=tongue.both,
            say=tongue.say,
        )
    )
    return Response(text, headers=HEADERS, media_type="text/html")


def page_file(name: str) -> Response | None:
    """The script or the style; None: there is no such file."""
    if name not in TYPES:
        return None
    return Response((FOLDER / name).read_bytes(), headers=HEADERS, media_type=TYPES[name])


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
