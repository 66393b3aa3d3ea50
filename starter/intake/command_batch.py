"""POST /api/v1/commands:batch: up to 100 single commands at once, for as many cases, one result for each.

Each line is a command as it would be given alone: its own key, its own checks, its own answer; a bad line holds up none after
it. Lines about one case are given one after the other, in their order; the cases beside each other.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from fastapi import APIRouter
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from engine.keys.tokens import Principal
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.refusals import Fault
from starter.cases.views import CommandAnswer
from starter.http.authentication import Caller, acting
from starter.http.batches import LINES_MAX, read_lines
from starter.http.bodies import check_model, key_faults, together
from starter.http.documentation import SIGNED_IN, open_body_of, responses
from starter.http.json_answers import json_response
from starter.http.problems import Attempt, Problem, ProblemBody, bad_request
from starter.intake.commands import command_faults, command_of_case, give_faultless
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender
from starter.intake.submission_views import SubmissionView

log = structlog.get_logger()
PATH = "/api/v1/commands:batch"
_CASES_AT_ONCE = 8
router = APIRouter(tags=["commands"])
Outcome = Response | Problem


class CommandLine(Model):
    """One command of a batch, under a key of its own, as of `Idempotency-Key`. `body`: as the command takes it alone."""

    idempotency_key: str
    case_id: str = Field(examples=["incident-20261121-000017"])
    command: str = Field(examples=["urge"])
    body: dict[str, Any] = {}


class CommandBatch(Model):
    """Up to 100 commands."""

    lines: list[CommandLine] = Field(min_length=1, max_length=LINES_MAX)


class CommandResult(Model):
    """What came of one line: the status it would have had alone, with the case, the submission or the problem."""

    line: int
    idempotency_key: str | None
    case_id: str | None
    command: str | None
    status: int
    case: CommandAnswer | None = None
    submission: SubmissionView | None = None
    problem: ProblemBody | None = None


class CommandBatchAnswer(Model):
    """One result per line, in order."""

    accepted: int
    not_accepted: int
    results: list[CommandResult]


@dataclass(frozen=True)
class LineGiven:
    """A line, and what is wrong with its shape. `line` None: it has not even that."""

    line: CommandLine | None
    faults: Sequence[Fault]


@router.post(
    PATH,
    summary="批量办理 Give up to 100 commands",
    responses=responses(
        {200: CommandBatchAnswer}, *SIGNED_IN, "bad-request", "body-too-large", "not-json", "database-away"
    ),
    openapi_extra=open_body_of(CommandBatch),
)
async def give_commands(request: Request, caller: Caller, filing: FilingOf) -> Response:
    """200 with one result per line, in order: the status, and the case, the submission or the problem of that line alone.

    Only what concerns the whole is answered otherwise: no list, no line, more than 100 lines.
    """
    plain = await read_lines(request)
    lines = [LineGiven(*check_model(CommandLine, each)) for each in plain]
    outcomes = await give_lines(filing, caller, lines)
    results = [_result(request, place, plain[place], each) for place, each in enumerate(outcomes)]
    accepted = sum(result.problem is None for result in results)
    body = CommandBatchAnswer(accepted=accepted, not_accepted=len(results) - accepted, results=results)
    answer = json_response(body)
    answer.background = keeping_attempts(filing, acting(caller), f"POST {PATH}", outcomes)
    return answer


async def give_lines(filing: Filing, caller: Principal, lines: Sequence[LineGiven]) -> list[Outcome]:
    """Give each line; what came of it, in their order: the answer that it would have had alone, or the problem."""
    gate, outcomes = asyncio.Semaphore(_CASES_AT_ONCE), dict[int, Outcome]()
    by_case: dict[str, list[int]] = {}
    for place, each in enumerate(lines):
        by_case.setdefault(each.line.case_id if each.line else "", []).append(place)

    async def give_to_one(places: Iterable[int]) -> None:
        async with gate:
            for place in places:
                outcomes[place] = await _given(filing, caller, lines[place])

    await asyncio.gather(*(give_to_one(places) for places in by_case.values()))
    return [outcomes[place] for place in range(len(lines))]


async def _given(filing: Filing, caller: Principal, given: LineGiven) -> Outcome:
    """Give one line. What is wrong with it, or that the database has gone, is this line's own problem."""
    if given.line is None:
        return bad_request(list(given.faults))
    line, actor = given.line, acting(caller)
    try:
        state, door = await command_of_case(filing, actor, line.case_id, line.command)
        body, shape_faults = check_model(door.model, line.body)
        faults = together(
            key_faults(line.idempotency_key),
            await command_faults(filing, state, door, body, shape_faults, actor),
        )
        sender = Sender(caller.subject, line.idempotency_key, actor)
        return await give_faultless(filing, sender, state, name=line.command, door=door, given=body, faults=faults)
    except Problem as problem:
        return problem


def keeping_attempts(filing: Filing, actor: Actor, tried: str, outcomes: Iterable[Outcome]) -> BackgroundTask | None:
    """Keeps what somebody tried and may not do, after the answer: how long it takes must tell nothing. None: nothing is to be kept.

    `tried`: what stands in the record where no command does.
    """
    attempts = [each.attempt for each in outcomes if isinstance(each, Problem) and each.attempt is not None]
    return BackgroundTask(_keep_attempts, filing, actor, tried, attempts) if attempts else None


async def _keep_attempts(filing: Filing, actor: Actor, tried: str, attempts: Iterable[Attempt]) -> None:
    for each in attempts:
        try:
            await filing.intake.note_attempt(actor, replace(each, command=each.command or tried))
        except Problem:  # without a database the log alone has it
            log.warning("attempt_not_kept", code=each.code, command=each.command or tried, role=actor.role)


def _result(request: Request, place: int, line: Any, outcome: Outcome) -> CommandResult:
    known: dict[str, Any] = {"line": place + 1, **{name: _said(line, name) for name in _NAMED}}
    if isinstance(outcome, Problem):
        body = ProblemBody.model_validate_json(bytes(outcome.response(request).body))
        return CommandResult(**known, status=body.status, problem=body)
    told: dict[str, Any] = json.loads(bytes(outcome.body))
    standing = "stage" in told
    return CommandResult(
        **known,
        status=outcome.status_code,
        case=CommandAnswer.model_validate(told) if standing else None,
        submission=None if standing else SubmissionView.model_validate(told),
    )


_NAMED = ("idempotency_key", "case_id", "command")


def _said(line: Any, name: str) -> str | None:
    said = line.get(name) if isinstance(line, dict) else None
    return said if isinstance(said, str) else None
