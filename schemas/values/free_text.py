"""Free text as people give it: any character of any script, but not blank, and nothing that only a machine sees."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from schemas.values.tidy_text import checked_name, is_blank, stated

TEXT_LIMIT = 4000  # the longest real message to a mayor's board that we have read has 3,707 characters
_ALLOWED_CONTROLS = frozenset("\n\t")


def checked_text(text: str) -> str:
    """Give the text back with plain line ends. Raises PydanticCustomError: blank, or with a control character."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if is_blank(text):
        raise PydanticCustomError("blank", "is blank")
    if any(unicodedata.category(character) == "Cc" and character not in _ALLOWED_CONTROLS for character in text):
        raise PydanticCustomError("control_character", "has a control character")
    return text


FreeText = Annotated[str, Field(max_length=TEXT_LIMIT), AfterValidator(checked_text)]
"""Up to 4,000 characters, of which something can be seen. Lives in the vault; a case carries its reference."""

ShortText = Annotated[str, Field(max_length=200), AfterValidator(checked_text)]
"""An address, a category: one line's worth."""

PersonName = Annotated[str, Field(max_length=200), AfterValidator(checked_name)]
"""The name of a person who must be named: as it is kept, nothing invisible in it."""

StatedName = Annotated[str, Field(max_length=100), AfterValidator(stated)]
"""A name that somebody may state; empty when nothing of it can be seen."""

StatedPhone = Annotated[str, Field(max_length=40), AfterValidator(stated)]
"""A number that somebody may state; its digits plain, empty when nothing of it can be seen."""
