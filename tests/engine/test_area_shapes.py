"""Shapes of areas: the file is checked whole, each fault with its line and a remedy; they are drawn where they lie."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.staff.map_drawing import HEIGHT_MAX, WIDTH, TownMap
from engine.policies.area_shapes import FILE, load_area_shapes
from engine.policies.areas import load_areas
from engine.policies.policies import PolicyFaults
from engine.policies.policy_check import check_policies
from engine.runtime.settings import PROJECT
from schemas.values.area_shapes import POSITIONS_MAX
from workflows.registry import PROCEDURES

POLICIES = PROJECT / "policies"
AREAS = load_areas(POLICIES)
Change = Callable[[dict[str, Any]], object]


def written(folder: Path, change: Change) -> Path:
    """A folder with the town's shapes, changed; each line of the file is one area, as it is delivered."""
    shapes = json.loads((POLICIES / FILE).read_text(encoding="utf-8"))
    change(shapes)
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in shapes.pop("features", []))
    head = json.dumps(shapes)[1:-1]
    (folder / FILE).write_text(f'{{{head}, "features": [\n{lines}\n]}}\n', encoding="utf-8")
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(PolicyFaults) as refused:
        load_area_shapes(folder, AREAS)
    return refused.value.faults


def _set(number: int, *way: str | int, to: Any) -> Change:
    def change(shapes: dict[str, Any]) -> None:
        place = shapes["features"][number]
        for name in way[:-1]:
            place = place[name]
        place[way[-1]] = to

    return change


def _all(*changes: Change) -> Change:
    def change(shapes: dict[str, Any]) -> None:
        for each in changes:
            each(shapes)

    return change


def _long(shapes: dict[str, Any]) -> None:
    ring = shapes["features"][0]["geometry"]["coordinates"][0]
    ring[1:1] = [ring[0]] * POSITIONS_MAX


RING = ("geometry", "coordinates", 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_set(1, "properties", "code", to="320104.009"), [":3: ", "is no area of areas.yaml", "320104.003"]),
        (_set(3, "properties", "code", to="320104.003.01"), [":5: ", "stands at features.0 too", "MultiPolygon"]),
        (_set(2, "properties", "code", to="320104.003.01.02"), [":4: ", "lie in one another", "a case counts once"]),
        (_set(0, *RING, -1, to=[118.8, 32.07]), [":2: ", "is not closed", "end where it begins"]),
        (_set(0, *RING, to=[[118.8, 32.07], [118.8, 32.07]]), [":2: ", "is not closed", "four positions"]),
        (_set(0, *RING, 1, to=[32.07, 118.792]), [":2: ", "outside China", "longitude before latitude"]),
        (_set(0, "geometry", "type", to="LineString"), [":2: ", "features.0.geometry", "Polygon or MultiPolygon"]),
        (_set(0, "properties", to={}), [":2: ", "features.0.properties", "names the area as areas.yaml does"]),
        (_set(0, *RING, 1, to=["a", 32.07]), [":2: ", "features.0.geometry.coordinates.0.1.0", "RFC 7946"]),
        (lambda shapes: shapes.update(crs={"properties": {"name": "EPSG:4549"}}), [":1: ", "not in degrees", "4490"]),
        (lambda shapes: shapes.update(features=[]), ["features", "write at least one"]),
        (_long, ["positions", "simplify it"]),
    ],
)  # fmt: skip
def test_every_fault_of_a_shape_is_told_with_its_line(tmp_path: Path, change: Change, told: list[str]) -> None:
    """File, line, what is wrong, and how to mend it."""
    found = faults(written(tmp_path, change))

    assert len(found) == 1, found
    assert found[0].startswith(str(tmp_path / FILE))
    assert [each for each in told if each not in found[0]] == []


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Whoever mends the file hears of everything in one answer."""
    changes = _all(_set(1, "properties", "code", to="320104.009"), _set(0, *RING, -1, to=[118.8, 32.07]))

    assert len(faults(written(tmp_path, changes))) == 2


@pytest.mark.parametrize("content", ["", "{", "\x00", '{"features": [}'])
def test_what_is_no_json_is_told_with_its_line(tmp_path: Path, content: str) -> None:
    """A file that broke off, or another one under its name."""
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    [fault] = faults(tmp_path)

    assert fault.startswith(f"{tmp_path / FILE}:1: not readable as JSON")


def test_a_town_may_have_no_shapes(tmp_path: Path) -> None:
    """Without the file there is nothing to draw, and nothing wrong."""
    assert load_area_shapes(tmp_path, AREAS) is None
    assert TownMap.of(None).areas == ()


def test_more_than_is_asked_for_may_stand_in_it(tmp_path: Path) -> None:
    """What other programs write into such a file is left alone; heights too, and pieces that belong together."""

    def change(shapes: dict[str, Any]) -> None:
        shapes |= {
            "name": "areas",
            "bbox": [0, 0, 1, 1],
            "crs": {"properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        }
        first = shapes["features"][0]
        first |= {"id": 7, "bbox": []}
        first["properties"]["population"] = 1180
        rings = [[[*position, 12.5] for position in ring] for ring in first["geometry"]["coordinates"]]
        first["geometry"] = {"type": "MultiPolygon", "coordinates": [rings]}

    plain, more = load_area_shapes(POLICIES, AREAS), load_area_shapes(written(tmp_path, change), AREAS)

    assert TownMap.of(more) == TownMap.of(plain)


def test_areas_are_drawn_where_they_lie() -> None:
    """North is up, east is right; everything stands inside the drawing, and each name inside its own area's box."""
    shapes = load_area_shapes(POLICIES, AREAS)
    drawn = TownMap.of(shapes)
    named = {each.code: each for each in drawn.areas}

    assert (drawn.width <= WIDTH + 1, drawn.height <= HEIGHT_MAX + 1) == (True, True)
    assert named["320104.003.01"].name_x < named["320104.003.02"].name_x
    assert named["320104.003.01"].name_y < named["320104.003.03"].name_y
    for area in drawn.areas:
        numbers = [float(each) for each in area.path.replace("M", " ").replace("L", " ").replace("Z", "").split()]
        assert 0 <= min(numbers) <= max(numbers) <= WIDTH
        assert min(numbers[::2]) < area.name_x < max(numbers[::2])
        assert min(numbers[1::2]) < area.name_y < max(numbers[1::2])


def test_the_check_of_all_rules_looks_at_shapes_too(tmp_path: Path) -> None:
    """`jiceng policy check` reads the file where there is one, and names its faults with their lines."""
    folder = shutil.copytree(POLICIES, tmp_path / "policies")
    procedures = [case.procedure for case in PROCEDURES]
    well = check_policies(folder, procedures)
    written(folder, _set(1, "properties", "code", to="320104.009"))
    wrong = check_policies(folder, procedures)

    assert str(folder / FILE) in well.files
    assert [each for each in well.faults if FILE in each] == []
    [fault] = [each for each in wrong.faults if FILE in each]
    assert fault.startswith(f"{folder / FILE}:3: ")
