"""What every way of signing in ends with: a new session in this browser, and on to where somebody wanted to go."""

from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response

from console.http.addresses import is_here
from console.http.pages import HOME, see_other
from console.http.site import Site
from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import session_of, set_session
from engine.keys.tokens import Principal
from schemas.values.refusals import RefusalCode, say
from starter.http.problems import Problem

log = structlog.get_logger()


async def entered(request: Request, sessions: Sessions, principal: Principal, wanted: str) -> Response:
    """A new session with a new id, and on to where somebody wanted to go: an address of this site, or the inbox.

    The session that this browser had ends: nobody who knew its id is signed in with the new one.
    """
    if principal.expires_at <= datetime.now(UTC):
        raise Problem(RefusalCode.NOT_YOUR_ROLE, say("登录凭证已过期", "the token has expired"))
    if before := session_of(request):
        await sessions.end(before, principal.subject)
    answer = see_other(wanted if is_here(wanted) else HOME)
    set_session(request, answer, await sessions.open(principal))
    log.info("signed_in", role=principal.role)
    return answer


def refuse_in_the_open(request: Request, site: Site) -> None:
    """A session over plain http could be read on the way; only a town on this machine has no way."""
    if request.url.scheme != "https" and not site.local:
        raise Problem(
            RefusalCode.OUT_OF_PLACE,
            say(
                "登录须经加密连接,请联系系统管理员核对代理设置",
                "signing in needs https; name the proxy in front in JICENG_TRUSTED_PROXIES",
            ),
        )
