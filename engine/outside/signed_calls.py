"""Signed calls to the systems of others: departments, sources of means, banks. What all of them have in common.

    GatewayRefused        trying again will not help: a fact for the procedure
    GatewayUnavailable    raised: no usable answer came; Temporal tries again

Each counterpart has a lane of its own: so many calls at one time, so many waiting, for so long. One that hangs fills its
lane and no other's, and the calls that do not fit are told at once: they do not sit in the worker's places.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx
from pydantic import BaseModel, ValidationError

from engine.keys.counterpart_keys import CounterpartKeys
from engine.runtime.guarded_http import PRIVATE, outward_client
from schemas.contracts.department import IDEMPOTENCY_HEADER
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

LONGEST_ANSWER_BYTES = 64 * 1024
LONGEST_RETRY_AFTER = timedelta(minutes=5)
WAITING_PER_PLACE = 4
"""Calls that may wait for each one that runs: enough for a burst at a counterpart that answers."""

TRY_AGAIN = frozenset({408, 425, 429})
NOT_READY = 202
BARE_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")


class GatewayUnavailable(Exception):
    """No usable answer came; the same call may go through later. `retry_after`: a pause that was asked for.

    `pending`: the other side has the question and is not ready.
    """

    def __init__(self, reason: str, retry_after: timedelta | None = None, *, pending: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.pending = pending


@dataclass(frozen=True)
class GatewayRefused:
    """The other side will never do this. `code` is its own bare code, or `http-<status>`; the words are ours."""

    code: str
    reason: str


class Reached(Protocol):
    """What a call must know of the one it goes to. `timeout_seconds` is real time for one whole call."""

    @property
    def code(self) -> str:
        """By which its lane and its key are known."""

    @property
    def url(self) -> str | None:
        """Where its paths begin, without a slash at the end; None: it has no system of its own, and is never called."""

    @property
    def private(self) -> bool:
        """Whether it may lie in a private network."""

    @property
    def concurrent_calls(self) -> int:
        """Calls at one time."""

    @property
    def timeout_seconds(self) -> float:
        """How long a call may wait for its place, and how long it may take: real seconds for each."""


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer that is one: a 2xx or a final 3xx, 4xx."""

    status: int
    body: bytes
    retry_after: timedelta | None = None


class _Lane:
    """The calls to one counterpart."""

    def __init__(self, whom: Reached, who: str) -> None:
        self._places = asyncio.Semaphore(whom.concurrent_calls)
        self._room = whom.concurrent_calls * (1 + WAITING_PER_PLACE)
        self._inside = 0
        self._patience = whom.timeout_seconds
        self._who = who

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one call. Raises GatewayUnavailable when the lane is full or no place becomes free in time."""
        if self._inside >= self._room:
            raise GatewayUnavailable(f"too many calls to this {self._who} are waiting")
        self._inside += 1
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await self._places.acquire()
            except TimeoutError:
                raise GatewayUnavailable(f"earlier calls to this {self._who} have not come back") from None
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._inside -= 1


class SignedCalls:
    """Our side of the wire to one kind of counterpart. The client's connections are shared, the lanes are not.

    `client` has no limit on connections (the lanes are the limit) and follows no redirects: see `http_client`. `who` is the
    word for the other side in reasons. `real_time` gives Unix seconds for the signature: the town's speed never reaches the
    network.
    """

    def __init__(
        self, client: httpx.AsyncClient, keys: CounterpartKeys, who: str, real_time: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._keys = keys
        self._who = who
        self._real_time = real_time
        self._lanes: dict[str, _Lane] = {}

    async def post(self, whom: Reached, path: str, body: bytes, key: str) -> Answer:
        """Send a JSON body under an idempotency key. Raises as `call`."""
        headers = {"Content-Type": "application/json", IDEMPOTENCY_HEADER: key}
        return await self.call(whom, "POST", path, signed=body, headers=headers, content=body)

    async def call(
        self,
        whom: Reached,
        method: str,
        path: str,
        *,
        signed: bytes,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        longest_answer: int = LONGEST_ANSWER_BYTES,
    ) -> Answer:
        """One signed call in the lane of its counterpart: a 2xx or final 4xx.

        Args:
            whom: the counterpart.
            method: of HTTP.
            path: begins with a slash, and stands after `whom.url`.
            signed: the bytes that the signature is over, with the time.
            headers: besides those of the signature.
            content: the body; None: there is none.
            longest_answer: bytes of an answer at the most.

        Raises:
            GatewayUnavailable: no such answer in time, or no place for the call.
            KeyError: no key to sign with.
        """
        lane = self._lanes.setdefault(whom.code, _Lane(whom, self._who))
        async with lane.place():
            timestamp = str(int(self._real_time()))
            signature = sign(self._keys.signing(whom.code), timestamp, signed)
            request = self._client.build_request(
                method,
                f"{whom.url}{path}",
                content=content,
                headers={**(headers or {}), TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature},
                timeout=whom.timeout_seconds,
                extensions={PRIVATE: whom.private},
            )
            try:
                # httpx limits each read; only this limits an answer that comes in drops.
                async with asyncio.timeout(whom.timeout_seconds):
                    response = await self._client.send(request, stream=True)
                    try:
                        answer = await self._read(response, longest_answer)
                    finally:
                        await response.aclose()
            except (TimeoutError, httpx.TimeoutException):
                raise GatewayUnavailable(f"the {self._who} did not answer in time") from None
            except httpx.TransportError as error:
                raise GatewayUnavailable(f"the {self._who} could not be reached ({type(error).__name__})") from None
        if response.is_server_error or response.status_code in TRY_AGAIN:
            raise GatewayUnavailable(f"the {self._who} answered {response.status_code}", _retry_after(response))
        return Answer(response.status_code, answer, _retry_after(response))

    def not_ready(self, answer: Answer) -> GatewayUnavailable | None:
        """The error for a 202: it has the question and wants to be asked again. None for any other answer."""
        if answer.status != NOT_READY:
            return None
        return GatewayUnavailable(f"the {self._who} is not ready", answer.retry_after, pending=True)

    async def _read(self, response: httpx.Response, longest: int) -> bytes:
        """The body, as far as anybody needs it."""
        answer = bytearray()
        async for chunk in response.aiter_bytes():
            answer += chunk
            if len(answer) > longest:
                raise GatewayUnavailable(f"the {self._who}'s answer is too long")
        return bytes(answer)


def http_client() -> httpx.AsyncClient:
    """The client that gateways share. The one who makes it closes it. A proxy of the machine's user is not asked."""
    return outward_client()


class _Refusal(BaseModel):
    """What we read of a problem details answer: a bare code. Its free text may name people and stays where it is."""

    code: str = ""


def refusal_code(answer: Answer) -> str:
    """The bare code of a refusal, or `http-<status>`; never the other side's free text."""
    try:
        code = _Refusal.model_validate_json(answer.body).code
    except ValidationError:
        code = ""
    return code if BARE_CODE.fullmatch(code) else f"http-{answer.status}"


def _retry_after(response: httpx.Response) -> timedelta | None:
    """The pause that was asked for, in seconds; a date is not worth the trouble, our own back-off does."""
    asked = response.headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,6}", asked):
        return None
    return min(timedelta(seconds=int(asked)), LONGEST_RETRY_AFTER)
