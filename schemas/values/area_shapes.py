"""Shapes of areas, for the map of staff: policies/areas.geojson, which a town may have or not. Nothing is decided by them."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.values.area import inside
from schemas.values.areas import Areas, Finding, Place

POSITIONS_MAX = 20_000
"""More is no better to look at, and every page of the map carries all of them."""

_CORNERS_MIN = 4
_LONGITUDES, _LATITUDES = (73.0, 136.0), (3.0, 54.0)
"""Where China lies. What is outside was written in metres, or latitude first."""

_DEGREES = ("CRS84", "4326", "4490", "4979")
_CODES_SHOWN = 5

Position = Annotated[tuple[float, ...], Field(min_length=2, max_length=4)]
"""Longitude and latitude in degrees; what follows, such as a height, is not looked at."""

Ring = tuple[Position, ...]


class _Of(BaseModel):
    """Programs write more into such a file than anybody asked for: the rest is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Polygon(_Of):
    """One piece: its outline, and the holes in it."""

    type: Literal["Polygon"]
    coordinates: tuple[Ring, ...] = Field(min_length=1)

    def pieces(self) -> tuple[tuple[Ring, ...], ...]:
        """The one piece."""
        return (self.coordinates,)


class MultiPolygon(_Of):
    """Several pieces."""

    type: Literal["MultiPolygon"]
    coordinates: tuple[tuple[Ring, ...], ...] = Field(min_length=1)

    def pieces(self) -> tuple[tuple[Ring, ...], ...]:
        """Each of them."""
        return self.coordinates


class ShapeProperties(_Of):
    """`code`: which area it is, as areas.yaml has it."""

    code: str = Field(min_length=1)


class Shape(_Of):
    """An area and where it lies."""

    type: Literal["Feature"]
    properties: ShapeProperties
    geometry: Annotated[Polygon | MultiPolygon, Field(discriminator="type")]

    @property
    def code(self) -> str:
        """The area."""
        return self.properties.code


class CrsProperties(_Of):
    """The name of a system of coordinates."""

    name: str = ""


class Crs(_Of):
    """Older files say in which system of coordinates they are."""

    properties: CrsProperties = CrsProperties()


class AreaShapes(_Of):
    """policies/areas.geojson. Longitude first, in degrees (WGS 84 or CGCS2000). No area may lie in another one."""

    type: Literal["FeatureCollection"]
    crs: Crs | None = None
    features: tuple[Shape, ...] = Field(min_length=1)

    def faults(self, areas: Areas) -> Iterator[Finding]:
        """Say what cannot be drawn, or would be counted twice. `areas`: those that there are."""
        if self.crs is not None and not self.crs.properties.name.endswith(_DEGREES):
            remedy = "export it in degrees, as WGS 84 (EPSG:4326) or CGCS2000 (EPSG:4490)"
            yield ("crs",), "its coordinates are not in degrees", remedy
        positions = sum(len(ring) for shape in self.features for piece in shape.geometry.pieces() for ring in piece)
        if positions > POSITIONS_MAX:
            remedy = f"simplify it to {POSITIONS_MAX} at the most, for instance with mapshaper -simplify 10%"
            yield ("features",), f"it has {positions} positions", remedy
        seen: dict[str, int] = {}
        for number, shape in enumerate(self.features):
            place = ("features", str(number))
            yield from self._code_faults((*place, "properties", "code"), shape.code, seen, areas)
            seen.setdefault(shape.code, number)
            yield from _ring_faults((*place, "geometry", "coordinates"), shape)

    @staticmethod
    def _code_faults(place: Place, code: str, seen: dict[str, int], areas: Areas) -> Iterator[Finding]:
        if code not in areas.names:
            near = ", ".join(areas.nearest(code)[:_CODES_SHOWN])
            yield place, f"{code!r} is no area of areas.yaml", f"write one that is, such as {near}"
        if code in seen:
            yield place, f"{code!r} stands at features.{seen[code]} too", "join both to one MultiPolygon"
        for other in seen:
            if code != other and (inside(code, other) or inside(other, code)):
                yield (
                    place,
                    f"{code!r} and {other!r} lie in one another",
                    "keep the areas of one level: a case counts once",
                )

    def code_of(self, area: str) -> str | None:
        """Which of the shapes an area lies in; None: in none."""
        return next((shape.code for shape in self.features if inside(area, shape.code)), None)


def _ring_faults(place: Place, shape: Shape) -> Iterator[Finding]:
    for piece in shape.geometry.pieces():
        for ring in piece:
            if len(ring) < _CORNERS_MIN or ring[0][:2] != ring[-1][:2]:
                yield place, "an outline is not closed", "let it end where it begins, with four positions at least"
                return
            if not all(_in_china(position) for position in ring):
                yield (
                    place,
                    "a position lies outside China",
                    "write degrees, longitude before latitude: [118.79, 32.06]",
                )
                return


def _in_china(position: Position) -> bool:
    longitude, latitude = position[:2]
    return _LONGITUDES[0] <= longitude <= _LONGITUDES[1] and _LATITUDES[0] <= latitude <= _LATITUDES[1]
