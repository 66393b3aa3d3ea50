"""Of which places a message of an issuer is: those named, each once, and those of warnings that it goes on with.

An update may name other areas than its alert. A warning that runs in one of them, or around it, hears it; where the update names
more, one more warning begins for the rest, without the areas that have warnings already, so that no home stands in two. A warning
around them hears that it is of a part alone (`is_of_a_part`): that makes the whole graver, and never less. A district is warned
street by street, and more households than fit in one warning are warned part by part.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.values.area import around, inside
from schemas.warning_state import HOUSEHOLDS_AT_MOST
from schemas.warning_terms import WarningPolicy


class Place(NamedTuple):
    """An area that a message is of; `without`: areas in it that have, or get, a warning of their own.

    `parts`: what the message names of it, where that is less.
    """

    area: str
    without: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def places_of(
    areas: Iterable[str], running: Sequence[str], town: Collection[str], policy: WarningPolicy, *, is_cancel: bool
) -> list[Place]:
    """The places of a message that names these areas.

    Args:
        areas: those of the town that it names; none lies in another one.
        running: where what it refers to has begun a warning.
        town: every area of the town.
        policy: which risk points lie where.
        is_cancel: it calls off.
    """
    found: dict[str, Place] = {}
    for area in areas:
        within = [each for each in running if inside(each, area)]
        around_it = max((each for each in running if inside(area, each)), key=len, default=None)
        if around_it is not None and around_it != area:
            before = found.get(around_it, Place(around_it))
            found[around_it] = before._replace(parts=(*before.parts, area))
            continue
        for each in within:
            found.setdefault(each, Place(each))
        if area in found or _is_covered(area, within, town):
            continue
        fitting = [Place(area, tuple(within))] if is_cancel else _fitting(Place(area, tuple(within)), town, policy)
        found |= {each.area: each for each in fitting}
    return list(found.values())


def is_of_a_part(areas: Collection[str], whole: str, town: Collection[str]) -> bool:
    """Whether these areas of the town, of which none lies in another one, leave something of the area of a warning."""
    return not any(inside(whole, each) for each in areas) and not _is_covered(whole, areas, town)


def _is_covered(area: str, others: Collection[str], town: Collection[str]) -> bool:
    """Whether warnings of its parts leave nothing of an area."""
    parts = _parts(area, town)
    return bool(parts) and all(part in others or _is_covered(part, others, town) for part in parts)


def _fitting(place: Place, town: Collection[str], policy: WarningPolicy) -> Iterator[Place]:
    """The place itself; or its parts and what is of no part, where it is wider than a street, or more are at risk than fit in one.

    A street's people act in, see and hear what lies in their street: in a warning of a whole district they would be nobody.
    """
    parts = [part for part in _parts(place.area, town) if part not in place.without]
    is_wide = bool(parts) and "." not in place.area
    if not is_wide and _households(place, policy) <= HOUSEHOLDS_AT_MOST:
        yield place
        return
    for part in parts:
        yield from _fitting(Place(part, tuple(each for each in place.without if inside(each, part))), town, policy)
    rest = Place(place.area, (*place.without, *parts))
    if not parts or _households(rest, policy):
        yield rest


def _parts(area: str, town: Collection[str]) -> list[str]:
    """The areas directly inside one."""
    return [each for each in sorted(town) if around(each)[-2:-1] == [area]]


def _households(place: Place, policy: WarningPolicy) -> int:
    return sum(len(each.households) for each in policy.points_in(place.area, place.without).values())
