"""How a submission is answered: with what came of it, or, when that takes too long, with a link to its status."""

import asyncio
import hashlib
from typing import Any

from starlette.responses import Response

from engine.store.database import AWAY
from schemas.kernel.case import Accepted, CaseState
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.refusals import Refusal
from starter.cases.announcements import CASES, INTAKE
from starter.cases.views import CommandAnswer, ReportAnswer, SubmissionView
from starter.http.problems import Problem, ProblemCode, refused
from starter.intake.intake import Entered
from starter.intake.postbox import SetAsideAnswer, Status, Submission
from starter.parts import Parts

CREATED, OK, ACCEPTED, UNCHANGED = 201, 200, 202, 304
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {UNCHANGED: {"description": "What the caller still has, by its ETag"}}


def json_response(body: Model, status: int = OK, headers: dict[str, str] | None = None) -> Response:
    """A model as it is sent."""
    return Response(body.model_dump_json(), status, headers=headers, media_type="application/json")


def with_etag(body: Model, if_none_match: str | None) -> Response:
    """A model with the ETag of its very bytes; 304 without a body for a caller who has it already."""
    content = body.model_dump_json().encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    # To be kept by the caller alone, and never used without asking.
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    had = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if etag in had or "*" in had:
        return Response(None, UNCHANGED, headers=headers)
    return Response(content, OK, headers=headers, media_type="application/json")


def submission_url(submission: str) -> str:
    """Where a caller follows what was accepted."""
    return f"/api/v1/submissions/{submission}"


def case_url(case_id: str) -> str:
    """Where a case is read."""
    return f"/api/v1/cases/{case_id}"


async def settled(parts: Parts, submission: Submission) -> Submission:
    """The submission when it has come to its end, or as it is when patience is over."""
    if submission.status is not Status.WAITING:
        return submission

    async def look() -> Submission | None:
        found = await parts.postbox.find(submission.submission)
        return found if found and found.status is not Status.WAITING else None

    patience = parts.settings.delivery_patience_seconds
    began = asyncio.get_running_loop().time()
    if (ended := await parts.relay.outcome(submission.submission, patience)) is not None:
        return ended
    patience -= asyncio.get_running_loop().time() - began
    try:
        return await parts.announcements.until(INTAKE, submission.submission, look, patience) or submission
    except AWAY:
        return submission  # went away after the acceptance: what was accepted stays so


async def answer_start(parts: Parts, entered: Entered, actor: Actor) -> Response:
    """201 with the case when it stands, 200 for a repeat; 202 with a status link while it is on its way.

    Who was told "accepted" gets number and code. A case that lies where they see none is not shown for that: a receipt is.
    """
    submission = entered.submission

    async def look() -> CaseState | None:
        return await parts.reader.standing(submission.case_id)

    patience = parts.settings.delivery_patience_seconds
    try:
        state = await parts.announcements.until(CASES, submission.case_id, look, patience, at_once=entered.repeated)
        if state is None:
            return pending(parts, entered)
    except Problem as problem:
        return _still_accepted(parts, problem, entered)
    code = parts.codes.code_of(submission.case_id)
    answer: Model
    if may_see(sight_of(state), actor):
        answer = parts.reader.view_as(ReportAnswer, state, actor, parts.intake.now(), code=code)
    else:
        answer = parts.reader.receipt(state, code)
    status = OK if entered.repeated else CREATED
    return json_response(answer, status, {"Location": case_url(submission.case_id)})


async def answer_command(parts: Parts, entered: Entered, actor: Actor) -> Response:
    """200 with the case and its word, 202 while it is on its way. Raises Problem for what the case refused.

    Where the ledger is slow to write, Temporal has the answer before the ledger has the entry: until then it is on its way.
    """
    submission = await settled(parts, entered.submission)
    if submission.status is Status.WAITING or submission.answer is None:
        return pending(parts, entered)
    if (refusal := refusal_of(submission)) is not None:
        raise refused(refusal, kept=True)
    accepted = Accepted.model_validate(submission.answer)

    async def look() -> CaseState | None:
        state = await parts.reader.recent(submission.case_id, actor, told=accepted.seq)
        return state if state.seq >= accepted.seq else None

    patience = parts.settings.delivery_patience_seconds
    try:
        state = await parts.announcements.until(CASES, submission.case_id, look, patience)
    except Problem as problem:
        return _still_accepted(parts, problem, entered)
    if state is None:
        return pending(parts, entered)
    return json_response(parts.reader.view_as(CommandAnswer, state, actor, parts.intake.now(), accepted=accepted))


def _still_accepted(parts: Parts, problem: Problem, entered: Entered) -> Response:
    """When Postgres goes away after the acceptance, 503 would say that nothing was accepted."""
    if problem.code != ProblemCode.DATABASE_AWAY:
        raise problem
    return pending(parts, entered)


def pending(parts: Parts, entered: Entered) -> Response:
    """Accepted, and on its way: it will be delivered, also if everything is restarted now."""
    url = submission_url(entered.submission.submission)
    view = view_submission(parts, entered.submission).model_copy(update={"repeated": entered.repeated})
    return json_response(view, ACCEPTED, {"Location": url, "Retry-After": "1"})


def refusal_of(submission: Submission) -> Refusal | None:
    """Why it was not carried out, as its sender is told: the case refused it, or it was laid aside. None: neither."""
    if submission.status is Status.REFUSED:
        return Refusal.model_validate(submission.answer)
    if submission.status is Status.SET_ASIDE:
        return SetAsideAnswer.model_validate(submission.answer).refusal(submission.command)
    return None


def view_submission(parts: Parts, submission: Submission) -> SubmissionView:
    """How far it has come; of a start, with the code of the case."""
    answer = submission.answer
    started = submission.kind == "start"
    return SubmissionView(
        submission=submission.submission,
        kind=submission.kind,
        command=submission.command,
        case_id=submission.case_id,
        status=submission.status,
        attempts=submission.attempts,
        received_at=submission.received_at,
        settled_at=submission.settled_at,
        status_url=submission_url(submission.submission),
        case_url=case_url(submission.case_id),
        code=parts.codes.code_of(submission.case_id) if started else None,
        accepted=Accepted.model_validate(answer) if answer and submission.status is Status.DELIVERED else None,
        refusal=refusal_of(submission),
    )
