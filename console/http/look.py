"""How somebody wants the pages: large (长辈版), in Chinese or English alone. Kept in a cookie, and changed without a script."""

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from console.http.cookies import Cookie
from console.http.languages import Language

COOKIE = "jiceng-look"
LOOK = "/look"
ELDER = "elder"
_LOOK = Cookie(COOKIE, timedelta(days=365), guarded=False)
_WORDS_AT_MOST = 8
_ALONE = frozenset({Language.CHINESE, Language.ENGLISH})


@dataclass(frozen=True)
class Look:
    """`elder`: large type and targets, one question at a time. `language`: both beside each other, or one of them alone."""

    elder: bool = False
    language: Language = Language.BOTH

    @property
    def written(self) -> str:
        """As it stands in the cookie; blank for the usual one."""
        return ".".join(word for word in (ELDER if self.elder else "", self.language) if word)

    def switched(self, word: str) -> "Look":
        """The other way about in what a button names; the same where it names nothing that there is."""
        if word == ELDER:
            return replace(self, elder=not self.elder)
        if word not in _ALONE:
            return self
        return replace(self, language=Language.BOTH if self.language == word else Language(word))


def look_of(request: Request) -> Look:
    """What this browser was asked to show. Whatever else stands in the cookie says nothing."""
    words = (_LOOK.of(request) or "").split(".")[:_WORDS_AT_MOST]
    alone = next((word for word in words if word in _ALONE), Language.BOTH)
    return Look(elder=ELDER in words, language=Language(alone))


def keep_look(request: Request, answer: Response, look: Look) -> None:
    """Have the browser remember it for a year. It says nothing of anybody, and no script reads it."""
    _LOOK.give(request, answer, look.written)


def way_back(request: Request, home: str, *, went_wrong: bool) -> str:
    """The page that somebody is on, as an address that can be opened again; `home` where there is none.

    What came with an address that `went_wrong` is repeated nowhere: it may be what only an issuer and we are to know.
    """
    query = request.query_params.multi_items()
    here = f"{request.url.path}?{urlencode(query)}" if query else request.url.path
    if request.method in {"GET", "HEAD"}:
        return home if went_wrong else here
    asked = {**request.scope, "method": "GET"}
    opens = any(route.matches(asked)[0] is Match.FULL for route in request.app.router.routes)
    return request.url.path if opens else home
