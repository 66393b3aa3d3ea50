"""An API that listens on a real port, for what only a connection shows."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from schemas.values.actor import Role
from starter.serve import ApiServer, config_of
from tests.waiting import eventually


@dataclass(frozen=True)
class Served:
    """An API that listens on a real port. `connections`: how many it has now."""

    port: int
    keys: Keys
    connections: Callable[[], int]

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


@asynccontextmanager
async def listening(app: FastAPI, settings: Settings, keys: Keys) -> AsyncIterator[Served]:
    """An API on a port of its own."""
    server = ApiServer(config_of(app, settings), app)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        running = asyncio.create_task(server.serve([door]))
        await eventually(lambda: server.started)
        try:
            yield Served(door.getsockname()[1], keys, lambda: len(server.server_state.connections))
        finally:
            server.config.timeout_graceful_shutdown = 1  # the silent ones are not waited for
            server.should_exit = True
            await running


async def answer_on(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The status and the content of one answer, read by its length and no further: what comes after it may be a reset.

    Begin to read before anything else is waited for: once a reset has come, asyncio gives nothing that came before it.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(line.partition(b":")[2] for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head.split(b" ", 2)[1]), await reader.readexactly(int(length))


Serve = Callable[..., AbstractAsyncContextManager[Served]]
"""The fixture `serve`: an API on a port of its own, `async with serve(head_seconds=2.0) as served`."""
