"""POST /api/v1/cases/{case_id}/commands/{command}: what people do with a case.

One documented operation per command name. The case itself judges; refused at the door is only what can never become
legal: a command that is not for the caller's role, or a case that has ended. Everything else could race with the case.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from engine.keys.tokens import Principal
from schemas.kernel.case import CaseState, ruled_by
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from starter.cases.documents import document_faults
from starter.cases.views import CommandAnswer
from starter.http.authentication import Caller, acting
from starter.http.bodies import read_body, read_key, read_model, together
from starter.http.command_bodies import CommandBody
from starter.http.documentation import any_body_of, responses
from starter.http.parameters import CASE_ID
from starter.http.problems import Problem, ProblemCode, bad_request, refused
from starter.intake.answers import answer_command
from starter.intake.areas import named_area_faults, with_areas
from starter.intake.choices import in_words, with_choices
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Entered, Sender
from starter.intake.named_cases import case_faults
from starter.intake.submission_views import SubmissionView

Doors = Mapping[str, Mapping[str, CommandBody]]
_PATH = "/api/v1/cases/{case_id}/commands"
_PROBLEMS = (
    "token-missing", "not-your-role", "not-your-case", "not-now", "against-the-rules", "not-what-you-saw", "already-held",
    "case-ended", "set-aside", "bad-command", "bad-request", "key-reused", "not-stamped", "out-of-place", "unknown-case",
    "unknown-command", "body-too-large", "not-json", "database-away",
)  # fmt: skip


async def give(
    filing: Filing, sender: Sender, state: CaseState, *, name: str, door: CommandBody, given: BaseModel
) -> Response:
    """Give a command that has the right shape: at the door first; then the case judges.

    What was accepted earlier under its key is answered as it was then, also where it could not come in any more.

    Raises:
        Problem: refused at the door or by the case, its key used with another body, or Postgres is away.
    """
    if (refusal := permanent_refusal(filing, state, name, sender.actor)) is not None:
        known = await filing.intake.known(sender, state.case_id, name, given)
        if known is not None:
            return await answer_command(filing.answering, Entered(known, repeated=True), sender.actor)
        await filing.intake.note_refusal(sender, state.case_id, name, refusal)
        raise refused(refusal, kept=True)
    entered = await filing.intake.command(sender, state, name, door, given)
    if entered.submission.leased and not entered.repeated:
        filing.relay.take(entered.submission)
    try:
        return await answer_command(filing.answering, entered, sender.actor)
    except Problem as problem:
        problem.faults = in_words(problem.faults or (), filing.town.names) or None
        raise


async def command_faults(  # noqa: PLR0917 - a command, and who gives it where
    filing: Filing,
    state: CaseState,
    door: CommandBody,
    given: BaseModel | None,
    shape_faults: Sequence[Fault],
    actor: Actor,
) -> list[Fault]:
    """All that is wrong with a command before the case is asked. `given` None: it has not even the right shape."""
    faults = with_choices(shape_faults, choices_of(filing, state, door), filing.town.names)
    faults = with_areas(filing.town.areas, faults)
    if given is not None:
        faults += door.faults(given)
        faults += named_area_faults(filing.town.areas, given)
        faults += await document_faults(filing.attachments, given, actor)
        faults += await case_faults(filing.reader, given, actor)
    return faults


def choices_of(filing: Filing, state: CaseState, door: CommandBody) -> Mapping[str, Sequence[str]]:
    """Which codes may be named in a command's fields, in this case and under the policy that it goes by."""
    return door.command.choices_by_field(state, filing.town.policies.get(ruled_by(state.case_id)))


def permanent_refusal(filing: Filing, state: CaseState, name: str, actor: Actor) -> Refusal | None:
    """A refusal that no change of the case could lift; None leaves the judgement to the case."""
    refusal = filing.town.procedures[state.procedure].rules.check(state, name, actor, filing.intake.now())
    lasting = refusal is not None and refusal.code in {RefusalCode.NOT_YOUR_ROLE, RefusalCode.CASE_ENDED}
    return refusal if refusal is not None and (lasting or state.ended) else None


class _CommandRoute(APIRoute):
    """The address of one command. Every request passes hundreds of them by, so its name is looked at before all of its address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for it."""
        return super().matches(scope) if scope["path"].endswith(f"/{self.name}") else (Match.NONE, {})


def command_routes(procedures: Iterable[Procedure]) -> APIRouter:
    """One route per command name, with the bodies of every procedure that has it; and one that knows no command."""
    return _routes_of(tuple(procedures))


@cache
def _routes_of(procedures: tuple[Procedure, ...]) -> APIRouter:
    """Made once in a process: what stands in it is the procedures' own and no app's."""
    router = APIRouter(tags=["commands"], route_class=_CommandRoute)
    titles: dict[str, dict[str, str]] = {}
    doors: dict[str, list[type]] = {}
    for procedure in procedures:
        for name, command in procedure.commands.items():
            title = next(rule.title for rule in procedure.rules if rule.command == name)
            titles.setdefault(name, {})[title] = (command.__doc__ or "").strip()
            doors.setdefault(name, []).append(command)
    for name, said in titles.items():
        router.add_api_route(
            f"{_PATH}/{name}",
            _give_named(name),
            methods=["POST"],
            name=name,
            operation_id=f"command_{name}",
            summary=f"{' / '.join(said)} {name}",
            description="\n\n".join(said.values()),
            responses=responses({200: CommandAnswer, 202: SubmissionView}, *_PROBLEMS),
            openapi_extra=any_body_of(doors[name]),
        )
    router.add_api_route(
        f"{_PATH}/{{command}}",
        _give_unknown,
        methods=["POST"],
        include_in_schema=False,
        route_class_override=APIRoute,
    )
    return router


def _give_named(name: str) -> Any:
    async def give_command(case_id: str, request: Request, caller: Caller, filing: FilingOf) -> Response:
        actor = acting(caller)
        try:
            state, door = await command_of_case(filing, actor, case_id, name)
        except Problem as problem:
            before = await _given_before(request, caller, filing, case_id, name) if _is_unknown(problem) else None
            if before is None:
                raise
            return before
        key, key_faults = read_key(request)
        given, shape_faults = read_model(door.model, await read_body(request))
        sender = Sender(caller.subject, key, actor)
        faults = together(key_faults, await command_faults(filing, state, door, given, shape_faults, actor))
        return await give_faultless(filing, sender, state, name=name, door=door, given=given, faults=faults)

    return give_command


def _is_unknown(problem: Problem) -> bool:
    return problem.code == ProblemCode.UNKNOWN_CASE


async def _given_before(
    request: Request, caller: Principal, filing: Filing, case_id: str, name: str
) -> Response | None:
    """What was accepted under this key while its sender still saw the case, as it was answered then; None: nothing was.

    Nobody else learns by it that there is such a case: whatever is wrong with the request, there is none.
    """
    state = await filing.reader.standing(case_id) if CASE_ID.fullmatch(case_id) else None
    door = None if state is None else filing.town.doors[state.procedure].get(name)
    key, key_faults = read_key(request)
    if door is None or key_faults:
        return None
    actor, known = acting(caller), None
    with suppress(Problem):
        given, _ = read_model(door.model, await read_body(request))
        if given is not None:
            known = await filing.intake.known(Sender(caller.subject, key, actor), case_id, name, given)
    return None if known is None else await answer_command(filing.answering, Entered(known, repeated=True), actor)


async def command_of_case(filing: Filing, actor: Actor, case_id: str, name: str) -> tuple[CaseState, CommandBody]:
    """The case as it is judged at the door, and the way in of a command.

    Raises Problem: no such case for this caller, no such command.
    """
    state = await filing.reader.commanded(case_id, actor, name)
    door = filing.town.doors[state.procedure].get(name)
    if door is None:
        raise _unknown_command(filing.town.procedures[state.procedure], name)
    if permanent_refusal(filing, state, name, actor) is not None:
        # What speaks against a command is not taken from memory.
        state = await filing.reader.commanded(case_id, actor, name, afresh=True)
    return state, door


async def give_faultless(
    filing: Filing,
    sender: Sender,
    state: CaseState,
    *,
    name: str,
    door: CommandBody,
    given: BaseModel | None,
    faults: Sequence[Fault],
) -> Response:
    """Give a command in which nothing is wrong. Raises Problem: all its faults, and as `give`."""
    if given is None or faults:
        raise bad_request(list(faults))
    reserves = filing.town.procedures[state.procedure].reserves
    if reserves is not None and reserves.occasion(state, name, given) is not None:
        state = await filing.reader.state(state.case_id, sender.actor)  # nor is what counts for whom others wait
    return await give(filing, sender, state, name=name, door=door, given=given)


async def _give_unknown(case_id: str, command: str, caller: Caller, filing: FilingOf) -> Response:
    state = await filing.reader.state(case_id, acting(caller))
    raise _unknown_command(filing.town.procedures[state.procedure], command)


def _unknown_command(procedure: Procedure, name: str) -> Problem:
    names = ", ".join(procedure.commands)
    titles = "、".join(dict.fromkeys(rule.title for rule in procedure.rules if not rule.automatic))
    return Problem(
        ProblemCode.UNKNOWN_COMMAND,
        say(f"{procedure.title}没有此操作,可用:{titles}", f"{procedure.name} has no such command; there are: {names}"),
        refusal=Refusal(code=RefusalCode.BAD_COMMAND, detail="", command=name),
    )
