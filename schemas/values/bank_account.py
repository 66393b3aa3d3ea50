"""A bank account as people write it, and as the bank is told it: 8 to 32 digits, at every door that takes one."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from schemas.values.references import TextReference, WrittenAs
from schemas.values.tidy_text import is_blank, tidy

_BETWEEN_GROUPS = re.compile(r"[ \-\u2010-\u2015\u2212]")
_DIGITS = re.compile(r"[0-9]{8,32}")


def tidy_account(text: str) -> str:
    """The digits of an account, whatever stands between their groups; what is none stays as it is, for who judges it."""
    digits = _BETWEEN_GROUPS.sub("", tidy(text))
    return digits if is_account(digits) else text


def is_account(text: str) -> bool:
    """Whether a tidy text can be the number of an account."""
    return _DIGITS.fullmatch(text) is not None


def checked_account(text: str) -> str:
    """The digits of an account. Raises PydanticCustomError, which repeats none of it."""
    if is_blank(text):
        raise PydanticCustomError("blank", "is blank")
    account = tidy_account(text)
    if not is_account(account):
        raise PydanticCustomError("bank_account", "is not 8 to 32 digits")
    return account


_WRITTEN = Field(max_length=64, examples=["6222020000000000017"])

WrittenAccount = Annotated[str, _WRITTEN, AfterValidator(tidy_account)]
"""An account that is judged with the rest of its form, so that everything wrong is told at once."""

BankAccount = Annotated[str, _WRITTEN, AfterValidator(checked_account)]
"""Digits in full width are made plain; words and digits of other scripts are refused: the bank could not pay to them."""

AccountReference = Annotated[TextReference, WrittenAs(BankAccount)]
"""An account in a command: people write a BankAccount, the case keeps where it stands in the vault."""
