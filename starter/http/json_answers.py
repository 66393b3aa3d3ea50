"""An answer as it is sent: a model as JSON, with an ETag where the caller may have it already."""

import hashlib
from typing import Any

from starlette.responses import Response

from schemas.values.model import Model

CREATED, OK, ACCEPTED, UNCHANGED = 201, 200, 202, 304
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {UNCHANGED: {"description": "What the caller still has, by its ETag"}}


def json_response(body: Model, status: int = OK, headers: dict[str, str] | None = None) -> Response:
    """A model as it is sent."""
    return Response(body.model_dump_json(), status, headers=headers, media_type="application/json")


def with_etag(body: Model, if_none_match: str | None) -> Response:
    """A model with the ETag of its very bytes; 304 without a body for a caller who has it already."""
    content = body.model_dump_json().encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    # To be kept by the caller alone, and never used without asking.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    had = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if etag in had or "*" in had:
        return Response(None, UNCHANGED, headers=headers)
    return Response(content, OK, headers=headers, media_type="application/json")
