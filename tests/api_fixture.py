"""The API as its callers have it: by HTTP, with tokens, over a real database, a real Temporal and a real worker."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest
from api_callers import As, api_of, callers
from fastapi import FastAPI
from temporalio.client import Client

from engine.keys import Keys
from engine.settings import Settings
from schemas.town_time import TownTime
from starter.app import create_app


@pytest.fixture(scope="session")
def build_app(settings: Settings, keys: Keys, pool: asyncpg.Pool, temporal: Client) -> Callable[..., FastAPI]:
    """Make an API of the town; what is given takes the place of the town's own."""

    async def connected() -> Client:
        return temporal

    def build(**other: Any) -> FastAPI:
        parts = {"settings": settings, "keys": keys, "pool": pool, "connect_temporal": connected} | other
        return create_app(**parts, town_time=TownTime.identity(), on_fatal=_fail)

    return build


@pytest.fixture(scope="session")
async def http(build_app: Callable[..., FastAPI], worker: None) -> AsyncIterator[httpx.AsyncClient]:
    """The town's API with everything there: database, Temporal, worker."""
    async with api_of(build_app()) as client:
        yield client


@pytest.fixture(scope="session")
def as_(http: httpx.AsyncClient, keys: Keys) -> As:
    """Callers of the town's API, by role."""
    return callers(http, keys)


def _fail(error: BaseException) -> None:
    raise AssertionError("a background task of the API died") from error
