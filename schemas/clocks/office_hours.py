"""When the town's offices are open: the hours in which limits in working hours 工作小时 count."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_validator

from schemas.values.model import Model

HOUR = 60
LEAST_A_DAY = HOUR  # with less, a long limit would end after the last date there is
_WRITTEN = r"(?P<from>(?:[01]\d|2[0-3]):[0-5]\d)-(?P<to>(?:[01]\d|2[0-3]):[0-5]\d|24:00)"


def _read(written: Any) -> Any:
    match = re.fullmatch(_WRITTEN, written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(f"OpeningHours hours are written as HH:MM-HH:MM, such as 08:30-12:00, not {written!r}.")
    return tuple(int(match[end][:2]) * HOUR + int(match[end][3:]) for end in ("from", "to"))


def _write(opening: tuple[int, int]) -> str:
    return "-".join(f"{minute // HOUR:02}:{minute % HOUR:02}" for minute in opening)


# From a minute of the day up to, but without, another.
OpeningHours = Annotated[
    tuple[int, int],
    BeforeValidator(_read),
    PlainSerializer(_write, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{re.sub(r'[?]P<[a-z]+>', '', _WRITTEN)}$"}),
]


class OfficeHours(Model):
    """The hours of every working day of the town, make-up days included. Written "08:30-12:00"; the last may end at 24:00.

    `version` is counted up with every change; an open case keeps the hours it started with.
    """

    version: str = Field(min_length=1)
    hours: tuple[OpeningHours, ...] = Field(min_length=1)

    def after(self, midnight: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings of the working day that begins at a midnight, in order."""
        for start, end in self.hours:
            yield midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)

    @field_validator("hours")
    @classmethod
    def _makes_sense(cls, hours: tuple[OpeningHours, ...]) -> tuple[OpeningHours, ...]:
        for opening in hours:
            if opening[1] <= opening[0]:
                raise ValueError(f"{_write(opening)} ends before it begins.")
        for before, after in pairwise(hours):
            if after[0] < before[1]:
                raise ValueError(f"{_write(after)} begins before {_write(before)} has ended.")
        if sum(end - start for start, end in hours) < LEAST_A_DAY:
            raise ValueError("The offices are open for less than an hour a day.")
        return hours
