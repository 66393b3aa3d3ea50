"""POST /api/v1/banks/{code}/notices: that a payment came back becomes a command of the case that paid it.

As with departments (docs/payments.md): believed is who signs with the bank's key, a repeat gets the answer of the first time,
what is stored is acknowledged. The bank learns nothing of the case but whether its notice was taken.
"""

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.contracts.payment import (
    LONGEST_NOTICE_BYTES,
    PAYMENT_RETURNED,
    PaymentKey,
    ReturnedPayment,
    ReturnNotice,
    payee_of,
)
from schemas.kernel.case import CaseState
from schemas.values.actor import Actor, Channel, Role
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.counterparts.signatures import SignersOf, believe
from starter.http.bodies import read_body, together
from starter.http.documentation import responses, signed_body_of
from starter.http.faults import faults_of
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.intake.commands import give
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender

router = APIRouter(prefix="/api/v1/banks", tags=["banks"])


class NoticeTaken(Model):
    """The notice is stored and will reach its case."""

    notice_id: str


@router.post(
    "/{code}/notices",
    summary="银行通知 A payment came back",
    responses=responses(
        {200: NoticeTaken, 202: NoticeTaken}, "not-believed", "bad-request", "unknown-payment",
        "not-now", "against-the-rules", "bad-command", "key-reused", "case-ended", "body-too-large", "not-json",
        "database-away",
    ),
    openapi_extra=signed_body_of(ReturnNotice),
)  # fmt: skip
async def receive_notice(code: str, request: Request, filing: FilingOf, signers: SignersOf) -> Response:
    """Signed as docs/payments.md says. Sent again until it is acknowledged with a 2xx, it counts once."""
    body = await read_body(request, LONGEST_NOTICE_BYTES)
    believe(signers.banks.believed(code), request, body)
    notice = _read(body)
    answer = await _give(filing, code, notice)
    return Response(
        NoticeTaken(notice_id=notice.notice_id).model_dump_json(), answer.status_code, media_type="application/json"
    )


async def _give(filing: Filing, code: str, notice: ReturnNotice) -> Response:
    state = await filing.reader.state_for_department(notice.case_id)
    door = filing.town.doors[state.procedure].get(PAYMENT_RETURNED) if state is not None else None
    # A case that is not there, one that pays nothing, the key of somebody else: to a bank all of these are one.
    if state is None or door is None or not _could_have_paid(state, notice.payment_key):
        raise Problem(ProblemCode.UNKNOWN_PAYMENT, say("没有发放过此款项", "there was no such payment"))
    # No token has this role: what acts under it is the case itself, or a system that its signature vouches for.
    actor = Actor(subject=f"bank:{code}", role=Role.ENGINE, channel=Channel.GATEWAY)
    sender = Sender(f"bank:{code}", notice.notice_id, actor)
    returned = ReturnedPayment(
        payment_key=notice.payment_key,
        amount_fen=notice.amount_fen,
        bank_reference=notice.bank_reference,
        code=notice.code,
        returned_at=notice.as_of,
    )
    given = door.model.model_validate(returned.model_dump())
    if faults := together(door.faults(given)):
        raise bad_request(faults)
    return await give(filing, sender, state, name=PAYMENT_RETURNED, door=door, given=given)


def _could_have_paid(state: CaseState, key: PaymentKey) -> bool:
    """Whether a key can be one of this case: of its own payee. Which payments it has made, it says itself."""
    return payee_of(key) == getattr(state, "payee", None)


def _read(body: bytes) -> ReturnNotice:
    try:
        return ReturnNotice.model_validate_json(body)
    except ValidationError as error:
        raise bad_request(faults_of(error.errors(include_url=False, include_input=False))) from None
