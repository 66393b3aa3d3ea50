"""GET /api/v1/indicators/weak-points 薄弱环节: what of a month grew worse than chance (docs/hot-spots.md)."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from engine.keys.tokens import Principal
from schemas.advice.weak_points import ALL_REPORTED, OF, MonthCounts, WeakPoint, weak_points
from schemas.clocks.calendar import TownDatetime, in_shanghai, midnight
from schemas.contracts.department_policy import Name
from schemas.values.both import Both
from schemas.values.model import Model
from schemas.values.refusals import Fault, say
from schemas.words.figure_words import FIGURES
from starter.cases.case_queries import SQL
from starter.cases.figures import figures_for, rate
from starter.cases.indicator_sheets import FigureSheet, FigureTable, IndicatorSheet, SheetAsked
from starter.cases.reading import Reading, ReadingOf
from starter.http.authentication import Caller
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.problems import bad_request

MONTHS_OF_A_YEAR = 12
router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"])


class WeakPointsOfMonth(Model):
    """What grew worse in a month, the least probable by chance first; `asked` of how many lines, against which months."""

    month: str
    compared_from: TownDatetime
    as_of: TownDatetime
    asked: int
    items: list[WeakPoint]


@router.get(
    "/weak-points",
    summary="薄弱环节 What of a month grew worse than chance",
    responses=responses({200: WeakPointsOfMonth}, *SIGNED_IN, "not-your-role", "bad-request", "database-away"),
)
async def weak_points_of_month(
    caller: Caller,
    reading: ReadingOf,
    month: Annotated[
        str | None, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="YYYY-MM; the last whole month")
    ] = None,
) -> WeakPointsOfMonth:
    """Departments, categories and communities whose share of late, given back or unsolved cases grew, and not by chance.

    Staff get the figures of their area, a department those of what it holds; residents none.
    """
    area, department = figures_for(caller)
    now, rules = reading.now(), reading.dispatch_help.rules.weak_points
    first = _moved(in_shanghai(now).date(), -1) if month is None else date.fromisoformat(f"{month}-01")
    if first > in_shanghai(now).date():
        reason, remedy = say("尚未到来", "has not come yet"), say("请选择已有的月份", "name a month that has begun")
        raise bad_request([Fault(field="month", reason=reason, remedy=remedy)])
    since, before = midnight(_moved(first, -rules.months_before)), midnight(_moved(first, 1))
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        rows = await connection.fetch(SQL.weak_point_counts, area, department, since, before)
    names = {*OF, *OF.values()} - {ALL_REPORTED}
    counted = [
        MonthCounts(row["kind"], row["name"], row["month"], {str(each): row[each] for each in names}) for row in rows
    ]
    found = weak_points(counted, f"{first:%Y-%m}", rules)
    return WeakPointsOfMonth(
        month=f"{first:%Y-%m}",
        compared_from=in_shanghai(since),
        as_of=in_shanghai(now),
        asked=found.asked,
        items=list(found.items),
    )


def _moved(day: date, months: int) -> date:
    """The first of the month so many months later."""
    number = day.year * MONTHS_OF_A_YEAR + day.month - 1 + months
    return date(number // MONTHS_OF_A_YEAR, number % MONTHS_OF_A_YEAR + 1, 1)


async def _sheet(caller: Principal, reading: Reading, asked: SheetAsked) -> FigureSheet:
    """The month of the day that the period begins with."""
    found = await weak_points_of_month(caller, reading, asked.opened_from[:7] if asked.opened_from else None)
    first = date.fromisoformat(f"{found.month}-01")
    lines = [
        {
            "weak": each.name,
            "weak_figure": Both(*FIGURES[each.figure], FIGURES[each.figure].zh),
            "now_rate": rate(each.wrong, each.judged),
            "before_rate": rate(each.wrong_before, each.judged_before),
            "wrong": each.wrong,
            "judged": each.judged,
            "wrong_before": each.wrong_before,
            "judged_before": each.judged_before,
            "chance_rate": each.chance_per_million / 1_000_000,
        }
        for each in found.items
    ]
    table = FigureTable(
        Name(zh=f"{found.month} 变差且不是偶然", en=f"grew worse than chance in {found.month}"),
        ("weak", "weak_figure"),
        ("now_rate", "before_rate"),
        lines,
    )
    return FigureSheet(found.as_of, _begin(first), _begin(_moved(first, 1)), [table])


def _begin(day: date) -> datetime:
    return midnight(day)


SHEET = IndicatorSheet("weak-points", Name(zh="当月薄弱环节", en="weak points of the month"), (), _sheet)
