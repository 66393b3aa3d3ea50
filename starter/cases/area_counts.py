"""How many open cases there are in each area, of what, and how many are overdue: one statement, for the map and its table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from engine.keys.tokens import Principal
from engine.store.database import Queries
from schemas.values.area import around, inside
from schemas.values.area_shapes import AreaShapes
from starter.cases.case_lists import sight
from starter.cases.case_queries import SQL as CASES
from starter.cases.figures import figures_for
from starter.http.authentication import acting
from starter.http.database import database

COMMUNITY_PARTS = 3
"""An area's code has three parts down to the community: district, street, community."""


class AreaQueries(Queries):
    """engine/queries/area_counts.sql."""

    open_by_area: str


SQL = AreaQueries.load("area_counts")


@dataclass(frozen=True)
class Count:
    """Open cases of one kind in one area as cases name it. `category` is blank where the procedure has none."""

    area: str
    procedure: str
    category: str
    open: int
    overdue: int


@dataclass(frozen=True)
class AreaCount:
    """Open cases of an area. `drawn`: the map has its shape. `whole`: a list of the area's cases has these and no others."""

    code: str
    open: int
    overdue: int
    parts: tuple[Count, ...]
    drawn: bool
    whole: bool


async def open_cases(
    pool: asyncpg.Pool, caller: Principal, now: datetime, procedure: str | None, category: str | None
) -> list[Count]:
    """What the caller sees of them; `now` is town time. Raises Problem: residents get no figures; 503 without Postgres."""
    figures_for(caller)
    async with database(pool) as connection:
        await connection.execute(CASES.plan_for_what_is_asked)
        rows = await connection.fetch(SQL.open_by_area, *sight(acting(caller)), now, procedure, category)
    return [Count(**dict(row)) for row in rows]


def by_area(counts: Iterable[Count], shapes: AreaShapes | None) -> list[AreaCount]:
    """Each case in one area: in the shape where it lies, else in its community. The areas that are drawn come first."""
    areas: dict[str, list[Count]] = {shape.code: [] for shape in shapes.features} if shapes is not None else {}
    drawn = frozenset(areas)
    for count in counts:
        areas.setdefault(_area_of(count.area, shapes), []).append(count)
    found = [
        AreaCount(
            code=code,
            open=sum(each.open for each in parts),
            overdue=sum(each.overdue for each in parts),
            parts=tuple(_by_kind(code, parts)),
            drawn=code in drawn,
            whole=not any(other != code and inside(other, code) for other in areas),
        )
        for code, parts in areas.items()
    ]
    return sorted(found, key=lambda each: (not each.drawn, -each.overdue, -each.open, each.code))


def _area_of(area: str, shapes: AreaShapes | None) -> str:
    drawn = shapes.code_of(area) if shapes is not None else None
    return drawn or around(area)[:COMMUNITY_PARTS][-1]


def _by_kind(code: str, counts: Iterable[Count]) -> list[Count]:
    """The counts of an area's parts together, the most overdue first."""
    kinds: dict[tuple[str, str], tuple[int, int]] = {}
    for each in counts:
        before = kinds.get((each.procedure, each.category), (0, 0))
        kinds[each.procedure, each.category] = (before[0] + each.open, before[1] + each.overdue)
    found = [Count(code, *kind, *numbers) for kind, numbers in kinds.items()]
    return sorted(found, key=lambda each: (-each.overdue, -each.open, each.procedure, each.category))
