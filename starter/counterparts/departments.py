"""POST /api/v1/departments/{code}/callbacks: what a department's system reports becomes a command of its people.

Believed is who signs with the department's key; a repeat is recognised before anything else is judged, so an echo gets
the answer of the first time. What is stored is acknowledged: a 202 is final for the sender, the relay does the rest.
"""

import re

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.contracts.department import (
    LONGEST_CALLBACK_BYTES,
    ArrivedCallback,
    CallbackBody,
    FinishedCallback,
    ReturnedCallback,
    SignedCallback,
    read_callback,
)
from schemas.kernel.case import CaseState
from schemas.values.actor import Actor, Channel, Role
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.views import CommandAnswer
from starter.counterparts.signatures import SignersOf, believe
from starter.http.bodies import check_model, read_body
from starter.http.documentation import responses, signed_body_of
from starter.http.faults import faults_of
from starter.http.problems import Problem, ProblemCode, bad_request, refused
from starter.intake.answers import answer_command
from starter.intake.commands import give
from starter.intake.filing import FilingOf
from starter.intake.intake import Entered, Sender
from starter.intake.submission_views import SubmissionView

router = APIRouter(prefix="/api/v1/departments", tags=["departments"])
_ORDER = re.compile(r"(?P<case>.+)\.order-(?P<number>[1-9][0-9]{0,5})")


@router.post(
    "/{code}/callbacks",
    summary="部门回执 What a department reports",
    responses=responses(
        {200: CommandAnswer, 202: SubmissionView}, "not-believed", "bad-request", "unknown-order",
        "not-now", "not-your-case", "case-ended", "body-too-large", "not-json", "database-away",
    ),
    openapi_extra=signed_body_of(SignedCallback, ArrivedCallback, ReturnedCallback, FinishedCallback),
)  # fmt: skip
async def receive_callback(code: str, request: Request, filing: FilingOf, signers: SignersOf) -> Response:
    """Signed as docs/departments.md says. Sent again until it is acknowledged with a 2xx, it counts once."""
    body = await read_body(request, LONGEST_CALLBACK_BYTES)
    believe(signers.departments.believed(code), request, body)
    callback = _read(body)
    state = await filing.reader.state_for_department(callback.case_id)
    # A case that is not there, one of others, an order that was never theirs: to a department all of these are one.
    if state is None or (number := _order_of(state, callback, code)) is None:
        raise unknown_order()
    name = filing.town.procedures[state.procedure].callbacks.get(callback.act)
    if name is None:
        raise unknown_order()
    actor = Actor(
        subject=f"department:{code}/{callback.by}",
        role=Role.DEPARTMENT_OFFICER,
        department=code,
        channel=Channel.GATEWAY,
    )
    sender = Sender(f"department:{code}", callback.callback_id, actor)
    door = filing.town.doors[state.procedure][name]
    given, faults = check_model(door.model, _texts(callback))
    if given is None or (faults := door.faults(given)):
        raise bad_request(faults)
    known = await filing.intake.known(sender, state.case_id, name, given)
    if known is not None:
        return await answer_command(filing.answering, Entered(known, repeated=True), actor)
    if number != len(getattr(state, "orders", ())):
        raise _superseded(state, name)
    return await give(filing, sender, state, name=name, door=door, given=given)


def _read(body: bytes) -> CallbackBody:
    try:
        return read_callback(body)
    except ValidationError as error:
        raise bad_request(faults_of(error.errors(include_url=False, include_input=False))) from None


def _texts(callback: CallbackBody) -> dict[str, str]:
    if isinstance(callback, ReturnedCallback):
        return {"reason": callback.reason, "legal_basis": callback.legal_basis}
    if isinstance(callback, FinishedCallback):
        return {"result": callback.result}
    return {}


def unknown_order() -> Problem:
    """A report about an order that no case ever gave to this department."""
    return Problem(
        ProblemCode.UNKNOWN_ORDER,
        say("没有发给该部门的此派单", "there is no such order to this department"),
    )


def _order_of(state: CaseState, callback: CallbackBody, code: str) -> int | None:
    """The number of the order that is meant, if it is of this case and was given to this department."""
    named = _ORDER.fullmatch(callback.order_id)
    orders = getattr(state, "orders", [])
    number = int(named["number"]) if named and named["case"] == state.case_id else 0
    return number if 1 <= number <= len(orders) and orders[number - 1].department == code else None


def _superseded(state: CaseState, name: str) -> Problem:
    """A report about an order that was theirs, and counts no longer."""
    return refused(
        Refusal(
            code=RefusalCode.NOT_NOW,
            detail=say("此派单已被新的派单取代", "a later order has taken the place of this one"),
            command=name,
            stage=state.stage,
        )
    )
