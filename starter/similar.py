"""GET /api/v1/cases/{case_id}/similar: which open cases may be the same matter, so that a coordinator can merge them."""

import math
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from starter.authentication import Caller, acting
from starter.case_lists import sight
from starter.case_queries import SQL
from starter.database import database
from starter.documentation import SIGNED_IN, responses
from starter.parts import PartsOf
from starter.views import SimilarCase, SimilarCases

WITHIN_METRES = 200
WITHIN = timedelta(hours=24)
_MICRO = 1_000_000
_TEN_THOUSANDTHS = 10_000
router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


@router.get(
    "/{case_id}/similar",
    summary="疑似重复 Open cases that may be the same matter",
    responses=responses({200: SimilarCases}, *SIGNED_IN, "unknown-case", "bad-request", "database-away"),
)
async def similar_cases(
    case_id: str, caller: Caller, parts: PartsOf, limit: Annotated[int, Query(ge=1, le=50)] = 20
) -> SimilarCases:
    """Same category, at most 200 m away, reported within 24 hours of it, still open, and to be seen by the caller.

    A proposal only: whether they are the same is for the coordinator to say. A case without coordinates has none.
    """
    actor = acting(caller)
    state = await parts.reader.state(case_id, actor)
    latitude = getattr(state, "latitude_micro", None)
    rows = []
    if latitude is not None:
        area, reporter, department = sight(actor)
        cosine = round(math.cos(math.radians(latitude / _MICRO)) * _TEN_THOUSANDTHS)
        async with database(parts.pool) as connection:
            await connection.execute(SQL.plan_for_what_is_asked)
            rows = await connection.fetch(
                SQL.similar, case_id, area, department, reporter, WITHIN_METRES, WITHIN, cosine, limit
            )
    return SimilarCases(
        case_id=state.case_id,
        within_metres=WITHIN_METRES,
        within_hours=int(WITHIN / timedelta(hours=1)),
        items=[SimilarCase.model_validate(dict(row)) for row in rows],
    )
