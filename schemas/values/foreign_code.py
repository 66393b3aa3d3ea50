"""Codes of others: numbers and accounts that departments, banks, registers, issuers and people write down for us.

They stand open in entries and lists, beside references of ours. So that nobody can write a reference there, what comes
from outside never has the form of one, at whatever door it comes in.
"""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.values.references import WrittenAs

_FORM = re.compile(r"(?:text|person|document)\s*:")


def names_a_reference(text: str) -> bool:
    """Whether a reference begins somewhere in a text, as it stands or as somebody would read it: `TEXT:`, `ｔｅｘｔ：`."""
    return _FORM.search(unicodedata.normalize("NFKC", text).casefold()) is not None


def no_reference(text: str) -> str:
    """Give the text back. Raises PydanticCustomError: it has the form of a reference."""
    if names_a_reference(text):
        raise PydanticCustomError("reference_form", "has the form of a reference")
    return text


_WRITTEN = StringConstraints(pattern=r"^[A-Za-z0-9._:-]+$", max_length=100)

ForeignCode = Annotated[str, _WRITTEN, AfterValidator(no_reference)]
"""A number or account of somebody else's own: it enters the history in plain, so no names, no blanks and no references."""

KeptCode = Annotated[str, _WRITTEN, WrittenAs(ForeignCode)]
"""The same in a command, as cases have taken it; at the door it is a `ForeignCode`."""

SaidCode = Annotated[str, StringConstraints(max_length=200)]
"""What the other side calls a refusal. Nobody keeps it as it is: only a bare code of ours is taken from it (`BARE_CODE`)."""
