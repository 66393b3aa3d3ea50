"""The base of everything we talk about."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value: equal by content, never changed in place. Unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")
