"""The base of everything we talk about."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value: equal by content, never changed in place.

    Unknown fields are refused, so that a misspelt one is not lost. A fault never quotes the value: it may be a text that
    was put where a reference belongs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
