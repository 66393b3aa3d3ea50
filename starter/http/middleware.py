"""Around every request: an id, a line in the log, a count, and an answer also to what nobody expected."""

import re
import time
import uuid

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.runtime.logging import where
from schemas.values.refusals import say
from starter.http.counts import Counts
from starter.http.parameters import CASE_ID
from starter.http.problems import Problem, ProblemCode, shown, too_many_requests
from starter.http.rates import Rates
from starter.http.senders import address_of

log = structlog.get_logger()
REQUEST_ID_HEADER = "X-Request-Id"
PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What an HTML page of ours may load and run: nothing. One with a form says its own."""

_SAFE_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""On every answer that does not say otherwise: what the API answers is nobody's page and stays in nobody's cache."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Requests:
    """The outermost of our own layers. A request id of the caller is taken over when it has the right form."""

    def __init__(self, app: ASGIApp, counts: Counts, rates: Rates, hsts_seconds: int = 0) -> None:
        """`rates` are those of addresses. `hsts_seconds`: so long browsers come by https only; 0 says nothing of it."""
        self._app = app
        self._rates = rates
        self._counts = counts
        hsts = (b"strict-transport-security", f"max-age={hsts_seconds}".encode())
        self._headers = (*_SAFE_HEADERS, hsts) if hsts_seconds else _SAFE_HEADERS

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
                safe = [header for header in self._headers if header[0] not in said]
                message["headers"] = [*message["headers"], own, *safe]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                pause = None if scope["path"] in _NOT_COUNTED else self._rates.take(address_of(scope))
                if pause is None:
                    await self._app(scope, receive, send_with_id)
                else:
                    await too_many_requests(pause).response(Request(scope))(scope, receive, send_with_id)
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
        named = scope.get("path_params", {}).get("case_id") if status not in {0, 404} else None
        # Whoever asks writes the address: what has not the form of a number is not for a log.
        case_id = named if isinstance(named, str) and CASE_ID.fullmatch(named) else None
        log.info(
            "request",
            method=method,
            route=route,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            **({"case_id": case_id} if case_id else {}),
        )


_NOT_COUNTED = frozenset({"/healthz", "/readyz"})
"""What watches the API must not take it for dead because others ask too much."""


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _internal:  # noqa: N801 - an ASGI answer, used like a function
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(
            ProblemCode.INTERNAL,
            say(
                "系统内部错误,请凭请求编号联系管理员", "a fault of the system; give the request id to the administrator"
            ),
        )
        request = Request(scope)
        try:
            answer = shown(request, problem)
        except Exception:  # noqa: BLE001 - whatever keeps a page from being drawn, there is an answer
            answer = problem.response(request)
        await answer(scope, receive, send)
