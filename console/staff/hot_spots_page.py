"""热点: the same trouble reported again and again, with its cases, the reason, and what is proposed; people decide."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from console.sign_in.signed_in import SignedIn
from console.staff.rows import town_word
from schemas.advice.hot_spots import Advised, Because, HotSpot
from schemas.kernel.visibility import may_read_texts
from schemas.values.both import LISTED, Both, together
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.figures import figures_for
from starter.cases.hot_spot_finders import HotSpotFinders
from starter.cases.reading import ReadingOf
from starter.http.authentication import acting
from starter.http.dependencies import dependency
from starter.http.problems import refused
from starter.intake.town_rules import TownRules, TownRulesOf

HOT_SPOTS = "/hot-spots"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])
HotSpotFindersOf = Annotated[HotSpotFinders, dependency(HotSpotFinders)]

ADVISED_WORDS = {
    Advised.MERGE: Both("建议并案", "merge them"),
    Advised.WHISTLE: Both("建议吹哨", "blow the whistle"),
    Advised.JOINT_TASK: Both("建议联合任务", "open a joint task"),
}
BECAUSE_WORDS = {
    Because.OPEN_BESIDE_EACH_OTHER: Both("同时在办", "open beside each other"),
    Because.SEVERAL_DEPARTMENTS: Both("涉及多个部门", "several departments have them"),
    Because.CAME_BACK: Both("办结后再次上报", "it was closed, and came back"),
    Because.MANY_PEOPLE: Both("上报人数多", "many people reported it"),
    Because.MANY_COMMUNITIES: Both("涉及多个社区", "in many communities"),
}


@dataclass(frozen=True)
class ShownSpot:
    """A spot in words. `advice`: what is proposed, why, and with how many cases; the cases of a merge first."""

    spot: HotSpot
    departments: str
    areas: str
    words: str
    advice: list[tuple[str, str, tuple[str, ...]]]


@router.get(HOT_SPOTS)
async def hot_spots_page(  # noqa: PLR0917 - what it asks
    request: Request,
    caller: SignedIn,
    reading: ReadingOf,
    finders: HotSpotFindersOf,
    town: TownRulesOf,
    look: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Nothing is opened until somebody asks for it: that the texts of some hundred cases are read stands in the record of each."""
    figures_for(caller)  # raises for whoever gets none
    if not may_read_texts(acting(caller)):
        detail = say("热点仅供可查阅文字的工作人员", "hot spots are for staff who may read what people wrote")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="find_hot_spots"))
    if not look:
        return page(request, "hot_spots.html", found=[], spots=[])
    found = [await find(caller, reading) for find in finders.finders]
    spots = [_shown(town, spot) for each in found for spot in each.items]
    return page(request, "hot_spots.html", found=found, spots=spots)


def _shown(town: TownRules, spot: HotSpot) -> ShownSpot:
    return ShownSpot(
        spot=spot,
        departments=together(LISTED, [town_word(town, each) for each in spot.departments]),
        areas=together(LISTED, [town_word(town, each) for each in spot.areas]),
        words="、".join(spot.words),
        advice=[(ADVISED_WORDS[each.advised], BECAUSE_WORDS[each.because], each.cases) for each in spot.advice],
    )
