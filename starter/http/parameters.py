"""The bounds of what stands in addresses: days, numbers, codes. One type for each, so that no route has bounds of its own.

What lies outside cannot be in the town's books: a day of the year 1, a number that no column holds, a code with a control
character. It is refused (422) before the database is asked.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator

from schemas.values.case_number import CASE_NUMBER
from schemas.values.typed_code import Tidied

CASE_ID = re.compile(CASE_NUMBER)
"""The form of a case's number."""

NUMBER_MAX = 2**63 - 1
"""The largest number of a row: what Postgres calls bigint."""

FIRST_MOMENT = datetime(1900, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC)
"""Between these lies every time that a town can mean; clocks and time zones reckon a little beyond both."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def plain(text: str) -> str:
    """The text as it is. Raises ValueError for control characters and half characters, which no code or number has."""
    if _CONTROL.search(text):
        raise ValueError("control characters are in no code and no number")
    return text


def within_bounds(moment: datetime) -> bool:
    """Whether a time with its offset is one that a town can mean."""
    return FIRST_MOMENT <= moment <= LAST_MOMENT


CodeText = Annotated[
    str | None, Query(max_length=200), AfterValidator(lambda text: None if text is None else plain(text)), Tidied
]
"""A code, a number, an account: for comparing with what is kept."""

DayText = Annotated[str | None, Query(max_length=40, description="a day such as 2026-11-21, or a time with its offset")]
LastDayText = Annotated[
    str | None, Query(max_length=40, description="a day, which still counts, or a time, which does not")
]
RowNumber = Annotated[int | None, Query(ge=1, le=NUMBER_MAX, description="where the page before ended")]
