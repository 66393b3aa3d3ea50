"""GET /public/cases/{case_id}?code=…: a resident follows the own case by number and code, without an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query
from starlette.requests import Request

from engine.keys.tokens import Verifier
from engine.vault.vault import Vault
from schemas.audit.ledger import projection_of
from schemas.clocks.calendar import in_shanghai
from schemas.clocks.clocks import Status
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Actor, Channel, Role
from schemas.values.refusals import say
from schemas.values.tidy_text import tidy, without_directions
from schemas.words.titles import words_for_residents
from starter.cases.case_reading import CaseReader, unknown_case
from starter.cases.passes import Passes
from starter.cases.resident_codes import ResidentCodes
from starter.cases.views import Answer, Promise, PublicCase, PublicStage
from starter.http.database import Connection, database
from starter.http.dependencies import dependency
from starter.http.documentation import responses
from starter.http.parameters import CASE_ID
from starter.http.problems import Problem, ProblemCode
from starter.http.senders import sender_of

PURPOSE = "show-answer-by-code"
router = APIRouter(prefix="/public/cases", tags=["residents"])


@dataclass(frozen=True)
class Residents:
    """What is shown to whoever has number and code, and by whom wrong ones are counted."""

    pool: asyncpg.Pool
    vault: Vault
    reader: CaseReader
    procedures: Mapping[str, Procedure]
    codes: ResidentCodes
    passes: Passes
    verifier: Verifier


ResidentsOf = Annotated[Residents, dependency(Residents)]


@router.get(
    "/{case_id}",
    summary="凭编号和查询码查看 Follow the own case by number and code",
    responses=responses({200: PublicCase}, "unknown-case", "too-many-attempts", "bad-request", "database-away"),
)
async def follow_case(
    case_id: str, request: Request, residents: ResidentsOf, code: Annotated[str, Query(max_length=80)]
) -> PublicCase:
    """Where it stands, by when what was promised, and the department's answers; nothing of any person.

    A wrong code and a number that does not exist are the same 404. Capitals, full width, blanks and dashes do not matter.
    Wrong codes slow whoever sends them, by account or address, and nobody else: the right code from elsewhere always counts.
    """
    return await shown_to_residents(residents, await case_by_code(residents, request, case_id, code))


async def case_by_code(residents: Residents, request: Request, case_id: str, code: str) -> CaseState:
    """The case of a number, for whoever has its code. Raises Problem: 404 for a wrong one, 429 after too many of them."""
    number = tidy(case_id).lower()
    if not CASE_ID.fullmatch(number):
        raise unknown_case()
    attempt = await residents.codes.try_code(number, code, await sender_of(request, residents.verifier))
    if attempt.retry_after_seconds is not None:
        raise _too_many(attempt.retry_after_seconds)
    if not attempt.right:
        raise unknown_case()
    return await _state(residents, number)


async def case_by_pass(residents: Residents, given: str) -> CaseState | None:
    """The case that a pass lets into; None: it lets nobody in any more, or never did."""
    number = residents.passes.case_of(given)
    return None if number is None else await _state(residents, number)


async def shown_to_residents(residents: Residents, state: CaseState) -> PublicCase:
    """What a case shows to whoever has shown number and code; that they read an answer is recorded."""
    async with database(residents.pool) as connection:
        return PublicCase(
            **dict(_stage(residents, state)),
            opened_at=in_shanghai(state.opened_at),
            answers=await _answers(residents, connection, state),
            follows=await _followed(residents, connection, state),
        )


async def _state(residents: Residents, number: str) -> CaseState:
    async with database(residents.pool) as connection:
        state = await residents.reader.states.find(connection, number)
    if state is None:
        raise unknown_case()
    return state


def _stage(residents: Residents, state: CaseState) -> PublicStage:
    procedure = residents.procedures[state.procedure]
    row, words = projection_of(state), words_for_residents(state.stage, procedure)
    promised = {name: clock.promise for name, clock in procedure.clock_words.items() if clock.promise is not None}
    promises = [
        Promise(
            clock=clock.name,
            zh=promised[clock.name].zh,
            en=promised[clock.name].en,
            due_at=clock.due_at,
            done_at=clock.stopped_at,
            kept=False if clock.breached else (True if clock.status is Status.STOPPED else None),
        )
        for clock in row.clocks
        if clock.name in promised and clock.due_at is not None
    ]
    waiting = [promise.due_at for promise in promises if promise.done_at is None]
    return PublicStage(
        case_id=row.case_id,
        procedure=row.procedure,
        title=residents.procedures[row.procedure].title,
        stage=row.stage,
        stage_zh=words.zh,
        stage_en=words.en,
        closed_at=in_shanghai(row.closed_at) if row.closed_at else None,
        next_due=min(waiting, default=None),
        promised=promises,
    )


async def _answers(residents: Residents, connection: Connection, state: CaseState) -> list[Answer]:
    """What departments reported as done, for the person who reported the case; that they read it is recorded."""
    if getattr(state, "reporter", None) is None:
        return []  # found by staff: nobody is there whom a department could answer
    results = [(order.department, order.result) for order in getattr(state, "orders", ()) if order.result is not None]
    if not results:
        return []
    reader = Actor(subject=f"code:{state.case_id}", role=Role.RESIDENT, channel=Channel.APP)
    texts = await residents.vault.read_texts(connection, [text for _, text in results], reader, PURPOSE, state.case_id)
    return [Answer(department=department, text=without_directions(str(texts[text]))) for department, text in results]


async def _followed(residents: Residents, connection: Connection, state: CaseState) -> PublicStage | None:
    """The case into which this one was merged, at the end of all merges: its stage and promises, no answers.

    Its texts belong to somebody else.
    """
    followed: CaseState | None = None
    into, passed = getattr(state, "merged_into", None), {state.case_id}
    while into is not None and into not in passed:
        passed.add(into)
        found = await residents.reader.states.find(connection, into)
        if found is None:
            break
        followed, into = found, getattr(found, "merged_into", None)
    return _stage(residents, followed) if followed is not None else None


def _too_many(seconds: int) -> Problem:
    return Problem(
        ProblemCode.TOO_MANY_ATTEMPTS,
        say("您尝试的次数过多,请稍后再试", "you tried too often; try again later"),
        headers={"Retry-After": str(seconds)},
    )
