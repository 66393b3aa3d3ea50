"""The code of an account, where somebody writes down whose it is: it stands open in ledger and projection."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from schemas.foreign_code import no_reference

_OF_A_PERSON = re.compile(r"1[3-9]\d{9}|\d{17}[\dXx]")
"""A mobile number, or an identity number (GB 11643)."""


def _not_of_a_person(code: str) -> str:
    if _OF_A_PERSON.fullmatch(code):
        raise PydanticCustomError("personal_account", "is the number of a person")
    return code


AccountCode = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[!-~]+$"),
    AfterValidator(_not_of_a_person),
    AfterValidator(no_reference),
]
"""The subject of somebody's tokens, as the issuer writes it: letters, digits and signs. Never a name, phone,
identity number or reference."""


_ACCOUNT: TypeAdapter[str] = TypeAdapter(AccountCode)


def is_account_code(text: str) -> bool:
    """Whether a text may stand as the code of an account."""
    try:
        _ACCOUNT.validate_python(text)
    except ValidationError:
        return False
    return True
