"""GET /api/v1/hot-spots 热点: the same trouble reported again and again, and what is proposed (docs/hot-spots.md)."""

import asyncio

import asyncpg
from fastapi import APIRouter

from schemas.advice.hot_spots import SpotReport, hot_spots
from schemas.clocks.calendar import in_shanghai
from schemas.incident_state import WITH_DEPARTMENT, Stage
from schemas.kernel.visibility import may_read_texts
from schemas.values.actor import OWN_CASES_ONLY
from schemas.values.references import Tombstone, Withheld
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.case_lists import sight
from starter.cases.case_queries import SQL
from starter.cases.hot_spot_finders import FindHotSpots, HotSpots
from starter.cases.reading import ReadingOf
from starter.http.authentication import Caller, acting
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.problems import refused

REPORTS_AT_MOST = 500
PURPOSE = "find-hot-spots"
MERGEABLE = frozenset({Stage.REPORTED, Stage.SCREENING, *WITH_DEPARTMENT})
router = APIRouter(prefix="/api/v1/hot-spots", tags=["cases"])


@router.get(
    "",
    summary="热点 The same trouble reported again and again",
    responses=responses({200: HotSpots}, *SIGNED_IN, "not-your-role", "database-away"),
)
async def find_hot_spots(caller: Caller, reading: ReadingOf) -> HotSpots:
    """Of the newest 500 reports of the period that the caller sees: which are of one matter, and what could be done.

    Their texts are opened for the comparison alone, which is on record for each; nothing of them is kept for it. A proposal only.
    """
    actor = acting(caller)
    if actor.role in OWN_CASES_ONLY or not may_read_texts(actor):
        detail = say("热点仅供可查阅文字的工作人员", "hot spots are for staff who may read what people wrote")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="find_hot_spots"))
    rules = reading.dispatch_help.rules.hot_spots
    now = reading.now()
    since = now - rules.period
    area, _, department = sight(actor)
    async with database(reading.pool) as connection:
        await connection.execute(SQL.plan_for_what_is_asked)
        rows = await connection.fetch(SQL.hot_spot_reports, since, area, department, REPORTS_AT_MOST + 1)
        newest = rows[:REPORTS_AT_MOST]
        wanted = [(row["case_id"], row[name]) for row in newest for name in ("description", "address") if row[name]]
        texts = await reading.vault.read_texts_of_cases(connection, wanted, actor, PURPOSE)
    reports = [_report(row, texts) for row in newest if isinstance(texts.get(row["description"]), str)]
    # On a thread: while some hundred texts are compared, others are answered.
    items = await asyncio.to_thread(hot_spots, reports, rules)
    return HotSpots(
        as_of=in_shanghai(now),
        opened_from=in_shanghai(since),
        looked_at=len(reports),
        more=len(rows) > REPORTS_AT_MOST,
        items=items,
    )


FIND_HOT_SPOTS: FindHotSpots = find_hot_spots


def _report(row: asyncpg.Record, texts: dict[str, str | Tombstone | Withheld]) -> SpotReport:
    latitude, longitude = row["latitude_micro"], row["longitude_micro"]
    return SpotReport(
        case_id=row["case_id"],
        opened_at=in_shanghai(row["opened_at"]),
        category=row["category"],
        department=row["department"],
        area=row["area"],
        who=row["who"],
        text=_text(texts, row["description"]),
        address=_text(texts, row["address"]),
        place=None if latitude is None or longitude is None else (latitude, longitude),
        mergeable=row["stage"] in MERGEABLE,
        over=row["closed_at"] is not None and row["stage"] != Stage.MERGED,
    )


def _text(texts: dict[str, str | Tombstone | Withheld], reference: str) -> str:
    found = texts.get(reference)
    return found if isinstance(found, str) else ""
