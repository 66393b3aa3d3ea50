"""Organisations 单位: by their unified social credit code 统一社会信用代码 (GB 32100-2015), which is public and stands open.

Seventeen characters of 31 (no I, O, S, V, Z) and a check character. Whoever is no natural person is known by it, and by nothing
that the vault keeps; what its people are called and where its account is, the vault keeps as ever.
"""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.values.typed_code import Tidied

_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_FORM = rf"^[{_CHARACTERS}]{{18}}$"
_BASE = len(_CHARACTERS)
_PREFIX = "organisation:"
IN_KEYS = "org-"
"""What stands before the code of an organisation in the key of a payment."""


def check_character(first: str) -> str:
    """The last character of the code that begins with these seventeen. Raises ValueError: another character."""
    weighed = sum(_CHARACTERS.index(each) * pow(3, place, _BASE) for place, each in enumerate(first))
    return _CHARACTERS[-weighed % _BASE]


def _checked(code: str) -> str:
    if check_character(code[:-1]) != code[-1]:
        raise PydanticCustomError(
            "organisation_code", "is no unified social credit code: its last character does not fit"
        )
    return code


OrganisationCode = Annotated[
    str, StringConstraints(pattern=_FORM), AfterValidator(_checked), Tidied, Field(examples=["52320104MJA000002P"])
]
"""The code of an organisation, as it stands on its licence."""

OrganisationReference = Annotated[str, StringConstraints(strict=True, pattern=rf"^{_PREFIX}[{_CHARACTERS}]{{18}}$")]
"""An organisation, where a person's reference could stand too."""


def organisation(code: str) -> OrganisationReference:
    """The reference of an organisation."""
    return f"{_PREFIX}{code}"


def code_of(reference: str) -> str | None:
    """The code that a reference stands for; None: it is a person's."""
    return reference.removeprefix(_PREFIX) if reference.startswith(_PREFIX) else None
