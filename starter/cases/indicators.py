"""GET /api/v1/indicators/incidents: the three rates 三率 and how long things take. Definitions: docs/indicators.md."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Query

from engine.keys.tokens import Principal
from schemas.clocks.calendar import in_shanghai, midnight
from schemas.incident import INCIDENT
from schemas.values.actor import Role
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from starter.cases.case_lists import beginning, end
from starter.cases.case_queries import SQL
from starter.cases.reading import ReadingOf
from starter.cases.views import IndicatorLine, Indicators, Times
from starter.http.authentication import Caller, acting
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import CodeText, DayText, LastDayText
from starter.http.problems import bad_request, refused

LINES_MAX = 5000
YEAR = timedelta(days=365)
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


def period(opened_from: str | None, opened_to: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Which cases count, by when they were reported; those of the last year unless something is asked for.

    All that there ever was is nobody's question every day, and the only one that takes longer the older the town is.
    """
    if opened_from is None and opened_to is None:
        return midnight(in_shanghai(now).date() - YEAR), None
    return beginning("opened_from", opened_from), end("opened_to", opened_to)


def figures_for(caller: Principal) -> tuple[str | None, str | None]:
    """The area and the department whose figures somebody gets; None for all. Raises Problem: residents get none."""
    actor = acting(caller)
    if actor.role is Role.RESIDENT:
        detail = say("指标仅供工作人员查看", "indicators are for staff")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="read_indicators"))
    return actor.area, (actor.department or "") if actor.role is Role.DEPARTMENT_OFFICER else None


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


def rate(part: int, whole: int) -> float | None:
    """A share to four places; None of nothing, for 0 would be a judgement."""
    return round(part / whole, 4) if whole else None


def times(percentiles: list[float] | None) -> Times | None:
    """Half and nine in ten, in whole seconds."""
    return None if percentiles is None else Times(median=round(percentiles[0]), percentile_90=round(percentiles[1]))


def too_many_lines(lines: int, field: str) -> None:
    """Raises Problem: more lines than anybody reads; `field` is what made so many."""
    if lines <= LINES_MAX + 1:
        return
    reason = say(f"结果超过{LINES_MAX}行", f"makes more than {LINES_MAX} lines")
    remedy = say("请缩小范围或减少分组", "narrow the period or the area, or group by less")
    raise bad_request([Fault(field=field, reason=reason, remedy=remedy)])
