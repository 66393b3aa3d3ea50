"""Around every request: an id, a line in the log, a count, and an answer also to what nobody expected."""

import re
import time
import uuid

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.logging import where
from schemas.refusals import say
from starter.counts import Counts
from starter.problems import Problem, ProblemCode

log = structlog.get_logger()
REQUEST_ID_HEADER = "X-Request-Id"
_SAFE_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Requests:
    """The outermost of our own layers. A request id of the caller is taken over when it has the right form."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Request(scope).headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (REQUEST_ID_HEADER.lower().encode(), request_id.encode())
                said = {name for name, _ in message["headers"]}
                safe = [header for header in _SAFE_HEADERS if header[0] not in said]
                message["headers"] = [*message["headers"], own, *safe]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                # Type and place only: the words of an exception may quote what somebody sent.
                log.error("request_failed", error=type(error).__name__, where=where(error))  # noqa: TRY400 - as above
                if status:
                    raise
                await _internal()(scope, receive, send_with_id)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._counts.request(method, route, status, seconds)
        case_id = scope.get("path_params", {}).get("case_id") if status not in {0, 404} else None
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            **({"case_id": case_id} if case_id else {}),
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _internal:  # noqa: N801 - an ASGI answer, used like a function
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(
            ProblemCode.INTERNAL,
            say(
                "系统内部错误,请凭请求编号联系管理员", "a fault of the system; give the request id to the administrator"
            ),
        )
        await problem.response(Request(scope))(scope, receive, send)
