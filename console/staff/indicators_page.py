"""指标: the town's figures as pictures and as tables with the same numbers, and as files; the period stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, HEADERS, page
from console.sign_in.signed_in import SignedIn
from console.staff.figures import NOTHING, shown_table
from schemas.values.refusals import Fault, say
from schemas.words.figure_words import FIGURES
from starter.cases.figures import figures_for
from starter.cases.indicator_sheets import FigureSheet, IndicatorSheet, SheetAsked
from starter.cases.reading import Reading, ReadingOf
from starter.http.csv_files import BOM, CSV_TYPE, csv_text, harmless
from starter.http.dependencies import dependency
from starter.http.parameters import DayText, LastDayText
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.intake.town_rules import TownRulesOf

INDICATORS = "/indicators"
ROWS_SHOWN = 200
TABLES_AT_MOST = 20
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])
GroupText = Annotated[str | None, Query(max_length=40)]


@dataclass(frozen=True)
class Sheets:
    """The sheets of the town, by name."""

    by_name: Mapping[str, IndicatorSheet]


SheetsOf = Annotated[Sheets, dependency(Sheets)]


def _asked(opened_from: DayText = None, opened_to: LastDayText = None, by: GroupText = None) -> SheetAsked:
    return SheetAsked(opened_from or None, opened_to or None, by or None)


AskedOf = Annotated[SheetAsked, Depends(_asked)]
"""The period and the groups, as an address names them; what a form leaves blank is not asked for."""


@router.get(INDICATORS)
async def every_sheet(request: Request, caller: SignedIn, sheets: SheetsOf) -> Response:
    """Which figures there are."""
    figures_for(caller)  # raises for whoever gets none
    return page(request, "indicators.html", sheets=list(sheets.by_name.values()))


@router.get(f"{INDICATORS}/{{name}}")
async def sheet_page(  # noqa: PLR0917 - query parameters
    request: Request,
    name: str,
    caller: SignedIn,
    sheets: SheetsOf,
    reading: ReadingOf,
    town: TownRulesOf,
    asked: AskedOf,
) -> Response:
    """Pictures and tables of a period; without one of the last 365 days."""
    sheet = _sheet(sheets, name)
    read = await _read(sheet, asked, caller, reading)
    given = {"opened_from": asked.opened_from, "opened_to": asked.opened_to, "by": asked.by}
    query = urlencode({name: text for name, text in given.items() if text})
    return page(
        request,
        "indicator.html",
        sheet=sheet,
        asked=asked,
        read=read,
        groups=[(each, FIGURES[each]) for each in sheet.groups],
        tables=[shown_table(town, each) for each in read.tables],
        rows_shown=ROWS_SHOWN,
        query=f"?{query}" if query else "",
    )


@router.get(f"{INDICATORS}/{{name}}/{{number}}.csv")
async def sheet_file(  # noqa: PLR0917 - query parameters
    name: str,
    number: Annotated[int, Path(ge=1, le=TABLES_AT_MOST)],
    caller: SignedIn,
    sheets: SheetsOf,
    reading: ReadingOf,
    town: TownRulesOf,
    asked: AskedOf,
) -> Response:
    """A table of the same sheet as a file, all its lines."""
    read = await _read(_sheet(sheets, name), asked, caller, reading)
    if number > len(read.tables):
        raise _no_sheet()
    table = shown_table(town, read.tables[number - 1])
    rows = [[each.zh for each in table.columns], *([_in_file(cell) for cell in row] for row in table.rows)]
    headers = HEADERS | {
        "Content-Disposition": f'attachment; filename="{name}-{number}-{read.as_of:%Y%m%d-%H%M%S}.csv"'
    }
    return Response((BOM + csv_text(rows)).encode(), headers=headers, media_type=CSV_TYPE)


def _in_file(cell: str) -> str:
    return "" if cell == NOTHING else harmless(cell)


async def _read(sheet: IndicatorSheet, asked: SheetAsked, caller: SignedIn, reading: Reading) -> FigureSheet:
    if asked.by is not None and asked.by not in sheet.groups:
        reason = say("不能按此分组", "is nothing by which lines are told apart here")
        remedy = say(
            f"可用:{'、'.join(FIGURES[each].zh for each in sheet.groups)}", f"one of: {', '.join(sheet.groups)}"
        )
        raise bad_request([Fault(field="by", reason=reason, remedy=remedy)])
    return await sheet.read(caller, reading, asked)


def _sheet(sheets: Sheets, name: str) -> IndicatorSheet:
    found = sheets.by_name.get(name)
    if found is None:
        raise _no_sheet()
    return found


def _no_sheet() -> Problem:
    return Problem(ProblemCode.NOT_FOUND, say("没有此指标", "there are no such figures"))
