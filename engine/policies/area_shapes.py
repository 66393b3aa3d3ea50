"""Reads policies/areas.geojson, where a town has one; every fault in it is told at once, with its line and a remedy."""

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from engine.policies.policies import PolicyFaults
from engine.policies.policy_files import PolicyFile
from schemas.values.area_shapes import AreaShapes
from schemas.values.areas import Areas, Finding

FILE = "areas.geojson"
_REMEDIES = {
    "missing": "add it; `properties.code` names the area as areas.yaml does",
    "literal_error": "a FeatureCollection has Features",
    "union_tag_invalid": "draw areas as Polygon or MultiPolygon, not as points or lines",
    "union_tag_not_found": "draw areas as Polygon or MultiPolygon",
    "too_short": "write at least one",
}


def load_area_shapes(folder: Path, areas: Areas) -> AreaShapes | None:
    """The shapes of the town's areas; None where it has none. Raises PolicyFaults."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise PolicyFaults(
            [f"{file}:{error.lineno}: not readable as JSON: {error.msg}; export it again as GeoJSON"]
        ) from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyFaults([f"{file}:1: not readable: {type(error).__name__}; save it as GeoJSON in UTF-8"]) from None
    try:
        shapes = AreaShapes.model_validate(plain)
    except ValidationError as error:
        raise PolicyFaults(_placed(file, _of_shape(error))) from None
    if found := list(shapes.faults(areas)):
        raise PolicyFaults(_placed(file, found))
    return shapes


def _of_shape(error: ValidationError) -> Iterable[Finding]:
    """What does not have the shape. That a list lacks what was wrong in it goes without saying."""
    faults = [
        (
            tuple(str(part) for part in fault["loc"] if part not in {"Polygon", "MultiPolygon"}),
            fault["type"],
            fault["msg"],
        )
        for fault in error.errors(include_url=False, include_input=False)
    ]
    for place, kind, message in faults:
        if kind != "too_short" or not any(other != place and other[: len(place)] == place for other, _, _ in faults):
            yield place, message, _REMEDIES.get(kind, "write it as GeoJSON has it (RFC 7946)")


def _placed(file: Path, findings: Iterable[Finding]) -> list[str]:
    """With file and line: JSON is YAML too, as far as its places go."""
    told = list(findings)
    try:
        rules = PolicyFile(file)
    except PolicyFaults:
        return [f"{file}: {'.'.join(place) or 'the file'}: {what}; {remedy}" for place, what, remedy in told]
    return [rules.fault(*finding) for finding in told]
