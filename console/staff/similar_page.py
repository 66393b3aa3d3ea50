"""类似案件与承办参考: what may be the same matter, what other cases have of this one, and who had such before."""

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from console.sign_in.signed_in import SignedIn
from console.staff.proposals import explained_in_words
from console.staff.rows import about, shown_rows, town_word
from schemas.values.actor import OWN_CASES_ONLY
from schemas.values.both import titled
from starter.cases.alike import alike_cases
from starter.cases.precedents import precedents
from starter.cases.reading import ReadingOf
from starter.cases.similar_finders import SimilarFinders
from starter.http.authentication import acting
from starter.http.dependencies import dependency
from starter.intake.filing import FilingOf
from starter.intake.proposers import Proposers

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])
SimilarFindersOf = Annotated[SimilarFinders, dependency(SimilarFinders)]
ProposersOf = Annotated[Proposers, dependency(Proposers)]


@router.get("/cases/{case_id}/similar")
async def similar_page(  # noqa: PLR0917 - what it asks
    request: Request,
    case_id: str,
    caller: SignedIn,
    reading: ReadingOf,
    finders: SimilarFindersOf,
    filing: FilingOf,
    explain: ProposersOf,
) -> Response:
    """Before a case is dispatched or merged. All of it a hint: what is the same is for people to say."""
    state, town = await reading.reader.state(case_id, acting(caller)), filing.town
    found = {each.case_id: each for find in finders.finders for each in (await find(case_id, caller, reading)).items}
    before = await precedents(case_id, caller, reading)
    items = list(found.values())
    proposes = explain.by_procedure.get(state.procedure) if caller.role not in OWN_CASES_ONLY else None
    return page(
        request,
        "similar.html",
        state=state,
        title=titled(town.procedures[state.procedure].title, state.procedure),
        about=about(town, state.labels()),
        rows=list(zip(shown_rows(town, items, reading.now()), items, strict=True)),
        alike=(await alike_cases(case_id, caller, reading)).items,
        before=before,
        explained=None if proposes is None else explained_in_words(town, await proposes(case_id, caller, filing)),
        departments=[(town_word(town, each.department), each) for each in before.departments],
    )
