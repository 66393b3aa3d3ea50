"""Work orders 派单 as every procedure that gives them keeps them: to whom, what was told of the time, what came of it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from schemas.values.model import Model
from schemas.values.references import TextReference


class Asked(BaseModel):
    """What a department was told of the time, kept: asked again in another run, it must hear the very same."""

    model_config = ConfigDict(extra="forbid")

    due: dict[str, datetime]
    as_of: datetime


class Order(BaseModel):
    """The work order to one department. Its step key is `CASE/order-NUMBER`, stable over every retry."""

    model_config = ConfigDict(extra="forbid")

    number: int
    department: str
    dispatched_at: datetime
    receipt: str | None = None
    refused: str | None = None
    result: TextReference | None = None
    recalled: bool = False
    asked: Asked | None = None


class Matter(Model):
    """What an order is about, as a department's own system is told; the texts are references."""

    category: str
    urgency: str
    title: TextReference | None = None
    description: TextReference
    address: TextReference | None = None
    latitude_microdegrees: int | None = None
    longitude_microdegrees: int | None = None
