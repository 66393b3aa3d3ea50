"""The HTTP server of the simulated call gateway. The wire is docs/call-gateway.md.

POST /<code>/calls              call somebody, as the stage direction behind the number has it
GET  /<code>/calls/{call_id}    what became of a call
POST /<code>/messages           a short message
GET  /<code>/journal            the whole book, for tests and stories
GET  /healthz
"""

import asyncio
import hmac
import time
from contextlib import closing
from pathlib import Path

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulation.call_book import CallBook
from local.simulation.call_characters import CallCharacter, UnreadableDirection, call_plan, character_of
from local.simulation.department_post import ReportPost
from local.simulation.quiet_server import listen, quiet_server, url_of
from local.simulation.signed_server import believed, never, problem
from schemas.contracts.calls import CallBody, TextBody
from schemas.contracts.department import IDEMPOTENCY_HEADER
from schemas.contracts.signature import read_secrets

log = structlog.get_logger()

REPORT_TIMEOUT_SECONDS = 10.0


class SimulatedCallGateway(BaseModel):
    """The gateway to play. `speed` is town seconds per real second; port 0 lets the system choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    key_file: Path
    book: Path
    character: CallCharacter = CallCharacter.ANSWERS
    speed: float = 1.0
    host: str = "127.0.0.1"
    port: int = 0


class RunningCallGateway:
    """The gateway with its server, open from the moment it is made. Needs a running event loop."""

    def __init__(self, gateway: SimulatedCallGateway) -> None:
        self._gateway = gateway
        self._secrets = read_secrets(gateway.key_file.read_text(encoding="ascii"))
        self._listener = listen(gateway.host, gateway.port)
        self.url = url_of(self._listener)
        self._book = CallBook(gateway.book)
        routes = [
            Route(f"/{gateway.code}/calls", self._call, methods=["POST"]),
            Route(f"/{gateway.code}/calls/{{call_id:path}}", self._standing),
            Route(f"/{gateway.code}/messages", self._text, methods=["POST"]),
            Route(f"/{gateway.code}/journal", self._journal),
            Route("/healthz", self._health),
        ]
        self._server = quiet_server(Starlette(routes=routes), gateway.host)
        self._post: ReportPost | None = None
        self.task = asyncio.create_task(self._run(), name="call gateway")

    def stop(self) -> None:
        """Close the server; what was not told yet stays in the book."""
        self._server.should_exit = True

    async def _run(self) -> None:
        client = httpx.AsyncClient(timeout=REPORT_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        with self._book, closing(self._listener):
            async with client, asyncio.TaskGroup() as tasks:
                self._post = ReportPost(self._book, client, self._secrets[0], tasks)
                for call_id in self._book.unfinished():
                    self._post.attend(call_id)
                await self._server.serve(sockets=[self._listener])
                self._post.close()

    async def _call(self, request: Request) -> Response:
        raw = await request.body()
        if not believed(self._gateway.code, self._secrets, request, raw):
            return problem(401, "bad-signature")
        try:
            body = CallBody.model_validate_json(raw)
            character = character_of(self._gateway.code, body.to, self._gateway.character)
        except (ValidationError, UnreadableDirection) as error:
            log.warning("call not readable", fault=type(error).__name__)
            return problem(400, "unreadable-call")
        if request.headers.get(IDEMPOTENCY_HEADER) != body.call_id:
            return problem(400, "key-does-not-fit-call")
        attempt = self._book.note_request(body.call_id, "call")
        if character is CallCharacter.DOWN or (character is CallCharacter.FLAKY and attempt == 1):
            return problem(503, "out-of-order")
        answer = self._accept(body, character)
        if character is CallCharacter.FLAKY and attempt == 2:  # noqa: PLR2004 - it rings, the answer is never seen
            return await never(request)
        return answer

    def _accept(self, body: CallBody, character: CallCharacter) -> Response:
        """Let it ring, once."""
        digest, known = self._digest(body.to, body.call_id), self._book.call(body.call_id)
        if known is not None and known.digest != digest:
            return problem(409, "another-call-under-this-key")
        if known is None and character is CallCharacter.UNKNOWN:
            self._book.refuse(body.call_id, digest, "no-such-number")
        elif known is None:
            plan = call_plan(body, character, now=time.time(), speed=self._gateway.speed)
            self._book.accept(body.call_id, digest, plan, plan.reports(body), body.report_url)
            assert self._post is not None, "requests come while the server runs"  # noqa: S101 - states the order of things
            self._post.attend(body.call_id)
        call = self._book.call(body.call_id)
        if call is not None and call.refused is not None:
            return problem(422, call.refused)
        return JSONResponse({"call_id": body.call_id}, 201 if known is None else 200)

    async def _standing(self, request: Request) -> Response:
        call_id = request.path_params["call_id"]
        if not believed(self._gateway.code, self._secrets, request, call_id.encode()):
            return problem(401, "bad-signature")
        self._book.note_request(call_id, "ask")
        call = self._book.call(call_id)
        if call is None or call.refused is not None:
            return problem(404, "no-such-call")
        over = call.over_real is not None and call.over_real <= time.time()
        return JSONResponse({"call_id": call_id, "result": call.result if over else None})

    async def _text(self, request: Request) -> Response:
        raw = await request.body()
        if not believed(self._gateway.code, self._secrets, request, raw):
            return problem(401, "bad-signature")
        try:
            body = TextBody.model_validate_json(raw)
        except ValidationError:
            return problem(400, "unreadable-message")
        self._book.note_request(body.text_id, "text")
        digest = self._digest(body.to, body.text_id)
        if self._book.text(body.text_id, digest) != digest:
            return problem(409, "another-message-under-this-key")
        return JSONResponse({"text_id": body.text_id}, 201)

    async def _journal(self, _: Request) -> Response:
        return JSONResponse(self._book.journal())

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"call_gateway": self._gateway.code})

    def _digest(self, to: str, key: str) -> str:
        """By which a call to one number is told from a call to another, without either."""
        return hmac.new(self._secrets[0], f"{key} {to}".encode(), "sha256").hexdigest()
