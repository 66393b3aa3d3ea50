"""Shapes of areas as lines on a screen: once in a process, for they are the same on every page."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.values.area_shapes import AreaShapes, Ring, Shape

WIDTH = 1000
"""Units of the drawing; a browser makes it as wide as there is room."""

HEIGHT_MAX = 900
MARGIN = 10


@dataclass(frozen=True)
class DrawnArea:
    """An area: its outline as a path of SVG, and where its name stands."""

    code: str
    path: str
    name_x: int
    name_y: int


@dataclass(frozen=True)
class TownMap:
    """The areas of a town as they are drawn; none where it has no shapes."""

    width: int
    height: int
    areas: tuple[DrawnArea, ...]

    @classmethod
    def of(cls, shapes: AreaShapes | None) -> "TownMap":
        """Draw them. A degree of longitude is as long as it is in the middle of the town: over one town that is true enough."""
        if shapes is None:
            return cls(0, 0, ())
        positions = [position for shape in shapes.features for ring in _rings(shape) for position in ring]
        west, east = min(each[0] for each in positions), max(each[0] for each in positions)
        south, north = min(each[1] for each in positions), max(each[1] for each in positions)
        narrower = math.cos(math.radians((south + north) / 2))
        wide, tall = max((east - west) * narrower, 1e-9), max(north - south, 1e-9)
        scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT_MAX - 2 * MARGIN) / tall)

        def on_screen(longitude: float, latitude: float) -> tuple[float, float]:
            return MARGIN + (longitude - west) * narrower * scale, MARGIN + (north - latitude) * scale

        drawn = tuple(
            _drawn(shape.code, [[on_screen(*position[:2]) for position in ring] for ring in _rings(shape)])
            for shape in shapes.features
        )
        return cls(math.ceil(wide * scale) + 2 * MARGIN, math.ceil(tall * scale) + 2 * MARGIN, drawn)


def _rings(shape: Shape) -> Iterable[Ring]:
    return (ring for piece in shape.geometry.pieces() for ring in piece)


Points = Sequence[tuple[float, float]]


def _drawn(code: str, rings: Sequence[Points]) -> DrawnArea:
    """Holes are drawn as further outlines: a browser fills by the even-odd rule."""
    path = " ".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring[:-1]) + "Z" for ring in rings)
    x, y = _middle(max(rings, key=lambda ring: abs(_twice_the_size(ring))))
    return DrawnArea(code, path, round(x), round(y))


def _twice_the_size(ring: Points) -> float:
    return sum(x * b - a * y for (x, y), (a, b) in pairwise(ring))


def _middle(ring: Points) -> tuple[float, float]:
    """The centre of mass of an outline; of one that is only a line, the middle of its corners."""
    size = _twice_the_size(ring)
    if abs(size) < 1:
        return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
    pairs = [((x, y), (a, b), x * b - a * y) for (x, y), (a, b) in pairwise(ring)]
    return (
        sum((one[0] + other[0]) * cross for one, other, cross in pairs) / (3 * size),
        sum((one[1] + other[1]) * cross for one, other, cross in pairs) / (3 * size),
    )
