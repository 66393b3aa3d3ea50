"""One real Temporal server, one real Postgres and one worker for the whole run; each test starts cases of its own."""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator

import asyncpg
import hypothesis
import pytest
import structlog
import uvloop
from temporalio.client import Client
from xdist.remote import Producer  # type: ignore[import-untyped]

from audit.replay.replay import replay_cases
from audit.verify.verify import verify_cases
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.town.process import collect_seldom
from local.town.town import TownOptions, open_town
from schemas.kernel.findings import Finding
from tests.api_driver import Audited, OpenDoor
from tests.at_once import note_cases
from tests.doors import PATIENCE_SECONDS, Doors
from tests.sampling import settle_seed
from tests.scheduling import Courtesy, InGroups, in_order, is_fast
from tests.town_policies import open_to_neighbours
from worker import town_worker

EXAMPLES, ALL_EXAMPLES = 50, 100
"""Of what is tried by chance so many examples at every commit, and as many as is usual in `make test-all`."""

GARBAGE_PERCENT = "300"
"""How far the heap of a Temporal server grows before it is looked through: with Go's 100 that is a quarter of what it computes."""


def pytest_configure(config: pytest.Config) -> None:
    """All processes of a run sample alike, give way to fast clocks, and have the loop that a town's processes have."""
    gc.set_threshold(100_000, 10, 10)  # until all tests are there nearly nothing is garbage
    number = EXAMPLES if "not long" in config.getoption("markexpr") else ALL_EXAMPLES
    # Examples share two cores with a server, a database and other tests: how long one takes says nothing.
    hypothesis.settings.register_profile("town", deadline=None, max_examples=number)
    hypothesis.settings.load_profile("town")
    settle_seed()
    os.environ.setdefault("GOGC", GARBAGE_PERCENT)
    # httpx imports it at each request, and what is not installed is looked for in every folder each time: a tenth of an answer.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]
    # What a town of one test logs would stand in what a command of another prints: runners of commands take `sys.stdout`.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
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
async def doors(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool) -> AsyncIterator[Doors]:
    """The APIs of the town that files of this run open."""
    opened = Doors(settings, keys, temporal, pool)
    yield opened
    await opened.close(usual_too=True)


@pytest.fixture(scope="module")
async def door(doors: Doors, worker: None) -> AsyncIterator[OpenDoor]:
    """Open an API for a procedure: `await door(INCIDENT, speed=3600)`. What is not as usual is closed after its file."""
    yield doors.open
    await doors.close()
