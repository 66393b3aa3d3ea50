"""How a report in somebody else's words becomes the body that opens a case: said by the declaration of a procedure.

A procedure that says so is one by which residents report what they have seen, also through systems that know nothing of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_NO_FIELDS = {"done", "screened_at"}


@dataclass(frozen=True)
class ReportFields:
    """In which field of the opening's body each part of a report goes; dots lead inside. None: the body has no such field.

    `matter`: one of those that the procedure's policy lists (`Policy.searched`); cases are grouped by it as their `category`.
    `latitude` and `longitude` are degrees. `done`: the clock by whose end the matter is to be dealt with.
    `screened_at`: the stages at which nobody of the town has looked at a case yet; of those nobody else hears.
    """

    matter: str
    description: str
    address: str
    area: str
    latitude: str | None
    longitude: str | None
    name: str | None
    phone: str | None
    done: str
    screened_at: tuple[StrEnum, ...] = ()

    def body(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        """The body that opens a case, from the parts that were said, by their names here."""
        body: dict[str, Any] = {}
        for part, value in parts.items():
            place = getattr(self, part)
            if place is None or value is None:
                continue
            *outer, last = place.split(".")
            inside = body
            for name in outer:
                inside = inside.setdefault(name, {})
            inside[last] = value
        return body

    def part_of(self, field: str) -> str | None:
        """Which part of a report a field of the body holds, or what stands around it; None: it is none's."""
        held = {place: part for part, place in vars(self).items() if place is not None and part not in _NO_FIELDS}
        inside = (part for place, part in held.items() if place.startswith(f"{field}."))
        return held.get(field) or next(inside, None)
