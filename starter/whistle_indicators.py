"""GET /api/v1/indicators/whistles: how departments answer whistles, and how often streets blow them. See docs/indicators.md."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from engine.keys.tokens import Principal
from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department_policy import Name
from schemas.whistle_policy import WhistleType
from starter.cases.case_queries import SQL
from starter.cases.figures import figures_for, period, rate, times, too_many_lines
from starter.cases.indicator_sheets import FigureSheet, FigureTable, IndicatorSheet, SheetAsked, line_of
from starter.cases.reading import Reading, ReadingOf
from starter.cases.views import StreetLine, SummonsLine, WhistleIndicators
from starter.http.authentication import Caller
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import CodeText, DayText, LastDayText

STREET_PARTS = 2
"""`320104.003` is a street: a district and the street in it."""

router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"])


@router.get(
    "/whistles",
    summary="吹哨报到指标 On-time response and arrival by department and type, scores, whistles per street",
    responses=responses({200: WhistleIndicators}, *SIGNED_IN, "not-your-role", "bad-request", "database-away"),
)
async def whistle_indicators(  # noqa: PLR0917 - query parameters
    caller: Caller,
    reading: ReadingOf,
    opened_from: DayText = None,
    opened_to: LastDayText = None,
    department: CodeText = None,
    area: CodeText = None,
    type: WhistleType | None = None,  # noqa: A002 - a query parameter
    area_parts: Annotated[
        int, Query(ge=1, le=20, description="parts of an area's code that make a street")
    ] = STREET_PARTS,
) -> WhistleIndicators:
    """Of the whistles and summonses of a period, without one those of the last 365 days.

    Staff get the figures of their area, a department its own; residents none.
    """
    seen_area, seen_department = figures_for(caller)
    since, before = period(opened_from, opened_to, reading.now())
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        rows = await connection.fetch(
            SQL.whistle_indicators,
            seen_area,
            seen_department,
            since,
            before,
            department,
            area,
            type,
            area_parts,
        )
    too_many_lines(len(rows), "area")
    figures = [(row["kind"], row["figures"]) for row in rows]
    return WhistleIndicators(
        as_of=in_shanghai(reading.now()),
        opened_from=since,
        opened_before=before,
        whole=next(_summons_line(line) for kind, line in figures if kind == "whole"),
        departments=[_summons_line(line) for kind, line in figures if kind == "department"],
        streets=[_street_line(line) for kind, line in figures if kind == "street"],
    )


def _summons_line(figures: Mapping[str, Any]) -> SummonsLine:
    plain = {name: value for name, value in figures.items() if name in SummonsLine.model_fields}
    return SummonsLine.model_validate(
        plain
        | {name: times(figures[name]) for name in ("response_seconds", "arrival_seconds")}
        | {
            "response_rate": rate(figures["responded_in_time"], figures["response_judged"]),
            "arrival_rate": rate(figures["arrived_in_time"], figures["arrival_judged"]),
            "finish_rate": rate(figures["finished_in_time"], figures["finish_judged"]),
        }
    )


def _street_line(figures: Mapping[str, Any]) -> StreetLine:
    share = rate(figures["whistles"], figures["incidents"])
    return StreetLine.model_validate(
        dict(figures) | {"per_thousand_incidents": None if share is None else round(share * 1000, 1)}
    )


async def _sheet(caller: Principal, reading: Reading, asked: SheetAsked) -> FigureSheet:
    found = await whistle_indicators(caller, reading, asked.opened_from, asked.opened_to)
    departments = FigureTable(
        Name(zh="部门", en="departments"),
        ("department", "type"),
        ("response_rate", "arrival_rate", "finish_rate"),
        [line_of(each) for each in (found.whole, *found.departments)],
    )
    streets = FigureTable(
        Name(zh="街道", en="streets"),
        ("street",),
        ("whistles", "per_thousand_incidents"),
        [*map(line_of, found.streets)],
    )
    return FigureSheet(found.as_of, found.opened_from, found.opened_before, [departments, streets])


SHEET = IndicatorSheet("whistles", Name(zh="吹哨报到", en="whistles and summonses"), (), _sheet)
