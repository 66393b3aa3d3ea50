"""A receiver of webhooks on a real port, which knows us by a library of others; and the process that tells it, to be killed."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys, key_file
from engine.runtime.settings import Settings
from tests.department_town import serving
from tests.forked import environment_of

CODE = "county-app"
HANGS = "hangs"
MOVED = "/elsewhere"


@dataclass
class Got:
    """One attempt, as it came in, and how it was answered."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    answer: object

    @property
    def event(self) -> dict[str, Any]:
        """What it says."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def place(self) -> tuple[str, int]:
        """The case and the number of the entry."""
        return self.event["data"]["case_id"], self.event["data"]["seq"]


@dataclass
class Receiver:
    """Answers with what is planned, one after the other, then with 204. `url`: where it is reached."""

    key: Path
    url: str = ""
    planned: list[int | str] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> Response:
        """Take an attempt. One that is not signed as a library of others wants it fails the test by its answer."""
        body = await request.body()
        headers = dict(request.headers)
        for secret in self.secrets():
            Webhook(secret).verify(body, headers)
        answer = self.planned.pop(0) if self.planned else 204
        self.got.append(Got(request.url.path, headers, body, answer))
        if answer == HANGS:
            await self.released.wait()
            return Response(None, 500)
        assert isinstance(answer, int)
        headers_out = {"Location": f"{self.url.removesuffix('/hook')}{MOVED}"} if 300 <= answer < 400 else {}
        return Response(None, answer, headers=headers_out)

    def secrets(self) -> list[str]:
        """The keys as the library has them: of several, each alone is enough."""
        lines = self.key.read_text(encoding="ascii").split()
        return [f"whsec_{base64.b64encode(bytes.fromhex(line)).decode()}" for line in lines]

    @property
    def places(self) -> list[tuple[str, int]]:
        """Cases and entries in the order in which they came in."""
        return [each.place for each in self.got]


@asynccontextmanager
async def receiver_in(key_folder: Path) -> AsyncIterator[Receiver]:
    """A receiver that runs, with a key of its own in this folder."""
    found_counterpart_keys(key_folder, [CODE], Counterpart.WEBHOOK)
    receiver = Receiver(key_file(key_folder, CODE, Counterpart.WEBHOOK))
    app = Starlette(routes=[Route(path, receiver.take, methods=["POST", "GET"]) for path in ("/hook", MOVED)])
    async with serving(app) as url:
        receiver.url = f"{url}/hook"
        try:
            yield receiver
        finally:
            receiver.released.set()


@asynccontextmanager
async def notices_process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """What `jiceng notices` runs, in a process of its own; killed at the end, if not before."""
    told = environment_of(settings) | {
        "JICENG_POLICIES": str(settings.policies),
        "JICENG_KEYS": str(settings.key_folder),
        "JICENG_NOTICE_DELAY_SECONDS": str(settings.notice_delay_seconds),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "cli", "notices"), env=os.environ | told, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
