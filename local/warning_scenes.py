"""Scenes of warnings and of their sweeps: a team at the doors, whoever sees one again, shelters, and the way home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.stories.scenes import OnStage, gives, has_told, stands
from local.warning_walks import PEOPLE, WALKS
from schemas.sweep import Kind as SweepKind
from schemas.warning import Kind

Said = tuple[str, str, Mapping[str, Any]]
"""Who, what, and with which body."""


@dataclass(frozen=True)
class Place:
    """Where it is: how many live in each of its households, which of them comes to the shelter, and who answers for it."""

    point: str
    area: str
    homes: Mapping[str, int]
    guest: str
    answered_by: str


def door(household: str, outcome: str, persons: int, words: str, by: str = "grid_worker") -> Said:
    """What was found at a door."""
    return by, "record_door", {"item": household, "outcome": outcome, "persons": persons, "words": words}


@dataclass(frozen=True, kw_only=True)
class AtTheDoors:
    """Who goes from door to door, when the case of the team stands, and has told of this."""

    way: Sequence[Said]
    when: str = SweepKind.SENT

    async def play(self, stage: OnStage) -> None:
        """Go."""
        await stage.seen(Kind.SWEEP_STANDS)
        sweep, street = f"{stage.case_id}.sweep-1", stage.client(PEOPLE["street_officer"])
        await stands(street, sweep)
        await has_told(street, sweep, self.when)
        await given(stage, sweep, self.way, self.when)


@dataclass(frozen=True, kw_only=True)
class InTheWarning:
    """Who acts in the warning itself."""

    way: Sequence[Said]

    async def play(self, stage: OnStage) -> None:
        """Act."""
        await given(stage, stage.case_id, self.way)


@dataclass(frozen=True, kw_only=True)
class SeenAgainAndCounted:
    """A door that was drawn is seen again, and whoever is in the shelter is counted."""

    place: Place

    async def play(self, stage: OnStage) -> None:
        """Look, when the sweep is reported."""
        sweep, street = f"{stage.case_id}.sweep-1", stage.client(PEOPLE["street_officer"])
        drawn: list[str] = (await has_told(street, sweep, SweepKind.SWEPT)).facts["to_recheck"]
        seen = [("street_officer", "recheck", {"item": each, "as_written": True}) for each in drawn]
        await given(stage, sweep, seen)
        await stage.seen(Kind.SWEPT)
        shelter, people = WALKS.bodies["open_shelter"]["shelter"], self.place.homes[self.place.guest]
        guests = {"shelter": shelter, "household": self.place.guest, "persons": people}
        counted = {"shelter": shelter, "counted": people}
        await given(stage, stage.case_id, [("clerk", "check_in", guests), ("clerk", "headcount", counted)])


@dataclass(frozen=True, kw_only=True)
class GoesHome:
    """The all clear; two look at the place; each household is seen home, and it is reviewed."""

    place: Place

    async def play(self, stage: OnStage) -> None:
        """Go home, when that is permitted."""
        place, sweep = self.place, f"{stage.case_id}.sweep-1"
        looked = {**WALKS.bodies["inspect_place"], "point": place.point}
        left = {**WALKS.bodies["check_out"], "household": place.guest, "persons": place.homes[place.guest]}
        way: list[Said] = [
            ("officer", "declare_all_clear", {}),
            ("officer", "inspect_place", looked),
            ("grid_worker", "inspect_place", looked),
            ("officer", "permit_return", {"points": [place.point]}),
            ("clerk", "check_out", left),
        ]
        await given(stage, stage.case_id, way)
        await has_told(stage.client(PEOPLE["street_officer"]), sweep, SweepKind.RELEASED)
        home: list[Said] = [
            ("grid_worker", "confirm_back", {"item": household, "how": "at_home", "persons": persons})
            for household, persons in place.homes.items()
        ]
        await given(stage, sweep, home)
        await stage.seen(Kind.ALL_BACK)
        await given(stage, stage.case_id, [("officer", "review", WALKS.bodies["review"])])


async def given(stage: OnStage, case_id: str, way: Sequence[Said], when: str = "") -> None:
    """One after the other, in the warning or in its sweep."""
    for number, (by, command, body) in enumerate(way):
        await gives(stage, case_id, PEOPLE[by], command, body, f"{when}{number}")
