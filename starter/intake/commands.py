"""POST /api/v1/cases/{case_id}/commands/{command}: what people do with a case.

One documented operation per command name. The case itself judges; refused at the door is only what can never become
legal: a command that is not for the caller's role, or a case that has ended. Everything else could race with the case.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from schemas.kernel.case import CaseState, ruled_by
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.documents import document_faults
from starter.cases.views import CommandAnswer
from starter.http.authentication import Caller, acting
from starter.http.bodies import read_body, read_key, read_model, together
from starter.http.command_bodies import CommandBody
from starter.http.documentation import any_body_of, responses
from starter.http.problems import Problem, ProblemCode, bad_request, refused
from starter.intake.answers import answer_command
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


def choices_of(filing: Filing, state: CaseState, door: CommandBody) -> Mapping[str, Sequence[str]]:
    """Which codes may be named in a command's fields, in this case and under the policy that it goes by."""
    return door.command.choices_by_field(state, filing.town.policies.get(ruled_by(state.case_id)))


def permanent_refusal(filing: Filing, state: CaseState, name: str, actor: Actor) -> Refusal | None:
    """A refusal that no change of the case could lift; None leaves the judgement to the case."""
    refusal = filing.town.procedures[state.procedure].rules.check(state, name, actor, filing.intake.now())
    lasting = refusal is not None and refusal.code in {RefusalCode.NOT_YOUR_ROLE, RefusalCode.CASE_ENDED}
    return refusal if refusal is not None and (lasting or state.ended) else None


def command_routes(procedures: Iterable[Procedure]) -> APIRouter:
    """One route per command name, with the bodies of every procedure that has it; and one that knows no command."""
    router = APIRouter(tags=["commands"])
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
    router.add_api_route(f"{_PATH}/{{command}}", _give_unknown, methods=["POST"], include_in_schema=False)
    return router


def _give_named(name: str) -> Any:
    async def give_command(case_id: str, request: Request, caller: Caller, filing: FilingOf) -> Response:
        actor = acting(caller)
        state = await filing.reader.recent(case_id, actor)
        door = filing.town.doors[state.procedure].get(name)
        if door is None:
            raise _unknown_command(filing.town.procedures[state.procedure], name)
        if permanent_refusal(filing, state, name, actor) is not None:
            state = await filing.reader.state(case_id, actor)  # what speaks against a command is not taken from memory
        key, key_faults = read_key(request)
        given, body_faults = read_model(door.model, await read_body(request))
        body_faults = with_choices(body_faults, choices_of(filing, state, door), filing.town.names)
        faults = together(key_faults, body_faults, door.faults(given) if given is not None else [])
        if given is not None:
            faults += await document_faults(filing.attachments, given, actor)
            faults += await case_faults(filing.reader, given, actor)
        if given is None or faults:
            raise bad_request(faults)
        reserves = filing.town.procedures[state.procedure].reserves
        if reserves is not None and reserves.occasion(state, name, given) is not None:
            state = await filing.reader.state(case_id, actor)  # nor is what counts for whom others wait
        return await give(filing, Sender(caller.subject, key, actor), state, name=name, door=door, given=given)

    return give_command


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
