"""warning 预警: hazards, levels and lists, and the town's rules for warnings and for the sweeps that come of them.

Sources: 中国气象局令第16号 (levels), 郑州7·20调查报告 (who must answer a call, and in how many minutes), Changzhi (five minutes
a call), L for the rest; every number and every list is a default of policies/warning.yaml.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from itertools import pairwise

from pydantic import Field

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.kernel.policy import NOT_A_DEPARTMENT, Duty, OnCall
from schemas.kernel.terms import Terms, TermsPolicy
from schemas.parts.items import ITEMS_AT_MOST
from schemas.values.account import AccountCode
from schemas.values.area import STREET_PARTS, around, inside
from schemas.values.location import AreaCode
from schemas.values.model import Model


class Hazard(StrEnum):
    """Of what it warns."""

    RAINSTORM = "rainstorm"
    TYPHOON = "typhoon"
    FLOOD = "flood"
    LANDSLIDE = "landslide"
    GAS = "gas"
    OTHER = "other"


class WarningLevel(StrEnum):
    """How grave it is, the least first."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    def is_above(self, other: "WarningLevel") -> bool:
        """Whether it is graver."""
        order = list(WarningLevel)
        return order.index(self) > order.index(other)


class Zone(StrEnum):
    """Who is moved when. A: low houses, who cannot walk, institutions; B: the others at risk; ring: one ring more."""

    A = "a"
    B = "b"
    RING = "ring"


class HouseholdAtRisk(Model):
    """A household of a risk point, by its code in the town's file of houses, which is no policy. `heads`: how many live there."""

    zone: Zone
    heads: int = Field(ge=1, le=500)


class RiskPoint(Model):
    """风险点: where it lies, who leads the team that goes from door to door there, who does if they cannot, and who lives there."""

    name: Name
    area: AreaCode
    leader: AccountCode
    deputy: AccountCode
    households: dict[Code, HouseholdAtRisk] = Field(min_length=1, max_length=ITEMS_AT_MOST)


class Shelter(Model):
    """避难场所: how many people it takes, and whether there is a step in the way."""

    name: Name
    area: AreaCode
    places: int = Field(ge=1)
    step_free: bool


class LevelRule(Model):
    """What a level means. `calls`: those who lead are called, and have to answer. `moves`: the lists that are moved."""

    calls: bool = False
    moves: tuple[Zone, ...] = ()


class WarningTerms(Terms):
    """The town's numbers: how soon somebody has to answer, go and come back, and who hears when they do not.

    `sweep`: by level, and never later than `before_onset_minutes` before it begins. `removal_law`: by which law somebody who
    stays in danger may be taken out; None: by none here. `recheck_percent`: so many of a hundred doors are seen again by
    somebody else. `one_team_per_list`: a list of a place is moved by one warning at a time, though several are of that place;
    `one_book_per_shelter`: who is in a shelter stands in one warning's list, though several send people there.
    """

    department: Code
    levels: dict[WarningLevel, LevelRule]
    removal_law: Name | None = None
    team_at_least: int = Field(ge=2, le=20)
    entered_within_hours: int = Field(ge=1, le=24)
    before_onset_minutes: int = Field(ge=0, le=240)
    recheck_percent: int = Field(ge=1, le=100)
    search_calls_at_least: int = Field(ge=1, le=10)
    one_team_per_list: bool
    one_book_per_shelter: bool
    watch: Limit
    confirm: Limit
    order: Limit
    call: Limit
    call_tiers: tuple[Tier, ...]
    lists: Limit
    first_door: Limit
    sweep: dict[WarningLevel, Limit]
    sweep_tiers: tuple[Tier, ...]
    persuade: Limit
    removal: Limit
    unsafe: Limit
    recheck: Limit
    go_back: Limit
    headcount: Limit
    headcount_later: Limit
    headcount_later_after_hours: int = Field(ge=1, le=72)
    sheltered: Limit
    all_clear: Limit
    inspect: Limit
    permit: Limit
    review: Limit
    again_after: Limit
    doors: tuple[Tier, ...]
    way_back: tuple[Tier, ...]


AROUND_THE_CLOCK = {
    "watch": "doors",
    "confirm": "call_tiers",
    "order": "call_tiers",
    "call": "call_tiers",
    "first_door": "sweep_tiers",
    "persuade": "doors",
    "removal": "doors",
    "unsafe": "sweep_tiers",
    "recheck": "doors",
    "headcount": "doors",
    "headcount_later": "doors",
    "sheltered": "doors",
    "all_clear": "doors",
    "inspect": "way_back",
    "permit": "way_back",
    "go_back": "way_back",
}
"""Duties each with its tiers, for which everybody is on call: lives may hang on them, or people wait out of their homes for them.

Counted in working days, an inspection would keep people in a gym over a whole holiday. Only the review waits for office hours.
"""


class WarningPolicy(TermsPolicy):
    """policies/warning.yaml. `issuers`: whose signed word is an official warning (docs/procedures/warning.md).

    The risk points and shelters of the town stand beside the terms: a case keeps those of its area.
    """

    WINDOWS = TermsPolicy.WINDOWS | {"again_after", "lists"}

    terms: WarningTerms
    issuers: dict[Code, Name] = {}
    risk_points: dict[Code, RiskPoint] = {}
    shelters: dict[Code, Shelter] = {}

    def names(self) -> Mapping[str, Name]:
        """Risk points, issuers and shelters in words; of households nothing is said but to who goes there."""
        return (
            dict(self.issuers)
            | {code: each.name for code, each in self.risk_points.items()}
            | {code: each.name for code, each in self.shelters.items()}
        )

    def points_in(self, area: str, without: Collection[str] = ()) -> dict[str, RiskPoint]:
        """The risk points that lie in an area, but for those in the areas that it is taken without."""
        return {
            code: each
            for code, each in self.risk_points.items()
            if inside(each.area, area) and not any(inside(each.area, other) for other in without)
        }

    def shelters_in(self, area: str) -> dict[str, Shelter]:
        """The shelters of the street around an area, for danger stops at no community; where none is there, all of the town.

        Nobody is left without a list to stand on.
        """
        street = around(area)[:STREET_PARTS][-1]
        near = {code: each for code, each in self.shelters.items() if inside(each.area, street)}
        return near or self.shelters

    def duties(self) -> Iterator[Duty]:
        """In an emergency everybody is called at any hour; what comes after it counts while the offices are open."""
        for each in super().duties():
            tiers = AROUND_THE_CLOCK.get(each.name)
            yield each if tiers is None else each._replace(on_call=OnCall.EVERYBODY, tiers=getattr(self.terms, tiers))
        for limit in self.terms.sweep.values():
            yield Duty("terms.sweep", limit, self.terms.sweep_tiers, OnCall.EVERYBODY)

    def faults(self) -> Iterator[str]:
        """Each level has its rule, no graver one moves fewer, and no household stands at two risk points."""
        yield from super().faults()
        terms = self.terms
        for name, rules in (("levels", terms.levels), ("sweep", terms.sweep)):
            missing = [each for each in WarningLevel if each not in rules]
            yield from (f"terms.{name}.{each}: is missing; say what it means" for each in missing)
        known = [terms.levels[each] for each in WarningLevel if each in terms.levels]
        if any(set(less.moves) - set(more.moves) for less, more in pairwise(known)):
            yield "terms.levels: a graver level moves all whom a lesser one moves; add the lists that it leaves out"
        if self.departments and terms.department not in self.departments:
            yield f"terms.department: {terms.department!r} {NOT_A_DEPARTMENT}"
        homes: dict[str, str] = {}
        for point, each in self.risk_points.items():
            for household in each.households:
                other = homes.setdefault(household, point)
                if other != point:
                    yield f"risk_points.{point}.households.{household}: stands at {other} too; nobody is swept twice"
