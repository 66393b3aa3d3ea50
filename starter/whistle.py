"""POST /api/v1/whistles 吹哨: a street calls departments, and each of them gets a summons."""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.incident_state import LOOKED_AT
from schemas.values.actor import Actor
from schemas.values.area import inside
from schemas.values.location import Location
from schemas.values.refusals import Fault, say
from schemas.whistle import WHISTLE
from schemas.whistle_call import WhistleCall, call_faults, open_whistle
from schemas.whistle_policy import WhistlePolicy
from schemas.whistle_state import WhistleState
from starter.http.authentication import Caller
from starter.http.bodies import together
from starter.http.database import Connection
from starter.http.documentation import body_of, responses
from starter.http.problems import Problem, ProblemCode
from starter.intake.areas import area_faults
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import OpenCase, Sender
from starter.intake.starts import REPORTED, Opening, declared_opening

router = APIRouter(prefix="/api/v1/whistles", tags=["whistles"])


@router.post(
    "",
    summary="吹哨 Blow a whistle: call departments to a matter",
    status_code=201,
    responses=responses(
        REPORTED, "token-missing", "not-your-role", "bad-request",
        "key-reused", "body-too-large", "not-json", "database-away",
    ),
    openapi_extra=body_of(WhistleCall),
)  # fmt: skip
async def blow_whistle(request: Request, caller: Caller, filing: FilingOf) -> Response:
    """201 with the case when it stands at once, else 202; the same key and body again: 200 with the same case."""
    return await OPENING.start(request, caller, filing)


async def _faults(filing: Filing, call: WhistleCall, actor: Actor) -> list[Fault]:
    """What is wrong with a call that has the right shape: departments, lead, place and the incident that it names."""
    return together(
        call_faults(call, _policy(filing)),
        area_faults(filing.town.areas, call.location) or _own_area_faults(call.location, actor),
        await _incident_faults(filing, call.incident, actor),
    )


def _own_area_faults(location: Location, actor: Actor) -> list[Fault]:
    """A street calls departments to its own area."""
    if location.area is None or actor.area is None or inside(location.area, actor.area):
        return []
    return [
        Fault(
            field="location.area",
            reason=say("不在您的辖区", "is not in your area"),
            remedy=say(f"请选择{actor.area}内的区域", f"name an area inside {actor.area}"),
        )
    ]


async def _incident_faults(filing: Filing, incident: str | None, actor: Actor) -> list[Fault]:
    """An incident that is open; one that the caller does not see, nobody speaks of here. Whether it can wait, it says itself."""
    if incident is None:
        return []
    try:
        state = await filing.reader.state(incident, actor)
    except Problem as problem:
        if problem.code != ProblemCode.UNKNOWN_CASE:
            raise
        return []
    if state.stage in LOOKED_AT:
        return []
    return [
        Fault(
            field="incident",
            reason=say("不是在办事件", "is not an open incident"),
            remedy=say("请填写在办事件的编号", "name an open incident"),
        )
    ]


def _opens(filing: Filing, sender: Sender, call: WhistleCall) -> OpenCase:
    async def open_case(connection: Connection, case_id: str, command_id: str, at: datetime) -> WhistleState:
        texts = {"matter": call.matter, "address": call.location.address}
        kept = (await filing.vault.keep(connection, None, texts, None, case_id=case_id)).texts
        return open_whistle(
            call,
            matter=kept["matter"],
            address=kept["address"],
            case_id=case_id,
            command_id=command_id,
            actor=sender.actor,
            policy=_policy(filing),
            charter=filing.town.charters[WHISTLE.name],
            at=at,
        )

    return open_case


def _policy(filing: Filing) -> WhistlePolicy:
    policy = filing.town.policies[WHISTLE.name]
    assert isinstance(policy, WhistlePolicy)  # noqa: S101 - the procedure says which policy is its own
    return policy


OPENING: Opening[WhistleCall] = declared_opening(
    WHISTLE,
    faults=_faults,
    opens=_opens,
    choices=lambda filing: {field: _policy(filing).departments for field in ("departments.*", "lead")},
)
