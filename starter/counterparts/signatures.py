"""Who reports to us is believed by signature: departments' systems and banks alike (docs/departments.md)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import structlog
from starlette.requests import Request

from engine.keys.counterpart_keys import CounterpartKeys
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from schemas.values.refusals import say
from starter.http.dependencies import dependency
from starter.http.problems import Problem, ProblemCode

log = structlog.get_logger()


@dataclass(frozen=True)
class Signers:
    """The keys of who reports to us."""

    departments: CounterpartKeys
    banks: CounterpartKeys
    platforms: CounterpartKeys
    call_gateways: CounterpartKeys
    issuers: CounterpartKeys
    gauges: CounterpartKeys


SignersOf = Annotated[Signers, dependency(Signers)]


def believe(secrets: Sequence[bytes], request: Request, body: bytes) -> None:
    """Go on if one of these keys signed the body within the window; otherwise raise the problem `not-believed`."""
    timestamp, signature = request.headers.get(TIMESTAMP_HEADER), request.headers.get(SIGNATURE_HEADER)
    fault = verify(secrets, timestamp, body, signature, time.time())
    if fault is not None:
        # Real time: a network does not run on the town's clock. The sender learns only that it is not believed.
        log.warning("callback_not_believed", fault=fault)
        raise Problem(
            ProblemCode.NOT_BELIEVED,
            say("签名或时间戳未通过验证", "signature or timestamp is not believed; see docs/departments.md"),
            headers={"WWW-Authenticate": 'Jiceng-Signature realm="jiceng"'},
        )
