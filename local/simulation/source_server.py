"""The simulated sources of means, behind one address: `/<code>/checks`. The wire is docs/means.md.

    POST /<code>/checks    answer about people, as the stage direction in the applicant's name has it
    GET  /<code>/journal   what was asked, how often, and whether it was answered
    GET  /healthz

| character | word      | does                                                                              |
|-----------|-----------|-----------------------------------------------------------------------------------|
| prompt    | 按时      | answers                                                                           |
| slow      | 拖延      | 202 with Retry-After, until two hours of town time have gone since it was asked   |
| flaky     | 时断时续  | 503; then notes the answer and never gives it; then answers slowly                |
| down      | 中断      | 503 until three days of town time have gone since it was asked                    |
| odd       | 乱答      | twice something that is no answer, then the answer                                |
| refusing  | 拒收      | 422                                                                               |
"""

import asyncio
import hmac
import json
import math
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulation.directions import UnreadableDirection, facts_in, word_for
from local.simulation.quiet_server import listen, quiet_server, url_of
from local.simulation.signed_server import SLOW_ANSWER_SECONDS, believed, never, problem
from local.simulation.source_book import AskedQuestion, SourceBook
from schemas.contracts.department import IDEMPOTENCY_HEADER, idempotency_key, order_id
from schemas.contracts.means import CheckBody, check_step
from schemas.contracts.signature import read_secrets

log = structlog.get_logger()

SLOW_FOR = timedelta(hours=2)
DOWN_FOR = timedelta(days=3)


class SourceCharacter(StrEnum):
    """How a source treats a question."""

    PROMPT = "prompt"
    SLOW = "slow"
    FLAKY = "flaky"
    DOWN = "down"
    ODD = "odd"
    REFUSING = "refusing"


WORDS = {
    "按时": SourceCharacter.PROMPT,
    "拖延": SourceCharacter.SLOW,
    "时断时续": SourceCharacter.FLAKY,
    "中断": SourceCharacter.DOWN,
    "乱答": SourceCharacter.ODD,
    "拒收": SourceCharacter.REFUSING,
} | {character.value: character for character in SourceCharacter}


class SimulatedSource(BaseModel):
    """One source to play: its key, the facts it answers with, and how it treats those about whom nothing is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    key_file: Path
    facts: tuple[str, ...]
    character: SourceCharacter = SourceCharacter.PROMPT


class RunningSources:
    """The sources with their server, open from the moment it is made. Needs a running event loop.

    `speed` is town seconds per real second; port 0 lets the system choose.
    """

    def __init__(
        self,
        sources: Mapping[str, SimulatedSource],
        book: Path,
        *,
        speed: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._sources = sources
        self._speed = speed
        self._secrets = {
            code: read_secrets(source.key_file.read_text(encoding="ascii")) for code, source in sources.items()
        }
        self._listener = listen(host, port)
        self.url = url_of(self._listener)
        self._book = SourceBook(book)
        routes = [
            Route("/{code}/checks", self._check, methods=["POST"]),
            Route("/{code}/journal", self._journal),
            Route("/healthz", self._health),
        ]
        self._server = quiet_server(Starlette(routes=routes), host)
        self.task = asyncio.create_task(self._run(), name="sources")

    def stop(self) -> None:
        """Close the server; what was asked stays in the book."""
        self._server.should_exit = True

    async def _run(self) -> None:
        with self._book, closing(self._listener):
            await self._server.serve(sockets=[self._listener])

    async def _check(self, request: Request) -> Response:
        source = self._sources.get(request.path_params["code"])
        if source is None:
            return problem(404, "no-such-source")
        raw = await request.body()
        if not believed(source.code, self._secrets[source.code], request, raw):
            return problem(401, "bad-signature")
        try:
            body = CheckBody.model_validate_json(raw)
        except ValidationError:
            return problem(400, "unreadable-check")
        step = check_step(body.check, body.number)
        key = request.headers.get(IDEMPOTENCY_HEADER)
        fits = key == idempotency_key(body.case_id, step) and body.check_id == order_id(body.case_id, step)
        if not fits or body.check != source.code:
            return problem(400, "key-does-not-fit-check")
        try:
            word = word_for(source.code, body.people[0].name)
            character = source.character if word is None else _character(word)
            facts = self._facts(source, body)
        except UnreadableDirection as error:
            log.warning("stage direction", case_id=body.case_id, fault=str(error))
            return problem(422, "unreadable-stage-direction")
        return await self._treat(request, source, body, character, facts)

    async def _treat(
        self,
        request: Request,
        source: SimulatedSource,
        body: CheckBody,
        character: SourceCharacter,
        facts: Mapping[str, int],
    ) -> Response:
        asked = self._book.ask(source.code, body.check_id, self._digest(source, body), time.time())
        if asked.digest != self._digest(source, body):
            self._book.note_request(source.code, body.check_id, "different")
            return problem(409, "another-check-under-this-key")
        attempt = self._book.note_request(source.code, body.check_id, character)
        if (instead := self._instead(character, asked, attempt)) is not None:
            return instead
        answer = asked.answer or self._answer(source, body, facts)
        if character is SourceCharacter.FLAKY:
            if attempt == 2:  # noqa: PLR2004 - the second try: answered, and the answer never seen
                return await never(request)
            await asyncio.sleep(SLOW_ANSWER_SECONDS)
        return Response(answer, media_type="application/json")

    def _instead(self, character: SourceCharacter, asked: AskedQuestion, attempt: int) -> Response | None:
        """What this character gives instead of an answer, this time."""
        if character is SourceCharacter.REFUSING:
            return problem(422, "no-consent-on-record")
        if character is SourceCharacter.SLOW and (left := self._left(asked, SLOW_FOR)):
            return problem(202, "not-ready", left)
        if character is SourceCharacter.DOWN and (left := self._left(asked, DOWN_FOR)):
            return problem(503, "out-of-order", left)
        if character is SourceCharacter.ODD and attempt <= 2:  # noqa: PLR2004 - twice
            return JSONResponse({"结果": "查无此人", "facts": [None]})
        if character is SourceCharacter.FLAKY and attempt == 1:
            return problem(503, "out-of-order")
        return None

    def _answer(self, source: SimulatedSource, body: CheckBody, facts: Mapping[str, int]) -> str:
        answer = json.dumps(
            {
                "receipt": f"{source.code}:{body.check_id}",
                "status": "found" if any(facts.values()) else "clear",
                "facts": facts,
                "answered_at": body.as_of.isoformat(),
            }
        )
        self._book.answer(source.code, body.check_id, answer)
        return answer

    def _facts(self, source: SimulatedSource, body: CheckBody) -> dict[str, int]:
        """What it knows of all of them together."""
        day = body.as_of.date().isoformat()
        told = [facts_in(person.name, day) for person in body.people]
        return {name: sum(facts.get(name, 0) for facts in told) for name in source.facts}

    def _left(self, asked: AskedQuestion, town_time: timedelta) -> int:
        """Whole real seconds, at least one, until so much town time has gone since it was asked; 0 when it has."""
        left = town_time.total_seconds() / self._speed - (time.time() - asked.first_real)
        return max(1, math.ceil(left)) if left > 0 else 0

    def _digest(self, source: SimulatedSource, body: CheckBody) -> str:
        """By which a question is told from another: asked again later, it is the same one."""
        secret = self._secrets[source.code][0]
        return hmac.new(
            secret, body.model_dump_json(exclude={"as_of"}, exclude_none=True).encode(), "sha256"
        ).hexdigest()

    async def _journal(self, request: Request) -> Response:
        code = request.path_params["code"]
        return JSONResponse({"source": code, "checks": self._book.journal(code)})

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"sources": list(self._sources)})


def _character(word: str) -> SourceCharacter:
    try:
        return WORDS[word]
    except KeyError:
        raise UnreadableDirection(f"no such word: {word!r}; write one of {'、'.join(WORDS)}") from None
