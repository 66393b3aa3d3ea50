"""我的筛选: filters under a name, one's own and those that others of the same role share."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from console.staff.list_page import CASES
from console.staff.saved_filters import SavedFiltersOf, name_of, query_of
from schemas.values.refusals import say
from starter.http.parameters import NUMBER_MAX
from starter.http.problems import Problem, ProblemCode
from starter.intake.town_rules import TownRulesOf

FILTERS = "/filters"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(FILTERS)
async def filters_page(request: Request, caller: SignedIn, filters: SavedFiltersOf) -> Response:
    """Every filter that somebody may use; their own can be deleted."""
    return page(request, "filters.html", filters=await filters.of(caller))


@router.post(FILTERS)
async def keep_filter(
    request: Request, caller: SignedIn, posted: PostedTexts, filters: SavedFiltersOf, town: TownRulesOf
) -> Response:
    """Keep the list that somebody looks at, under a name; then back to it."""
    request.state.posted = posted
    query = query_of(town, parse_qsl(posted.one("query")))
    await filters.keep(caller, name_of(posted.one("name")), query, shared=posted.one("shared") == "true")
    return see_other(f"{CASES}?{query}")


@router.post(f"{FILTERS}/{{filter_id}}/delete")
async def delete_filter(
    caller: SignedIn, filter_id: Annotated[int, Path(ge=1, le=NUMBER_MAX)], filters: SavedFiltersOf
) -> Response:
    """Delete one's own. Somebody else's is not there to be deleted."""
    if not await filters.drop(caller, filter_id):
        raise Problem(
            ProblemCode.NOT_FOUND, say("没有此筛选,或不是您的", "there is no such filter, or it is not yours")
        )
    return see_other(FILTERS)
