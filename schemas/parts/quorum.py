"""表决规则 quorum: who has to take part in a vote, how many of them have to be for it, and what a count comes to. Pure, exact.

Sources: 村民委员会组织法 21, 22, 26, 28, 城市居民委员会组织法 9, 民法典 278; the fractions are
the town's policy, class by class. Numbers are people or households; areas are whole hundredths of a square metre (0.01 m2). Who
abstained or spoilt the paper was there, who stayed away counts with nobody, and a tie is not passed.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.values.fractions import Share
from schemas.values.model import Model

Count = Annotated[int, Field(strict=True, ge=0, le=10**7)]
AreaHundredths = Annotated[int, Field(strict=True, ge=0, le=10**13)]
"""Square metres, in hundredths: 86.37 m2 is 8637."""
ChoiceCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
"""What can be voted for: `approve`, or the number of a proposal."""

APPROVE = "approve"
OPPOSE = "oppose"


class QuorumClass(StrEnum):
    """By which rule a vote is held."""

    RESIDENTS_MEETING = "residents_meeting"
    VILLAGERS_MEETING = "villagers_meeting"
    VILLAGE_DELEGATES = "village_delegates"
    VILLAGER_GROUP = "villager_group"
    OWNERS = "owners"
    OWNERS_SPECIAL = "owners_special"
    SENSE = "sense"
    CONTEST = "contest"


class Base(StrEnum):
    """Of whom the roll is."""

    ADULTS = "adults"
    HOUSEHOLDS = "households"
    DELEGATES = "delegates"
    OWNERS = "owners"


class ClassRule(Model):
    """The rule of one class. `turnout`: who has to take part, by what the roll is of; `passed`: how many of those there.

    `area_turnout`, `area_passed`: the same by area, besides. `secret`: nobody learns who chose what. `binding`: it decides, and
    is no mere opinion. `choices_at_most`: how many of the choices one paper may name.
    """

    turnout: dict[Base, Share] = Field(min_length=1)
    passed: Share | None = None
    area_turnout: Share | None = None
    area_passed: Share | None = None
    secret: bool = True
    binding: bool = True
    choices_at_most: int = Field(default=1, ge=1, le=10)

    @model_validator(mode="after")
    def _no_area_names_its_owner(self) -> Self:
        if (self.area_turnout is None) != (self.area_passed is None):
            raise ValueError("按面积表决须同时规定参与和同意的比例 (by area: both area_turnout and area_passed)")
        if self.secret and self.area_turnout is not None:
            raise ValueError("面积加权不得无记名:面积即可识别业主 (area weight is not secret: an area names its owner)")
        if self.passed is None and self.area_passed is not None:
            raise ValueError("按面积表决须按人数表决 (by area: by number too)")
        return self

    @property
    def by_area(self) -> bool:
        """Whether areas count besides numbers."""
        return self.area_turnout is not None


class Roll(Model):
    """What a case knows of a roll: its digest and how many it holds. An owner of 16 flats is one of `voters`, with 16 areas."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    units: Count
    voters: Count
    area_hundredths: AreaHundredths = 0

    @model_validator(mode="after")
    def _no_more_voters_than_units(self) -> Self:
        if not 0 < self.voters <= self.units:
            raise ValueError("voters: 表决人数应在1与单元数之间 (between 1 and the number of units)")
        return self


class Cast(Model):
    """What was cast, all channels together: by choice, and in how many papers. Areas only where the class counts them.

    `papers`: who took part, with those that abstained or are spoilt. `areas` by choice, `area_hundredths` of all who took part.
    """

    choices: dict[ChoiceCode, Count]
    papers: Count
    abstained: Count = 0
    spoilt: Count = 0
    areas: dict[ChoiceCode, AreaHundredths] = {}
    area_hundredths: AreaHundredths = 0

    def __add__(self, other: "Cast") -> "Cast":
        return Cast(
            choices=_sums(self.choices, other.choices),
            papers=self.papers + other.papers,
            abstained=self.abstained + other.abstained,
            spoilt=self.spoilt + other.spoilt,
            areas=_sums(self.areas, other.areas),
            area_hundredths=self.area_hundredths + other.area_hundredths,
        )


NOTHING_CAST = Cast(choices={}, papers=0)


class Verdict(Model):
    """What a count comes to. `quorum`: enough took part; `passed`: and enough of those were for it."""

    quorum: bool
    passed: bool


def quorum_met(rule: ClassRule, base: Base, roll: Roll, papers: int, area_hundredths: int) -> bool:
    """Whether enough have taken part, by number and where it counts by area."""
    by_number = rule.turnout[base].reached(papers, roll.voters)
    return by_number and (rule.area_turnout is None or rule.area_turnout.reached(area_hundredths, roll.area_hundredths))


def verdict(rule: ClassRule, base: Base, roll: Roll, cast: Cast) -> Verdict:
    """Judge a count. A class without `passed` ranks its choices: that enough took part is all there is to pass."""
    quorum = quorum_met(rule, base, roll, cast.papers, cast.area_hundredths)
    if rule.passed is None:
        return Verdict(quorum=quorum, passed=quorum)
    for_it = rule.passed.reached(cast.choices.get(APPROVE, 0), cast.papers)
    if rule.area_passed is not None:
        for_it = for_it and rule.area_passed.reached(cast.areas.get(APPROVE, 0), cast.area_hundredths)
    return Verdict(quorum=quorum, passed=quorum and for_it)


def margin(rule: ClassRule, base: Base, roll: Roll, cast: Cast) -> int:
    """How many doubtful papers are enough to turn the result by number, whoever they were for.

    Of what passed, so many that were for it fall away; of what did not, so many of the others were for it, or never came in.
    """
    approve, papers, turnout = cast.choices.get(APPROVE, 0), cast.papers, rule.turnout[base]
    return _least_that_turns(turnout, rule.passed, approve, papers, roll.voters)


def area_margin(rule: ClassRule, roll: Roll, cast: Cast) -> int | None:
    """The same by area: how many hundredths of a square metre are enough. None: the class does not count areas."""
    if rule.area_turnout is None:
        return None
    approve, there = cast.areas.get(APPROVE, 0), cast.area_hundredths
    return _least_that_turns(rule.area_turnout, rule.area_passed, approve, there, roll.area_hundredths)


def _least_that_turns(turnout: Share, passed: Share | None, approve: int, there: int, whole: int) -> int:
    """By halving: the more is doubtful, the more surely the result turns."""

    def holds(approve: int, there: int) -> bool:
        return turnout.reached(there, whole) and (passed is None or passed.reached(approve, there))

    def turned(doubtful: int) -> bool:
        if before:
            return not holds(max(approve - doubtful, 0), max(there - doubtful, 0))
        return holds(approve + doubtful, there + max(doubtful - (there - approve), 0) if passed else there + doubtful)

    before = holds(approve, there)
    low, high = 0, there + whole + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(middle) else (middle + 1, high)
    return low


def shown_cells(cells: Mapping[str, int], min_cell: int) -> dict[str, int]:
    """The totals that may be told: none under `min_cell`, and none by which the hidden ones could be told from the sum of all.

    One hidden alone would be the rest of the sum, and several that come to less than `min_cell` are all small: the smallest of the
    others is hidden with them, until neither is so.
    """
    shown = {name: count for name, count in cells.items() if count >= min_cell}
    hidden = [count for name, count in cells.items() if name not in shown]
    while shown and hidden and (len(hidden) == 1 or sum(hidden) < min_cell):
        hidden.append(shown.pop(min(shown, key=lambda name: (shown[name], name))))
    return shown


def _sums(ours: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    return {
        name: ours.get(name, 0) + theirs.get(name, 0)
        for name in (*ours, *(each for each in theirs if each not in ours))
    }
