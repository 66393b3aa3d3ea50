"""The area of a new case: one of the town's, if it is named at all."""

from schemas.areas import Areas
from schemas.location import Location
from schemas.refusals import Fault, say

NAMED_AT_MOST = 12


def area_faults(areas: Areas, location: Location) -> list[Fault]:
    """What is wrong with the area of a place; nothing, when it names none."""
    if location.area is None or areas.exists(location.area):
        return []
    near = ", ".join(areas.nearest(location.area)[:NAMED_AT_MOST])
    return [
        Fault(
            field="location.area",
            reason=say("没有此区域", "is no area of this town"),
            remedy=say(f"请选择:{near};不清楚时请省略", f"choose one of: {near}; leave it out when nobody knows"),
        )
    ]
