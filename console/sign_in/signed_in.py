"""Who is signed in with this browser: the cookie, and whoever has its session."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from console.drafts.drafts import ACTION, Drafts, DraftsOf, draft_id
from console.forms.sheet import BUTTONS, DRAFT
from console.http.cookies import SECURE, Cookie
from console.http.forms import read_posted
from console.sign_in.sessions import LONGEST, Sessions, SessionsOf
from engine.keys.token_errors import TokenMissing
from engine.keys.tokens import Principal
from starter.http.authentication import Guard, GuardOf
from starter.http.browser_sessions import BrowserSessions
from starter.http.problems import TOKEN_KIND, Problem, too_many_requests

LOCAL_COOKIE = "jiceng"
SECURE_COOKIE = f"{SECURE}{LOCAL_COOKIE}"
_SESSION = Cookie(LOCAL_COOKIE, LONGEST)


async def _signed_in(request: Request, sessions: SessionsOf, guard: GuardOf, drafts: DraftsOf) -> Principal:
    try:
        principal = await _found(request, sessions, guard)
    except Problem as problem:
        if request.method == "POST":
            request.state.posted = await read_posted(request)  # what was typed goes back to whoever typed it
            if problem.kind is TOKEN_KIND:
                request.state.draft = await _kept(request, sessions, guard, drafts)
        raise
    request.state.principal = principal  # for the head of the page, and for the record of refusals
    return principal


async def _perhaps(request: Request, sessions: SessionsOf, guard: GuardOf) -> Principal | None:
    try:
        principal = await _found(request, sessions, guard)
    except Problem as problem:
        if problem.kind is not TOKEN_KIND:
            raise
        return None
    request.state.principal = principal
    return principal


async def _unseen(request: Request, sessions: SessionsOf, guard: GuardOf) -> Principal:
    request.state.principal = await _found(request, sessions, guard, unseen=True)
    found: Principal = request.state.principal
    return found


async def _found(request: Request, sessions: Sessions, guard: Guard, *, unseen: bool = False) -> Principal:
    session = session_of(request)
    principal = await sessions.find(session, unseen=unseen) if session else None
    if principal is None:
        missing = TokenMissing()
        raise Problem(missing.code, str(missing))
    await _refuse_too_many(guard, principal.subject)
    return principal


async def _kept(request: Request, sessions: Sessions, guard: Guard, drafts: Drafts) -> str | None:
    """Keep what was typed for the account whose session ran out meanwhile; the draft's id. None: it cannot be kept.

    The cookie is as good a proof of whose text it is as it was of who is signed in, and lets nobody read anything.
    """
    session, posted, path = session_of(request), request.state.posted, request.url.path
    draft = draft_id(posted.one(DRAFT))
    if not session or draft is None or not ACTION.fullmatch(path):
        return None
    try:
        subject = await sessions.whose_was(session)
        if subject is None:
            return None
        await _refuse_too_many(guard, subject)
        await drafts.keep(
            subject, draft, path, {name: each for name, each in posted.texts.items() if name not in BUTTONS}
        )
    except Problem:
        return None
    return str(draft)


async def _refuse_too_many(guard: Guard, subject: str) -> None:
    if (pause := await guard.rates.take(subject)) is not None:
        raise too_many_requests(pause)


SignedIn = Annotated[Principal, Depends(_signed_in)]
"""Whoever is signed in. Raises Problem: nobody is, which becomes the way to the sign-in page."""

PerhapsSignedIn = Annotated[Principal | None, Depends(_perhaps)]
"""The same of a page that is for everybody, and shows more to whoever is signed in."""

SignedInUnseen = Annotated[Principal, Depends(_unseen)]
"""The same for what a page asks for by itself: the session is not kept alive by it."""


def browser_sessions(sessions: Sessions) -> BrowserSessions:
    """The sessions of the console for what a page asks of the API by itself: the Temporal UI of its codec."""

    async def find(request: Request) -> Principal | None:
        session = session_of(request)
        return await sessions.find(session) if session else None

    return BrowserSessions(find)


def session_of(request: Request) -> str | None:
    """The id in the cookie."""
    return _SESSION.of(request)


def set_session(request: Request, answer: Response, session: str) -> None:
    """Give the browser its id: no script reads it, and no other site's form sends it along."""
    _SESSION.give(request, answer, session)


def forget_session(request: Request, answer: Response) -> None:
    """Take it back."""
    _SESSION.forget(request, answer)
