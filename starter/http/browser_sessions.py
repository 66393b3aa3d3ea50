"""Who is signed in with a browser, for what a page asks of the API by itself: told by whoever serves the pages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from starlette.requests import Request

from engine.keys.tokens import Principal
from starter.http.dependencies import dependency


async def _nobody(_: Request) -> Principal | None:
    return None


@dataclass(frozen=True)
class BrowserSessions:
    """`find`: who has the session that comes with a request; None: nobody, as everywhere without pages. Raises Problem 503."""

    find: Callable[[Request], Awaitable[Principal | None]] = _nobody


BrowserSessionsOf = Annotated[BrowserSessions, dependency(BrowserSessions)]
