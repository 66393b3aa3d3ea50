"""/healthz: the process answers. /readyz: what it needs answers too. /metrics: for Prometheus."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import asyncpg
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from engine.execution.temporal_token import days_left
from engine.keys.token_errors import TokenMissing
from engine.runtime.metrics_token import watches
from engine.runtime.settings import Settings
from engine.store.archive import Lag, archive_lag
from engine.store.database import AWAY, Queries
from engine.store.webhook_books import Standing, standings
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.http.counts import Counts
from starter.http.dependencies import dependency
from starter.http.problems import Problem


class FigureQueries(Queries):
    """engine/queries/figures.sql."""

    figures: str


SQL = FigureQueries.load("figures")
router = APIRouter(tags=["operation"])
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Watch:
    """What whoever watches the process is told from. `backlog`: how much waits to be delivered, and for how many seconds."""

    settings: Settings
    pool: asyncpg.Pool
    counts: Counts
    now: Callable[[], datetime]
    temporal_answers: Callable[[], Awaitable[bool]]
    backlog: Callable[[], Awaitable[tuple[int, float]]]


WatchOf = Annotated[Watch, dependency(Watch)]


class Health(Model):
    """The process answers."""

    status: str


class Readiness(Model):
    """Whether all is there that the API needs. Without Temporal it still accepts; without database not.

    Who shows the token of /metrics reads the rest; `warnings` are what still works, and will not if nobody looks.
    """

    status: str
    database: bool | None = None
    temporal: bool | None = None
    missing: list[str] | None = None
    warnings: list[str] | None = None


@router.get("/healthz", summary="Does the process answer?")
async def healthz() -> Health:
    """Also while everything else is away."""
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Is everything there that it needs?",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Something is missing"}},
)
async def readyz(request: Request, watch: WatchOf) -> Response:
    """200 when all is there, else 503. A warning alone stops nobody."""
    database, temporal = await asyncio.gather(_database_answers(watch), watch.temporal_answers())
    missing = [name for name, there in (("database", database), ("temporal", temporal)) if not there]
    status = "missing" if missing else "ready"
    if not _watches(request, watch):
        return _readiness(Readiness(status=status))
    lag = await _archive_lag(watch) if database else None
    warnings = [lag.warning] if lag and lag.warning else []
    body = Readiness(status=status, database=database, temporal=temporal, missing=missing, warnings=warnings)
    return _readiness(body)


def _readiness(body: Readiness) -> Response:
    status = 200 if body.status == "ready" else 503
    return Response(body.model_dump_json(exclude_none=True), status, media_type="application/json")


def _watches(request: Request, watch: Watch) -> bool:
    return watches(watch.settings, request.headers.get("authorization"))


@router.get("/metrics", summary="For Prometheus", include_in_schema=False)
async def metrics(request: Request, watch: WatchOf) -> Response:
    """Counters, for whoever shows the token of the town's watch; no personal data."""
    if not _watches(request, watch):
        detail = say("请出示监控令牌", "show the token that lies in the town's data folder: metrics-token")
        raise Problem(TokenMissing.code, detail, headers={"WWW-Authenticate": 'Bearer realm="jiceng"'})
    try:
        watch.counts.backlog(*await watch.backlog())
    except AWAY:
        watch.counts.backlog(-1, -1)  # not known: the database is away
    watch.counts.figures(*await _figures(watch))
    for each in await _webhooks(watch):
        watch.counts.webhook(each.subscription, each.waiting, each.oldest_seconds, each.given_up)
    lag = await _archive_lag(watch)
    watch.counts.archive(-1 if lag is None else lag.behind.total_seconds())
    watch.counts.temporal_token(max(0.0, days_left(watch.settings)))
    return Response(watch.counts.text(), media_type=METRICS_TYPE)


async def _figures(watch: Watch) -> tuple[int, int, float, float, int]:
    try:
        row = await watch.pool.fetchrow(SQL.figures, watch.now())
    except AWAY:
        return (-1, -1, -1, -1, -1)
    if row is None:
        raise LookupError("a query without FROM has no row")
    open_cases, overdue, outside, notices, in_no_month = row
    return (open_cases, overdue, outside, notices, in_no_month)


async def _webhooks(watch: Watch) -> list[Standing]:
    try:
        return await standings(watch.pool)
    except AWAY:
        return []


async def _archive_lag(watch: Watch) -> Lag | None:
    try:
        return await archive_lag(watch.pool)
    except AWAY:
        return None


async def _database_answers(watch: Watch) -> bool:
    try:
        async with asyncio.timeout(2):
            return bool(await watch.pool.fetchval("select true"))
    except AWAY:
        return False
