"""Signing in and out: by a link that `jiceng login` printed, with a token of the issuer, or as somebody of a demonstration."""

from ipaddress import ip_address

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.addresses import is_here
from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, SIGN_IN, page, see_other
from console.http.site import Site, SiteOf
from console.sign_in.demo_people import demo_people
from console.sign_in.entering import entered, refuse_in_the_open
from console.sign_in.issuer import EntranceOf
from console.sign_in.issuer_pages import SIGNED_OUT
from console.sign_in.sessions import LONGEST, SessionsOf
from console.sign_in.signed_in import forget_session, session_of
from engine.keys.token_errors import IssuerAway, TokenRefused
from schemas.values.refusals import RefusalCode, say
from starter.http.authentication import GuardOf
from starter.http.problems import Problem, issuer_away
from starter.intake.town_rules import TownRules, TownRulesOf

ONCE = f"{SIGN_IN}/once"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(SIGN_IN)
async def sign_in_page(request: Request, site: SiteOf, town: TownRulesOf, entrance: EntranceOf) -> Response:
    """How to sign in; in a demonstration, as whom."""
    at_issuer = entrance.issuer is not None
    return _page(request, site, town, wanted=request.query_params.get("next", ""), at_issuer=at_issuer)


@router.post(f"{SIGN_IN}/token")
async def sign_in_with_token(  # noqa: PLR0917 - what signing in asks
    request: Request, posted: PostedTexts, site: SiteOf, town: TownRulesOf, sessions: SessionsOf, guard: GuardOf
) -> Response:
    """With a token of the town's issuer, judged as everywhere; the session ends when it does, at the latest."""
    refuse_in_the_open(request, site)
    try:
        principal = await guard.verifier.check(posted.one("token").strip())
    except TokenRefused as refusal:
        return _page(request, site, town, wanted=posted.one("next"), fault=str(refusal), status=401)
    except IssuerAway:
        raise issuer_away() from None
    return await entered(request, sessions, principal, posted.one("next"))


@router.get(ONCE)
async def link_page(request: Request, sessions: SessionsOf, code: str = "") -> Response:
    """For whom a link is. Opened by a program that looks at links beforehand, it is not used up."""
    found = await sessions.who_is_let_in(code[:200])
    if found is None:
        raise _link_is_over()
    return page(request, "sign_in_once.html", who=found, code=code)


@router.post(ONCE)
async def sign_in_with_link(request: Request, posted: PostedTexts, site: SiteOf, sessions: SessionsOf) -> Response:
    """By a link, once."""
    refuse_in_the_open(request, site)
    found = await sessions.take_link(posted.one("code")[:200])
    if found is None:
        raise _link_is_over()
    return await entered(request, sessions, found, "")


@router.post(f"{SIGN_IN}/person")
async def sign_in_as_somebody(
    request: Request, posted: PostedTexts, site: SiteOf, town: TownRulesOf, sessions: SessionsOf
) -> Response:
    """As somebody of the demonstration, for whoever sits at this machine."""
    person = demo_people(town.departments).get(posted.one("person")) if _is_demo(request, site) else None
    if person is None:
        raise Problem(RefusalCode.NOT_YOUR_ROLE, say("此处不提供演示登录", "nobody signs in this way here"))
    return await entered(request, sessions, person.principal, posted.one("next"))


@router.post("/sign-out")
async def sign_out(request: Request, sessions: SessionsOf, entrance: EntranceOf) -> Response:
    """End the session of this browser, here and in the table; then at the issuer, where people sign in at one."""
    session = session_of(request)
    who = await sessions.find(session) if session else None
    if session and who is not None:
        await sessions.end(session, who.subject)
    answer = see_other(SIGN_IN if entrance.issuer is None else SIGNED_OUT)
    forget_session(request, answer)
    return answer


def _page(
    request: Request,
    site: Site,
    town: TownRules,
    *,
    wanted: str,
    at_issuer: bool = False,
    fault: str = "",
    status: int = 200,
) -> Response:
    people = demo_people(town.departments).values() if _is_demo(request, site) else ()
    return page(
        request,
        "sign_in.html",
        status,
        people=list(people),
        fault=fault,
        at_issuer=at_issuer,
        wanted=wanted if is_here(wanted) else "",
        hours=int(LONGEST.total_seconds()) // 3600,
    )


def _is_demo(request: Request, site: Site) -> bool:
    """A demonstration, asked by somebody at this machine: from its own address, to its own address."""
    client = request.client.host if request.client is not None else ""
    return (
        site.demo_sign_in and _is_loopback(client) and (request.url.hostname or "") in {"localhost", "127.0.0.1", "::1"}
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _link_is_over() -> Problem:
    return Problem(
        RefusalCode.NOT_YOUR_ROLE,
        say(
            "登录链接已使用或已超过60秒,请重新生成",
            "this link was used, or is older than 60 seconds: run `jiceng login` again",
        ),
    )
