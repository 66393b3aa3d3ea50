"""Areas 区域: a code is a prefix of the codes of all areas inside it ("320104.003" covers "320104.003.07")."""

import re
from collections.abc import Collection, Iterable

STREET_PARTS = 2
COMMUNITY_PARTS = 3
"""A community is district, street and itself; a grid, which is smaller, is nobody else's business."""


_ADMINISTRATIVE = re.compile(r"\d{6}")
_STATISTICAL = re.compile(r"(\d{6})(\d{3})(\d{3})?")
"""GB/T 10114 and the statistical codes after it: county, street, community in one row of figures; 000 is all of them."""


def community_of(area: str) -> str | None:
    """The community that an area is or lies in; None: it is a wider one."""
    parts = area.split(".")
    return ".".join(parts[:COMMUNITY_PARTS]) if len(parts) >= COMMUNITY_PARTS else None


def around(area: str) -> list[str]:
    """The codes of the areas that one lies in, the wider before the narrower, and its own last."""
    parts = area.split(".")
    return [".".join(parts[: number + 1]) for number in range(len(parts))]


def inside(area: str, wider: str) -> bool:
    """Whether an area is the wider one or lies in it."""
    return area == wider or area.startswith(f"{wider}.")


def overlap(one: str, other: str) -> bool:
    """Whether one of two areas lies in the other one."""
    return inside(one, other) or inside(other, one)


def widest_named(named: Iterable[str], town: Collection[str]) -> tuple[str, ...]:
    """The areas of a town that somebody outside has named, each once: of one that lies in another the other one.

    A wider one than the town has means all of the town that lie in it: also of a city or province, by its six figures (GB/T 2260:
    320100 holds 320104). Nine or twelve figures are county, street and community. Of one inside the town that the town does not
    have, the nearest known one around it: no warning of it is lost.
    """
    codes = [(each, _first_figures(each)) for each in (_nearest(_with_dots(each), town) for each in named)]
    here = [area for area in sorted(town) if any(inside(area, code) or area.startswith(first) for code, first in codes)]
    return tuple(each for each in here if not any(other != each and inside(each, other) for other in here))


def wholly_named(named: Iterable[str], town: Collection[str]) -> tuple[str, ...]:
    """The same, of what the town knows alone: nothing is wider than it was named."""
    return widest_named((each for each in map(_with_dots, named) if _nearest(each, town) == each), town)


def _with_dots(code: str) -> str:
    """A code of nine or twelve figures as the town writes it; every other one as it is."""
    if (found := _STATISTICAL.fullmatch(code)) is None:
        return code
    county, *parts = (each for each in found.groups() if each is not None)
    while parts and parts[-1] == "000":
        parts.pop()
    return ".".join((county, *parts))


def _nearest(code: str, town: Collection[str]) -> str:
    """The nearest area of the town around one of which it knows nothing; else the code itself."""
    if any(inside(each, code) for each in town):
        return code
    return next((each for each in reversed(around(code)) if each in town), code)


def _first_figures(code: str) -> str:
    """What the codes of all areas in a city or province begin with; of any other area what no code goes on from."""
    first = code
    while _ADMINISTRATIVE.fullmatch(code) and first.endswith("00"):
        first = first[:-2]
    return f"{code}." if first == code else first
