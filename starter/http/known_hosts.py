"""By which names this server is called. A page that points its own name at our address (DNS rebinding) gets nothing.

For servers that a browser can reach without a proxy in front that looks at names: those of a town on one machine.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.values.refusals import say
from starter.http.problems import Problem, ProblemCode


class KnownHosts:
    """Refuses what names another host, or comes from a page of another; `hosts` with commas, without ports. None: any."""

    def __init__(self, app: ASGIApp, hosts: str) -> None:
        self._app = app
        self._hosts = frozenset(_name(each.strip()) for each in hosts.split(",") if each.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._hosts:
            request = Request(scope)
            if not self._knows(request.headers.getlist("host"), request.headers.getlist("origin")):
                await _unknown_host().response(request)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _knows(self, hosts: list[str], origins: list[str]) -> bool:
        named = [_name(host) for host in hosts] + [_name(urlsplit(origin).netloc) for origin in origins]
        return len(hosts) == 1 and all(name in self._hosts for name in named)


def _name(host: str) -> str:
    """Without the port and in small letters; blank where it has no such form."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if "@" not in host else ""
    except ValueError:
        return ""


def _unknown_host() -> Problem:
    return Problem(
        ProblemCode.UNKNOWN_HOST,
        say("请使用本系统公布的地址访问", "this server is not called so; use the address that it was announced by"),
    )
