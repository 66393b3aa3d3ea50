"""GET /api/v1/indicators/cases: how many cases of each procedure stand where, and how long they took. See docs/indicators.md."""

from collections.abc import Iterable

import asyncpg
from fastapi import APIRouter

from engine.keys.tokens import Principal
from schemas.clocks.calendar import in_shanghai
from schemas.contracts.department_policy import Name
from schemas.kernel.procedure import Procedure
from schemas.values.both import Both, spoken, titled
from starter.cases.case_queries import SQL
from starter.cases.figures import figures_for, period, times
from starter.cases.indicator_sheets import FigureSheet, FigureTable, IndicatorSheet, SheetAsked, line_of
from starter.cases.reading import Reading, ReadingOf
from starter.cases.views import ProcedureIndicators, ProcedureLine, StageCount
from starter.http.authentication import Caller
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import CodeText, DayText, LastDayText

router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"])


@router.get(
    "/cases",
    summary="各业务案件数 Cases of each procedure by stage, and how long they took",
    responses=responses({200: ProcedureIndicators}, *SIGNED_IN, "not-your-role", "bad-request", "database-away"),
)
async def case_indicators(  # noqa: PLR0917 - query parameters
    caller: Caller,
    reading: ReadingOf,
    opened_from: DayText = None,
    opened_to: LastDayText = None,
    procedure: CodeText = None,
    area: CodeText = None,
) -> ProcedureIndicators:
    """Of the cases of a period, without one those of the last 365 days; of every procedure of the town, or of one.

    Staff get the figures of their area, a department those of what it holds; residents none.
    """
    seen_area, seen_department = figures_for(caller)
    since, before = period(opened_from, opened_to, reading.now())
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        rows = await connection.fetch(
            SQL.procedure_indicators, seen_area, seen_department, procedure, since, before, area
        )
    named = [each for name, each in reading.reader.procedures.items() if procedure in {None, name}]
    return ProcedureIndicators(
        as_of=in_shanghai(reading.now()),
        opened_from=since,
        opened_before=before,
        procedures=[_line(each, [row for row in rows if row["procedure"] == each.name]) for each in named],
    )


def _line(procedure: Procedure, rows: Iterable[asyncpg.Record]) -> ProcedureLine:
    """The whole is the row without a stage; a procedure without a case has none."""
    figures: dict[str | None, asyncpg.Record] = {row["stage"]: row for row in rows}
    whole = figures.pop(None, None)
    return ProcedureLine(
        procedure=procedure.name,
        title=procedure.title,
        opened=whole["opened"] if whole else 0,
        open=whole["open"] if whole else 0,
        closing_seconds=times(whole["closing_seconds"]) if whole else None,
        stages=[
            StageCount(
                stage=stage.value, zh=procedure.stage_words[stage.value].screen, cases=figures[stage.value]["opened"]
            )
            for stage in procedure.stages
            if stage.value in figures
        ],
    )


async def _sheet(caller: Principal, reading: Reading, asked: SheetAsked) -> FigureSheet:
    found = await case_indicators(caller, reading, asked.opened_from, asked.opened_to)
    used = [each for each in found.procedures if each.opened]
    whole = FigureTable(
        Name(zh="各业务", en="procedures"),
        ("title",),
        ("opened", "open"),
        [line_of(each, "procedure", "stages") | {"title": titled(each.title, each.procedure)} for each in used],
    )
    stages = FigureTable(
        Name(zh="各环节", en="stages"),
        ("title", "stage"),
        (),
        [
            {
                "title": titled(each.title, each.procedure),
                "stage": Both(one.zh, spoken(one.stage), one.zh),
                "cases": one.cases,
            }
            for each in used
            for one in each.stages
        ],
    )
    return FigureSheet(found.as_of, found.opened_from, found.opened_before, [whole, stages])


SHEET = IndicatorSheet("cases", Name(zh="各业务案件", en="cases of each procedure"), (), _sheet)
"""Of every procedure alike."""
