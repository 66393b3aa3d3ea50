"""People with tokens at the API's door, for tests."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.metrics_token import metrics_token_file
from engine.runtime.settings import Settings
from schemas.clocks.town_time import TownTime
from schemas.values.actor import Role
from tests.examples.welfare import verified

REPORT: dict[str, Any] = {
    "category": "环境卫生",
    "description": "小区垃圾堆积未清理",
    "location": {"address": "幸福小区3号楼", "lat": 32.060255, "lon": 118.796877, "area": "320104.003.07"},
    "reporter": {"name": "王小明", "phone": "13800000001"},
    "channel": "app",
}
RESIDENT = "resident-1"
APPLICATIONS = "/api/v1/welfare-applications"


class Caller:
    """Somebody with a token."""

    def __init__(
        self, http: httpx.AsyncClient, token: str | None, real_name: Callable[[str | None], str] | None = None
    ) -> None:
        """`real_name` makes the token of the same account for whom its issuer verified: who applies has such a one."""
        self._http, self._real_name = http, real_name
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def not_verified(self) -> "Caller":
        """The same account, for which nobody vouches."""
        other = Caller(self._http, None)
        other.headers = self.headers
        return other

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """Read something."""
        return await self._http.get(path, params=query or None, headers=self.headers)

    async def report(self, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """Report an incident."""
        return await self.post("/api/v1/incidents", REPORT if body is None else body, key=key)

    async def command(self, case_id: str, command: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        """Give a command."""
        return await self.post(f"/api/v1/cases/{case_id}/commands/{command}", body or {}, key=key)

    async def post(self, path: str, body: Any, *, key: str | None = None, verified_as: Any = None) -> httpx.Response:
        """Send a body under a key, a new one unless it is given; `verified_as`: whose account it is, if not the applicant's."""
        headers = self.headers | {"Idempotency-Key": key or str(uuid.uuid4())}
        if path == APPLICATIONS and self._real_name is not None:
            headers["Authorization"] = (
                f"Bearer {self._real_name(verified({'applicant': verified_as} if verified_as else body))}"
            )
        return await self._http.post(path, json=body, headers=headers)


def watching(settings: Settings) -> dict[str, str]:
    """The header of whoever watches the town: of Prometheus."""
    return {"Authorization": f"Bearer {metrics_token_file(settings).read_text(encoding='utf-8').strip()}"}


As = Callable[..., Caller]


def callers(http: httpx.AsyncClient, keys: Keys) -> As:
    """Make callers by role."""

    def make(role: Role | str = Role.RESIDENT, subject: str | None = None, **claims: Any) -> Caller:
        role = Role(role)
        default = RESIDENT if role is Role.RESIDENT else f"{role}-1"
        account = subject or default

        def real_name(identity: str | None) -> str:
            return issue(keys, subject=account, role=role, identity=identity, **claims)

        return Caller(http, real_name(None), real_name if role is Role.RESIDENT else None)

    return make


@asynccontextmanager
async def api_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An app that runs, as a client reaches it."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town", timeout=60) as http,
    ):
        yield http


BuildApp = Callable[..., FastAPI]


@dataclass(frozen=True)
class OwnTown:
    """A database of a test's own, so that no other API's relay delivers what is to wait; and days of its own."""

    settings: Settings
    pool: asyncpg.Pool
    town_time: TownTime
    build_app: BuildApp

    def build(self, **other: Any) -> FastAPI:
        """Make an API over this database."""
        parts = {"over": self.settings, "connections": self.pool, "town_time": self.town_time} | other
        return self.build_app(**parts)


OpenOwnTown = Callable[[], AbstractAsyncContextManager[OwnTown]]
"""The fixture `open_own_town`: `async with open_own_town() as own_town`, for laws that are played at once (tests/at_once.py)."""
