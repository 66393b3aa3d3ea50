"""/healthz: the process answers. /readyz: what it needs answers too. /metrics: for Prometheus."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from engine.keys.token_errors import TokenMissing
from engine.runtime.metrics_token import watches
from engine.store.archive import Lag, archive_lag
from engine.store.database import AWAY, Queries
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.http.problems import Problem
from starter.parts import Parts, PartsOf


class FigureQueries(Queries):
    """engine/queries/figures.sql."""

    figures: str


SQL = FigureQueries.load("figures")
router = APIRouter(tags=["operation"])
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


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
async def readyz(request: Request, parts: PartsOf) -> Response:
    """200 when all is there, else 503. A warning alone stops nobody."""
    database, temporal = await asyncio.gather(_database_answers(parts), parts.delivery.reachable())
    missing = [name for name, there in (("database", database), ("temporal", temporal)) if not there]
    status = "missing" if missing else "ready"
    if not _watches(request, parts):
        return _readiness(Readiness(status=status))
    lag = await _archive_lag(parts) if database else None
    warnings = [lag.warning] if lag and lag.warning else []
    body = Readiness(status=status, database=database, temporal=temporal, missing=missing, warnings=warnings)
    return _readiness(body)


def _readiness(body: Readiness) -> Response:
    status = 200 if body.status == "ready" else 503
    return Response(body.model_dump_json(exclude_none=True), status, media_type="application/json")


def _watches(request: Request, parts: Parts) -> bool:
    return watches(parts.settings, request.headers.get("authorization"))


@router.get("/metrics", summary="For Prometheus", include_in_schema=False)
async def metrics(request: Request, parts: PartsOf) -> Response:
    """Counters, for whoever shows the token of the town's watch; no personal data."""
    if not _watches(request, parts):
        detail = say("请出示监控令牌", "show the token that lies in the town's data folder: metrics-token")
        raise Problem(TokenMissing.code, detail, headers={"WWW-Authenticate": 'Bearer realm="jiceng"'})
    try:
        parts.counts.backlog(*await parts.postbox.backlog())
    except AWAY:
        parts.counts.backlog(-1, -1)  # not known: the database is away
    parts.counts.figures(*await _figures(parts))
    lag = await _archive_lag(parts)
    parts.counts.archive(-1 if lag is None else lag.behind.total_seconds())
    return Response(parts.counts.text(), media_type=METRICS_TYPE)


async def _figures(parts: Parts) -> tuple[int, int, float, float]:
    try:
        row = await parts.pool.fetchrow(SQL.figures, parts.intake.now())
    except AWAY:
        return (-1, -1, -1, -1)
    if row is None:
        raise LookupError("a query without FROM has no row")
    return (row["open_cases"], row["overdue_cases"], row["outside_work_seconds"], row["notices_seconds"])


async def _archive_lag(parts: Parts) -> Lag | None:
    try:
        return await archive_lag(parts.pool)
    except AWAY:
        return None


async def _database_answers(parts: Parts) -> bool:
    try:
        async with asyncio.timeout(2):
            return bool(await parts.pool.fetchval("select true"))
    except AWAY:
        return False
