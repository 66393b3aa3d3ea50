"""Where something is, as people say it at the door: an address, coordinates if known, the area if known."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.values.free_text import ShortText
from schemas.values.model import Model
from schemas.values.typed_code import Tidied

AREA_UNKNOWN = "unassigned"
"""The area of a case whose place nobody named: only roles for the whole town see it, until somebody assigns it."""

_MICRO = 1_000_000

AreaCode = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"), Tidied]


class Location(Model):
    """Where it is. `lat` and `lon` are degrees (WGS 84) and come together; inside the town they are micro-degrees."""

    address: ShortText
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)
    area: AreaCode | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise PydanticCustomError("half_a_coordinate", "lat and lon come together")
        return self

    @property
    def latitude_micro(self) -> int | None:
        """Degrees as integer micro-degrees: canonical JSON has no floats."""
        return None if self.lat is None else round(self.lat * _MICRO)

    @property
    def longitude_micro(self) -> int | None:
        """Degrees as integer micro-degrees."""
        return None if self.lon is None else round(self.lon * _MICRO)
