"""The starter API, put together. The same function builds it for production and for tests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from http import HTTPStatus

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from engine.areas import load_areas
from engine.bank_policy import load_bank
from engine.banks import BankGateway
from engine.counterpart_keys import Counterpart, load_counterpart_keys
from engine.database import DATA_FAULTS
from engine.department_keys import load_department_keys
from engine.department_policy import load_departments
from engine.documents import Documents, load_document_policy, open_store
from engine.keys import Keys
from engine.logging import where
from engine.office_hours import load_town_calendar
from engine.policies import load_policy
from engine.settings import Settings
from engine.signed_calls import http_client
from engine.source_policy import load_sources
from engine.tokens import Principal, Verifier
from engine.vault import Vault
from schemas.areas import AreaName, Areas
from schemas.case import Charter
from schemas.department import Gateway
from schemas.department_policy import DepartmentRegister, Name
from schemas.means import SourceRegister
from schemas.policy import Policy
from schemas.procedure import Procedure
from schemas.refusals import say
from schemas.town_time import TownTime
from starter import cases, departments, docs_page, documents, health, notices, submissions
from starter.addresses import own_routers
from starter.announcements import Announcements
from starter.audit import auditing_of
from starter.authentication import acting
from starter.case_reading import CaseReader
from starter.category_search import load_synonyms
from starter.codec_server import codec_routes
from starter.commands import command_routes
from starter.counts import Counts
from starter.delivery import ConnectTemporal, Delivery
from starter.documentation import describe
from starter.doors import door_of
from starter.faults import faults_of
from starter.intake import Intake
from starter.middleware import Requests
from starter.openings import opening_routers
from starter.parts import Parts
from starter.postbox import Postbox
from starter.problems import Attempt, Problem, ProblemCode, bad_request, outside_the_books
from starter.rates import Rates
from starter.relay import Relay
from starter.resident_codes import ResidentCodes
from starter.slow_bodies import SlowBodies
from starter.upload_memory import UploadMemory
from workflows.registry import PROCEDURES

log = structlog.get_logger()

HOUR_SECONDS = 3600.0

ABOUT = """基层治理案件引擎:上报、办理、查询。 Start cases, act on them, read them.

Every POST takes an `Idempotency-Key`: the same key and body again is the same request. What was accepted is
delivered, also when everything is restarted: 202 with a status link means just that. Every answer that is not the one
asked for is a problem (RFC 9457, docs/problems.md) that names all faults at once. Times are town times."""

OnFatal = Callable[[BaseException], None]


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
) -> FastAPI:
    """Build the API. `pool` stays the caller's; Temporal is connected when it is first needed, so it may be away.

    Raises: the faults of policies, departments, calendars and keys, each naming file, place and remedy.
    """
    parts = build_parts(settings, keys, pool, connect_temporal, town_time)
    app = FastAPI(
        title="Jiceng 基层",
        version="1",
        description=ABOUT,
        lifespan=_lifespan(parts, on_fatal),
        # A redirect would name an address that a proxy in front does not have.
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )  # their pages take scripts from elsewhere; ours is starter/docs_page.py
    app.state.parts = parts
    addresses = Rates(settings.requests_per_address, settings.burst_seconds)
    app.add_middleware(SlowBodies, grace_seconds=settings.body_grace_seconds, least_rate=settings.body_least_rate)
    app.add_middleware(Requests, counts=parts.counts, rates=addresses, hsts_seconds=settings.hsts_seconds)
    # What is asked most comes first: the framework tries one address after the other.
    for router in (*opening_routers(parts.procedures.values()), command_routes(parts.procedures.values()), *own_routers(),
                   cases.router, submissions.router, departments.router, documents.router, notices.router,
                   docs_page.router, health.router, codec_routes(settings, keys)):  # fmt: skip
        app.include_router(router)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_bad_parameters)
    app.add_exception_handler(HTTPException, _on_http)
    for fault in DATA_FAULTS:
        app.add_exception_handler(fault, _on_data)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def build_parts(
    settings: Settings, keys: Keys, pool: asyncpg.Pool, connect_temporal: ConnectTemporal, town_time: TownTime
) -> Parts:
    """Read the town's rules and wire the parts. Raises as `create_app`."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    served = [department.code for department in register.departments if department.gateway is Gateway.HTTP]
    procedures: Mapping[str, Procedure] = {each.procedure.name: each.procedure for each in PROCEDURES}
    codes = tuple(each.code for each in register.departments)
    policies = {
        name: load_policy(procedure, settings.policies, codes)
        for name, procedure in procedures.items()
        if procedure.parent is None
    }
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    banks = [bank.code] if bank.gateway is Gateway.HTTP else []
    bank_keys, bank_client = load_counterpart_keys(settings.key_folder, banks, Counterpart.BANK), http_client()
    calendar = load_town_calendar(settings.policies)
    charters = {
        name: Charter(
            policy_version=policy.version,
            calendar=calendar,
            time=town_time,
            history_limit=settings.history_limit,
            tells_tasks_apart=True,
            marks_by_timer=True,
            takes_turns=True,
            once_keys_name_case=True,
            people_as_stated=True,
            keeps_place=True,
            knows_first_run=True,
            people_are_identified=True,
            lists_stage=False,
        )
        for name, policy in policies.items()
    }
    areas = load_areas(settings.policies)
    vault, counts, documents_policy = Vault(keys), Counts(), load_document_policy(settings.policies)
    postbox = Postbox(pool)
    delivery = Delivery(connect_temporal, settings.task_queue, procedures, postbox, counts.number_taken)
    reader = CaseReader(pool, vault, procedures)
    announcements = Announcements(settings, reader.states)
    return Parts(
        settings=settings,
        pool=pool,
        vault=vault,
        verifier=Verifier.of(settings, keys),
        rates=Rates(settings.requests_per_token, settings.burst_seconds),
        refused_uploads=Rates(documents_policy.refused_per_hour / HOUR_SECONDS, HOUR_SECONDS),
        upload_memory=UploadMemory(documents_policy.bytes_max),
        department_keys=load_department_keys(settings.key_folder, served),
        bank=bank,
        bank_keys=bank_keys,
        bank_client=bank_client,
        bank_gateway=BankGateway(bank_client, bank_keys),
        policies=policies,
        departments=register,
        names=_names(
            register, load_sources(settings.policies / "sources.yaml", settings.sources_url), areas, policies.values()
        ),
        synonyms=load_synonyms(settings.policies, getattr(policies.get("incident"), "categories", ())),
        charters=charters,
        procedures=procedures,
        doors={
            name: {command: door_of(model) for command, model in procedure.commands.items()}
            for name, procedure in procedures.items()
        },
        intake=Intake(pool, vault, keys, town_time, procedures, policies=policies),
        postbox=postbox,
        delivery=delivery,
        relay=Relay(postbox, delivery, counts, reader.states, announcements, settings.untaken_seconds),
        announcements=announcements,
        reader=reader,
        codes=ResidentCodes(keys, pool),
        documents=Documents(vault, keys, open_store(settings), documents_policy),
        areas=areas,
        counts=counts,
        auditing=auditing_of(pool, keys, settings, delivery),
    )


def _names(
    departments: DepartmentRegister, sources: SourceRegister, areas: Areas, policies: Iterable[Policy]
) -> dict[str, Name | AreaName]:
    """What the town calls what stands in it by code. A department that is a source too is called as the department."""
    names: dict[str, Name | AreaName] = {source.code: source.name for source in sources.sources}
    names |= {department.code: department.name for department in departments.departments}
    for policy in policies:
        names |= policy.names()
    return names | dict(areas.names)


def _lifespan(parts: Parts, on_fatal: OnFatal) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    def watch(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("background_task_died", task=task.get_name(), error=type(error).__name__, where=where(error))
            on_fatal(error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(parts.announcements.run(), name="announcements"),
            asyncio.create_task(parts.relay.run(), name="relay"),
            asyncio.create_task(parts.relay.look_after_starts(), name="starts"),
            asyncio.create_task(parts.intake.complete_reservations(), name="reservations"),
        ]
        for task in tasks:
            task.add_done_callback(watch)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await parts.relay.stop()
            await parts.bank_client.aclose()

    return lifespan


async def _on_problem(request: Request, problem: Exception) -> Response:
    if not isinstance(problem, Problem):
        raise problem
    response = problem.response(request)
    if problem.attempt is not None:
        # After the answer: how long it takes must not tell a case that is hidden from one that is not there.
        response.background = BackgroundTask(_keep_attempt, request, problem.attempt)
    return response


async def _keep_attempt(request: Request, attempt: Attempt) -> None:
    """Who tried what: into the record of refusals. Without a database the log alone has it."""
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        return
    tried = attempt.command or f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
    try:
        await request.app.state.parts.intake.note_attempt(acting(principal), replace(attempt, command=tried))
    except Problem:
        log.warning("attempt_not_kept", code=attempt.code, command=tried, role=principal.role)


async def _on_bad_parameters(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return bad_request(faults_of(error.errors(), skip=1)).response(request)


async def _on_data(request: Request, error: Exception) -> Response:
    return outside_the_books(error).response(request)


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
