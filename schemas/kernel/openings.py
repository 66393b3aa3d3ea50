"""How a case of a procedure is opened, declared: by whom, with which body, at which address; and the state it starts with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, get_args

from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

from schemas.kernel.acts import Tells
from schemas.kernel.case import Charter
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Command
from schemas.kernel.reports import ReportFields
from schemas.kernel.state import OpenedState
from schemas.values.account import AccountCode
from schemas.values.actor import FOR_THEMSELVES, Actor, Channel, Role, Stamp
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
class Question:
    """One page of an opening by somebody without an account: what is asked, and the fields of the body, by place, with dots.

    `documents`: files may be sent with it; they are filed by the command that files a document (schemas/kernel/case_file.py).
    """

    zh: str
    en: str
    fields: tuple[str, ...] = ()
    documents: bool = False


@dataclass(frozen=True)
class Opens:
    """The line that opens a case. `name`: what it is called in stamps; no command, for there is no case yet.

    `zh`, `en`: what somebody does thereby. `by`: whose it is. `address`: the last part of its address in the API. Of a case
    whose workflow has no `begin` of its own: the clocks that it `starts`, who is its first `holder`, and whom it `tells`.

    For forms: `areas` are the fields that name an area, `by_words` is the one that is found by words (`Policy.searched`), and
    `unasked` are those that no form asks for. `questions`: what somebody without an account is asked, in this order; none:
    nobody opens such a case without one. `told_at`: the stages at which they are told that such a case is open in their community,
    where the policy lets everybody hear of its matter (`Policy.is_told_to_all`).

    `reported`: residents report by it what they have seen, also from elsewhere, and how that becomes its body.
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
    areas: tuple[str, ...] = ("area",)
    by_words: str | None = None
    unasked: frozenset[str] = frozenset()
    questions: tuple[Question, ...] = ()
    told_at: tuple[StrEnum, ...] = ()
    reported: ReportFields | None = None

    @property
    def path(self) -> str:
        """Where the body is sent to."""
        return f"/api/v1/{self.address}"

    def question_faults(self) -> Iterator[str]:
        """Say what does not fit in what somebody without an account is asked."""
        if not self.questions:
            return
        if Role.RESIDENT not in self.by:
            yield f"{self.name} asks people without an account, and residents do not open such cases"
        asked = {field for question in self.questions for field in question.fields}
        places = dict(_places_of(self.model))
        yield from (f"{self.name} asks for {field}, which is no field" for field in sorted(asked - set(places)))
        needed = {place for place, required in places.items() if required}
        yield from (f"{self.name} needs {field}, and asks nobody for it" for field in sorted(needed - asked))

    @property
    def body(self) -> type[OpeningBody] | None:
        """The model, if all of the opening is derived from it; None where `starter/NAME.py` opens the case."""
        return self.model if issubclass(self.model, OpeningBody) else None


def _places_of(model: type[BaseModel], within: str = "", *, required: bool = True) -> Iterator[tuple[str, bool]]:
    """Every field of a body by place, with dots, and whether it cannot be left out; of a group, those inside of it."""
    for name, field in model.model_fields.items():
        needed = required and field.is_required()
        kinds = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
        inside = next((each for each in kinds if issubclass(each, BaseModel)), None)
        if inside is None:
            yield f"{within}{name}", needed
        else:
            yield from _places_of(inside, f"{within}{name}.", required=needed)


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
    own = actor.role in FOR_THEMSELVES
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
