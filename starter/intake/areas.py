"""The area of a new case: one of the town's, if it is named at all."""

from collections.abc import Iterable

from pydantic import BaseModel

from schemas.values.areas import Areas
from schemas.values.location import Location
from schemas.values.refusals import Fault, say
from starter.intake.choices import areas_near


def code_faults(areas: Areas, area: str) -> list[Fault]:
    """What is wrong with the code of an area that has to be named."""
    if areas.exists(area):
        return []
    return [
        Fault(
            field="area",
            reason=say("没有此区域", "is no area of this town"),
            remedy=areas_near(areas, area, "", ""),
        )
    ]


def named_area_faults(areas: Areas, given: BaseModel) -> list[Fault]:
    """What is wrong with the area that a command names; nothing, when it names none. In one that is none nobody sees the case."""
    area = getattr(given, "area", None)
    return code_faults(areas, area) if isinstance(area, str) else []


def with_areas(areas: Areas, faults: Iterable[Fault]) -> list[Fault]:
    """What is wrong with the shape of a command, and where it is the code of an area, those that there are."""
    remedy = areas_near(areas, "", "", "")
    return [each.model_copy(update={"remedy": remedy}) if each.field == "area" else each for each in faults]


def area_faults(areas: Areas, location: Location) -> list[Fault]:
    """What is wrong with the area of a place; nothing, when it names none."""
    if location.area is None or areas.exists(location.area):
        return []
    return [
        Fault(
            field="location.area",
            reason=say("没有此区域", "is no area of this town"),
            remedy=areas_near(areas, location.area, ";不清楚时请省略", "; leave it out when nobody knows"),
        )
    ]
