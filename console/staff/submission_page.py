"""How far something that was sent has come: of a new case with number and code, to be handed to whoever reported it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from console.sign_in.signed_in import SignedIn
from console.staff.sent import SUBMISSIONS
from starter.intake.answers import AnsweringOf
from starter.intake.submissions import read_submission

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(f"{SUBMISSIONS}/{{submission}}")
async def submission_page(request: Request, submission: str, caller: SignedIn, answering: AnsweringOf) -> Response:
    """Only for whoever sent it."""
    return page(request, "submission.html", sent=await read_submission(submission, caller, answering))
