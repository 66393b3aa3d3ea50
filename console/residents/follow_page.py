"""查询: a resident follows the own case by number and code, without an account. The code never stands in an address.

Whoever opened it without an account acts on it from here (console/residents/act_page.py): the code is their authority, and for
half an hour a pass stands for it.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.forms import PostedTexts
from console.http.look import look_of
from console.http.pages import AS_PAGES, page
from console.residents.case_shown import PASSED, show_case
from starter.cases.public import ResidentsOf, case_by_code, case_by_pass
from starter.http.problems import Problem
from starter.intake.filing import FilingOf

CODE_CHARACTERS_MAX = 80
NUMBER_CHARACTERS_MAX = 200
NUMBER, CODE = ASKED = ("number", "code")
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get("/")
async def home(request: Request) -> Response:
    """Where residents and staff begin."""
    return page(request, "home.html")


@router.get("/follow")
async def follow_form(
    request: Request, number: Annotated[str, Query(max_length=NUMBER_CHARACTERS_MAX)] = ""
) -> Response:
    """Number and code are asked for, in the 长辈版 one by one; the number may come with the address, as a receipt has it."""
    return _asking(request, *([NUMBER] if look_of(request).elder else ASKED), number=number)


@router.post("/follow")
async def follow(request: Request, posted: PostedTexts, residents: ResidentsOf, filing: FilingOf) -> Response:
    """Where the case stands, what was promised, what was answered; nothing of any person. Wrong tries are counted as at the API."""
    number, code, passed = posted.one(NUMBER).strip(), posted.one(CODE), posted.one(PASSED)
    elder = look_of(request).elder
    if elder and number and not code and not passed:
        return _asking(request, CODE, number=number)
    try:
        state = await case_by_pass(residents, passed) if passed else None
        if state is None:
            state = await case_by_code(residents, request, number, code[:CODE_CHARACTERS_MAX])
    except Problem as problem:
        asked = [NUMBER] if elder else ASKED
        return _asking(request, *asked, number=number, fault=problem.detail, status=problem.kind.status)
    return await show_case(request, residents, filing, state)


def _asking(
    request: Request, *asked: str, number: str = "", fault: str | None = None, status: int = HTTPStatus.OK
) -> Response:
    return page(request, "follow.html", status, asked=asked, fault=fault, number=number)
