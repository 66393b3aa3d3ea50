"""How a submission is answered: with what came of it, or, when that takes too long, with a link to its status."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from starlette.responses import Response

from engine.store.database import AWAY
from schemas.kernel.case import Accepted, CaseState
from schemas.kernel.visibility import may_see, sight_of
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.refusals import Refusal
from starter.cases.announcements import CASES, INTAKE, Announcements
from starter.cases.case_reading import CaseReader
from starter.cases.resident_codes import ResidentCodes
from starter.cases.views import CommandAnswer, ReportAnswer
from starter.http.dependencies import dependency
from starter.http.json_answers import ACCEPTED, CREATED, OK, json_response
from starter.http.problems import Problem, ProblemCode, refused
from starter.intake.intake import Entered
from starter.intake.postbox import Postbox, SetAsideAnswer, Status, Submission
from starter.intake.relay import Relay
from starter.intake.submission_views import SubmissionView


@dataclass(frozen=True)
class Answering:
    """What the answer to a start or command is made with. `patience_seconds`: so long a caller waits to hear what came of it."""

    reader: CaseReader
    announcements: Announcements
    postbox: Postbox
    relay: Relay
    codes: ResidentCodes
    now: Callable[[], datetime]
    patience_seconds: float


AnsweringOf = Annotated[Answering, dependency(Answering)]


def submission_url(submission: str) -> str:
    """Where a caller follows what was accepted."""
    return f"/api/v1/submissions/{submission}"


def case_url(case_id: str) -> str:
    """Where a case is read."""
    return f"/api/v1/cases/{case_id}"


async def settled(answering: Answering, submission: Submission) -> Submission:
    """The submission when it has come to its end, or as it is when patience is over."""
    if submission.status is not Status.WAITING:
        return submission

    async def look() -> Submission | None:
        found = await answering.postbox.find(submission.submission)
        return found if found and found.status is not Status.WAITING else None

    patience = answering.patience_seconds
    began = asyncio.get_running_loop().time()
    if (ended := await answering.relay.outcome(submission.submission, patience)) is not None:
        return ended
    patience -= asyncio.get_running_loop().time() - began
    try:
        return await answering.announcements.until(INTAKE, submission.submission, look, patience) or submission
    except AWAY:
        return submission  # went away after the acceptance: what was accepted stays so


async def answer_start(answering: Answering, entered: Entered, actor: Actor) -> Response:
    """201 with the case when it stands, 200 for a repeat; 202 with a status link while it is on its way.

    Who was told "accepted" gets number and code. A case that lies where they see none is not shown for that: a receipt is.
    """
    submission = entered.submission

    async def look() -> CaseState | None:
        return await answering.reader.standing(submission.case_id)

    patience = answering.patience_seconds
    try:
        state = await answering.announcements.until(CASES, submission.case_id, look, patience, at_once=entered.repeated)
        if state is None:
            return pending(answering, entered)
    except Problem as problem:
        return _still_accepted(answering, problem, entered)
    code = answering.codes.code_of(submission.case_id)
    answer: Model
    if may_see(sight_of(state), actor):
        answer = answering.reader.view_as(ReportAnswer, state, actor, answering.now(), code=code)
    else:
        answer = answering.reader.receipt(state, code)
    status = OK if entered.repeated else CREATED
    return json_response(answer, status, {"Location": case_url(submission.case_id)})


async def answer_command(answering: Answering, entered: Entered, actor: Actor) -> Response:
    """200 with the case and its word, 202 while it is on its way. Raises Problem for what the case refused.

    Where the ledger is slow to write, Temporal has the answer before the ledger has the entry: until then it is on its way.
    """
    submission = await settled(answering, entered.submission)
    if submission.status is Status.WAITING or submission.answer is None:
        return pending(answering, entered)
    if (refusal := refusal_of(submission)) is not None:
        raise refused(refusal, kept=True)
    accepted = Accepted.model_validate(submission.answer)
    if not await answering.reader.is_seen(submission.case_id, actor):
        return pending(
            answering, Entered(submission, repeated=entered.repeated)
        )  # whoever does not see the case sees its word

    async def look() -> CaseState | None:
        state = await answering.reader.recent(submission.case_id, actor, told=accepted.seq)
        return state if state.seq >= accepted.seq else None

    patience = answering.patience_seconds
    try:
        state = await answering.announcements.until(CASES, submission.case_id, look, patience)
    except Problem as problem:
        return _still_accepted(answering, problem, entered)
    if state is None:
        return pending(answering, entered)
    return json_response(answering.reader.view_as(CommandAnswer, state, actor, answering.now(), accepted=accepted))


def _still_accepted(answering: Answering, problem: Problem, entered: Entered) -> Response:
    """When Postgres goes away after the acceptance, 503 would say that nothing was accepted."""
    if problem.code != ProblemCode.DATABASE_AWAY:
        raise problem
    return pending(answering, entered)


def pending(answering: Answering, entered: Entered) -> Response:
    """Accepted, and on its way: it will be delivered, also if everything is restarted now."""
    url = submission_url(entered.submission.submission)
    view = view_submission(answering, entered.submission).model_copy(update={"repeated": entered.repeated})
    return json_response(view, ACCEPTED, {"Location": url, "Retry-After": "1"})


def refusal_of(submission: Submission) -> Refusal | None:
    """Why it was not carried out, as its sender is told: the case refused it, or it was laid aside. None: neither."""
    if submission.status is Status.REFUSED:
        return Refusal.model_validate(submission.answer)
    if submission.status is Status.SET_ASIDE:
        return SetAsideAnswer.model_validate(submission.answer).refusal(submission.command)
    return None


def view_submission(answering: Answering, submission: Submission) -> SubmissionView:
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
        code=answering.codes.code_of(submission.case_id) if started else None,
        accepted=Accepted.model_validate(answer) if answer and submission.status is Status.DELIVERED else None,
        refusal=refusal_of(submission),
    )
