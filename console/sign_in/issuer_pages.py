"""统一登录: to the issuer and back. What is asked and answered on the way is bound to this browser (console/sign_in/begun.py)."""

import re
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.http.addresses import is_here
from console.http.cookies import Cookie
from console.http.pages import AS_PAGES, HEADERS, SIGN_IN, page
from console.http.site import SiteOf
from console.sign_in.begun import LASTS, SECRET, Begun, SignInsBegunOf
from console.sign_in.entering import entered, refuse_in_the_open
from console.sign_in.issuer import CodeRefused, Issuer, IssuerOf
from console.sign_in.issuer_client import BACK
from console.sign_in.sessions import LONGEST, SessionsOf
from engine.keys.token_errors import IssuerAway, TokenRefused
from engine.keys.tokens import Principal
from schemas.values.refusals import say
from starter.http.problems import issuer_away

log = structlog.get_logger()
ISSUER = f"{SIGN_IN}/issuer"
SIGNED_OUT = "/signed-out"
WANTED_CHARACTERS_MAX = 2000
CODE_CHARACTERS_MAX = 4096
_BROWSER = Cookie("jiceng-sign-in", LASTS)
_BARE_CODE = re.compile(r"[a-z_]{1,40}")
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


class _NotLetIn(Exception):
    """Nobody is signed in: why, for people, and a code for the log."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@router.get(ISSUER)
async def to_issuer(request: Request, site: SiteOf, issuer: IssuerOf, begun: SignInsBegunOf) -> Response:
    """Go to the issuer. A link and no form: browsers would hold a form's way on to what our pages may send to."""
    refuse_in_the_open(request, site)
    wanted, secret = request.query_params.get("next", ""), _BROWSER.of(request) or ""
    kept = wanted if is_here(wanted) and len(wanted) <= WANTED_CHARACTERS_MAX else ""
    one = await begun.begin(secret if SECRET.fullmatch(secret) else None, kept)
    try:
        answer = RedirectResponse(await issuer.way_in(one), 303, headers=HEADERS | {"Referrer-Policy": "no-referrer"})
    except IssuerAway:
        raise issuer_away() from None
    _BROWSER.give(request, answer, one.secret)
    return answer


@router.get(BACK)
async def from_issuer(
    request: Request, site: SiteOf, issuer: IssuerOf, begun: SignInsBegunOf, sessions: SessionsOf
) -> Response:
    """Back from the issuer, with a code, or with what was the matter there."""
    refuse_in_the_open(request, site)
    wanted = ""
    try:
        said = _said(request)
        one = Begun(said.get("state", ""), _BROWSER.of(request) or "")
        found = await begun.take(one.state, one.secret)
        if found is None:
            raise _is_over()
        wanted = found
        principal = await _who(issuer, said, one)
    except IssuerAway:
        raise issuer_away() from None
    except (_NotLetIn, TokenRefused) as refusal:
        log.info("sign_in_refused", reason=getattr(refusal, "code", ""))
        return page(request, "sign_in_refused.html", HTTPStatus.FORBIDDEN, fault=str(refusal), wanted=wanted)
    answer = await entered(request, sessions, principal, wanted)
    _BROWSER.forget(request, answer)
    return answer


@router.get(SIGNED_OUT)
async def signed_out(request: Request, issuer: IssuerOf) -> Response:
    """Signed out here; the browser goes on to sign out at the issuer, if that offers it.

    Not by the answer to the form of signing out, which may lead to our own pages only; and not for a link of another site.
    """
    try:
        way_out = await issuer.way_out()
    except IssuerAway:
        way_out = None
    answer = page(request, "signed_out.html", way_out=way_out)
    if way_out is not None and request.headers.get("sec-fetch-site", "same-origin") == "same-origin":
        answer.headers["Refresh"] = f"0; url={way_out}"
    return answer


async def _who(issuer: Issuer, said: dict[str, str], one: Begun) -> Principal:
    """Who has signed in; the session is ours, so it lasts as long as ours do and not as long as the token."""
    if not await issuer.names_itself(said.get("iss")):
        raise _NotLetIn(
            "foreign-issuer", say("登录答复不是来自本系统认可的机构", "the answer is not from the issuer of this town")
        )
    if "error" in said:
        raise _not_let_in(said["error"])
    try:
        principal = await issuer.who_has(said["code"], one)
    except CodeRefused:
        raise _NotLetIn(
            "code-refused",
            say("统一登录未认可此次登录,请重新登录", "the issuer does not know this sign-in; begin again"),
        ) from None
    return principal.model_copy(update={"expires_at": datetime.now(UTC) + LONGEST})


def _said(request: Request) -> dict[str, str]:
    """What stands in the address. Raises Problem: something twice, or beyond all measure, as no issuer writes it."""
    pairs = request.query_params.multi_items()
    said = dict(pairs)
    if len(said) != len(pairs) or any(len(value) > CODE_CHARACTERS_MAX for value in said.values()):
        raise _is_over()
    if not said.get("code") and "error" not in said:
        raise _is_over()
    return said


def _is_over() -> _NotLetIn:
    return _NotLetIn(
        "sign-in-over",
        say(
            "此次登录已使用、已超过10分钟,或不是在本浏览器中开始,请重新登录",
            "this sign-in was used, is older than ten minutes, or was begun in another browser; begin again",
        ),
    )


def _not_let_in(error: str) -> _NotLetIn:
    """What was the matter at the issuer: its code alone, for its words are anybody's who writes an address."""
    if error == "access_denied":
        return _NotLetIn(
            "cancelled", say("您已取消登录,或账号无权登录", "signing in was cancelled, or this account may not")
        )
    code = error if _BARE_CODE.fullmatch(error) else "error"
    return _NotLetIn("issuer-error", say(f"统一登录未完成({code})", f"the issuer did not sign you in ({code})"))
