"""GET /api/v1/cases/{case_id}/similar: which open cases may be the same matter, so that a coordinator can merge them."""

import math
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from schemas.incident_state import IncidentState
from schemas.kernel.case import CaseState
from schemas.kernel.visibility import may_read_texts
from schemas.values.actor import Actor
from schemas.values.tidy_text import tidy
from starter.cases.case_lists import sight
from starter.cases.case_queries import SQL
from starter.cases.reading import Reading, ReadingOf
from starter.cases.similar_finders import FindSimilar
from starter.cases.views import SimilarCase, SimilarCases
from starter.http.authentication import Caller, acting
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses

WITHIN_METRES = 200
WITHIN = timedelta(hours=24)
PURPOSE = "find-similar"
Words = tuple[str | None, ...]
_MICRO = 1_000_000
_TEN_THOUSANDTHS = 10_000
router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


@router.get(
    "/{case_id}/similar",
    summary="疑似重复 Open cases that may be the same matter",
    responses=responses({200: SimilarCases}, *SIGNED_IN, "unknown-case", "bad-request", "database-away"),
)
async def similar_cases(
    case_id: str, caller: Caller, reading: ReadingOf, limit: Annotated[int, Query(ge=1, le=50)] = 20
) -> SimilarCases:
    """Same category, at most 200 m away, reported within 24 hours of it, still open, and to be seen by the caller.

    Where one of them has no coordinates: by the same reporter, in the same words or, of one category, for the same address.
    A proposal only: whether they are the same is for the coordinator to say.
    """
    actor = acting(caller)
    state = await reading.reader.state(case_id, actor)
    items = [*await _near(reading, state, actor, limit), *await _alike(reading, state, actor)]
    return SimilarCases(
        case_id=state.case_id,
        within_metres=WITHIN_METRES,
        within_hours=int(WITHIN / timedelta(hours=1)),
        items=items[:limit],
    )


FIND_SIMILAR: FindSimilar = similar_cases


async def _near(reading: Reading, state: CaseState, actor: Actor, limit: int) -> list[SimilarCase]:
    latitude = getattr(state, "latitude_micro", None)
    if latitude is None:
        return []
    area, reporter, department = sight(actor)
    cosine = round(math.cos(math.radians(latitude / _MICRO)) * _TEN_THOUSANDTHS)
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        rows = await connection.fetch(
            SQL.similar, state.case_id, area, department, reporter, WITHIN_METRES, WITHIN, cosine, limit
        )
    return [SimilarCase.model_validate(dict(row)) for row in rows]


async def _alike(reading: Reading, state: CaseState, actor: Actor) -> list[SimilarCase]:
    """What the same reporter sent again. The words are opened for the comparison alone, and that is on record.

    Nothing of them is kept for it: a digest beside the case would outlive the erasing of a person.
    """
    if not isinstance(state, IncidentState) or not may_read_texts(actor):
        return []
    area, reporter, department = sight(actor)
    async with database(reading.pool) as connection:
        rows = await connection.fetch(
            SQL.reported_alike, state.case_id, area, department, reporter, state.reporter, WITHIN
        )
        if not rows:
            return []

        async def words(case: str, *texts: str) -> Words:
            """Description and address of a case as they are meant; None for what was erased."""
            read = await reading.vault.read_texts(connection, texts, actor, PURPOSE, case)
            found = [read[each] for each in texts]
            return tuple(" ".join(tidy(each).split()) if isinstance(each, str) else None for each in found)

        said = await words(state.case_id, state.description, state.address)
        return [
            SimilarCase.model_validate(
                {name: row[name] for name in SimilarCase.model_fields if name != "distance_metres"}
                | {"distance_metres": None}
            )
            for row in rows
            if _same(said, await words(row["case_id"], row["description"], row["address"]), row["same_category"])
        ]


def _same(one: Words, other: Words, same_category: object) -> bool:
    """The same description; or, of one category, the same address."""
    return any(
        mine is not None and mine == theirs and counts
        for mine, theirs, counts in zip(one, other, (True, same_category), strict=True)
    )
