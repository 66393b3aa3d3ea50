"""Whatever a route raises is answered as a problem (RFC 9457, docs/problems.md)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.keys.tokens import Principal
from engine.store.database import DATA_FAULTS
from schemas.values.actor import Actor
from schemas.values.refusals import say
from starter.http.authentication import acting
from starter.http.faults import faults_of
from starter.http.problems import Attempt, Problem, ProblemCode, bad_request, outside_the_books, shown

log = structlog.get_logger()

KeepAttempt = Callable[[Actor, Attempt], Awaitable[None]]
"""(who, what): into the record of refusals. Raises Problem while the database is away."""


def add_problem_handlers(app: FastAPI, keep_attempt: KeepAttempt) -> None:
    """Let an app answer with problems. What somebody tried and may not do is kept by `keep_attempt`."""

    async def keep(request: Request, attempt: Attempt) -> None:
        """Who tried what. Without a database the log alone has it."""
        principal: Principal | None = getattr(request.state, "principal", None)
        if principal is None:
            return
        tried = attempt.command or f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
        try:
            await keep_attempt(acting(principal), replace(attempt, command=tried))
        except Problem:
            log.warning("attempt_not_kept", code=attempt.code, command=tried, role=principal.role)

    async def on_problem(request: Request, problem: Exception) -> Response:
        if not isinstance(problem, Problem):
            raise problem
        response = shown(request, problem)
        if problem.attempt is not None:
            # After the answer: how long it takes must not tell a case that is hidden from one that is not there.
            response.background = BackgroundTask(keep, request, problem.attempt)
        return response

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, _on_bad_parameters)
    app.add_exception_handler(HTTPException, _on_http)
    for fault in DATA_FAULTS:
        app.add_exception_handler(fault, _on_data)


async def _on_bad_parameters(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return shown(request, bad_request(faults_of(error.errors(), skip=1)))


async def _on_data(request: Request, error: Exception) -> Response:
    return shown(request, outside_the_books(error))


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = headers.get("Allow", headers.get("allow", ""))
        detail = say(f"此地址只支持:{allowed}", f"this address takes: {allowed}")
        return Problem(ProblemCode.METHOD_NOT_ALLOWED, detail, headers=headers).response(request)
    detail = say("没有此地址,见 /docs", "there is no such address; see /docs")
    return Problem(ProblemCode.NOT_FOUND, detail).response(request)
