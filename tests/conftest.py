"""One real Temporal server, one real Postgres and one worker for the whole run; each test starts cases of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import httpx
import hypothesis
import pytest
import uvloop
from fastapi import FastAPI
from temporalio.client import Client
from xdist.remote import Producer  # type: ignore[import-untyped]

from audit.replay.replay import replay_cases
from audit.verify.verify import verify_cases
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.town.process import collect_seldom
from local.town.town import TownOptions, open_town
from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.town_time import TownTime
from schemas.kernel.findings import Finding
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from starter.app import create_app
from tests.api_driver import ApiDriver, Audited, OpenDoor, Person
from tests.at_once import note_cases
from tests.sampling import settle_seed
from tests.scheduling import Courtesy, InGroups, in_order, is_fast
from tests.town_policies import open_to_neighbours
from worker import town_worker

# Examples share two cores with a server, a database and other tests: how long one takes says nothing.
hypothesis.settings.register_profile("town", deadline=None)
hypothesis.settings.load_profile("town")


A_MONDAY = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
"""When a town with a fast clock begins: its offices are open, whatever day it is where the tests run."""

PATIENCE_SECONDS = 30.0
"""Where a worker runs, a busy machine answers late, and not with 202 as a town does after two seconds."""


def pytest_configure(config: pytest.Config) -> None:
    """All processes of a run sample alike, give way to fast clocks, and have the loop that a town's processes have."""
    settle_seed()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    config.pluginmanager.register(Courtesy())


def pytest_report_header() -> str:
    """By what was sampled what is not played whole."""
    return f"sampled by SEED={settle_seed()}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InGroups:
    """What is played where."""
    return InGroups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; what lives by a fast clock is marked."""
    in_order(items)
    for item in items:
        if is_fast(item.nodeid):
            item.add_marker(pytest.mark.fast)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is played at once is known now; and all code is loaded, which is not looked through for garbage again and again."""
    note_cases(session.items)
    collect_seldom()


@pytest.fixture(scope="session")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """The settings of a town that runs, without worker, API and people. All departments are at their desks."""
    folder = tmp_path_factory.mktemp("town")
    async with open_town(TownOptions(data=folder, processes=(), durable=False)) as town:
        yield town.settings.model_copy(
            update={
                "departments_url": None,
                "hosts": "",  # tests call it by names of their own
                "policies": open_to_neighbours(folder),
                "sandbox": False,
                "delivery_patience_seconds": PATIENCE_SECONDS,
            }
        )


@pytest.fixture(scope="session")
def keys(settings: Settings) -> Keys:
    """The town's keys."""
    return Keys.load(settings.key_folder)


@pytest.fixture(scope="session")
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Connections to the town's database."""
    async with await open_pool(settings, process="tests") as opened:
        yield opened


@pytest.fixture(scope="session")
async def temporal(settings: Settings, keys: Keys) -> Client:
    """The town's Temporal client, with codec and keys."""
    return await connect(settings, keys)


@pytest.fixture(scope="session")
async def worker(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool) -> AsyncIterator[None]:
    """A worker that runs every procedure of the registry."""
    async with town_worker(settings, keys, temporal, pool) as running, running:
        yield


@pytest.fixture(scope="session")
def audited(temporal: Client, keys: Keys, settings: Settings, pool: asyncpg.Pool) -> Audited:
    """Verify and replay one case, and return what the two checks found."""

    async def has_ended(case_id: str) -> bool:
        return bool(await pool.fetchval("select ended from cases where case_id = $1", case_id))

    async def audit(case_id: str) -> list[Finding]:
        while True:
            if ended := await has_ended(case_id):  # the ledger knows of the end a moment before the history does
                await temporal.get_workflow_handle(case_id).result()
            found = [finding async for finding in verify_cases(pool, [case_id], keys.stamp_ring)]
            found += [finding async for finding in replay_cases(temporal, keys, settings, pool, [case_id])]
            if ended or not await has_ended(case_id):
                return found  # else it ended meanwhile, and was looked at as neither one nor the other

    return audit


@pytest.fixture(scope="session")
async def door(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool) -> AsyncIterator[OpenDoor]:
    """Open an API for a procedure: `await door(INCIDENT, speed=3600)`. One app per speed, queue, history limit and patience.

    A queue of a test's own may have no worker: its callers wait as long as a town's do, unless the test says otherwise.
    """
    usual = Settings().delivery_patience_seconds
    apps: dict[tuple[object, ...], httpx.AsyncClient] = {}
    closing = asyncio.Event()
    running: list[asyncio.Task[None]] = []

    async def serve(app: FastAPI, ready: asyncio.Event) -> None:
        async with app.router.lifespan_context(app):
            ready.set()
            await closing.wait()

    async def connected() -> Client:
        return temporal

    async def client(speed: int, task_queue: str, history_limit: int, patience: float) -> httpx.AsyncClient:
        ours = settings.model_copy(
            update={
                "task_queue": task_queue,
                "history_limit": history_limit,
                "speed": speed,
                "delivery_patience_seconds": patience,
            }
        )
        now = datetime.now(UTC)
        begins = now if speed == 1 else A_MONDAY
        app = create_app(ours, keys, pool, connected, town_time=TownTime.starting(begins, now, speed))
        ready = asyncio.Event()
        running.append(asyncio.create_task(serve(app, ready)))
        await ready.wait()
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town", timeout=30)

    def token(person: Person) -> str:
        role = Role(person.role)
        return issue(
            keys,
            subject=person.subject,
            role=role,
            department=person.department,
            area=person.area,
            identity=person.identity,
        )

    async def open_door(
        procedure: Procedure,
        *,
        speed: int = 1,
        task_queue: str | None = None,
        history_limit: int = 4000,
        patience: float | None = None,
    ) -> ApiDriver:
        patience = patience or (PATIENCE_SECONDS if task_queue is None else usual)
        key = (speed, task_queue or settings.task_queue, history_limit, patience)
        if key not in apps:
            apps[key] = await client(*key)
        return ApiDriver(apps[key], token, procedure)

    yield open_door
    closing.set()
    await asyncio.gather(*running)
    for opened in apps.values():
        await opened.aclose()
