"""How a department is reached over HTTP (docs/departments.md), with each outcome as a type.

Receipt, Recalled     the department has it, or no longer has it
OrderLost             it does not know the order that is to be worked on again
GatewayRefused        trying again will not help: a fact for the procedure
GatewayUnavailable    raised: no usable answer came; Temporal tries again

Signature, limits and lanes are those of every signed call: engine/outside/signed_calls.py.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from engine.keys.department_keys import DepartmentKeys
from engine.outside.signed_calls import (
    LONGEST_ANSWER_BYTES,
    WAITING_PER_PLACE,
    Answer,
    GatewayRefused,
    GatewayUnavailable,
    SignedCalls,
    http_client,
    refusal_code,
)
from schemas.contracts.department import Receipt, Rework, WorkOrder, idempotency_key, rework_key
from schemas.contracts.department_policy import DepartmentPolicy

__all__ = [
    "LONGEST_ANSWER_BYTES",
    "WAITING_PER_PLACE",
    "GatewayRefused",
    "GatewayUnavailable",
    "HttpGateway",
    "OrderLost",
    "Recalled",
    "http_client",
]

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


@dataclass(frozen=True)
class Recalled:
    """The department does not have the order, or has it no more."""


@dataclass(frozen=True)
class OrderLost:
    """The department does not know the order: what is to be done again has to be ordered again."""


class HttpGateway:
    """Our side of the contract. One for the whole worker; `client` is `http_client()`."""

    def __init__(
        self, client: httpx.AsyncClient, keys: DepartmentKeys, real_time: Callable[[], float] = time.time
    ) -> None:
        self._calls = SignedCalls(client, keys, "department", real_time)

    async def place(self, department: DepartmentPolicy, order: WorkOrder) -> Receipt | GatewayRefused:
        """Place an order. Raises GatewayUnavailable."""
        body, key = order.model_dump_json().encode(), idempotency_key(order.case_id, order.step)
        answer = await self._calls.post(department, "/work-orders", body, key)
        return _receipt(answer) if answer.status in TAKEN else _refused(answer)

    async def rework(self, department: DepartmentPolicy, rework: Rework) -> Receipt | OrderLost | GatewayRefused:
        """Ask for the work of an order to be done again. Raises GatewayUnavailable."""
        path = f"/work-orders/{rework.order_id}/reworks"
        body, key = rework.model_dump_json().encode(), rework_key(rework.case_id, rework.step, rework.number)
        answer = await self._calls.post(department, path, body, key)
        if answer.status in GONE:
            return OrderLost()
        return _receipt(answer) if answer.status in TAKEN else _refused(answer)

    async def recall(self, department: DepartmentPolicy, order_id: str) -> Recalled | GatewayRefused:
        """Take an order back. Raises GatewayUnavailable."""
        answer = await self._calls.call(department, "DELETE", f"/work-orders/{order_id}", signed=order_id.encode())
        return Recalled() if answer.status in {200, 204} | GONE else _refused(answer)


def _receipt(answer: Answer) -> Receipt:
    try:
        return Receipt.model_validate_json(answer.body)
    except ValidationError:
        # It may have taken the order, so this is no refusal; and it may be mended while we go on asking.
        raise GatewayUnavailable("the department's receipt is not readable") from None


def _refused(answer: Answer) -> GatewayRefused:
    return GatewayRefused(refusal_code(answer), _REASONS.get(answer.status, f"the department answered {answer.status}"))
