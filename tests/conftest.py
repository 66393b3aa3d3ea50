"""One real Temporal server, one real Postgres and one worker for the whole run; each test starts cases of its own."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from temporalio.client import Client

from engine.database import open_pool
from engine.keys import Keys
from engine.settings import Settings
from engine.temporal import connect
from local.town import TownOptions, open_town
from worker import town_worker


@pytest.fixture(scope="session")
async def settings(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settings]:
    """The settings of a town that runs, without worker, API and people. All departments are at their desks."""
    folder = tmp_path_factory.mktemp("town")
    async with open_town(TownOptions(data=folder, processes=(), durable=False)) as town:
        yield town.settings.model_copy(update={"departments_url": None})


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
