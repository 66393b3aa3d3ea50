"""Numbers of cases in what people and systems send: each names an object, which the sender must be allowed to see."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from schemas.values.typed_code import Tidied

PARTS = r"-[0-9]{8}-[0-9]{6,12}"
CASE_NUMBER = rf"[a-z]{{1,40}}{PARTS}(\.[a-z0-9-]{{1,64}}){{0,4}}"
"""`incident-20261121-000017`, `whistle-20261121-000004.urban-management`. 322 characters at the most: Temporal takes 1,000."""

LONGEST = 322


@dataclass(frozen=True)
class NamesACase:
    """In the metadata of a field: it holds the number of a case, of this procedure if named (starter/intake/named_cases.py)."""

    procedure: str | None = None


CaseNumber = Annotated[
    str, StringConstraints(strict=True, pattern=f"^{CASE_NUMBER}$", max_length=LONGEST), NamesACase(), Tidied
]
"""The number of a case, or of a part of one. It is worth nothing until it is known that the sender may see the case."""

IncidentNumber = Annotated[
    str,
    StringConstraints(strict=True, pattern=f"^incident{PARTS}$", max_length=LONGEST),
    NamesACase("incident"),
    Tidied,
]
"""The number of an incident. Another procedure's case has another name."""

MotionNumber = Annotated[
    str,
    StringConstraints(strict=True, pattern=f"^council{PARTS}$", max_length=LONGEST),
    NamesACase("council"),
    Tidied,
]
"""The number of a motion 议案."""

OrderNumber = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]*$", max_length=400)]
"""The id of a work order as a department gives it back: a case number, a dot and a step."""


def wholes_of(case_id: str) -> tuple[str, ...]:
    """What a case is a part of, the nearest first: of `whistle-….urban-management` the whistle."""
    parts = case_id.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
