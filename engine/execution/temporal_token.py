"""The token that our processes show to a Temporal that asks for one: read, asked about, and when it ends."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import structlog
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings

TOKEN_DAYS = "jiceng_temporal_token_days"  # noqa: S105 - the name of a metric
TOKEN_DAYS_WORDS = "Days until the token ends that this process shows to Temporal; 0 when it is refused."  # noqa: S105 - the same
REFUSED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
SAID_WHEN_REFUSED = re.compile(r"PermissionDenied|Unauthenticated|not authorized|unauthorized", re.IGNORECASE)
"""In the SDK's words when it cannot connect: with a token that is not signed as it has to be, not even that is allowed."""
ASK_WITHIN = timedelta(seconds=10)
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a bearer token is made of (RFC 6750, 2.1). The SDK's metadata take no second line."""

log = structlog.get_logger()
_not_good = set[Path]()
"""The files whose token is not good, as this process last found, when it connected or later (token_follower.py)."""


class TemporalAway(OperatorError, RuntimeError):
    """Nothing answers at Temporal's address. A RuntimeError, as the SDK says it."""


class NotLetIn(OperatorError, RuntimeError):
    """Temporal asks for a token, and the one of this process, if it has one, is not good for this namespace."""


def authorization(settings: Settings) -> dict[str, str]:
    """As metadata and not as the SDK's `api_key`, which would switch on TLS; inside the compose network there is none.

    Raises:
        NotLetIn: the file cannot be read, or holds what is no token.
    """
    file = settings.temporal_token_file
    if file is None:
        return {}
    where = f"{file} (JICENG_TEMPORAL_TOKEN_FILE)"
    try:
        token = _read(file)
    except (OSError, UnicodeError) as error:
        raise NotLetIn(f"The token in {where} cannot be read: {type(error).__name__}.") from None
    if not TOKEN.fullmatch(token):
        raise NotLetIn(f"What stands in {where} is no token: it has to be one word in one line, and nothing else.")
    return {"authorization": f"Bearer {token}"}


def days_left(settings: Settings) -> float:
    """Until the token of the file ends: infinite without a token, or with one that does not say; 0 if it is not good.

    Not good is what cannot be read, what is no token, and what Temporal has refused to this process.
    """
    if settings.temporal_token_file in _not_good:
        return 0.0
    try:
        return days_of(authorization(settings))
    except NotLetIn:
        return 0.0


def days_of(shown: Mapping[str, str | bytes]) -> float:
    """As `days_left`, of what a client shows. Nobody checks it here: that is for Temporal to do."""
    token = str(shown.get("authorization", "")).removeprefix("Bearer ")
    try:
        ends = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except jwt.PyJWTError:
        return math.inf
    if not isinstance(ends, int | float):
        return math.inf
    return (ends - datetime.now(UTC).timestamp()) / timedelta(days=1).total_seconds()


def note_whether_good(file: Path, *, good: bool) -> None:
    """Let `days_left` say what was found."""
    (_not_good.discard if good else _not_good.add)(file)


async def is_let_in(service: ServiceClient, namespace: str, shown: Mapping[str, str | bytes] | None = None) -> bool:
    """Ask Temporal whether who shows this, or what the client shows, may write: what a worker and an API do is writing.

    A signal to a case without a number: whoever may write is told that the number is missing, and nothing happens.

    Raises:
        RPCError: there was no answer.
        RuntimeError: there is no connection.
    """
    request = SignalWorkflowExecutionRequest(namespace=namespace, workflow_execution=WorkflowExecution())
    try:
        await service.workflow_service.signal_workflow_execution(request, metadata=shown or {}, timeout=ASK_WITHIN)
    except RPCError as error:
        if error.status in _NO_ANSWER:
            raise
        return error.status not in REFUSED
    return True


_NO_ANSWER = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.UNKNOWN,
)


async def ask_whether_let_in(client: Client, settings: Settings) -> None:
    """Ask once what every process must be allowed: whoever is refused here would be refused at everything, without a word.

    Raises:
        NotLetIn: it says which file is named, and what is the matter with it.
    """
    try:
        let_in = await is_let_in(client.service_client, settings.temporal_namespace)
    except RPCError:
        return  # a server that has to be asked again: for the first call to say
    if not let_in:
        raise not_let_in(settings)
    if settings.temporal_token_file is not None:
        note_whether_good(settings.temporal_token_file, good=True)


def not_let_in(settings: Settings) -> NotLetIn:
    """The fault to be raised; it is told here, for whoever raises it may be asked again and again."""
    if settings.temporal_token_file is not None:
        note_whether_good(settings.temporal_token_file, good=False)
    fault = NotLetIn(why_refused(settings))
    log.error("temporal_refuses", reason=str(fault))
    return fault


def why_refused(settings: Settings) -> str:
    """One sentence for whoever has to mend it."""
    where, file = f"Temporal at {settings.temporal_address}", settings.temporal_token_file
    if file is None:
        return f"{where} asks for a token: name the file that holds one in JICENG_TEMPORAL_TOKEN_FILE (docs/production.md)."
    days = _days_in(settings)
    if days <= 0:
        ended = datetime.now(UTC) + timedelta(days=days)
        return f"The token in {file} ended on {ended:%Y-%m-%d %H:%M}Z, and {where} refuses it: renew it (docs/production.md)."
    return (
        f"{where} refuses the token in {file}: it has to allow to write in the namespace {settings.temporal_namespace}, and "
        "be signed with the key whose public part Temporal fetches (docs/production.md)."
    )


def _days_in(settings: Settings) -> float:
    try:
        return days_of(authorization(settings))
    except NotLetIn:
        return math.inf


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii").strip()
