"""The code of an account, where somebody writes down whose it is: it stands open in ledger and projection."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from schemas.values.foreign_code import no_reference
from schemas.values.tidy_text import tidy
from schemas.values.typed_code import Tidied

_MOBILE = r"(?:(?:\+|00)?86)?1[3-9]\d{9}"
_LONG_NUMBER = r"\d{17}X|\d{15,19}"
"""Identity numbers (GB 11643: 18 places, 15 until 1999) and bank cards (GB/T 15120: up to 19)."""

_WHOLE = re.compile(
    rf"[A-Z]*(?:{_MOBILE}|\d{{17}}X|\d{{18}})[A-Z]*"  # with a word before or behind: user13912345678
    rf"|{_LONG_NUMBER}"
    r"|\+\d{7,15}"  # a phone of any country
    r"|(?:00)?86\d{9,12}|0[1-9]\d{8,14}"  # a landline with its area code, and an extension
    r"|[CDEGHKMPS]\d{8}|[HM]\d{10}|[DEPS][A-Z]\d{7}|[A-Z]{3}\d{12}"  # passports and permits to enter or stay
)
_PART = re.compile(rf"(?<![0-9A-Z])(?:{_MOBILE}|{_LONG_NUMBER})(?![0-9A-Z])")
_BETWEEN = re.compile(r"[^0-9A-Z+]")


def is_number_of_a_person(text: str) -> bool:
    """Whether a text is, or has in it, the number of a phone, an identity document or a bank card, however it is written."""
    # Digits of other scripts are digits here: a number is no less one for being written in them.
    plain = "".join(str(unicodedata.digit(each, each)) for each in tidy(text)).upper()
    return _WHOLE.fullmatch(_BETWEEN.sub("", plain)) is not None or _PART.search(plain) is not None


def _not_of_a_person(code: object) -> object:
    if isinstance(code, str) and is_number_of_a_person(code):
        raise PydanticCustomError("personal_account", "is the number of a person")
    return code


NotOfAPerson = BeforeValidator(_not_of_a_person)
"""For a code that stands in the open and that somebody else chose."""

GUEST = "guest:"
"""So begins the account of whoever opens a case without having one: made for that case alone, and nobody's to sign in with."""


def is_guest(subject: str | None) -> bool:
    """Whether an account is that of somebody unknown, told apart by the code of the case and by nothing else."""
    return subject is not None and tidy(subject).lower().startswith(GUEST)


def _not_a_guest(code: str) -> str:
    if is_guest(code):
        raise PydanticCustomError("guest_account", "is of somebody without an account")
    return code


AccountCode = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[!-~]+$"),
    AfterValidator(no_reference),
    AfterValidator(_not_a_guest),
    NotOfAPerson,
    Tidied,
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
