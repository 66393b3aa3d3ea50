"""What every simulated counterpart of the town does on the wire: believe signatures, say problems, give no answer."""

import time
from collections.abc import Sequence

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, verify

log = structlog.get_logger()

SLOW_ANSWER_SECONDS = 0.3


def believed(who: str, secrets: Sequence[bytes], request: Request, signed: bytes) -> bool:
    """Whether one of these keys signed this just now."""
    headers = request.headers
    fault = verify(secrets, headers.get(TIMESTAMP_HEADER), signed, headers.get(SIGNATURE_HEADER), time.time())
    if fault:
        log.warning("message not believed", department=who, fault=fault)
    return fault is None


def problem(status: int, code: str, retry_after: int | None = None) -> Response:
    """A problem with a bare code."""
    headers = None if retry_after is None else {"Retry-After": str(retry_after)}
    content = {"status": status, "code": code}
    return JSONResponse(content, status, media_type="application/problem+json", headers=headers)


async def never(request: Request) -> Response:
    """Give no answer: hold the line until the caller hangs up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response(status_code=499)
