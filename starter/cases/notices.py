"""GET /api/v1/notices 通知: what the caller is to know, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from engine.outside.notices import notices_for
from schemas.contracts.notice import NoticePage
from starter.http.authentication import Caller, acting
from starter.http.database import PoolOf, database
from starter.http.documentation import responses
from starter.http.json_answers import json_response
from starter.http.parameters import RowNumber
from workflows.registry import PROCEDURES

_IN_PARTS = tuple(case.procedure.name for case in PROCEDURES if case.procedure.state.seen_in_parts)
"""Of whose cases also who works in a part of their area alone is told."""

router = APIRouter(prefix="/api/v1/notices", tags=["notices"])


@router.get(
    "",
    summary="我的通知 My notices",
    responses=responses({200: NoticePage}, "token-missing", "bad-request", "database-away"),
)
async def my_notices(
    caller: Caller,
    pool: PoolOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: RowNumber = None,
) -> Response:
    """What was told to the caller: of their own reports, to their department, to their role in their area.

    Of a warning of a wider area than theirs, too: its people are to move those who live in it.
    """
    async with database(pool) as connection:
        items = await notices_for(connection, acting(caller), before=cursor, limit=limit, in_parts=_IN_PARTS)
    return json_response(NoticePage(items=items, next_cursor=str(items[-1].number) if len(items) == limit else None))
