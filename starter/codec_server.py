"""The codec endpoint: it opens payloads for the Temporal UI, so that supervisors can read a case's timeline there.

It speaks Temporal's protocol, not ours: `POST /codec/decode` with `{"payloads": […]}` and the namespace in `X-Namespace`.
What it opens are histories: codes, references and facts, no texts (docs/privacy.md). It knows neither the case nor, until
there are access rules for it, the reader; so it is off unless `codec_origin` is set, and each decoding is counted in
the log. It closes nothing: whoever could have a payload closed here could forge a signal.
"""

import json
from collections.abc import Sequence
from typing import NoReturn

import structlog
from fastapi import APIRouter
from google.protobuf.json_format import MessageToJson, ParseDict, ParseError
from starlette.requests import Request
from starlette.responses import Response
from temporalio.api.common.v1 import Payload, Payloads

from engine.codec import EncryptionCodec, PayloadFault, PayloadNotEncrypted
from engine.keys import Keys
from engine.settings import Settings
from schemas.model import Model
from schemas.refusals import say
from starter.bodies import read_body
from starter.problems import Problem

log = structlog.get_logger()

PATH = "/codec"
NAMESPACE_HEADER = "X-Namespace"
BODY_BYTES_MAX = 4 * 1024 * 1024
"""What Temporal itself lets through in one message."""

PREFLIGHT_SECONDS = 600
_ALLOWED_HEADERS = "content-type, x-namespace"


class _NotServed(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class CodecAnswer(Model):
    """What is answered when nothing is opened; the UI shows the status only."""

    message: str


def codec_routes(settings: Settings, keys: Keys) -> APIRouter:
    """Make the endpoint's routes for the UI at `settings.codec_origin`; none at all where it is not set."""
    router = APIRouter(prefix=PATH, include_in_schema=False)
    if settings.codec_origin is None:
        return router
    origin, namespace, codec = (
        settings.codec_origin.rstrip("/"),
        settings.temporal_namespace,
        EncryptionCodec(keys.payload),
    )

    @router.options("/decode")
    async def preflight(request: Request) -> Response:
        """A browser asks first, since the namespace is a header of its own: so no foreign page gets past this."""
        if request.headers.get("origin") != origin:
            return _refusal(_foreign(), origin=None)
        allowed = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
        return Response(status_code=204, headers=_readable_by(origin) | allowed)

    @router.post("/decode")
    async def decode(request: Request) -> Response:
        """Open the payloads of one request, or none of them."""
        reader = request.headers.get("origin")
        try:
            _admit(request, origin, namespace)
            opened = await _open(codec, _payloads(await _body(request)))
        except _NotServed as refusal:
            log.warning("codec_refused", status=refusal.status, fault=refusal.reason)
            return _refusal(refusal, origin=origin if reader == origin else None)
        log.info("codec_decoded", number=len(opened))
        text = MessageToJson(Payloads(payloads=opened), indent=None)
        return Response(text, headers=_readable_by(origin), media_type="application/json")

    @router.post("/encode")
    async def encode(request: Request) -> Response:
        """Refuse: what goes into a case comes through the API, where it is checked and signed."""
        log.warning("codec_refused", status=403, fault="encode")
        refusal = _NotServed(403, say("本端点只解密", "this endpoint only decodes; give commands through the API"))
        return _refusal(refusal, origin=origin if request.headers.get("origin") == origin else None)

    return router


def _admit(request: Request, origin: str, namespace: str) -> None:
    """Raise _NotServed for a foreign page or namespace. No origin at all is no browser: `temporal --codec-endpoint`."""
    if request.headers.get("origin", origin) != origin:
        raise _foreign()
    if request.headers.get(NAMESPACE_HEADER) != namespace:
        raise _NotServed(403, say("命名空间不符", f"{NAMESPACE_HEADER} must name this town's namespace"))


async def _body(request: Request) -> bytes:
    try:
        return await read_body(request, BODY_BYTES_MAX)
    except Problem as problem:
        raise _NotServed(problem.kind.status, problem.detail) from None


def _payloads(body: bytes) -> Sequence[Payload]:
    try:
        plain = json.loads(body)
        return ParseDict(plain, Payloads(), ignore_unknown_fields=True).payloads if _has_the_shape(plain) else _refuse()
    # Beside ParseError, the parser lets through what the setters of fields raise for shapes they do not expect.
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError):
        _refuse()


def _has_the_shape(plain: object) -> bool:
    """Ask before the parser, which takes a text for an object without fields and would open nothing without a word."""
    return isinstance(plain, dict) and all(isinstance(each, dict) for each in plain.get("payloads", ()))


def _refuse() -> NoReturn:
    raise _NotServed(400, say("不是有效的载荷", 'the body is not {"payloads": […]} as Temporal writes it')) from None


async def _open(codec: EncryptionCodec, payloads: Sequence[Payload]) -> list[Payload]:
    """Open them all. What was never closed, such as search attributes, is given back as it came."""
    opened: list[Payload] = []
    for payload in payloads:
        try:
            opened += await codec.decode([payload])
        except PayloadNotEncrypted:
            opened.append(payload)
        except PayloadFault as fault:
            raise _NotServed(400, say("载荷无法解密", type(fault).__name__)) from None
    return opened


def _foreign() -> _NotServed:
    return _NotServed(403, say("来源不符", "this endpoint serves the Temporal UI of this town only"))


def _readable_by(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _refusal(refusal: _NotServed, *, origin: str | None) -> Response:
    headers = _readable_by(origin) if origin else {"Vary": "Origin"}
    body = CodecAnswer(message=refusal.reason).model_dump_json()
    return Response(body, refusal.status, headers=headers, media_type="application/json")
