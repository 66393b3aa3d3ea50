"""督办看板: what is overdue, for a screen on the wall: it loads itself again, names no case and no person, and needs no colour."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, loads_again, page
from console.sign_in.signed_in import SignedIn
from console.staff.list_page import CASES
from console.staff.rows import holder_in_words
from schemas.clocks.time_left import time_left
from schemas.values.both import shown, titled
from starter.cases.reading import ReadingOf
from starter.cases.wall import WallLine, read_wall
from starter.intake.town_rules import TownRules, TownRulesOf

WALL = "/wall"
SECONDS = 30
TIERS = (
    ("▲", "已逾期", "overdue"),
    ("▲▲", "已上报一级", "climbed one tier"),
    ("▲▲▲", "已上报二级以上", "two tiers or more"),
)
"""A shape and a word for each tier: whoever sees no colours sees them too."""

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class ShownLine:
    """A line of the wall in words. `tier`: how many the highest of it has climbed; `late`: by how much it is overdue."""

    holder: str
    procedure: str
    clock: str
    line: WallLine
    late: str
    tier: int
    address: str


@router.get(WALL)
async def wall_page(
    request: Request,
    caller: SignedIn,
    reading: ReadingOf,
    town: TownRulesOf,
    still: bool = False,  # noqa: FBT001, FBT002 - a query parameter
) -> Response:
    """What is overdue longest stands first. With `still=true` the page stays as it is."""
    wall = await read_wall(caller, reading)
    lines = [_shown(town, line, wall.as_of) for line in wall.lines]
    totals = [sum(line.tiers[tier] for line in wall.lines) for tier in range(len(TIERS))]
    answer = page(
        request,
        "wall.html",
        lines=lines,
        tiers=list(zip(TIERS, totals, strict=True)),
        overdue=wall.overdue,
        as_of=wall.as_of,
        seconds=0 if still else SECONDS,
    )
    return answer if still else loads_again(answer, SECONDS)


def _shown(town: TownRules, line: WallLine, now: datetime) -> ShownLine:
    procedure = town.procedures[line.procedure]
    calendar = next(iter(town.charters.values())).calendar  # the town has one
    narrowed = {"procedure": line.procedure, "holder": line.holder, "overdue": "true", "sort": "due"}
    return ShownLine(
        holder=holder_in_words(town, line.holder),
        procedure=titled(procedure.title, procedure.name),
        clock=procedure.words.clock(line.clock, procedure.name) if line.clock else "-",
        line=line,
        late=shown(time_left(line.oldest_due_at, calendar, now)),
        tier=max((tier for tier, count in enumerate(line.tiers) if count), default=0),
        address=f"{CASES}?{urlencode(narrowed)}",
    )
