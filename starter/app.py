"""The starter API, put together. The same function builds it for production and for tests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import structlog
from fastapi import APIRouter, FastAPI

from engine.keys.keys import Keys
from engine.runtime.logging import where
from engine.runtime.settings import Settings
from schemas.clocks.town_time import TownTime
from schemas.kernel.procedure import Procedure
from starter.auditors import audit, audit_records, case_export, decodings, replays
from starter.auditors.codec_server import codec_routes
from starter.cases import (
    alike,
    cases,
    documents,
    inbox,
    notices,
    person_search,
    precedents,
    procedure_indicators,
    public,
    wall,
)
from starter.counterparts import banks, calls, departments, reconciliations
from starter.http import health
from starter.http.browser_sessions import BrowserSessions
from starter.http.dependencies import provide
from starter.http.documentation import add_description
from starter.http.middleware import Requests
from starter.http.own_modules import own_modules
from starter.http.problem_handlers import add_problem_handlers
from starter.http.rates import Rates
from starter.http.slow_bodies import SlowBodies
from starter.intake import command_batch, command_forms, operations, public_boards, public_notices, submissions
from starter.intake.commands import command_routes
from starter.intake.delivery import ConnectTemporal
from starter.intake.openings import opening_routers
from starter.open311 import routes as open311
from starter.wiring import ApiServices, build_services

log = structlog.get_logger()

ABOUT = """基层治理案件引擎:上报、办理、查询。 Start cases, act on them, read them.

Every POST takes an `Idempotency-Key`: the same key and body again is the same request. What was accepted is
delivered, also when everything is restarted: 202 with a status link means just that. Every answer that is not the one
asked for is a problem (RFC 9457, docs/problems.md) that names all faults at once. Times are town times."""

OnFatal = Callable[[BaseException], None]


@dataclass(frozen=True)
class Pages:
    """Addresses for people with a browser, beside the API's own, and the things that they ask for."""

    routers: tuple[APIRouter, ...] = ()
    things: tuple[object, ...] = ()


MakePages = Callable[[ApiServices, Settings], Pages]
"""Who serves more than the API says what (console/serve.py); it uses the very services of the API."""


def no_pages(_services: ApiServices, _settings: Settings) -> Pages:
    """The API alone."""
    return Pages()


def end_process(_: BaseException) -> None:
    """A background task died of our own fault: end visibly and be restarted, rather than accept and not deliver."""
    signal.raise_signal(signal.SIGTERM)


def create_app(
    settings: Settings,
    keys: Keys,
    pool: asyncpg.Pool,
    connect_temporal: ConnectTemporal,
    *,
    town_time: TownTime,
    on_fatal: OnFatal = end_process,
    pages: MakePages = no_pages,
) -> FastAPI:
    """Build the API. `pool` stays the caller's; Temporal is connected when it is first needed, so it may be away.

    `pages`: what is served beside it; where the settings do not ask for the API, it is served alone.

    Raises: the faults of policies, departments, calendars and keys, each naming file, place and remedy.
    """
    parts = build_services(settings, keys, pool, connect_temporal, town_time)
    app = FastAPI(
        title="Jiceng 基层",
        version="1",
        description=ABOUT,
        lifespan=_lifespan(parts, on_fatal),
        # A redirect would name an address that a proxy in front does not have.
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )  # their pages take scripts from elsewhere; ours is console/http/docs_page.py
    add_description(app)
    app.state.parts = parts
    beside = pages(parts, settings)
    provide(app, BrowserSessions(), public_notices.NoticesShown(), *parts.of_routes(), *beside.things)
    addresses = Rates(settings.requests_per_address, settings.burst_seconds)
    app.add_middleware(SlowBodies, grace_seconds=settings.body_grace_seconds, least_rate=settings.body_least_rate)
    app.add_middleware(Requests, counts=parts.watch.counts, rates=addresses, hsts_seconds=settings.hsts_seconds)
    of_api = _routers(parts.town.procedures, settings, keys) if "api" in settings.serves else ()
    for router in (*of_api, *beside.routers, health.router):
        # As they are, for they have no app's prefix or dependency: `include_router` would make each anew for this app, at its
        # first request, and look for every address in two steps.
        app.router.routes.extend(router.routes)
    add_problem_handlers(app, parts.filing.intake.note_attempt)
    return app


def _routers(procedures: Mapping[str, Procedure], settings: Settings, keys: Keys) -> tuple[APIRouter, ...]:
    """The addresses of the API. What is asked most comes first: the framework tries one address after the other."""
    return (
        *opening_routers(procedures.values()),
        command_routes(procedures.values()),
        *_own_routers(procedures),
        # Before `cases.router`: its `/{case_id}` would take `/export` for a case.
        inbox.router,
        case_export.router,
        alike.router,
        precedents.router,
        person_search.router,
        command_batch.router,
        command_forms.router,
        procedure_indicators.router,
        wall.router,
        public.router,
        public_notices.router,
        public_boards.router,
        banks.router,
        calls.router,
        reconciliations.router,
        audit.router,
        replays.router,
        audit_records.router,
        decodings.router,
        operations.router,
        cases.router,
        submissions.router,
        departments.router,
        documents.router,
        notices.router,
        open311.router,
        codec_routes(settings, keys),
    )


def _own_routers(procedures: Iterable[str]) -> list[APIRouter]:
    """What procedures add besides: the router of each module of theirs that has one."""
    return [module.router for module in own_modules(procedures) if hasattr(module, "router")]


def _lifespan(parts: ApiServices, on_fatal: OnFatal) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    def watch(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("background_task_died", task=task.get_name(), error=type(error).__name__, where=where(error))
            on_fatal(error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(parts.reading.announcements.run(), name="announcements"),
            asyncio.create_task(parts.filing.relay.run(), name="relay"),
            asyncio.create_task(parts.filing.relay.look_after_starts(), name="starts"),
            asyncio.create_task(parts.filing.intake.complete_reservations(), name="reservations"),
        ]
        for task in tasks:
            task.add_done_callback(watch)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await parts.filing.relay.stop()
            await parts.announcer.stop()
            await parts.replays.stop()
            await parts.bank_client.aclose()

    return lifespan
