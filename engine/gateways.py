"""How a department is reached over HTTP (docs/departments.md), with each outcome as a type.

    Receipt, Recalled     the department has it, or no longer has it
    OrderLost             it does not know the order that is to be worked on again
    GatewayRefused        trying again will not help: a fact for the procedure
    GatewayUnavailable    raised: no usable answer came; Temporal tries again

Each department has a lane of its own: so many calls at one time, so many waiting, for so long. A department that hangs
fills its lane and no other's, and the calls that do not fit are told at once: they do not sit in the worker's places.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
from pydantic import BaseModel, ValidationError

from engine.department_keys import DepartmentKeys
from schemas.department import IDEMPOTENCY_HEADER, Receipt, Rework, WorkOrder, idempotency_key, rework_key
from schemas.department_policy import DepartmentPolicy
from schemas.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

LONGEST_ANSWER_BYTES = 64 * 1024
LONGEST_RETRY_AFTER = timedelta(minutes=5)
WAITING_PER_PLACE = 4
"""Calls that may wait for each one that runs: enough for a burst at a department that answers."""

TRY_AGAIN = frozenset({408, 425, 429})
GONE = frozenset({404, 410})
TAKEN = frozenset({200, 201})

_REASONS = {
    400: "the department could not read the order",
    401: "the department did not believe our signature",
    403: "the department does not let us in",
    404: "no such address at the department",
    409: "the department holds another order under the same key",
    410: "the order was taken back before it came in",
    422: "the department does not take such an order",
}


class GatewayUnavailable(Exception):
    """The department gave no usable answer; the same call may go through later. `retry_after`: a pause it asked for."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True)
class GatewayRefused:
    """The department will never do this. `code` is its own bare code, or `http-<status>`; the words are ours."""

    code: str
    reason: str


@dataclass(frozen=True)
class Recalled:
    """The department does not have the order, or has it no more."""


@dataclass(frozen=True)
class OrderLost:
    """The department does not know the order: what is to be done again has to be ordered again."""


class _Refusal(BaseModel):
    """What we read of a problem details answer: a bare code. Its free text may name people and stays where it is."""

    code: str = ""


class _Lane:
    """The calls to one department."""

    def __init__(self, department: DepartmentPolicy) -> None:
        self._places = asyncio.Semaphore(department.concurrent_calls)
        self._room = department.concurrent_calls * (1 + WAITING_PER_PLACE)
        self._inside = 0
        self._patience = department.timeout_seconds

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one call. Raises GatewayUnavailable when the lane is full or no place becomes free in time."""
        if self._inside >= self._room:
            raise GatewayUnavailable("too many calls to this department are waiting")
        self._inside += 1
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await self._places.acquire()
            except TimeoutError:
                raise GatewayUnavailable("earlier calls to this department have not come back") from None
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._inside -= 1


class HttpGateway:
    """Our side of the contract. One for the whole worker; the client's connections are shared, the lanes are not.

    `client` has no limit on connections (the lanes are the limit) and follows no redirects: see `http_client`.
    `real_time` gives Unix seconds for the signature: the town's speed never reaches the network.
    """

    def __init__(
        self, client: httpx.AsyncClient, keys: DepartmentKeys, real_time: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._keys = keys
        self._real_time = real_time
        self._lanes: dict[str, _Lane] = {}

    async def place(self, department: DepartmentPolicy, order: WorkOrder) -> Receipt | GatewayRefused:
        """Place an order. Raises GatewayUnavailable."""
        status, answer = await self._post(
            department, "/work-orders", order.model_dump_json().encode(), idempotency_key(order.case_id, order.step)
        )
        return _receipt(answer) if status in TAKEN else _refused(status, answer)

    async def rework(self, department: DepartmentPolicy, rework: Rework) -> Receipt | OrderLost | GatewayRefused:
        """Ask for the work of an order to be done again. Raises GatewayUnavailable."""
        status, answer = await self._post(
            department,
            f"/work-orders/{rework.order_id}/reworks",
            rework.model_dump_json().encode(),
            rework_key(rework.case_id, rework.step, rework.number),
        )
        if status in GONE:
            return OrderLost()
        return _receipt(answer) if status in TAKEN else _refused(status, answer)

    async def recall(self, department: DepartmentPolicy, order_id: str) -> Recalled | GatewayRefused:
        """Take an order back. Raises GatewayUnavailable."""
        status, answer = await self._call(
            department, "DELETE", f"/work-orders/{order_id}", signed=order_id.encode(), headers={}, content=None
        )
        return Recalled() if status in {200, 204} | GONE else _refused(status, answer)

    async def _post(self, department: DepartmentPolicy, path: str, body: bytes, key: str) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json", IDEMPOTENCY_HEADER: key}
        return await self._call(department, "POST", path, signed=body, headers=headers, content=body)

    async def _call(
        self,
        department: DepartmentPolicy,
        method: str,
        path: str,
        *,
        signed: bytes,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> tuple[int, bytes]:
        """One signed call in the department's lane: status and body of a 2xx or final 4xx, else GatewayUnavailable."""
        lane = self._lanes.setdefault(department.code, _Lane(department))
        async with lane.place():
            timestamp = str(int(self._real_time()))
            signature = sign(self._keys.signing(department.code), timestamp, signed)
            request = self._client.build_request(
                method,
                f"{department.url}{path}",
                content=content,
                headers={**headers, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signature},
                timeout=department.timeout_seconds,
            )
            try:
                # httpx limits each read; only this limits an answer that comes in drops.
                async with asyncio.timeout(department.timeout_seconds):
                    response = await self._client.send(request, stream=True)
                    try:
                        answer = await _read(response)
                    finally:
                        await response.aclose()
            except (TimeoutError, httpx.TimeoutException):
                raise GatewayUnavailable("the department did not answer in time") from None
            except httpx.TransportError as error:
                raise GatewayUnavailable(f"the department could not be reached ({type(error).__name__})") from None
        if response.is_server_error or response.status_code in TRY_AGAIN:
            raise GatewayUnavailable(f"the department answered {response.status_code}", _retry_after(response))
        return response.status_code, answer


def http_client() -> httpx.AsyncClient:
    """The client that the gateway shares among departments. The one who makes it closes it."""
    return httpx.AsyncClient(
        follow_redirects=False,
        trust_env=False,  # a proxy of the machine's user has no business between town and department
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
    )


async def _read(response: httpx.Response) -> bytes:
    """The body, as far as anybody needs it."""
    answer = bytearray()
    async for chunk in response.aiter_bytes():
        answer += chunk
        if len(answer) > LONGEST_ANSWER_BYTES:
            raise GatewayUnavailable("the department's answer is too long")
    return bytes(answer)


def _receipt(answer: bytes) -> Receipt:
    try:
        return Receipt.model_validate_json(answer)
    except ValidationError:
        # It may have taken the order, so this is no refusal; and it may be mended while we go on asking.
        raise GatewayUnavailable("the department's receipt is not readable") from None


def _refused(status: int, answer: bytes) -> GatewayRefused:
    try:
        code = _Refusal.model_validate_json(answer).code
    except ValidationError:
        code = ""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", code):
        code = f"http-{status}"
    return GatewayRefused(code, _REASONS.get(status, f"the department answered {status}"))


def _retry_after(response: httpx.Response) -> timedelta | None:
    """The pause that was asked for, in seconds; a date is not worth the trouble, our own back-off does."""
    asked = response.headers.get("Retry-After", "")
    if not re.fullmatch(r"[0-9]{1,6}", asked):
        return None
    return min(timedelta(seconds=int(asked)), LONGEST_RETRY_AFTER)
