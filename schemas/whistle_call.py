"""The call by which a whistle is blown: what the street sends, and the states that whistle and summonses start with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from schemas.contracts.department import Code
from schemas.kernel.case import Charter, child_id
from schemas.parts.children import open_child
from schemas.summons_state import SummonsState
from schemas.values.actor import Actor, Channel, Role, Stamp
from schemas.values.canonical import digest
from schemas.values.case_number import IncidentNumber
from schemas.values.free_text import FreeText
from schemas.values.location import AREA_UNKNOWN, Location
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.whistle_commands import departments_faults
from schemas.whistle_policy import WhistlePolicy, WhistleType
from schemas.whistle_state import Summoned, WhistleState

BLOW = "blow_whistle"
"""The name of the opening in stamps; it is no command, for there is no case yet."""

BLOWERS = frozenset({Role.STREET_OFFICER})
"""Who may blow a whistle: the street. Grid workers and departments ask it to, on the incident (`ask_whistle`)."""


def _one_lead(lead: object) -> object:
    if isinstance(lead, list):
        raise PydanticCustomError("two_leads", "one department leads")
    return lead


def _not_the_gateway(channel: Channel) -> Channel:
    if channel is Channel.GATEWAY:
        raise PydanticCustomError("gateway_channel", "is for departments only")
    return channel


class WhistleCall(Model):
    """The body of `POST /api/v1/whistles`. `incident`: the case that the whistle is born of; it waits for the result."""

    type: WhistleType
    matter: FreeText
    location: Location
    departments: tuple[Code, ...] = Field(min_length=1, max_length=100)
    lead: Annotated[Code, BeforeValidator(_one_lead)]
    incident: IncidentNumber | None = None
    channel: Annotated[Channel, AfterValidator(_not_the_gateway)] = Channel.APP

    def idempotency_content(self) -> dict[str, Any]:
        """What makes two calls the same, as canonical JSON can hold it."""
        plain = self.model_dump(mode="json")
        plain["location"] |= {"lat": self.location.latitude_micro, "lon": self.location.longitude_micro}
        return plain


def call_faults(call: WhistleCall, policy: WhistlePolicy) -> list[Fault]:
    """What is wrong with a call that has the right shape: the departments, and who leads them."""
    known: Sequence[str] = policy.departments
    faults = list(departments_faults(call.departments, known, (), policy.terms.departments_at_most))
    if call.lead not in call.departments:
        faults.append(
            Fault(
                field="lead",
                reason=say("牵头部门不在召集部门之列", "is none of the departments that are called"),
                remedy=say(
                    f"可选:{'、'.join(call.departments)};或将该部门列入召集部门",
                    f"one of: {', '.join(call.departments)}; or add it to departments",
                ),
            )
        )
    return faults


def open_whistle(
    call: WhistleCall,
    *,
    matter: TextReference,
    address: TextReference,
    case_id: str,
    command_id: str,
    actor: Actor,
    policy: WhistlePolicy,
    charter: Charter,
    at: datetime,
) -> WhistleState:
    """Return the state of the new whistle. Its opening is a stamp, not yet signed, whose digest covers all the rest."""
    unsigned = Stamp(case_id=case_id, command=BLOW, command_id=command_id, actor=actor, at=at, digest="")
    state = WhistleState(
        case_id=case_id,
        charter=charter,
        opening=unsigned,
        area=call.location.area or actor.area or AREA_UNKNOWN,
        department=call.lead,
        opened_at=at,
        type=call.type,
        terms=policy.terms,
        departments=policy.departments,
        called=call.departments,
        matter=matter,
        address=address,
        latitude_micro=call.location.latitude_micro,
        longitude_micro=call.location.longitude_micro,
        channel=call.channel,
        incident=call.incident,
    )
    covered = state.model_dump(mode="json", exclude={"opening"})
    return state.model_copy(update={"opening": unsigned.model_copy(update={"digest": digest(covered)})})


def summons_id(whistle: str, department: str) -> str:
    """`whistle-20261121-000004.urban-management`."""
    return child_id(whistle, department)


def open_summons(whistle: WhistleState, summoned: Summoned) -> SummonsState:
    """Return the state of one department's summons. Its opening is the stamp of whoever called the department."""
    return open_child(
        SummonsState,
        whistle,
        summoned.department,
        stamp=summoned.stamp,
        at=summoned.summoned_at,
        department=summoned.department,
        type=whistle.type,
        terms=whistle.terms,
        matter=whistle.matter,
        address=whistle.address,
        latitude_micro=whistle.latitude_micro,
        longitude_micro=whistle.longitude_micro,
        lead=whistle.lead,
    )
