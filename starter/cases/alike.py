"""GET /api/v1/cases/{case_id}/alike: what other living cases have of this one, so that staff look at both."""

from fastapi import APIRouter

from engine.store.likenesses import alike
from engine.store.reservations import sights_of
from schemas.contracts.likeness import LIKENESS_NAMES
from schemas.kernel.case_file import FiledState
from schemas.kernel.visibility import may_read_persons, may_see
from schemas.values.actor import OWN_CASES_ONLY
from starter.cases.reading import ReadingOf
from starter.cases.views import AlikeCases, AlikeItem
from starter.http.authentication import Caller, acting
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


@router.get(
    "/{case_id}/alike",
    summary="冲突提示 What other living cases have of this one",
    responses=responses({200: AlikeCases}, *SIGNED_IN, "unknown-case", "bad-request", "database-away"),
)
async def alike_cases(case_id: str, caller: Caller, reading: ReadingOf) -> AlikeCases:
    """The same person, possibly the same, one file or one matter in both; by number where the caller sees the other, else counted.

    A hint that refuses nothing: what it means is for people to find out. Residents are told nothing.
    """
    actor = acting(caller)
    state = await reading.reader.state(case_id, actor)
    if actor.role in OWN_CASES_ONLY or not may_read_persons(actor) or not isinstance(state, FiledState):
        return AlikeCases(case_id=state.case_id, items=[])
    async with database(reading.pool) as connection:
        files = {document.sha256 for document in state.documents}
        fields = reading.reader.procedures[state.procedure].alike
        found = await alike(connection, state.case_id, files, fields=fields)
        sights = await sights_of(connection, sorted({each for cases in found.values() for each in cases}))
    seen = {other for other, sight in sights.items() if may_see(sight, actor)}
    return AlikeCases(
        case_id=state.case_id,
        items=[
            AlikeItem(
                kind=kind,
                name=LIKENESS_NAMES[kind],
                cases=[case for case in cases if case in seen],
                others=sum(case not in seen for case in cases),
            )
            for kind, cases in found.items()
        ],
    )
