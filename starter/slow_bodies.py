"""Bodies that come slowly, or not at all: whoever sends one keeps to a least rate, on every address alike.

A body may take `body_grace_seconds`, and a second more for each `body_least_rate` bytes of it that have come. A telephone in a
village does that; somebody who sends four bytes and falls silent, or a byte a second, is told so (408) and let go.
"""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.refusals import say
from starter.problems import Problem, ProblemCode

STALLED_SECONDS = 60.0
"""So long one piece of an answer may wait for its reader to make room."""


class SlowBodies:
    """Goes around everything that reads a body."""

    def __init__(self, app: ASGIApp, grace_seconds: float, least_rate: float) -> None:
        """`least_rate`: bytes per second."""
        self._app = app
        self._grace = grace_seconds
        self._rate = least_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, came, whole = time.monotonic(), 0, False

        async def receive_in_time() -> Message:
            nonlocal came, whole
            if whole:
                return await receive()
            left = began + self._grace + came / self._rate - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    message = await receive()
            except TimeoutError:
                raise too_slow() from None
            came += len(message.get("body", b""))
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(STALLED_SECONDS):
                await send(message)

        await self._app(scope, receive_in_time, send_in_time)


def too_slow() -> Problem:
    """Nothing was accepted. The connection is closed: what is still to come of the body is not waited for."""
    return Problem(
        ProblemCode.BODY_TOO_SLOW,
        say("内容发送过慢,请重新发送", "the body came too slowly or not whole; nothing was accepted, send it again"),
        headers={"Connection": "close"},
    )
