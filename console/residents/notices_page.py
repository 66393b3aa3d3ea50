"""公示: everything that is posted now, for everybody to see; and the form by which anybody objects, without an account."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import PlacedFault, placed
from console.forms.questions import form_page, next_question, question_of
from console.forms.shapes import controls_of
from console.forms.sheet import Sheet, own
from console.forms.values import body_of
from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page
from schemas.parts.postings import Shown
from schemas.values.both import Both, spoken, titled
from schemas.values.refusals import in_both
from starter.http.bodies import check_model
from starter.http.problems import Problem
from starter.intake.public_notices import (
    OBJECTION,
    POSTED,
    NoticeBoardOf,
    PublicNotice,
    posted_now,
    posted_state,
    take_objection,
)

NOTICES = "/notices"
_MONEY, _IN_WORDS = "_fen", "_zh"
OBJECT = f"{NOTICES}/{{notice}}/object"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(NOTICES)
async def notices_page(request: Request, board: NoticeBoardOf) -> Response:
    """A table for each procedure that posts, with what its posting shows."""
    return show_notices(request, await posted_now(board))


def show_notices(request: Request, items: Sequence[PublicNotice]) -> Response:
    """Notices as a page."""
    return page(request, "notices.html", tables=[_table(name, items) for name in POSTED])


@router.get(OBJECT)
async def objection_form(request: Request, notice: str, board: NoticeBoardOf) -> Response:
    """What somebody objects to, and how they can be reached."""
    await posted_state(board, notice)
    return form_page(request, _sheet(notice))


@router.post(OBJECT)
async def object_to(request: Request, notice: str, posted: PostedTexts, board: NoticeBoardOf) -> Response:
    """Take the objection in, as the API does; or draw the form again with what is wrong."""
    sheet = replace(_sheet(notice), texts=own(posted), at=question_of(posted))
    given, faults = check_model(OBJECTION.model, body_of(sheet.controls, sheet.texts))
    faults += OBJECTION.faults(given) if given is not None else []
    found = placed(faults, sheet.controls)
    if (following := next_question(sheet, posted, found)) is not None:
        return form_page(request, following, HTTPStatus.UNPROCESSABLE_ENTITY if following.faults else HTTPStatus.OK)
    if given is None or found:
        return form_page(request, replace(sheet, faults=found), HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        await take_objection(board, request, notice, given)
    except Problem as problem:
        drawn = replace(sheet, faults=[PlacedFault("", "", in_both(problem.kind.title), in_both(problem.detail))])
        return form_page(request, drawn, problem.kind.status)
    return page(request, "objected.html", HTTPStatus.ACCEPTED)


def _sheet(notice: str) -> Sheet:
    return Sheet(
        title=titled("提出异议", "object to a notice"),
        english="object to a notice",
        description="",
        action=OBJECT.replace("{notice}", notice),
        back=NOTICES,
        submit=Both("提交异议", "Send the objection", "提交异议"),
        controls=controls_of(OBJECTION.model, OBJECTION.command, {}),
    )


def _table(
    procedure: str, items: Sequence[PublicNotice]
) -> tuple[str, list[str], list[tuple[PublicNotice, list[tuple[object, bool]]]]]:
    """Title, further columns, and each notice with what stands in them."""
    shows = [each for each in POSTED[procedure].shows if each.on_page]
    rows = [
        (item, [(getattr(item, each.name), each.money) for each in shows])
        for item in items
        if item.procedure == procedure
    ]
    return titled(rows[0][0].procedure_zh, procedure) if rows else procedure, [_called(each) for each in shows], rows


def _called(column: Shown) -> str:
    """A column in words; what is money is written in yuan."""
    english = spoken(column.name.removesuffix(_MONEY).removesuffix(_IN_WORDS)).capitalize() + (
        " (yuan)" if column.money else ""
    )
    return Both(column.zh, english, column.zh)
