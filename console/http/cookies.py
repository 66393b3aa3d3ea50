"""Cookies of the console: no script reads one, and no other site's form sends one along."""

from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

SECURE = "__Host-"
"""With a name that begins so, browsers take a cookie over https alone, and from this very host."""


@dataclass(frozen=True)
class Cookie:
    """A cookie by its name, and how long a browser keeps it.

    Over http, which only a town on this machine is reached by, it has the name alone; so has one that gives nobody anything
    (`guarded=False`).
    """

    name: str
    lasts: timedelta
    guarded: bool = True

    def of(self, request: Request) -> str | None:
        """What the browser has."""
        return request.cookies.get(self._name(request))

    def give(self, request: Request, answer: Response, value: str) -> None:
        """Let the browser have it."""
        answer.set_cookie(
            self._name(request),
            value,
            max_age=int(self.lasts.total_seconds()),
            path="/",
            secure=_is_secure(request),
            httponly=True,
            samesite="lax",
        )

    def forget(self, request: Request, answer: Response) -> None:
        """Take it back."""
        answer.delete_cookie(self._name(request), path="/", secure=_is_secure(request), httponly=True, samesite="lax")

    def _name(self, request: Request) -> str:
        return f"{SECURE}{self.name}" if self.guarded and _is_secure(request) else self.name


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
