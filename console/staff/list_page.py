"""案件: lists of cases. What a list is narrowed by stands in its address: whoever has the address has the list."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from console.staff.rows import shown_rows
from console.staff.saved_filters import SavedFiltersOf, may_share
from schemas.kernel.screen_words import stage_name
from schemas.values.both import shown, titled
from starter.cases.case_lists import CaseLists, FiltersOf, Sort, place_of
from starter.cases.reading import ReadingOf
from starter.http.authentication import acting
from starter.http.parameters import CASE_ID
from starter.intake.town_rules import TownRules, TownRulesOf

CASES = "/cases"
ROWS = 25
COUNTED_AT_MOST = 1000
"""Beyond that a page says that there are more: nobody reads them one by one, and the next filter is what helps."""

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(f"{CASES}/filter")
async def filter_cases(request: Request, caller: SignedIn) -> Response:  # noqa: ARG001 - for who is signed in
    """From the form to the address of the list: without what was left blank. The number of a case leads to it."""
    given = [(name, text.strip()) for name, text in parse_qsl(request.url.query) if text.strip()]
    number = dict(given).get("number", "")
    if CASE_ID.fullmatch(number):
        return see_other(f"{CASES}/{number}")
    return see_other(f"{CASES}?{urlencode(given)}" if given else CASES)


@router.get(CASES)
async def list_page(  # noqa: PLR0917 - query parameters
    request: Request,
    caller: SignedIn,
    reading: ReadingOf,
    town: TownRulesOf,
    filters: FiltersOf,
    saved: SavedFiltersOf,
    sort: Sort = Sort.DUE,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """A page of cases; the next one begins after its last row, whatever comes or goes meanwhile."""
    actor, now, place = acting(caller), reading.now(), place_of(cursor, sort)
    async with CaseLists(reading.pool).transaction() as lists:
        rows, following = await lists.page(actor, filters, now, sort=sort, after=place, limit=ROWS)
        count = await lists.count_some(actor, filters, now, COUNTED_AT_MOST)
    given = {name: text for name, text in request.query_params.items() if name != "cursor"}
    return page(
        request,
        "cases.html",
        rows=shown_rows(town, rows, now),
        count=count,
        counted_at_most=COUNTED_AT_MOST,
        given=given,
        next_url=f"{CASES}?{urlencode(given | {'cursor': following.cursor(sort)})}" if following else "",
        first_url=f"{CASES}?{urlencode(given)}" if cursor else "",
        titles=[(each.name, titled(each.title, each.name)) for each in town.procedures.values()],
        stages=_stages(town, filters.procedure),
        departments=[(each.code, shown(each.name)) for each in town.departments.departments],
        sort=sort.value,
        saved=await saved.of(caller),
        query=urlencode(given),
        may_share=may_share(caller),
    )


def _stages(town: TownRules, procedure: str | None) -> list[tuple[str, str]]:
    """The stages of the procedure that was chosen, in words."""
    known = town.procedures.get(procedure or "")
    return [] if known is None else [(stage.value, shown(stage_name(stage))) for stage in known.stages]
