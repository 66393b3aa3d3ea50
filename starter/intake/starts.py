"""POST of a new case, whatever it is: role, key, body, faults, intake, answer. Nothing of it is a procedure's own.

A procedure adds the shape of its body, what is wrong with one that has the right shape, and the state it starts with.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any, Generic, Protocol, TypeVar, cast

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from schemas.contracts.department_policy import Name
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.openings import Opens
from schemas.kernel.rules import for_other_roles
from schemas.values.actor import Actor, Channel, Role
from schemas.values.model import Model
from schemas.values.refusals import Fault, Refusal, RefusalCode
from starter.cases.views import ReportAnswer, ReportReceipt
from starter.http.bodies import read_body, read_key, read_model, together
from starter.http.command_bodies import CommandBody
from starter.http.problems import bad_request, refused
from starter.intake.answers import answer_start
from starter.intake.choices import in_words, with_choices
from starter.intake.filing import Filing
from starter.intake.intake import Entered, OpenCase, Sender
from starter.intake.named_cases import case_faults
from starter.intake.proposers import ProposalsShown
from starter.intake.submission_views import SubmissionView

REPORTED: dict[int, type[Model] | UnionType] = {
    200: ReportAnswer | ReportReceipt,
    201: ReportAnswer | ReportReceipt,
    202: SubmissionView,
}
"""What comes of a start, by status."""


class OpeningBody(Protocol):
    """A body that opens a case."""

    @property
    def channel(self) -> Channel:
        """The way by which it came in."""


def _essence(body: Any) -> dict[str, Any]:
    """What makes two bodies the same, as canonical JSON can hold it: what they say of it themselves, or all of them."""
    said: dict[str, Any] = (
        body.idempotency_content() if hasattr(body, "idempotency_content") else body.model_dump(mode="json")
    )
    return said


class Somebody(Protocol):
    """Who opens a case: the person behind a token, or somebody without an account (starter/intake/guests.py)."""

    @property
    def subject(self) -> str:
        """Whose keys these are."""

    @property
    def role(self) -> Role:
        """What they may do."""

    @property
    def identity(self) -> str | None:
        """Whose account it is, where that is known."""

    def actor(self, channel: Channel) -> Actor:
        """The same, acting by that way."""


BodyT = TypeVar("BodyT", bound=OpeningBody)


async def no_proposals(_filing: Filing, _body: Any) -> ProposalsShown | None:
    """Of most openings nothing is proposed."""
    return None


@dataclass(frozen=True)
class Opening(Generic[BodyT]):
    """How cases of a procedure are started. `act` is the name of the opening in stamps, `title` what people do thereby.

    `faults(filing, body, actor)`: what is wrong with a body of the right shape, for this role, in this town.
    `opens(filing, sender, body)`: how its texts are kept and what state the case starts with.
    `choices(filing)`: which codes may be named, by field; whoever writes another one is told them by their words.
    `finds(filing, words)`: what fits words, the best first, of the field that is found by them. `declared`: the line of its
    procedure, which says what forms ask. `proposes(filing, body)`: for staff, what a model finds probable
    for the field that is found by words, by what else the body says; None: it has nothing to say.
    """

    procedure: str
    act: str
    title: Name
    model: type[Any]
    starters: frozenset[Role]
    declared: Opens
    faults: Callable[[Filing, BodyT, Actor], Awaitable[list[Fault]]]
    opens: Callable[[Filing, Sender, BodyT], OpenCase]
    choices: Callable[[Filing], Mapping[str, Sequence[str]]] = lambda _: {}
    finds: Callable[[Filing, str], Sequence[str]] = lambda _filing, _words: ()
    proposes: Callable[[Filing, BodyT], Awaitable[ProposalsShown | None]] = no_proposals

    async def start(self, request: Request, caller: Somebody, filing: Filing) -> Response:
        """201 with the case when it stands at once, else 202; the same key and body again: 200 with the same case.

        Raises:
            Problem: not the caller's role, faults in key or body (all at once), and as `accept`.
        """
        self.refuse_unless_starter(caller.role)
        key, key_faults = read_key(request)
        body, shape_faults = read_model(self.model, await read_body(request))
        faults = together(key_faults, await self.all_faults(filing, caller, body, shape_faults))
        if body is None or faults:
            raise bad_request(faults)
        entered = await self.accept(filing, self.sender(caller, key, body), body)
        return await answer_start(filing.answering, entered, caller.actor(body.channel))

    def sender(self, caller: Somebody, key: str, body: BodyT) -> Sender:
        """Who sends a body, by the way that it names."""
        return Sender(caller.subject, key, caller.actor(body.channel), caller.identity)

    async def all_faults(
        self, filing: Filing, caller: Somebody, body: BodyT | None, shape_faults: Sequence[Fault]
    ) -> list[Fault]:
        """All that is wrong with what was sent. `body` None: it has not even the right shape."""
        widest = filing.town.areas.nearest("")
        choices = {**dict.fromkeys(self.declared.areas, widest), **self.choices(filing)}
        faults = with_choices(shape_faults, choices, filing.town.names)
        if body is not None:
            actor = caller.actor(body.channel)
            faults += in_words(await self.faults(filing, body, actor), filing.town.names)
            faults += await case_faults(filing.reader, cast("BaseModel", body), actor)
        return faults

    async def accept(self, filing: Filing, sender: Sender, body: BodyT) -> Entered:
        """Keep what was sent and let the relay begin to deliver it. Raises Problem as `Intake.start` does."""
        entered = await filing.intake.start(
            sender, self.procedure, _essence(body), self.opens(filing, sender, body), name=self.act
        )
        if entered.submission.leased and not entered.repeated:
            filing.relay.take(entered.submission)
        return entered

    def derived_from(self, door: CommandBody) -> "Opening[BodyT]":
        """The same, taking what people send where the declared body has references."""
        return replace(self, model=door.model)

    def refuse_unless_starter(self, role: Role) -> None:
        """Raises Problem: somebody whose role does not start such cases."""
        if role in self.starters:
            return
        detail = for_other_roles(sorted(self.starters))
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command=self.act))


def declared_opening(
    procedure: DeclaredProcedure,
    *,
    faults: Callable[[Filing, BodyT, Actor], Awaitable[list[Fault]]],
    opens: Callable[[Filing, Sender, BodyT], OpenCase],
    choices: Callable[[Filing], Mapping[str, Sequence[str]]] = lambda _: {},
    finds: Callable[[Filing, str], Sequence[str]] = lambda _filing, _words: (),
    proposes: Callable[[Filing, BodyT], Awaitable[ProposalsShown | None]] = no_proposals,
) -> Opening[BodyT]:
    """The opening as its procedure declares it. Raises TypeError: cases of it are opened by another procedure."""
    declared = procedure.opens
    if declared is None:
        raise TypeError(f"{procedure.name} declares no opening")
    return Opening(
        procedure=procedure.name,
        act=declared.name,
        title=Name(zh=declared.zh, en=declared.en),
        model=declared.model,
        starters=declared.by,
        declared=declared,
        faults=faults,
        opens=opens,
        choices=choices,
        finds=finds,
        proposes=proposes,
    )
