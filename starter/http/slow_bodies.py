"""Bodies that come slowly, or not at all: whoever sends one keeps to a least rate, on every address alike.

A body may take `body_grace_seconds`, and a second more for each `body_least_rate` bytes of it that have come. A telephone in a
village does that; somebody who sends four bytes and falls silent, or a byte a second, is told so (408) and let go.
"""

import asyncio
import time
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.values.refusals import say
from starter.http.problems import Problem, ProblemCode

STALLED_SECONDS = 60.0
"""So long one piece of an answer may wait for its reader to make room."""

LINGER_SECONDS = 2.0
"""So long what still comes of a body that was given up is read and thrown away before the connection is closed (RFC 9112, 9.6)."""


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
        began, came, whole, given_up = time.monotonic(), 0, False, False

        async def receive_in_time() -> Message:
            nonlocal came, whole, given_up
            if whole:
                return await receive()
            left = began + self._grace + came / self._rate - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    message = await receive()
            except TimeoutError:
                given_up = True
                raise too_slow() from None
            came += len(message.get("body", b""))
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def send_in_time(message: Message) -> None:
            last = given_up and message["type"] == "http.response.body" and not message.get("more_body", False)
            async with asyncio.timeout(STALLED_SECONDS):
                await send({**message, "more_body": True} if last else message)
            if last:
                await _linger(receive)
                await send({"type": "http.response.body", "body": b""})

        await self._app(scope, receive_in_time, send_in_time)


async def _linger(receive: Receive) -> None:
    """Let the sender read its answer: closing on bytes that nobody read would reset the connection and take the answer away."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive())["type"] == "http.request":
                pass


def too_slow() -> Problem:
    """Nothing was accepted. The connection is closed: what is still to come of the body is not waited for."""
    return Problem(
        ProblemCode.BODY_TOO_SLOW,
        say("内容发送过慢,请重新发送", "the body came too slowly or not whole; nothing was accepted, send it again"),
        headers={"Connection": "close"},
    )
