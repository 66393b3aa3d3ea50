"""The codec endpoint: it opens payloads for the Temporal UI, so that supervisors can read a case's timeline there.

It speaks Temporal's protocol, not ours: `POST /codec/decode` with `{"payloads": […]}` and the namespace in `X-Namespace`.
What it opens are histories: codes, references and facts, no texts (docs/privacy.md). Who asks shows a token in the header, as the
CLI does, or has signed in to the console with this browser, whose cookie the UI's page sends along. A payload does not say of
which case it is, so only who may see every case of the town has any opened; and each request is kept in `decodings` before it is
answered. It closes nothing: whoever could have a payload closed here could forge a signal.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NoReturn

import asyncpg
import structlog
from fastapi import APIRouter
from google.protobuf.json_format import MessageToJson, ParseDict, ParseError
from starlette.requests import Request
from starlette.responses import Response
from temporalio.api.common.v1 import Payload, Payloads

from engine.execution.codec import EncryptionCodec, PayloadFault, PayloadNotEncrypted
from engine.keys.keys import Keys
from engine.keys.token_errors import IssuerAway, TokenMissing, TokenRefused
from engine.keys.tokens import Principal
from engine.runtime.local_names import CODEC_PATH
from engine.runtime.settings import Settings
from engine.store.database import AWAY, Queries
from schemas.values.actor import Role
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.http.authentication import Guard, GuardOf
from starter.http.bodies import read_body
from starter.http.browser_sessions import BrowserSessions, BrowserSessionsOf
from starter.http.database import PoolOf
from starter.http.problems import Problem

log = structlog.get_logger()

NAMESPACE_HEADER = "X-Namespace"
BODY_BYTES_MAX = 4 * 1024 * 1024
"""What Temporal itself lets through in one message."""

PREFLIGHT_SECONDS = 600
READERS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""Who reads timelines in the Temporal UI, when no area binds them."""

SIGN_IN = "/sign-in"
_ALLOWED_HEADERS = "content-type, x-namespace, authorization"


class DecodingQueries(Queries):
    """engine/queries/decodings.sql."""

    keep: str
    latest: str


SQL = DecodingQueries.load("decodings")


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
    router = APIRouter(prefix=CODEC_PATH, include_in_schema=False)
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
    async def decode(request: Request, guard: GuardOf, sessions: BrowserSessionsOf, pool: PoolOf) -> Response:
        """Open the payloads of one request, or none of them."""
        page = request.headers.get("origin")
        try:
            _admit(request, origin, namespace)
            reader = await _reader(request, guard, sessions)
            await _count(guard, reader)
            closed = _payloads(await _body(request))
            opened = await _open(codec, closed)
            await _keep(pool, reader, closed)
        except _NotServed as refusal:
            log.warning("codec_refused", status=refusal.status, fault=refusal.reason)
            return _refusal(refusal, origin=origin if page == origin else None)
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


async def _reader(request: Request, guard: Guard, sessions: BrowserSessions) -> Principal:
    """Who asks. Raises _NotServed: nobody whom the town knows, or somebody who may not see every case of it."""
    try:
        principal = await _principal(request, guard, sessions)
    except TokenRefused as refusal:
        raise _NotServed(401, f"{refusal} {say('登录', 'sign in')}: {SIGN_IN}") from None
    except IssuerAway:
        raise _NotServed(503, say("登录服务暂不可用", "the issuer of the token is away")) from None
    except Problem as problem:
        raise _NotServed(problem.kind.status, problem.detail) from None
    if principal.role not in READERS or principal.area is not None:
        raise _NotServed(403, say("仅供全市督办与审计人员", "for supervisors and auditors of the whole town"))
    return principal


async def _principal(request: Request, guard: Guard, sessions: BrowserSessions) -> Principal:
    """By the token, where one is shown; a browser that shows none by its session. Raises TokenRefused, IssuerAway, Problem."""
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return await guard.verifier.check(token.strip())
    principal = await sessions.find(request)
    if principal is None:
        raise TokenMissing
    return principal


async def _count(guard: Guard, reader: Principal) -> None:
    """Take a request out of the reader's bucket, as every other address does. Raises _NotServed: it is empty."""
    if await guard.rates.take(reader.subject) is not None:
        raise _NotServed(429, say("请求过于频繁", "too many requests; try again a little later"))


async def _keep(pool: asyncpg.Pool, reader: Principal, closed: Sequence[Payload]) -> None:
    """Put the reading on record before anything is shown. Raises _NotServed: what cannot be recorded is not opened."""
    digest = hashlib.sha256(b"".join(payload.data for payload in closed)).hexdigest()
    try:
        await pool.execute(SQL.keep, reader.subject, reader.role.value, len(closed), digest)
    except AWAY:
        raise _NotServed(503, say("暂不可用", "the reading cannot be recorded just now")) from None


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
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin"}


def _refusal(refusal: _NotServed, *, origin: str | None) -> Response:
    headers = _readable_by(origin) if origin else {"Vary": "Origin"}
    body = CodecAnswer(message=refusal.reason).model_dump_json()
    return Response(body, refusal.status, headers=headers, media_type="application/json")
