"""空白表: the forms of the openings on paper, for who writes by hand; drawn from the declarations, as the ones on the screen."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.forms.offers import opening_controls
from console.http.pages import AS_PAGES, page
from console.papers.papers import PapersOf
from console.staff.opening_page import OpeningsOf
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say
from starter.http.problems import Problem, ProblemCode
from starter.intake.filing import FilingOf

FORMS = "/forms"
BY_HAND = Actor(subject="paper", role=Role.RESIDENT)
"""Whoever writes on paper writes for themselves; a window enters it."""

AT_THE_WINDOW = frozenset({Role.RESIDENT, Role.WINDOW_CLERK})
BOXES_AT_MOST = 12
BLANK_ROWS = 3
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(FORMS)
async def forms_list(request: Request, openings: OpeningsOf) -> Response:
    """Which forms there are on paper."""
    on_paper = [each for each in openings.by_procedure.values() if each.starters & AT_THE_WINDOW]
    return page(request, "blank_forms.html", openings=on_paper)


@router.get(f"{FORMS}/{{procedure}}")
async def blank_form(
    request: Request, procedure: str, openings: OpeningsOf, filing: FilingOf, papers: PapersOf
) -> Response:
    """A form to be filled in by hand: every field with its words, a box for each option, lines to write on."""
    opening = openings.by_procedure.get(procedure)
    if opening is None or not opening.starters & AT_THE_WINDOW:
        raise Problem(ProblemCode.NOT_FOUND, say("没有此表", "there is no such form"))
    shown = page(
        request,
        "blank_form.html",
        opening=opening,
        controls=opening_controls(filing, opening, BY_HAND),
        boxes_at_most=BOXES_AT_MOST,
        blank_rows=BLANK_ROWS,
        makes_pdf=papers.press.there,
    )
    return await papers.answer(request, shown, procedure, is_everybodys=True)
