"""An API that listens on a real port, for what only a connection shows."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from engine.keys import Keys
from engine.settings import Settings
from engine.tokens import issue
from schemas.actor import Role
from starter.serve import ApiServer, config_of
from tests.api_callers import BuildApp
from tests.waiting import eventually


@dataclass(frozen=True)
class Served:
    """An API that listens on a real port."""

    port: int
    keys: Keys

    def token(self, subject: str, role: Role = Role.RESIDENT) -> str:
        """A token of somebody."""
        return issue(self.keys, subject=subject, role=role)

    def client(self, subject: str) -> httpx.AsyncClient:
        """Somebody who sends and reads as one does."""
        headers = {"Authorization": f"Bearer {self.token(subject)}"}
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    async def opened(self, *lines: str, body: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which this was sent, and nothing more comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        return reader, writer

    async def begun(
        self, path: str, subject: str, length: int, body: bytes
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A request whose body has only begun."""
        return await self.opened(
            f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.token(subject)}", f"Idempotency-Key: {uuid.uuid4()}",
            f"Content-Type: {'image/png' if 'documents' in path else 'application/json'}", f"Content-Length: {length}", "", "",
            body=body,
        )  # fmt: skip


Serve = Callable[..., AbstractAsyncContextManager[Served]]
"""The fixture `serve`: an API on a port of its own, `async with serve(head_seconds=2.0) as served`."""


@pytest.fixture
def serve(build_app: BuildApp, settings: Settings, keys: Keys) -> Serve:
    """Open an API on a port of its own, with other settings than usual."""

    @asynccontextmanager
    async def open_api(**other: object) -> AsyncIterator[Served]:
        ours = settings.model_copy(update={"api_port": 0, **other})
        app = build_app(over=ours)
        server = ApiServer(config_of(app, ours), app)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            running = asyncio.create_task(server.serve([listening]))
            await eventually(lambda: server.started)
            yield Served(listening.getsockname()[1], keys)
            server.should_exit = True
            server.force_exit = True
            await running

    return open_api
