"""GET /api/v1/wall: the work that is overdue, by who has it and by clock, what is overdue longest first. No case, no person."""

from datetime import datetime

import asyncpg
from fastapi import APIRouter

from schemas.clocks.calendar import TownDatetime, in_shanghai
from schemas.values.model import Model
from starter.cases.case_queries import SQL
from starter.cases.figures import figures_for
from starter.cases.reading import Reading, ReadingOf
from starter.http.authentication import Caller
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses

LINES_AT_MOST = 200
router = APIRouter(prefix="/api/v1/wall", tags=["indicators"])


class WallLine(Model):
    """What one holder has overdue by one clock. `tiers`: how much of it has climbed none, one, and two tiers or more."""

    holder: str
    procedure: str
    clock: str
    overdue: int
    tiers: tuple[int, int, int]
    oldest_due_at: TownDatetime


class Wall(Model):
    """Everything overdue that the caller has the figures of; the line with the oldest due time first, at most 200 lines."""

    as_of: TownDatetime
    overdue: int
    lines: list[WallLine]


@router.get(
    "",
    summary="督办看板 What is overdue, by holder and clock",
    responses=responses({200: Wall}, *SIGNED_IN, "not-your-role", "database-away"),
)
async def read_wall(caller: Caller, reading: ReadingOf) -> Wall:
    """Staff get their area, a department what it holds itself; residents none."""
    area, department = figures_for(caller)
    now = reading.now()
    rows = await _overdue(reading, now, area, None if department is None else f"department:{department}")
    return Wall(as_of=in_shanghai(now), overdue=sum(row["overdue"] for row in rows), lines=[_line(row) for row in rows])


async def _overdue(reading: Reading, now: datetime, area: str | None, holder: str | None) -> list[asyncpg.Record]:
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        return list(await connection.fetch(SQL.overdue_work, now, area, holder, LINES_AT_MOST))


def _line(row: asyncpg.Record) -> WallLine:
    return WallLine(
        holder=row["holder"],
        procedure=row["procedure"],
        clock=row["clock"],
        overdue=row["overdue"],
        tiers=(row["overdue"] - row["at_first"] - row["at_second"], row["at_first"], row["at_second"]),
        oldest_due_at=row["oldest_due_at"],
    )
