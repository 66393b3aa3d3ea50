"""The switch in the head of every page: 长辈版 and back, one language alone and back."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.addresses import is_here
from console.http.forms import PostedTexts
from console.http.look import LOOK, keep_look, look_of
from console.http.pages import AS_PAGES, see_other

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.post(LOOK)
async def switch(request: Request, posted: PostedTexts) -> Response:
    """Show the pages otherwise from now on, and the same page again."""
    back = posted.one("back")
    answer = see_other(back if is_here(back) else "/")
    keep_look(request, answer, look_of(request).switched(posted.one("look")))
    return answer
