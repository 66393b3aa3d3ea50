"""Nearness in whole numbers."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.values.place import Point, near

EARTH_METRES = 6_371_000
LATITUDES = st.integers(-70_000_000, 70_000_000)
LONGITUDES = st.integers(-180_000_000, 180_000_000)


def metres(one: Point, other: Point) -> float:
    """The distance on a sphere, by haversine."""
    south, north = (math.radians(point.latitude_micro / 1e6) for point in (one, other))
    east = math.radians((other.longitude_micro - one.longitude_micro) / 1e6)
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(east / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(half))


@given(LATITUDES, LONGITUDES, st.integers(-6_000, 6_000), st.integers(-6_000, 6_000))
def test_near_is_within_two_metres_of_the_distance_on_the_globe(lat: int, lon: int, north: int, east: int) -> None:
    """What the sphere says about 200 m, the integers say too, but for a metre or two at the very edge."""
    one, other = Point(lat, lon), Point(lat + north, lon + east)
    distance = metres(one, other)
    assume(abs(distance - 200) > 2)

    assert near(one, other, 200) == (distance <= 200)
    assert near(other, one, 200) == near(one, other, 200)


def test_the_date_line_is_no_distance() -> None:
    """Ten metres across 180 degrees are ten metres."""
    assert near(Point(0, 179_999_950), Point(0, -179_999_960), 20)


def test_a_place_is_near_itself_whatever_the_limit() -> None:
    """Two reports from the same door are near at any limit, and a street further is not near at ten metres."""
    door, street = Point(32_060_000, 118_790_000), Point(32_060_000, 118_790_500)

    assert near(door, door, 0)
    assert (near(door, street, 10), near(door, street, 200)) == (False, True)
