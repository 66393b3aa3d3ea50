"""One transaction for one request, and how Postgres being away shows itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from engine.store.database import AWAY, DATA_FAULTS
from starter.http.dependencies import dependency
from starter.http.problems import database_away

Connection = PoolConnectionProxy
ACQUIRE_SECONDS = 5.0
PoolOf = Annotated[asyncpg.Pool, dependency(asyncpg.Pool)]


@asynccontextmanager
async def reading(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A connection on which each statement is its own transaction. Raises Problem as `database` does."""
    try:
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            yield connection
    except DATA_FAULTS:
        raise
    except AWAY as error:
        raise database_away() from error


@asynccontextmanager
async def database(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A connection in a transaction. Raises Problem 503 when Postgres is away: then nothing was written."""
    try:
        async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection, connection.transaction():
            yield connection
    except DATA_FAULTS:
        raise  # an InterfaceError too, but of our own making
    except AWAY as error:
        raise database_away() from error
