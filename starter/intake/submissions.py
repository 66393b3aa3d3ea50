"""GET /api/v1/submissions/{submission}: how far something that was accepted has come."""

import re

from fastapi import APIRouter

from engine.store.database import AWAY
from schemas.values.refusals import say
from starter.http.authentication import Caller
from starter.http.documentation import responses
from starter.http.problems import Problem, ProblemCode, database_away
from starter.intake.answers import AnsweringOf, view_submission
from starter.intake.submission_views import SubmissionView

_SUBMISSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
router = APIRouter(prefix="/api/v1/submissions", tags=["submissions"])


@router.get(
    "/{submission}",
    summary="提交状态 How far a submission has come",
    responses=responses({200: SubmissionView}, "unknown-submission"),
)
async def read_submission(submission: str, caller: Caller, answering: AnsweringOf) -> SubmissionView:
    """Only for whoever sent it."""
    try:
        found = await answering.postbox.find(submission) if _SUBMISSION.fullmatch(submission) else None
    except AWAY as error:
        raise database_away() from error
    if found is None or found.subject != caller.subject:
        raise Problem(
            ProblemCode.UNKNOWN_SUBMISSION,
            say("没有此提交,或不是您提交的", "there is no such submission, or it is not yours"),
        )
    return view_submission(answering, found)
