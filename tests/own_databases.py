"""Databases of tests' own in the town's cluster, with every table and nothing in them.

Each is a copy of one that was migrated once: that takes a small part of the time of all migrations.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
from pydantic import SecretStr

from engine.runtime.settings import Settings
from engine.store.migrations import migrate
from local.town.postgres import passwords_of

FOUNDED = "founded"
"""The one that the others are copies of."""


class Cluster:
    """The cluster of a town. Databases in it are made one after the other: nobody is connected to the one that is copied."""

    def __init__(self, settings: Settings) -> None:
        self._town = urlsplit(settings.database_url.get_secret_value())
        self._password = passwords_of(settings.data / "postgres")["postgres"]
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()
        self._founded = False

    @asynccontextmanager
    async def another(self, *, empty: bool = False) -> AsyncIterator[SecretStr]:
        """The address of a new one, which goes with the block; without any table where it is to be `empty`."""
        name = f"own_{next(self._numbers)}"
        async with self._turn:
            if not self._founded and not empty:
                await self._order(f"create database {FOUNDED} owner {self._town.username}")
                await migrate(self._url(FOUNDED))
                self._founded = True
            await self._order(
                f"create database {name} template {'template0' if empty else FOUNDED} owner {self._town.username}"
            )
        try:
            yield self._url(name)
        finally:
            await self._order(f"drop database {name} with (force)")

    def _url(self, name: str) -> SecretStr:
        return SecretStr(self._town._replace(path=f"/{name}").geturl())

    async def _order(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host=self._town.hostname, port=self._town.port, user="postgres", password=self._password, database="postgres", ssl=False
        )  # fmt: skip
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


_CLUSTERS: dict[str, Cluster] = {}


def own_database(settings: Settings, *, empty: bool = False) -> AbstractAsyncContextManager[SecretStr]:
    """The address of a new database in the cluster of this town; it goes with the block. `empty`: nothing was migrated in it."""
    # Also asked by a town that has such a database itself: names are counted in the cluster, not for each database.
    cluster = urlsplit(settings.database_url.get_secret_value()).netloc
    if cluster not in _CLUSTERS:
        _CLUSTERS[cluster] = Cluster(settings)
    return _CLUSTERS[cluster].another(empty=empty)
