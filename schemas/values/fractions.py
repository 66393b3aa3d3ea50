"""Shares of a whole as regulations write them: `at_least 2/3`, `more_than 1/2`. Whole numbers only, so nothing is ever rounded.

以上 includes the figure itself (民法典 1259), 过半数 does not: 42 of 84 are not more than 1/2, and 56 of 84 are at least 2/3.
"""

import re
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from schemas.values.model import Model


class Bound(StrEnum):
    """Whether the figure itself is enough."""

    AT_LEAST = "at_least"
    MORE_THAN = "more_than"


_WRITTEN = re.compile(r"(at_least|more_than) ([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")
_CHINESE = {Bound.AT_LEAST: "不少于", Bound.MORE_THAN: "超过"}
_ENGLISH = {Bound.AT_LEAST: "at least", Bound.MORE_THAN: "more than"}


class Share(Model):
    """A part of a whole that has to be reached. Policies write it as text: "more_than 1/2"."""

    bound: Bound
    numerator: int = Field(ge=1, strict=True)
    denominator: int = Field(ge=1, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, written: Any) -> Any:
        if not isinstance(written, str):
            return written
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError("write at_least N/M or more_than N/M")
        return {"bound": found[1], "numerator": int(found[2]), "denominator": int(found[3])}

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        least = self.numerator + (self.bound is Bound.MORE_THAN)
        if least > self.denominator:
            raise ValueError("nobody can reach it: more than the whole")
        return self

    def reached(self, part: int, whole: int) -> bool:
        """Whether `part` of `whole` is enough; of nothing, nothing is."""
        if whole <= 0:
            return False
        ours, theirs = part * self.denominator, self.numerator * whole
        return ours > theirs if self.bound is Bound.MORE_THAN else ours >= theirs

    def least(self, whole: int) -> int:
        """The smallest whole number that is enough."""
        exact = self.numerator * whole
        if self.bound is Bound.MORE_THAN:
            return exact // self.denominator + 1
        return max(1, -(-exact // self.denominator))

    @property
    def chinese(self) -> str:
        """As on screens: 超过1/2."""
        return f"{_CHINESE[self.bound]}{self.numerator}/{self.denominator}"

    @property
    def english(self) -> str:
        """As on screens beside the Chinese."""
        return f"{_ENGLISH[self.bound]} {self.numerator}/{self.denominator}"
