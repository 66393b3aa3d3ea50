"""Areas 区域 of the town: district > street > community > grid, and who walks in which grid (policies/areas.yaml)."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.values.area import inside
from schemas.values.model import Model

HOUSEHOLDS = range(300, 501)
RESIDENTS = range(1000, 1501)
"""A grid has 300-500 households or 1,000-1,500 people (domain: words)."""

_ALIKE_AT_MOST = 3

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$", max_length=64)]
Account = Annotated[str, StringConstraints(pattern=r"^\S+$", max_length=200)]
Place = tuple[str, ...]
Finding = tuple[Place, str, str]
"""Where, what, and what to do about it."""


class AreaName(Model):
    """A name as it stands on screens."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Grid(Model):
    """The smallest area. `workers` are the accounts of its grid workers."""

    name: AreaName
    households: int = Field(ge=0)
    residents: int = Field(ge=0)
    workers: tuple[Account, ...] = ()


class Community(Model):
    """Several grids with one committee."""

    name: AreaName
    grids: dict[Code, Grid]


class Street(Model):
    """What a street office is responsible for."""

    name: AreaName
    communities: dict[Code, Community]


class District(Model):
    """The widest area of a town."""

    name: AreaName
    streets: dict[Code, Street]


class OtherDistricts(StrEnum):
    """What becomes of a report from a district that the file does not have."""

    REFUSE = "refuse"
    ACCEPT = "accept"


class AreaPolicy(Model):
    """policies/areas.yaml. `accept` is for a centre that also takes reports for neighbours who are not in it yet."""

    version: str = Field(min_length=1)
    other_districts: OtherDistricts = OtherDistricts.REFUSE
    districts: dict[Code, District] = Field(min_length=1)

    def grids(self) -> Iterator[tuple[Place, str, Grid]]:
        """Every grid: its place in the file, its code, itself."""
        for district, in_district in self.districts.items():
            for street, in_street in in_district.streets.items():
                for community, in_community in in_street.communities.items():
                    for code, grid in in_community.grids.items():
                        place = ("districts", district, "streets", street, "communities", community, "grids", code)
                        yield place, code, grid

    def codes(self) -> Iterator[tuple[Place, str, str | None]]:
        """Every area: its place in the file, its code, and the code of the area it lies in."""
        for district, in_district in self.districts.items():
            yield ("districts", district), district, None
            for street, in_street in in_district.streets.items():
                yield ("districts", district, "streets", street), street, district
                for community in in_street.communities:
                    yield ("districts", district, "streets", street, "communities", community), community, street
        for place, code, _ in self.grids():
            yield place, code, place[-3]

    def names(self) -> Iterator[tuple[str, AreaName]]:
        """Every area by its code, the wider before those inside."""
        for district, in_district in self.districts.items():
            yield district, in_district.name
            for street, in_street in in_district.streets.items():
                yield street, in_street.name
                for community, in_community in in_street.communities.items():
                    yield community, in_community.name
                    yield from ((code, grid.name) for code, grid in in_community.grids.items())

    def faults(self) -> Iterator[Finding]:
        """Say what cannot be worked with."""
        seen: set[str] = set()
        for place, code, wider in self.codes():
            if wider is None and "." in code:
                yield (
                    place,
                    f"{code!r} is the code of an area inside a district",
                    "write a district's code without a dot",
                )
            if wider is not None and (not inside(code, wider) or code.count(".") != wider.count(".") + 1):
                yield place, f"{code!r} does not lie in {wider!r}", f"write {wider}.NAME"
            if code in seen:
                yield place, f"{code!r} stands twice", "keep one"
            seen.add(code)
        for place, code, grid in self.grids():
            if not grid.households and not grid.residents:
                yield place, f"grid {code} has neither households nor residents", "count them, or leave the grid out"

    def warnings(self) -> Iterator[Finding]:
        """Say what can be worked with and is not as the rules want it."""
        for place, code, grid in self.grids():
            if (grid.households or grid.residents) and not (
                grid.households in HOUSEHOLDS or grid.residents in RESIDENTS
            ):
                yield (
                    place,
                    f"grid {code} has {grid.households} households and {grid.residents} residents",
                    "divide or join it: a grid has 300-500 households or 1,000-1,500 people",
                )
            if not grid.workers:
                yield (
                    place,
                    f"nobody walks in grid {code}",
                    "name its grid workers; until then the coordinator verifies",
                )

    def workers_of(self, code: str) -> tuple[str, ...]:
        """The grid workers of an area, in order, each once."""
        found = (worker for _, grid_code, grid in self.grids() if inside(grid_code, code) for worker in grid.workers)
        return tuple(dict.fromkeys(found))


class Areas:
    """The areas of the town, as the API asks for them."""

    def __init__(self, policy: AreaPolicy) -> None:
        self.policy = policy
        self._names = dict(policy.names())

    def exists(self, code: str) -> bool:
        """Whether a report may name this area."""
        if code in self._names:
            return True
        elsewhere = code.partition(".")[0] not in self.policy.districts
        return elsewhere and self.policy.other_districts is OtherDistricts.ACCEPT

    def name_of(self, code: str) -> str:
        """What the community or wider area of a code is called in Chinese; the code itself where the town has no name."""
        for district, in_district in self.policy.districts.items():
            for street, in_street in in_district.streets.items():
                for community, in_community in in_street.communities.items():
                    if inside(code, community):
                        return in_community.name.zh
                if code == street:
                    return in_street.name.zh
            if code == district:
                return in_district.name.zh
        return code

    @property
    def names(self) -> Mapping[str, AreaName]:
        """What each area is called, by its code."""
        return self._names

    def nearest(self, code: str) -> tuple[str, ...]:
        """The areas that somebody may have meant: those inside the narrowest known area around the code.

        Where nothing of a code is known: what is written alike, then the districts and their streets.
        """
        wider = code
        while wider and wider not in self._names:
            wider = wider.rpartition(".")[0]
        if wider:
            within = (each for each in self._names if inside(each, wider) and each.count(".") == wider.count(".") + 1)
            return tuple(sorted(within)) or (wider,)
        alike = get_close_matches(code, sorted(self._names), n=_ALIKE_AT_MOST)
        widest = sorted(
            (each for each in self._names if each.count(".") <= 1), key=lambda each: (each.count("."), each)
        )
        return tuple(dict.fromkeys((*alike, *widest)))
