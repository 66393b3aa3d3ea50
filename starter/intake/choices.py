"""Which codes a field may hold, said to whoever wrote another one: each by its word, and how many there are besides."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.contracts.department_policy import Name
from schemas.values.areas import AreaName, Areas
from schemas.values.refusals import Fault, say

Names = Mapping[str, Name | AreaName]
"""What codes are called, by code."""

SHOWN_AT_MOST = 20
CHOOSE = "可选:"
_CODE = re.compile(r"[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*")
_PLACE = re.compile(r"\.\d+(?=\.|$)")


def with_choices(faults: Iterable[Fault], choices: Mapping[str, Sequence[Any]], names: Names) -> list[Fault]:
    """What is wrong with the shape of a body, and for each code that was to be written, those that can be."""
    return [
        each.model_copy(update={"remedy": one_of(offered, names)})
        if (offered := choices.get(_PLACE.sub(".*", each.field)))
        else each
        for each in faults
    ]


def in_words(faults: Iterable[Fault], names: Names) -> list[Fault]:
    """Faults that list codes themselves, as a case does that knows no words: each code of the Chinese list by its word."""
    return [each.model_copy(update={"remedy": _named(each.remedy, names)}) for each in faults]


def _named(remedy: str, names: Names) -> str:
    if not remedy.startswith(CHOOSE):
        return remedy
    chinese, between, english = remedy.partition(" (")
    worded = _CODE.sub(lambda code: f"{names[code[0]].zh} {code[0]}" if code[0] in names else code[0], chinese)
    return f"{worded}{between}{english}"


def one_of(values: Sequence[Any], names: Names) -> str:
    """可选:城管局 urban-management、… (one of: urban-management, …). What has a number is listed by it."""
    shown = [str(each) for each in values[:SHOWN_AT_MOST]]
    left = len(values) - len(shown)
    chinese = "、".join(f"{names[code].zh} {code}" if code in names else code for code in shown)
    english = ", ".join(f"{code} ({names[code].en})" if code in names else code for code in shown)
    return say(
        f"{CHOOSE}{chinese}" + (f";另有{left}项" if left else ""),
        f"one of: {english}" + (f"; and {left} more" if left else ""),
    )


def areas_near(areas: Areas, code: str, remedy: str, english: str) -> str:
    """可选 for an area: those that somebody may have meant by a code, and how many there are at all."""
    near = areas.nearest(code)
    said = one_of(near, areas.names)
    chinese, _, rest = said.partition(" (")
    return say(f"{chinese}{remedy}", f"{rest.removesuffix(')')}{english}")
