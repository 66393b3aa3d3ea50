"""GET /api/v1/audit/cases/…: what an auditor reads - a case whole, how it stood at a moment, why an entry is as it is."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Path
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError

from audit.replay.kept_histories import archived_histories
from audit.replay.moments import CannotRebuild, town_histories
from audit.replay.reading import REBUILT_AT_ONCE, Auditing, UnknownCase
from audit.replay.replay import RunsOf
from engine.keys.keys import Keys
from engine.keys.tokens import Principal
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from engine.store.database import AWAY
from schemas.audit.case_record import CaseRecord, StateAt
from schemas.kernel.explanation import Explanation
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.refusals import Refusal, RefusalCode, say
from schemas.words.titles import title_of
from starter.cases.case_lists import beginning
from starter.cases.reading import Reading, ReadingOf
from starter.http.authentication import Caller, acting
from starter.http.dependencies import dependency
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import DayText
from starter.http.problems import Problem, ProblemCode, database_away, refused
from starter.intake.delivery import Delivery, NotDelivered

ENTRIES_MAX = 10**6
router = APIRouter(prefix="/api/v1/audit/cases", tags=["audit"])
_PROBLEMS = (*SIGNED_IN, "not-your-role", "unknown-case", "not-recorded", "bad-request", "database-away")


AuditingOf = Annotated[Auditing, dependency(Auditing)]


class CaseAudit(Model):
    """A case as an auditor reads it. `state`: how it stood at the moment that was asked for, rebuilt from its history."""

    record: CaseRecord
    state: StateAt | None = None


@router.get(
    "/{case_id}",
    summary="审计查阅 A case whole, for auditors",
    responses=responses({200: CaseAudit}, *_PROBLEMS),
)
async def audit_case(
    case_id: str,
    caller: Caller,
    reading: ReadingOf,
    auditing: AuditingOf,
    at: DayText = None,
) -> CaseAudit:
    """What happened, who did it, when, by which clock and how late; who was refused; who read personal data.

    With `at`: as far as the case had come then, and how it stood. Texts are opened, and the vault records that they were.
    """
    actor = await auditor_of_case(caller, reading, case_id)
    return await read_case_audit(case_id, actor, reading, auditing, beginning("at", at))


async def read_case_audit(
    case_id: str, actor: Actor, reading: Reading, auditing: Auditing, moment: datetime | None, *, opens: bool = True
) -> CaseAudit:
    """The case for an auditor who may see it. Not `opens`: texts and persons stay closed, and nothing is recorded as read.

    Raises Problem: its history does not reach that moment, or Postgres is away.
    """
    try:
        record = await auditing.record(case_id, datetime.now(UTC), moment)
        state = await auditing.state_at(case_id, moment) if moment else None
    except CannotRebuild as fault:
        raise _not_recorded(str(fault)) from fault
    except AWAY as error:
        raise database_away() from error
    entries = await reading.reader.timeline(case_id, actor, 0, record.entries, opens=opens)
    return CaseAudit(record=record.with_facts({entry.seq: entry.facts for entry in entries}), state=state)


@router.get(
    "/{case_id}/entries/{seq}",
    summary="释明 Why an entry is as it is",
    responses=responses({200: Explanation}, *_PROBLEMS),
)
async def explain_entry(
    case_id: str,
    seq: Annotated[int, Path(ge=1, le=ENTRIES_MAX)],
    caller: Caller,
    reading: ReadingOf,
    auditing: AuditingOf,
) -> Explanation:
    """The rule, its version, its inputs and its arithmetic; texts stay references."""
    await auditor_of_case(caller, reading, case_id)
    try:
        return await auditing.explanation(case_id, seq)
    except UnknownCase as fault:
        raise _not_recorded(str(fault)) from fault
    except AWAY as error:
        raise database_away() from error


def auditing_of(pool: asyncpg.Pool, keys: Keys, settings: Settings, delivery: Delivery) -> Auditing:
    """What auditors read with. While Temporal is away, histories are those of the archive."""
    archived = archived_histories(pool, keys, open_archive(settings))

    async def histories(case_id: str) -> list[WorkflowHistory]:
        try:
            live: RunsOf = town_histories(await delivery.client(), pool, keys, open_archive(settings))
            return await live(case_id)
        except (NotDelivered, RPCError):
            return await archived(case_id)

    return Auditing(pool, keys, settings, histories, title_of, asyncio.Semaphore(REBUILT_AT_ONCE))


async def auditor_of_case(caller: Principal, reading: Reading, case_id: str, act: str = "audit_case") -> Actor:
    """The caller, who must be an auditor of the area of the case; `act` is what a refusal is kept as. Raises Problem."""
    actor = acting(caller)
    if actor.role is not Role.AUDITOR:
        detail = say("仅供审计人员查阅", "this is for auditors")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command=act))
    state = await reading.reader.state(case_id, actor)
    if not state.seq:
        raise _not_recorded(say("案件尚未开始", "the case does not stand yet"))
    return actor


def _not_recorded(english: str) -> Problem:
    return Problem(ProblemCode.NOT_RECORDED, say("没有此记录", english))
