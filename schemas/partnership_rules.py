"""What decides about a partnership, by pure rules on whole numbers and days: broken too often, or kept often enough.

Sources: 民法典 第五百六十三条 (who breaks what was agreed on in the main can be given notice), domain for the numbers.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import Field

from schemas.clocks.moments import months_after
from schemas.contracts.department import Code
from schemas.parts.agreed import Standing
from schemas.values.model import Model

COUNTED = (Standing.KEPT, Standing.BROKEN)
"""What was waived, rested or excused is neither kept nor broken."""


class BreachRule(Model):
    """违约标准: one duty so often within so many months, or any so often within so many."""

    one_duty: int = Field(ge=1)
    within_months: int = Field(ge=1)
    any_duty: int = Field(ge=1)
    any_within_months: int = Field(ge=1)


class Broken(Model):
    """A time of a duty that was missed and not cured, by the day on which that was so."""

    duty: Code
    on: date


def _within(days: Sequence[date], times: int, months: int) -> bool:
    """Whether so many of these days lie within so many months of each other; on the same day of the last month they do not."""
    ordered = sorted(days)
    return any(
        ordered[first + times - 1] < months_after(ordered[first], months) for first in range(len(ordered) - times + 1)
    )


def breach_is_met(broken: Iterable[Broken], rule: BreachRule) -> bool:
    """Whether duties were broken so often that it is to be decided whether the agreement ends."""
    known = tuple(broken)
    codes = {each.duty for each in known}
    one = any(
        _within([each.on for each in known if each.duty == code], rule.one_duty, rule.within_months) for code in codes
    )
    return one or _within([each.on for each in known], rule.any_duty, rule.any_within_months)


class Kept(Model):
    """How many times of duties were kept, of those that were due and counted."""

    kept: int
    counted: int

    def reaches(self, percent: int) -> bool:
        """Whether these are so many percent at least (以上 includes, 民法典 第一千二百五十九条); of nothing nothing was broken."""
        return 100 * self.kept >= percent * self.counted


def kept_of(ended_as: Iterable[Standing]) -> Kept:
    """How many of these times were kept."""
    counted = [each for each in ended_as if each in COUNTED]
    return Kept(kept=counted.count(Standing.KEPT), counted=len(counted))
