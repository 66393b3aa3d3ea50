"""Who is signed in, for administrators of the whole town: they end the sessions of an account, and these end at once."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.sessions import SessionsOf
from console.sign_in.signed_in import SignedIn
from engine.keys.tokens import Principal
from schemas.values.actor import Role
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.http.problems import refused

SESSIONS = "/sessions"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(SESSIONS)
async def session_list(request: Request, caller: SignedIn, sessions: SessionsOf) -> Response:
    """Every account that is signed in now."""
    _refuse_unless_administrator(caller, "read_sessions")
    return page(request, "sessions.html", accounts=await sessions.living())


@router.post(f"{SESSIONS}/end")
async def end_sessions(caller: SignedIn, posted: PostedTexts, sessions: SessionsOf) -> Response:
    """Sign an account out everywhere."""
    _refuse_unless_administrator(caller, "end_sessions")
    await sessions.end_all_of(posted.one("subject"), caller.subject)
    return see_other(SESSIONS)


def _refuse_unless_administrator(caller: Principal, act: str) -> None:
    if caller.role is not Role.ADMIN or caller.area is not None:
        detail = say("仅供全市系统管理员", "this is for administrators of the whole town")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command=act))
