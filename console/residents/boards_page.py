"""义务公开: what both sides of each agreement owe, for everybody to see."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from starter.intake.public_boards import boards_now
from starter.intake.public_notices import NoticeBoardOf

BOARDS = "/boards"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(BOARDS)
async def boards_page(request: Request, board: NoticeBoardOf) -> Response:
    """A table for each agreement: a line for each duty, those of the partner first."""
    return page(request, "boards.html", boards=await boards_now(board))
