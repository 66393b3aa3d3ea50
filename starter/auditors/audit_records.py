"""GET /api/v1/audit/readings and /refusals: who read what of whom, and who tried what he may not. For auditors only.

Both records are only ever added to, and nothing turns them off. That an auditor looks is no reading of personal data: there are
codes, references and times in them, no names.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from engine.store.database import Queries
from schemas.values.actor import Actor, Role
from schemas.values.model import Model
from schemas.values.references import OPAQUE
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.case_lists import beginning, end
from starter.http.authentication import Caller, acting
from starter.http.database import PoolOf, database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import CodeText, DayText, LastDayText, RowNumber
from starter.http.problems import refused

PAGE_MAX = 500
router = APIRouter(prefix="/api/v1/audit", tags=["audit"])
_Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
_PROBLEMS = (*SIGNED_IN, "not-your-role", "bad-request", "database-away")


class AuditRecordQueries(Queries):
    """engine/queries/audit_records.sql."""

    readings: str
    refusals: str


SQL = AuditRecordQueries.load("audit_records")


@dataclass(frozen=True)
class RecordsAsked:
    """What narrows either record: whose, of which case, from and to which day; a page has what came `before` a number."""

    who: CodeText = None
    case_id: CodeText = None
    since: DayText = None
    until: LastDayText = None
    before: RowNumber = None

    @property
    def of_both(self) -> tuple[object, ...]:
        """As both queries take it. Raises Problem: no such day."""
        return (self.before, self.who, self.case_id, beginning("since", self.since), end("until", self.until))


@dataclass(frozen=True)
class ReadingsAsked(RecordsAsked):
    """Readings of one person's facts, or for one purpose, besides."""

    person: Annotated[str | None, Query(pattern=rf"^person:{OPAQUE}$")] = None
    purpose: CodeText = None


@dataclass(frozen=True)
class RefusalsAsked(RecordsAsked):
    """Refusals with one code, besides."""

    code: CodeText = None


class ReadingRow(Model):
    """Somebody read something that is kept of a person. `at` is real time; `purpose` a code such as `show-timeline`."""

    number: int
    at: datetime
    who: str
    role: str
    person: str
    reference: str
    purpose: str
    case_id: str | None


class RefusalRow(Model):
    """Somebody tried what the rules do not allow. Without a case: what is no command of a case."""

    number: int
    at: datetime
    who: str
    role: str
    department: str | None
    command: str
    code: str
    stage: str
    case_id: str | None


class ReadingPage(Model):
    """A page, the newest first; `next` begins the next one."""

    items: list[ReadingRow]
    next: int | None


class RefusalPage(Model):
    """A page, the newest first; `next` begins the next one."""

    items: list[RefusalRow]
    next: int | None


@router.get(
    "/readings",
    summary="查阅记录 Who read personal data",
    responses=responses({200: ReadingPage}, *_PROBLEMS),
)
async def list_readings(
    caller: Caller, pool: PoolOf, asked: Annotated[ReadingsAsked, Depends()], limit: _Limit = 100
) -> ReadingPage:
    """Every reading of texts, details and documents, the worker's and the terminal's too; of an area, to its auditor."""
    actor = _auditor(caller, "read_readings")
    given = (actor.area, *asked.of_both, asked.person, asked.purpose, limit)
    async with database(pool) as connection:
        rows = [ReadingRow(**row) for row in await connection.fetch(SQL.readings, *given)]
    return ReadingPage(items=rows, next=rows[-1].number if len(rows) == limit else None)


@router.get(
    "/refusals",
    summary="拒绝记录 Who was refused what",
    responses=responses({200: RefusalPage}, *_PROBLEMS),
)
async def list_refusals(
    caller: Caller, pool: PoolOf, asked: Annotated[RefusalsAsked, Depends()], limit: _Limit = 100
) -> RefusalPage:
    """Every attempt that a case refused, that was turned away for who somebody is, or that came past the API."""
    actor = _auditor(caller, "read_refusals")
    given = (actor.area, *asked.of_both, asked.code, limit)
    async with database(pool) as connection:
        rows = [RefusalRow(**row) for row in await connection.fetch(SQL.refusals, *given)]
    return RefusalPage(items=rows, next=rows[-1].number if len(rows) == limit else None)


def _auditor(caller: Caller, command: str) -> Actor:
    actor = acting(caller)
    if actor.role is not Role.AUDITOR:
        detail = say("仅供审计人员查阅", "this is for auditors")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command=command))
    return actor
