"""草稿: what somebody has begun to write and not sent; they go on with it, or throw it away."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.drafts.drafts import DraftsOf, draft_id
from console.forms.sheet import DRAFT, TITLE
from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn

DRAFTS = "/drafts"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(DRAFTS)
async def drafts_page(request: Request, caller: SignedIn, drafts: DraftsOf) -> Response:
    """One's own, and nobody else's; by the name of the form, without anything of what was written."""
    kept = [(each, next(iter(each.texts.get(TITLE, ())), "")) for each in await drafts.of_account(caller.subject)]
    return page(request, "drafts.html", kept=kept)


@router.post(f"{DRAFTS}/drop")
async def drop_draft(caller: SignedIn, posted: PostedTexts, drafts: DraftsOf) -> Response:
    """Throw one away."""
    found = draft_id(posted.one(DRAFT))
    if found is not None:
        await drafts.drop(caller.subject, found)
    return see_other(DRAFTS)
