"""How the call gateway is reached over HTTP (docs/call-gateway.md). Signature, limits and lanes: engine/outside/signed_calls.py."""

from http import HTTPStatus
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from engine.keys.counterpart_keys import CounterpartKeys
from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable, SignedCalls, refusal_code
from schemas.contracts.calls import CallBody, CallGatewayPolicy, CallStanding, TextBody

_TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


class CallGateway:
    """Our side of the contract. One for the whole worker."""

    def __init__(self, client: httpx.AsyncClient, keys: CounterpartKeys) -> None:
        self._calls = SignedCalls(client, keys, "call gateway")

    async def call(self, gateway: CallGatewayPolicy, body: CallBody) -> GatewayRefused | None:
        """Have somebody called; None: it rings, or has rung. Under the same key it is the same call. Raises GatewayUnavailable."""
        return await self._post(gateway, "/calls", body.model_dump_json().encode(), body.call_id)

    async def text(self, gateway: CallGatewayPolicy, body: TextBody) -> GatewayRefused | None:
        """Have a message sent; None: it is. Raises GatewayUnavailable."""
        return await self._post(gateway, "/messages", body.model_dump_json().encode(), body.text_id)

    async def standing(self, gateway: CallGatewayPolicy, call_id: str) -> CallStanding | GatewayRefused:
        """What became of a call. Raises GatewayUnavailable."""
        path = f"/calls/{quote(call_id, safe='')}"
        answer = await self._calls.call(gateway, "GET", path, signed=call_id.encode())
        if answer.status not in _TAKEN:
            return GatewayRefused(refusal_code(answer), f"the call gateway answered {answer.status}")
        try:
            return CallStanding.model_validate_json(answer.body)
        except ValidationError:
            raise GatewayUnavailable("the call gateway's answer is not readable") from None

    async def _post(self, gateway: CallGatewayPolicy, path: str, body: bytes, key: str) -> GatewayRefused | None:
        answer = await self._calls.post(gateway, path, body, key)
        if answer.status in _TAKEN:
            return None
        return GatewayRefused(refusal_code(answer), f"the call gateway answered {answer.status}")
