"""Calls outside: reads a number at the last moment, has it called, says what became of it. No number ever leaves this file."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.outside.call_gateways import CallGateway
from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable
from schemas.contracts.calls import (
    CallAsk,
    CallBody,
    CallGatewayPolicy,
    CallStatus,
    CallWord,
    Dial,
    Dialled,
    SendText,
    TextBody,
    TextSent,
    number_on,
    report_path,
)
from schemas.contracts.department import Gateway
from schemas.values.references import TextReference, Tombstone, Withheld

log = structlog.get_logger()

UNAVAILABLE = "CallGatewayUnavailable"
"""The type of the error that Temporal retries. After it the telephone may be ringing."""

DIAL_PURPOSE = "dial"

ReadTexts = Callable[[Sequence[TextReference], str, str], Awaitable[Mapping[TextReference, str | Tombstone | Withheld]]]
"""`read_texts(references, purpose, case_id)`: the texts by reference, of this case only; the vault records each reading."""

CountCall = Callable[[str, str, str], None]
"""`count_call(gateway, act, outcome)`: for the metrics; codes only."""


class Calls:
    """The doers for telephone calls. Idempotent by the key of the call; a refusal is a result, an absence is an error."""

    def __init__(
        self,
        policy: CallGatewayPolicy,
        gateway: CallGateway,
        *,
        read_texts: ReadTexts,
        report_base: str,
        count_call: CountCall,
    ) -> None:
        self._policy = policy
        self._gateway = gateway
        self._read_texts = read_texts
        self._report_url = report_base.rstrip("/") + report_path(policy.code)
        self._count_call = count_call

    @activity.defn
    async def dial(self, request: Dial) -> Dialled:
        """Have somebody called. Raises ApplicationError(type=CallGatewayUnavailable) to be tried again under the same key."""
        if self._policy.gateway is Gateway.DESK:
            return Dialled(call=request.key, status=CallStatus.NO_GATEWAY)
        number = await self._number(request)
        if number is None:
            self._tell("dial", request.case_id, CallStatus.NO_NUMBER)
            return Dialled(call=request.key, status=CallStatus.NO_NUMBER)
        body = CallBody(
            call_id=request.key,
            to=number,
            voice=self._policy.voice,
            ring_seconds=self._policy.ring_seconds,
            as_of=request.as_of,
            report_url=self._report_url,
        )
        try:
            refused = await self._gateway.call(self._policy, body)
        except GatewayUnavailable as error:
            raise self._unavailable("dial", request.case_id, error) from None
        status = CallStatus.RINGING if refused is None else CallStatus.REFUSED
        self._tell("dial", request.case_id, status)
        return Dialled(call=request.key, status=status, code=_code(refused))

    @activity.defn
    async def call_word(self, request: CallAsk) -> CallWord:
        """Ask what became of a call. Raises ApplicationError as `dial`."""
        if self._policy.gateway is Gateway.DESK:
            return CallWord(call=request.key, status=CallStatus.NO_GATEWAY)
        try:
            found = await self._gateway.standing(self._policy, request.key)
        except GatewayUnavailable as error:
            raise self._unavailable("ask", request.case_id, error) from None
        if isinstance(found, GatewayRefused):
            self._tell("ask", request.case_id, CallStatus.REFUSED)
            return CallWord(call=request.key, status=CallStatus.REFUSED, code=_code(found))
        status = CallStatus.RINGING if found.result is None else CallStatus.ENDED
        self._tell("ask", request.case_id, status)
        return CallWord(call=request.key, status=status, result=found.result)

    @activity.defn
    async def send_text(self, request: SendText) -> TextSent:
        """Send the message to a line. Raises ApplicationError as `dial`."""
        if self._policy.gateway is Gateway.DESK:
            return TextSent(call=request.key, status=CallStatus.NO_GATEWAY)
        number = await self._number(request)
        if number is None:
            self._tell("text", request.case_id, CallStatus.NO_NUMBER)
            return TextSent(call=request.key, status=CallStatus.NO_NUMBER)
        body = TextBody(text_id=request.question, to=number, text=self._policy.text, as_of=request.as_of)
        try:
            refused = await self._gateway.text(self._policy, body)
        except GatewayUnavailable as error:
            raise self._unavailable("text", request.case_id, error) from None
        status = CallStatus.SENT if refused is None else CallStatus.REFUSED
        self._tell("text", request.case_id, status)
        return TextSent(call=request.key, status=status, code=_code(refused))

    async def _number(self, request: Dial | SendText) -> str | None:
        texts = await self._read_texts([request.numbers], DIAL_PURPOSE, request.case_id)
        found = texts.get(request.numbers)
        return number_on(found, request.line) if isinstance(found, str) else None

    def _tell(self, act: str, case_id: str, outcome: str) -> None:
        self._count_call(self._policy.code, act, outcome)
        log.info("call gateway answered", gateway=self._policy.code, act=act, case_id=case_id, outcome=outcome)

    def _unavailable(self, act: str, case_id: str, error: GatewayUnavailable) -> ApplicationError:
        self._count_call(self._policy.code, act, "unavailable")
        log.warning(
            "call gateway unavailable", gateway=self._policy.code, act=act, case_id=case_id, reason=error.reason
        )
        return ApplicationError(error.reason, type=UNAVAILABLE, next_retry_delay=error.retry_after)


def _code(refused: GatewayRefused | None) -> str | None:
    return None if refused is None else refused.code
