"""Codes as people type them at the door: full width, with blanks or invisible characters, they are what they mean.

A type that holds a code wears `Tidied` as its last mark, so that its own form is asked of what is meant. What enters a case,
and what the digest of a request covers, is the tidied code: the same meant once more is the same request.
"""

from typing import Annotated

from pydantic import BeforeValidator

from schemas.values.free_text import ShortText
from schemas.values.tidy_text import tidy


def tidied(value: object) -> object:
    """A text as it is meant; anything else as it came, for the type itself to judge."""
    return tidy(value) if isinstance(value, str) else value


Tidied = BeforeValidator(tidied)
"""The mark of a type whose texts are codes."""

Category = Annotated[ShortText, Tidied]
"""A line of the responsibility list, or what somebody calls a matter that stands on none."""
