"""Who finds the same trouble in many reports: a procedure says so by a `FIND_HOT_SPOTS` in a module of its own."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from engine.keys.tokens import Principal
from schemas.advice.hot_spots import HotSpot
from schemas.clocks.calendar import TownDatetime
from schemas.values.model import Model
from starter.cases.reading import Reading
from starter.http.own_modules import own_modules


class HotSpots(Model):
    """What was found among the newest reports that the caller sees. `looked_at`: so many; `more`: there were more than that."""

    as_of: TownDatetime
    opened_from: TownDatetime
    looked_at: int
    more: bool
    items: list[HotSpot]


FindHotSpots = Callable[[Principal, Reading], Awaitable[HotSpots]]
"""(caller, reading): what was found. Raises Problem: not for this caller."""


@dataclass(frozen=True)
class HotSpotFinders:
    """Every one of the town."""

    finders: tuple[FindHotSpots, ...]


def hot_spot_finders(procedures: Iterable[str]) -> HotSpotFinders:
    """Those of these procedures."""
    return HotSpotFinders(
        tuple(module.FIND_HOT_SPOTS for module in own_modules(procedures) if hasattr(module, "FIND_HOT_SPOTS"))
    )
