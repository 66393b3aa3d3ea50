"""查阅记录, 拒绝记录: who read personal data, and who was refused what. What narrows a list stands in its address, codes alone."""

from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.auditors.words import who_in_words
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from schemas.values.refusals import RefusalCode, in_both
from starter.auditors.audit_records import ReadingsAsked, RefusalsAsked, list_readings, list_refusals
from starter.http.database import PoolOf
from starter.http.problems import KINDS
from starter.intake.town_rules import TownRulesOf

ROWS = 100
READINGS = "/audit/readings"
REFUSALS = "/audit/refusals"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(f"{READINGS}/filter")
async def filter_readings(request: Request, caller: SignedIn) -> Response:  # noqa: ARG001 - for who is signed in
    """From the form to the address of the list: without what was left blank."""
    return see_other(_address(READINGS, request.url.query))


@router.get(f"{REFUSALS}/filter")
async def filter_refusals(request: Request, caller: SignedIn) -> Response:  # noqa: ARG001 - for who is signed in
    """The same of refusals."""
    return see_other(_address(REFUSALS, request.url.query))


@router.get(READINGS)
async def readings_page(
    request: Request,
    caller: SignedIn,
    pool: PoolOf,
    town: TownRulesOf,
    asked: Annotated[ReadingsAsked, Depends()],
) -> Response:
    """A page of readings, the newest first."""
    found = await list_readings(caller, pool, asked, ROWS)
    shown = [(row, who_in_words(town, row.who, row.role, None)) for row in found.items]
    return page(request, "audit_readings.html", rows=shown, **_turning(request, READINGS, found.next))


@router.get(REFUSALS)
async def refusals_page(
    request: Request,
    caller: SignedIn,
    pool: PoolOf,
    town: TownRulesOf,
    asked: Annotated[RefusalsAsked, Depends()],
) -> Response:
    """A page of refusals, the newest first."""
    found = await list_refusals(caller, pool, asked, ROWS)
    shown = [
        (
            row,
            who_in_words(town, row.who, row.role, row.department),
            in_both(KINDS[row.code].title) if row.code in KINDS else "",
        )
        for row in found.items
    ]
    codes = [(each.value, in_both(KINDS[each].title)) for each in RefusalCode]
    return page(request, "audit_refusals.html", rows=shown, codes=codes, **_turning(request, REFUSALS, found.next))


def _address(path: str, query: str) -> str:
    given = [(name, text.strip()) for name, text in parse_qsl(query) if text.strip()]
    return f"{path}?{urlencode(given)}" if given else path


def _turning(request: Request, path: str, following: int | None) -> dict[str, Any]:
    """What was asked for, and where the next page and the first one are."""
    given = {name: text for name, text in request.query_params.items() if name != "before"}
    return {
        "given": given,
        "next_url": f"{path}?{urlencode(given | {'before': str(following)})}" if following else "",
        "first_url": f"{path}?{urlencode(given)}" if "before" in request.query_params else "",
    }
