"""The roll of a vote 名册, as a CSV file: one unit a line. Its digest is what the case posts and what the box takes a roll by.

    unit,owner,area
    3-2-501,,
    5-1-101,W017,86.37

`unit` is what is marked once; `owner` an opaque code where one owner has several units, `area` in square metres: both of a vote by
area alone. Names and numbers of people have no place in it.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from engine.runtime.operator_error import OperatorError
from schemas.audit.merkle import merkle_root
from schemas.contracts.ballot_box import UNITS_MAX, RollLine
from schemas.parts.quorum import Roll

_AREA = re.compile(r"(\d{1,7})(?:\.(\d{1,2}))?")
_COLUMNS = {"unit", "owner", "area"}


class RollFaults(OperatorError, ValueError):
    """The roll cannot be used as it stands. `faults` says, line by line, what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_roll(file: Path) -> tuple[RollLine, ...]:
    """Read a roll. Raises RollFaults: all that is wrong with it, by line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RollFaults([f"{file}: not readable as UTF-8 text ({type(error).__name__})"]) from None
    rows = csv.DictReader(io.StringIO(text))
    if "unit" not in (names := set(rows.fieldnames or ())) or names - _COLUMNS:
        raise RollFaults([f"{file}:1: the columns are unit, and owner and area where areas count; no names of people"])
    lines: list[RollLine] = []
    faults: list[str] = []
    for number, row in enumerate(rows, start=2):
        try:
            lines.append(_line(row))
        except (ValidationError, ValueError):
            faults.append(f"{file}:{number}: write a unit such as 3-2-501, and an area such as 86.37")
    twice = [unit for unit, count in Counter(line.unit for line in lines).items() if count > 1]
    faults += [f"{file}: {unit} stands twice; keep one" for unit in twice]
    if not lines and not faults:
        faults.append(f"{file}: no unit; write one a line")
    if len(lines) > UNITS_MAX:
        faults.append(f"{file}: {len(lines)} units; at most {UNITS_MAX}")
    if faults:
        raise RollFaults(faults)
    return tuple(lines)


def roll_of(lines: Sequence[RollLine]) -> Roll:
    """The roll as its case knows it: the digest, and how many. Whatever order the lines have, it is one roll."""
    return Roll(
        digest=roll_digest(lines),
        units=len(lines),
        voters=len({line.owner or f"unit {line.unit}" for line in lines}),
        area_hundredths=sum(line.area_hundredths for line in lines),
    )


def roll_digest(lines: Sequence[RollLine]) -> str:
    """The root over the units in order, so that a unit can be shown to stand in the roll without the others."""
    leaves = sorted(f"{line.unit}|{line.owner or ''}|{line.area_hundredths}" for line in lines)
    return merkle_root([leaf.encode() for leaf in leaves])


def _line(row: dict[str, str | None]) -> RollLine:
    area = (row.get("area") or "").strip()
    found = _AREA.fullmatch(area)
    if area and found is None:
        raise ValueError("no area")
    hundredths = 0 if found is None else int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    owner = (row.get("owner") or "").strip() or None
    return RollLine(unit=(row.get("unit") or "").strip(), owner=owner, area_hundredths=hundredths)
