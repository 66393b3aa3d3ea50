"""The API as its callers have it: by HTTP, with tokens, over a real database, a real Temporal and a real worker."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from temporalio.client import Client

from console.pages import console_pages
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from schemas.clocks.town_time import TownTime
from starter.app import create_app
from starter.intake.delivery import ConnectTemporal
from tests.api_callers import As, BuildApp, OpenOwnTown, OwnTown, api_of, callers
from tests.own_databases import own_database

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def build_app(settings: Settings, keys: Keys, pool: asyncpg.Pool, temporal: Client) -> BuildApp:
    """Make an API of the town; what is given takes the place of the town's own."""

    async def connected() -> Client:
        return temporal

    def build(
        *,
        over: Settings = settings,
        connections: asyncpg.Pool = pool,
        connect_temporal: ConnectTemporal = connected,
        town_time: TownTime | None = None,
    ) -> FastAPI:
        town_time = town_time or TownTime.identity()
        return create_app(
            over, keys, connections, connect_temporal, town_time=town_time, on_fatal=_fail, pages=console_pages
        )

    return build


@pytest.fixture(scope="session")
async def http(build_app: BuildApp, worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """The town's API with everything there: database, Temporal, worker."""
    async with api_of(build_app()) as client:
        yield client


@pytest.fixture(scope="session")
def as_(http: httpx.AsyncClient, keys: Keys) -> As:
    """Callers of the town's API, by role."""
    return callers(http, keys)


def _fail(error: BaseException) -> None:
    raise AssertionError("a background task of the API died") from error


@pytest.fixture(scope="session")
def open_own_town(settings: Settings, build_app: BuildApp) -> OpenOwnTown:
    """Tables of one's own while a block runs: a database in the town's cluster, and case numbers of a day that nobody else has."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[OwnTown]:
        number = next(_numbers)
        async with own_database(settings) as url:
            own = settings.model_copy(
                update={"database_url": url, "task_queue": f"own-{number}", "delivery_patience_seconds": 1.0}
            )
            now = datetime.now(UTC)
            day = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=number)
            async with await open_pool(own) as pool:
                yield OwnTown(own, pool, TownTime.starting(day, now, 1), build_app)

    return opened


@pytest.fixture
async def own_town(open_own_town: OpenOwnTown) -> AsyncIterator[OwnTown]:
    """Tables of the test's own."""
    async with open_own_town() as town:
        yield town
