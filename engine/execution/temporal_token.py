"""The token that our processes show to a Temporal that asks for one: read, renewed while they run, and when it ends."""

import asyncio
import math
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

from engine.runtime.metrics import usual_runtime
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings

LOOK_SECONDS = 30.0
"""How often a running process looks whether its token was renewed."""
WARN_DAYS = 30.0
WARN_EVERY = timedelta(days=1)
TOKEN_DAYS = "jiceng_temporal_token_days"  # noqa: S105 - the name of a metric
TOKEN_DAYS_WORDS = "Days until the token ends that this process shows to Temporal."  # noqa: S105 - the same
REFUSED = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED)
ASK_WITHIN = timedelta(seconds=10)

log = structlog.get_logger()
_following = set[asyncio.Task[None]]()


class TemporalAway(OperatorError, RuntimeError):
    """Nothing answers at Temporal's address. A RuntimeError, as the SDK says it."""


class NotLetIn(OperatorError, RuntimeError):
    """Temporal asks for a token, and the one of this process, if it has one, is not good for this namespace."""


def authorization(settings: Settings) -> dict[str, str]:
    """As metadata and not as the SDK's `api_key`, which would switch on TLS; inside the compose network there is none.

    Raises:
        NotLetIn: the file cannot be read.
    """
    if settings.temporal_token_file is None:
        return {}
    try:
        return {"authorization": f"Bearer {_read(settings.temporal_token_file)}"}
    except (OSError, UnicodeError) as error:
        raise NotLetIn(
            f"The token in {settings.temporal_token_file} (JICENG_TEMPORAL_TOKEN_FILE) cannot be read: {type(error).__name__}."
        ) from None


def days_left(settings: Settings) -> float:
    """Until the token of the file ends: infinite without a token, or with one that does not say; 0 if it is not to be read."""
    if settings.temporal_token_file is None:
        return math.inf
    try:
        return _days(_read(settings.temporal_token_file))
    except (OSError, UnicodeError):
        return 0.0


async def ask_whether_let_in(client: Client, settings: Settings) -> None:
    """Ask once what every process may ask: whoever is refused here would be refused at everything, without a word.

    Raises:
        NotLetIn: it says which file is named, and what is the matter with it.
    """
    try:
        request = DescribeNamespaceRequest(namespace=settings.temporal_namespace)
        await client.workflow_service.describe_namespace(request, timeout=ASK_WITHIN)
    except RPCError as error:
        if error.status not in REFUSED:
            return  # a namespace that is not there yet, or a server that has to be asked again: for the first call to say
        fault = NotLetIn(_why(settings))
        log.error("temporal_refuses", reason=str(fault))  # noqa: TRY400 - the place says nothing, the words all
        raise fault from None


def follow(client: Client, settings: Settings, every_seconds: float = LOOK_SECONDS) -> None:
    """Show the newest token for as long as the client lives: whoever renews the file restarts nothing."""
    if settings.temporal_token_file is None:
        return
    task = asyncio.create_task(_follow(weakref.ref(client.service_client), settings.temporal_token_file, every_seconds))
    _following.add(task)
    task.add_done_callback(_following.discard)


async def _follow(client: "weakref.ref[ServiceClient]", file: Path, every_seconds: float) -> None:
    warned = datetime.min.replace(tzinfo=UTC)
    while (service := client()) is not None:
        days = _show_newest(service, file)
        if days < math.inf:
            meter = (service.config.runtime or usual_runtime()).metric_meter
            meter.create_gauge_float(TOKEN_DAYS, TOKEN_DAYS_WORDS).set(max(days, 0.0))
        if days < WARN_DAYS and datetime.now(UTC) - warned >= WARN_EVERY:
            log.warning("temporal_token_ends" if days > 0 else "temporal_token_ended", number=math.floor(days))
            warned = datetime.now(UTC)
        del service  # who waits here must not keep it alive
        await asyncio.sleep(every_seconds)


def _show_newest(service: ServiceClient, file: Path) -> float:
    """Show what the file holds, if it is another one than is shown; how many days it lasts."""
    try:
        token = _read(file)
    except (OSError, UnicodeError) as error:
        log.warning("temporal_token_not_readable", error=type(error).__name__)
        return 0.0
    metadata = {"authorization": f"Bearer {token}"}
    if token and service.config.rpc_metadata != metadata:  # blank while somebody writes it
        service.update_rpc_metadata(metadata)
        service.config.rpc_metadata = metadata
        log.info("temporal_token_renewed")
    return _days(token)


def _why(settings: Settings) -> str:
    where, file = f"Temporal at {settings.temporal_address}", settings.temporal_token_file
    if file is None:
        return f"{where} asks for a token: name the file that holds one in JICENG_TEMPORAL_TOKEN_FILE (docs/production.md)."
    days = days_left(settings)
    if days <= 0:
        ended = datetime.now(UTC) + timedelta(days=days)
        return f"The token in {file} ended on {ended:%Y-%m-%d %H:%M}Z, and {where} refuses it: renew it (docs/production.md)."
    return (
        f"{where} refuses the token in {file}: it has to name the namespace {settings.temporal_namespace}, and be signed "
        "with the key whose public part Temporal fetches (docs/production.md)."
    )


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii").strip()


def _days(token: str) -> float:
    """Nobody checks it here: that is for Temporal to do."""
    try:
        ends = jwt.decode(token, options={"verify_signature": False}).get("exp")
    except jwt.PyJWTError:
        return math.inf
    if not isinstance(ends, int | float):
        return math.inf
    return (ends - datetime.now(UTC).timestamp()) / timedelta(days=1).total_seconds()
