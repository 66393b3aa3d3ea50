"""Lists of cases by a part of their number: the numbers are looked for first, and how many have it decides how a list is read.

In one query Postgres would guess how many have a part, from a hundred numbers of a million. Where one of the hundred has it by
chance, it takes something rare for common, and goes through the whole town in the order of the list to find a page of it.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from starter.cases.case_queries import SQL
from starter.http.database import Connection
from workflows.registry import PROCEDURES

FEW = 5_000
"""So many numbers are looked up one by one, in ten to forty milliseconds as they lie together or apart: those of a month. Where
more have a part, every two-hundredth of a million has, and who sees all and goes through the list soon has a page."""

FEW_FOR_SOME = 10_000
"""The same for who sees a part of the town, and perhaps none of those that have it: then all of a million are gone through in vain
(0.9 s). So many are one of each day in 27 years."""

_BEGINNING = re.compile(rf"(?:{'|'.join(case.procedure.name for case in PROCEDURES)})-[0-9]{{8}}", re.IGNORECASE)
"""A procedure and a day: nothing but the beginning of a number has them."""

_INDEXED = re.compile(r"[0-9a-z]{3}", re.IGNORECASE)
"""What the index of parts is made of."""


@dataclass(frozen=True)
class NumberPart:
    """A part of a number and the numbers that have it, or where there are `many`, some of them. No part narrows nothing."""

    part: str | None = None
    found: tuple[str, ...] = ()
    many: bool = False

    @classmethod
    async def look_for(cls, connection: Connection, part: str | None, few: int) -> Self:
        """The numbers that have a part, `many` if more than `few`; None: no part is asked for."""
        if part is None:
            return cls()
        rows = await connection.fetch(_question(part), part, few + 1)
        return cls(part, tuple(row["case_id"] for row in rows), len(rows) > few)

    @property
    def few(self) -> bool:
        """Whether the list is one of numbers that are known."""
        return self.part is not None and not self.many

    def only(self, at_most: int) -> Self:
        """So many of those that were found, as if there were no others."""
        return replace(self, found=self.found[:at_most], many=False)

    def values(self) -> tuple[list[str] | None, str | None]:
        """As `matching` takes it: the numbers, or the part of too many."""
        return (list(self.found) if self.few else None, self.part if self.many else None)


ANY_NUMBER = NumberPart()
"""No part is asked for."""


def _question(part: str) -> str:
    if _BEGINNING.match(part):
        return SQL.numbers_with_beginning
    return SQL.numbers_with_part if _INDEXED.search(part) else SQL.numbers_with_signs
