"""POST /api/v1/incidents:batch: up to 100 reports at once, one result for each.

Lines are accepted in their order, each in a transaction of its own; a bad line holds up none after it. Then all that were
accepted are waited for together, as long as one report would be. The same body again is the same batch: each line has its key.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from engine.keys.tokens import Principal
from starter.cases.views import ReportAnswer, ReportReceipt
from starter.http.authentication import Caller
from starter.http.batches import read_lines
from starter.http.bodies import check_model, key_faults
from starter.http.documentation import SIGNED_IN, open_body_of, responses
from starter.http.json_answers import json_response
from starter.http.problems import Problem, ProblemBody, bad_request
from starter.incident import OPENING, report_faults
from starter.incident_batch_views import BatchAnswer, BatchLine, BatchResult, IncidentBatch
from starter.intake.answers import answer_start
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Entered, Sender
from starter.intake.submission_views import SubmissionView

_WAITING_AT_ONCE = 8
router = APIRouter(tags=["incidents"])
Outcome = tuple[Sender, Entered] | Problem
_CASE: TypeAdapter[ReportAnswer | ReportReceipt] = TypeAdapter(ReportAnswer | ReportReceipt)


@router.post(
    "/api/v1/incidents:batch",
    summary="批量上报 Report up to 100 incidents",
    responses=responses(
        {200: BatchAnswer}, *SIGNED_IN, "not-your-role", "bad-request", "body-too-large", "not-json", "database-away"
    ),
    openapi_extra=open_body_of(IncidentBatch),
)
async def report_incidents(request: Request, caller: Caller, filing: FilingOf) -> Response:
    """200 with one result per line, in order: the status, and the case, the submission or the problem of that line alone.

    Only what concerns the whole is answered otherwise: no list, no line, more than 100 lines.
    """
    OPENING.refuse_unless_starter(caller.role)
    lines = await read_lines(request)
    outcomes = [await _accept(filing, caller, line) for line in lines]
    gate = asyncio.Semaphore(_WAITING_AT_ONCE)

    async def result_of(place: int) -> BatchResult:
        async with gate:
            return await _result(request, filing, place, lines[place], outcomes[place])

    results = await asyncio.gather(*(result_of(place) for place in range(len(lines))))
    accepted = sum(result.problem is None for result in results)
    return json_response(BatchAnswer(accepted=accepted, not_accepted=len(results) - accepted, results=list(results)))


async def _accept(filing: Filing, caller: Principal, line: Any) -> Outcome:
    """Accept one line. What is wrong with it, or that the database has gone, is this line's own problem."""
    given, faults = check_model(BatchLine, line)
    if given is not None:
        actor = caller.actor(given.report.channel)
        faults = [*key_faults(given.idempotency_key), *await report_faults(filing, given.report, actor)]
    if given is None or faults:
        return bad_request(faults)
    sender = Sender(caller.subject, given.idempotency_key, caller.actor(given.report.channel))
    try:
        entered = await OPENING.accept(filing, sender, given.report)
    except Problem as problem:
        return problem
    return sender, entered


async def _result(request: Request, filing: Filing, place: int, line: Any, outcome: Outcome) -> BatchResult:
    key = line.get("idempotency_key") if isinstance(line, dict) else None
    known = {"line": place + 1, "idempotency_key": key if isinstance(key, str) else None}
    if not isinstance(outcome, Problem):
        sender, entered = outcome
        try:
            answer = await answer_start(filing.answering, entered, sender.actor)
        except Problem as problem:
            outcome = problem
        else:
            return _accepted(known, answer)
    body = ProblemBody.model_validate_json(bytes(outcome.response(request).body))
    return BatchResult(**known, status=body.status, problem=body)


def _accepted(known: dict[str, Any], answer: Response) -> BatchResult:
    told: dict[str, Any] = json.loads(bytes(answer.body))
    standing = "stage" in told
    return BatchResult(
        **known,
        status=answer.status_code,
        case_id=told["case_id"],
        code=told["code"],
        case=_CASE.validate_python(told) if standing else None,
        submission=None if standing else SubmissionView.model_validate(told),
    )


__all__: Sequence[str] = ("router",)
