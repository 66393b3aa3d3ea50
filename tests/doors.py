"""The town's API as tests open it, in their own process: one for each speed, queue, history limit and patience.

Each looks twice a second for what is to be delivered and hears of every case, so that one that nobody asks any more is closed.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
import httpx
from fastapi import FastAPI
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.town_time import TownTime
from schemas.kernel.procedure import Procedure
from starter.app import create_app
from starter.http.dependencies import provided
from starter.intake.filing import Filing
from tests.api_driver import ApiDriver, token_of

A_MONDAY = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
"""When a town with a fast clock begins: its offices are open, whatever day it is where the tests run."""

PATIENCE_SECONDS = 30.0
"""Where a worker runs, a busy machine answers late, and not with 202 as a town does after two seconds."""


class Kind(NamedTuple):
    """What makes one API of the town another one than the next."""

    speed: int
    task_queue: str
    history_limit: int
    patience: float
    tells_with_answers: bool


@dataclass
class OpenApi:
    """An API that runs."""

    app: FastAPI
    client: httpx.AsyncClient = field(init=False)
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://town", timeout=PATIENCE_SECONDS
        )
        self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        """In a task of its own: what opens it is over before what closes it begins."""
        async with self.app.router.lifespan_context(self.app):
            self._ready.set()
            await self._closing.wait()

    async def ready(self) -> None:
        await self._ready.wait()

    async def close(self) -> None:
        self._closing.set()
        await self._serving
        await self.client.aclose()


class Doors:
    """The APIs that are open, over one database and one Temporal."""

    def __init__(self, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool) -> None:
        self._settings, self._keys, self._temporal, self._pool = settings, keys, temporal, pool
        self._token = token_of(keys)
        self._open: dict[Kind, OpenApi] = {}
        self._usual = Kind(1, settings.task_queue, 4000, PATIENCE_SECONDS, tells_with_answers=True)

    async def open(
        self,
        procedure: Procedure,
        *,
        speed: int = 1,
        task_queue: str | None = None,
        history_limit: int = 4000,
        patience: float | None = None,
        tells_with_answers: bool = True,
    ) -> ApiDriver:
        """The door of a procedure.

        A queue of a test's own may have no worker: its callers wait as long as a town's do, unless the test says otherwise.
        """
        usual = PATIENCE_SECONDS if task_queue is None else Settings().delivery_patience_seconds
        kind = Kind(
            speed, task_queue or self._settings.task_queue, history_limit, patience or usual, tells_with_answers
        )
        if kind not in self._open:
            self._open[kind] = OpenApi(self._app(kind))
            await self._open[kind].ready()
        api = self._open[kind]
        return ApiDriver(api.client, self._token, procedure, filing=provided(api.app, Filing))

    async def close(self, *, usual_too: bool = False) -> None:
        """Close those that files have opened for themselves; at the end of a run all."""
        gone = [kind for kind in self._open if usual_too or kind != self._usual]
        await asyncio.gather(*(self._open.pop(kind).close() for kind in gone))

    def _app(self, kind: Kind) -> FastAPI:
        ours = self._settings.model_copy(
            update={
                "task_queue": kind.task_queue,
                "history_limit": kind.history_limit,
                "speed": kind.speed,
                "delivery_patience_seconds": kind.patience,
                "tells_with_answers": kind.tells_with_answers,
            }
        )
        now = datetime.now(UTC)
        time = TownTime.starting(now if kind.speed == 1 else A_MONDAY, now, kind.speed)

        async def connected() -> Client:
            return self._temporal

        return create_app(ours, self._keys, self._pool, connected, town_time=time)
