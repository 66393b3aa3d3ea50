"""GET /api/v1/indicators/incidents: the three rates 三率 and how long things take. Definitions: docs/indicators.md."""

from enum import StrEnum
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query

from engine.keys.tokens import Principal
from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department_policy import Name
from schemas.incident import INCIDENT
from starter.cases.case_queries import SQL
from starter.cases.figures import figures_for, period, rate, times, too_many_lines
from starter.cases.indicator_sheets import FigureSheet, FigureTable, IndicatorSheet, SheetAsked, line_of
from starter.cases.reading import Reading, ReadingOf
from starter.cases.views import IndicatorLine, Indicators
from starter.http.authentication import Caller
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import CodeText, DayText, LastDayText

router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"])


class GroupedBy(StrEnum):
    """What indicators are told apart by."""

    DEPARTMENT = "department"
    CATEGORY = "category"
    AREA = "area"
    MONTH = "month"


@router.get(
    "/incidents",
    summary="三率与时长 The three rates and the times of incidents",
    responses=responses({200: Indicators}, *SIGNED_IN, "not-your-role", "bad-request", "database-away"),
)
async def incident_indicators(  # noqa: PLR0917 - query parameters
    caller: Caller,
    reading: ReadingOf,
    by: Annotated[list[GroupedBy], Query(max_length=len(GroupedBy))] = [],  # noqa: B006 - read only, and the framework copies it
    opened_from: DayText = None,
    opened_to: LastDayText = None,
    department: CodeText = None,
    area: CodeText = None,
    category: CodeText = None,
    area_parts: Annotated[int | None, Query(ge=1, le=20, description="areas are told apart by so many parts")] = None,
) -> Indicators:
    """Of the incidents opened in a period, as a whole and by department, category, area, month or several of them.

    Without a period those of the last 365 days; the answer says since when.

    Staff get the figures of their area, a department those of what it holds; residents none.
    """
    seen_area, seen_department = figures_for(caller)
    since, before = period(opened_from, opened_to, reading.now())
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        rows = await connection.fetch(
            SQL.indicators,
            seen_area,
            seen_department,
            INCIDENT.name,
            since,
            before,
            department,
            area,
            category,
            [each.value for each in by],
            area_parts,
        )
    lines = [_line(row) for row in rows]
    too_many_lines(len(lines), "by")
    return Indicators(
        as_of=in_shanghai(reading.now()),
        opened_from=since,
        opened_before=before,
        by=tuple(by),
        whole=lines[0],
        lines=lines[1:] if by else [],
    )


def _line(row: asyncpg.Record) -> IndicatorLine:
    resolved, content = row["solved"], row["satisfied"] + row["basically_satisfied"]
    counts = {name: row[name] for name in IndicatorLine.model_fields if name in row.keys()}  # noqa: SIM118 - a record
    lasted = {name: times(row[name]) for name in ("response_seconds", "handling_seconds")}
    return IndicatorLine.model_validate(
        counts
        | lasted
        | {
            "response_rate": rate(row["responded_in_time"], row["response_judged"]),
            "resolution_rate": rate(resolved, row["outcome_known"]),
            "satisfaction_rate": rate(content, row["opinions"]),
            "finish_rate": rate(row["finished_in_time"], row["finish_judged"]),
        }
    )


async def _sheet(caller: Principal, reading: Reading, asked: SheetAsked) -> FigureSheet:
    by = GroupedBy(asked.by or GroupedBy.DEPARTMENT)
    found = await incident_indicators(caller, reading, [by], asked.opened_from, asked.opened_to)
    others = tuple(each.value for each in GroupedBy if each is not by)
    lines = [line_of(each, *others) for each in (found.whole, *found.lines)]
    drawn = ("response_rate", "resolution_rate", "satisfaction_rate", "finish_rate")
    table = FigureTable(Name(zh="三率与时长", en="rates and times"), (by.value,), drawn, lines)
    return FigureSheet(found.as_of, found.opened_from, found.opened_before, [table])


SHEET = IndicatorSheet(
    "incidents",
    Name(zh="事件三率与时长", en="rates and times of incidents"),
    tuple(each.value for each in GroupedBy),
    _sheet,
)
