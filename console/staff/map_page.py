"""地图: open and overdue cases by area, as a picture and as a table with the same numbers; narrowed by its address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from console.sign_in.signed_in import SignedIn
from console.staff.map_drawing import DrawnArea, TownMap
from console.staff.rows import area_in_words, town_word
from schemas.values.both import titled, together
from starter.cases.area_counts import AreaCount, Count, by_area, open_cases
from starter.cases.reading import ReadingOf
from starter.http.dependencies import dependency
from starter.http.parameters import CodeText
from starter.intake.town_rules import TownRules, TownRulesOf

MAP = "/map"
SHARES = (0.0, 0.1, 0.25)
"""Where a darker colour begins: some of an area's open cases are overdue, a tenth of them, a quarter."""

TownMapOf = Annotated[TownMap, dependency(TownMap)]
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class ShownKind:
    """Open cases of one kind in an area, with the lists of them; no list where one would have others too."""

    name: str
    open: int
    overdue: int
    open_url: str
    overdue_url: str


@dataclass(frozen=True)
class ShownArea:
    """An area in words. `shade`: how dark it is drawn, from 0; `drawn`: its shape, where the map has one."""

    name: str
    whole: ShownKind
    kinds: list[ShownKind]
    shade: int
    drawn: DrawnArea | None


@router.get(MAP)
async def map_page(  # noqa: PLR0917 - what it is narrowed by, and what it is drawn with
    request: Request,
    caller: SignedIn,
    reading: ReadingOf,
    town: TownRulesOf,
    town_map: TownMapOf,
    procedure: CodeText = None,
    category: Annotated[CodeText, Query()] = None,
) -> Response:
    """What the caller sees of the town, for staff; counted once, so picture and table cannot disagree."""
    now = reading.now()
    counts = await open_cases(reading.pool, caller, now, procedure or None, category or None)
    narrowed = {name: text for name, text in (("procedure", procedure), ("category", category)) if text}
    drawn = {each.code: each for each in town_map.areas}
    areas = [_shown(town, each, drawn, narrowed) for each in by_area(counts, town.shapes)]
    return page(
        request,
        "map.html",
        town_map=town_map,
        areas=areas,
        in_all=(sum(each.open for each in counts), sum(each.overdue for each in counts)),
        procedures=[(each.name, titled(each.title, each.name)) for each in town.procedures.values()],
        categories=_categories(town, counts, category),
        given=narrowed,
        as_of=now,
    )


def _categories(town: TownRules, counts: Iterable[Count], chosen: str | None) -> list[tuple[str, str]]:
    """Those that there are open cases of, and the one that was chosen."""
    codes = sorted({each.category for each in counts if each.category} | ({chosen} if chosen else set()))
    return [(code, town_word(town, code)) for code in codes]


def _shown(town: TownRules, area: AreaCount, drawn: Mapping[str, DrawnArea], narrowed: Mapping[str, str]) -> ShownArea:
    words = area_in_words(town, area.code)
    kinds = [
        _kind(_name(town, part), area, part.open, part.overdue, _narrowed_by(part, narrowed)) for part in area.parts
    ]
    share = area.overdue / area.open if area.open else 0.0
    return ShownArea(
        name=words,
        whole=_kind(words, area, area.open, area.overdue, narrowed),
        kinds=kinds,
        shade=0 if not area.overdue else sum(share >= each for each in SHARES),
        drawn=drawn.get(area.code),
    )


def _name(town: TownRules, part: Count) -> str:
    known = town.procedures.get(part.procedure)
    title = titled(known.title, known.name) if known else part.procedure
    return together(" · ", (title, town_word(town, part.category))) if part.category else title


def _narrowed_by(part: Count, narrowed: Mapping[str, str]) -> Mapping[str, str]:
    """The list of a part: a list cannot ask for cases without a category, which are all of their procedure."""
    return {**narrowed, "procedure": part.procedure} | ({"category": part.category} if part.category else {})


def _kind(name: str, area: AreaCount, count: int, overdue: int, narrowed: Mapping[str, str]) -> ShownKind:
    query = urlencode({"area": area.code, "ended": "false", **narrowed})
    url = f"/cases?{query}" if area.whole and count else ""
    return ShownKind(name, count, overdue, url, f"{url}&overdue=true" if url and overdue else "")
