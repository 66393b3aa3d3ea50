"""POST /api/v1/call-gateways/{code}/reports: what became of a call becomes a command of the case that called.

As with departments (docs/call-gateway.md): believed is who signs with the gateway's key, a repeat gets the answer of the first
time, what is stored is acknowledged. The gateway learns nothing of the case but whether its report was taken.
"""

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.contracts.calls import LONGEST_REPORT_BYTES, CallReport
from schemas.values.actor import Actor, Channel, Role
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.counterparts.signatures import SignersOf, believe
from starter.http.bodies import read_body
from starter.http.documentation import responses, signed_body_of
from starter.http.faults import faults_of
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.intake.commands import give
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender

CONTACT_REPORTED = "contact_reported"
"""The command of a procedure that calls: what became of one of its calls."""

router = APIRouter(prefix="/api/v1/call-gateways", tags=["call-gateways"])


class ReportTaken(Model):
    """The report is stored and will reach its case."""

    report_id: str


@router.post(
    "/{code}/reports",
    summary="呼叫结果 What became of a call",
    responses=responses(
        {200: ReportTaken, 202: ReportTaken}, "not-believed", "bad-request", "unknown-call",
        "not-now", "against-the-rules", "bad-command", "key-reused", "case-ended", "body-too-large", "not-json",
        "database-away",
    ),
    openapi_extra=signed_body_of(CallReport),
)  # fmt: skip
async def receive_report(code: str, request: Request, filing: FilingOf, signers: SignersOf) -> Response:
    """Signed as docs/call-gateway.md says. Sent again until it is acknowledged with a 2xx, it counts once."""
    body = await read_body(request, LONGEST_REPORT_BYTES)
    believe(signers.call_gateways.believed(code), request, body)
    report = _read(body)
    answer = await _give(filing, code, report)
    return Response(
        ReportTaken(report_id=report.report_id).model_dump_json(), answer.status_code, media_type="application/json"
    )


async def _give(filing: Filing, code: str, report: CallReport) -> Response:
    state = await filing.reader.state_for_department(report.case_id)
    door = filing.town.doors[state.procedure].get(CONTACT_REPORTED) if state is not None else None
    # A case that is not there, and one that calls nobody: to a gateway these are one.
    if state is None or door is None:
        raise Problem(ProblemCode.UNKNOWN_CALL, say("没有这次呼叫", "there was no such call"))
    # No token has this role: what acts under it is the case itself, or a system that its signature vouches for.
    actor = Actor(subject=f"call-gateway:{code}", role=Role.ENGINE, channel=Channel.GATEWAY)
    sender = Sender(f"call-gateway:{code}", report.report_id, actor)
    given = door.model.model_validate({"number": report.number, "result": report.result, "at": report.as_of})
    return await give(filing, sender, state, name=CONTACT_REPORTED, door=door, given=given)


def _read(body: bytes) -> CallReport:
    try:
        return CallReport.model_validate_json(body)
    except ValidationError as error:
        raise bad_request(faults_of(error.errors(include_url=False, include_input=False))) from None
