"""How a case of a procedure is opened, declared: by whom, with which body, at which address; and the state it starts with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from schemas.kernel.acts import Tells
from schemas.kernel.case import Charter
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.kernel.state import OpenedState
from schemas.values.account import AccountCode
from schemas.values.actor import Actor, Channel, Role, Stamp
from schemas.values.canonical import digest
from schemas.values.location import AreaCode
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference
from schemas.values.refusals import Fault


def _not_the_gateway(channel: Channel) -> Channel:
    if channel is Channel.GATEWAY:
        raise PydanticCustomError("gateway_channel", "is for departments only")
    return channel


class OpeningBody(Command):
    """What opens a case, with references where people send texts: its door, its route and its first state are derived.

    Each field is kept in the state under its name, and stands in the first entry, but those that are `unsaid` there.
    `on_behalf_of` is the account of the resident for whom staff enter the case. `person_name`: the field that holds the name of
    whose case it is; it is kept with the person in the vault, and nowhere else.
    """

    unsaid: ClassVar[frozenset[str]] = frozenset({"on_behalf_of"})
    person_name: ClassVar[str | None] = None

    area: AreaCode
    channel: Annotated[Channel, AfterValidator(_not_the_gateway)] = Channel.APP
    on_behalf_of: AccountCode | None = None

    def town_faults(self, policy: Any) -> Iterator[Fault]:  # noqa: ARG002 - some procedures take whatever has the right shape
        """Say what in a body of the right shape does not fit the town's rules for the procedure."""
        yield from ()

    def begins_with(self, policy: Any) -> Mapping[str, Any]:  # noqa: ARG002 - most states hold what was sent, and the terms
        """Return what the state holds at the start besides what was sent: such as the department in whose hands it is."""
        return {}


@dataclass(frozen=True)
class Opens:
    """The line that opens a case. `name`: what it is called in stamps; no command, for there is no case yet.

    `zh`, `en`: what somebody does thereby. `by`: whose it is. `address`: the last part of its address in the API. Of a case
    whose workflow has no `begin` of its own: the clocks that it `starts`, who is its first `holder`, and whom it `tells`.
    """

    model: type[Model]
    name: str
    zh: str
    en: str
    by: frozenset[Role]
    address: str
    starts: tuple[str, ...] = ()
    holder: str = ""
    tells: Tells | None = None

    @property
    def path(self) -> str:
        """Where the body is sent to."""
        return f"/api/v1/{self.address}"

    @property
    def body(self) -> type[OpeningBody] | None:
        """The model, if all of the opening is derived from it; None where `starter/NAME.py` opens the case."""
        return self.model if issubclass(self.model, OpeningBody) else None


def open_state(
    opens: Opens,
    state: type[OpenedState],
    body: OpeningBody,
    *,
    person: PersonReference,
    case_id: str,
    command_id: str,
    actor: Actor,
    policy: Policy,
    charter: Charter,
    at: datetime,
    statement: TextReference | None = None,
) -> OpenedState:
    """Return the state of the new case. Its opening is a stamp, not yet signed, whose digest covers all the rest.

    `person`: with whom its texts are kept in the vault. Whose case it is, they are only where somebody's account is named, or
    where the procedure always has somebody. `statement`: what the case was told of them.
    """
    own = actor.role is Role.RESIDENT
    named = own or body.on_behalf_of is not None or state.model_fields["reporter"].is_required()
    unsigned = Stamp(case_id=case_id, command=opens.name, command_id=command_id, actor=actor, at=at, digest="")
    sent = {name: getattr(body, name) for name in type(body).model_fields if name in state.model_fields}
    given = {
        **sent,
        **body.begins_with(policy),
        "case_id": case_id,
        "charter": charter,
        "opening": unsigned,
        "opened_at": at,
        "reporter": person if named else None,
        "reporter_subject": actor.subject if own else body.on_behalf_of,
        "on_behalf": not own and body.on_behalf_of is not None,
        "terms": getattr(policy, "terms", None),
        "statements": {person: statement} if statement is not None else {},
    }
    opened = state.model_validate(given)
    covered = opened.model_dump(mode="json", exclude={"opening"})
    return opened.model_copy(update={"opening": unsigned.model_copy(update={"digest": digest(covered)})})
