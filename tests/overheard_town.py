"""A town whose words to its bank and registers are written down on the way: who was named to whom, byte for byte."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.clocks.town_time import TownTime
from starter.app import create_app
from tests.api_callers import As, api_of, callers
from tests.department_town import serving
from tests.paying_town import outside
from worker import town_worker

_numbers = itertools.count(1)
_HOP = frozenset({"host", "content-length", "connection", "transfer-encoding"})


@dataclass
class Wire:
    """The way to somebody outside. `bodies`: what was sent there, as it was sent."""

    beyond: str
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        """Everything that comes is written down and passed on; the answer comes back."""
        return Starlette(routes=[Route("/{path:path}", self._pass, methods=["GET", "POST"])])

    async def _pass(self, request: Request) -> Response:
        content = await request.body()
        if request.method == "POST":
            self.bodies.append(json.loads(content))
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{self.beyond}{request.url.path}"
            answer = await client.request(request.method, url, content=content, headers=headers)
        passed = {name: value for name, value in answer.headers.items() if name not in _HOP}
        return Response(answer.content, answer.status_code, passed)


@dataclass
class OverheardTown:
    """The town's API by its callers, and what left it."""

    as_: As
    api: httpx.AsyncClient
    pool: asyncpg.Pool
    settings: Settings
    registers: Wire
    bank: Wire

    def asked_about(self, case_id: str) -> list[list[dict[str, Any]]]:
        """The people whom registers were asked about for a case, question by question."""
        return [body["people"] for body in self.registers.bodies if body["case_id"] == case_id]

    def paid(self, case_id: str) -> list[dict[str, Any]]:
        """What the bank was told to pay for a case."""
        return [body for body in self.bank.bodies if body["case_id"] == case_id]


@asynccontextmanager
async def overheard_town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, folder: Path
) -> AsyncIterator[OverheardTown]:
    """A town at real speed, with a prompt bank and prompt registers."""
    async with outside(settings, folder, speed=1) as around:
        registers, bank = Wire(str(around.settings.sources_url)), Wire(around.bank_url)
        async with serving(registers.app()) as sources_url, serving(bank.app()) as bank_url:
            ours = around.settings.model_copy(
                update={
                    "sources_url": sources_url,
                    "bank_url": bank_url,
                    "task_queue": f"overheard-{next(_numbers)}",
                }
            )
            now = datetime.now(UTC)

            async def connected() -> Client:
                return temporal

            app = create_app(ours, keys, pool, connected, town_time=TownTime.starting(now, now, 1))
            async with town_worker(ours, keys, temporal, pool) as worker, worker, api_of(app) as api:
                yield OverheardTown(callers(api, keys), api, pool, ours, registers, bank)
