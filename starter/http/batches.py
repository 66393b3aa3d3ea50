"""Many things in one request: a list of lines, each of which is judged and answered for itself."""

from typing import Any

from starlette.requests import Request

from schemas.values.refusals import Fault, say
from starter.http.bodies import read_body, read_json
from starter.http.faults import fault
from starter.http.problems import bad_request

LINES_MAX = 100
BATCH_BYTES_MAX = 4 * 1024 * 1024
"""A hundred descriptions of 4,000 characters each, outside the basic plane, are 1.6 MB in UTF-8."""


async def read_lines(request: Request) -> list[Any]:
    """The lines of a batch, as they were sent. Raises Problem: what concerns the whole, such as no line or too many."""
    plain, faults = read_json(await read_body(request, BATCH_BYTES_MAX))
    lines: list[Any] | None = plain.get("lines") if isinstance(plain, dict) else None
    if not faults and (not isinstance(plain, dict) or set(plain) != {"lines"} or not isinstance(lines, list)):
        faults = [fault("lines", "list_type")]
    elif not faults and not 1 <= len(lines or ()) <= LINES_MAX:
        reason = say(f"应为1至{LINES_MAX}条", f"has {len(lines or ())} lines, not 1 to {LINES_MAX}")
        faults = [Fault(field="lines", reason=reason, remedy=say("请分批提交", "send them in several batches"))]
    if faults or lines is None:
        raise bad_request(faults)
    return lines
