"""Who has a team for which list of which place: of all warnings one at a time, so that nobody stands before two teams.

Two warnings may be of one place: rain over a street, and a slope in it that moves. Before a team goes to a list of the town's
(`a`, `b`, `ring`) of a place, the warning reserves that list over all warnings; a drill reserves among drills. Another one has
it: its team moves these households, and here they stand as listed, which nobody leaves by silence; it is asked again every few
minutes, and when the other warning lets go - its people are home while this danger lasts - a team of this one goes. Whoever is
found on no list is this warning's own. What is no answer of the table keeps no team back.
"""

from collections.abc import Sequence

from schemas.contracts.reserved_units import ReserveStatus
from schemas.kernel.acts import Step
from schemas.kernel.parties import STREET_OFFICER, THE_DEPARTMENT, desk_of
from schemas.parts.reservations import ReservedUnit, UnitStanding
from schemas.warning_state import NOBODYS, AtRisk, ListedHousehold, Stage, WarningState
from schemas.warning_terms import Zone
from workflows.parts.reservations import ReservationsCase

STREET = desk_of(STREET_OFFICER)
LISTS_OF_PLACES = "swept-place"
"""What a warning reserves over all warnings."""

GIVEN_UP = frozenset({UnitStanding.GIVEN_UP, UnitStanding.RELEASED})


class Places(ReservationsCase[WarningState]):
    """The part of a warning that asks for the lists of places."""

    def send_team(self, point: str, homes: Sequence[AtRisk], *, as_they_stand: bool = False) -> None:
        """A team of this warning goes to these."""
        raise NotImplementedError

    def list_home(self, home: AtRisk, point: str, sweep: int, *, as_they_stand: bool = False) -> None:
        """They stand on the list of that sweep, or of none yet."""
        raise NotImplementedError

    def send_to(self, point: str, homes: Sequence[AtRisk]) -> None:
        """Send a team to whoever is this warning's; of the others it is asked whether they are."""
        ours = [home for home in homes if self._is_ours(point, home)]
        if ours:
            self.send_team(point, ours)
        for home in homes:
            if home not in ours:
                self.list_home(home, point, NOBODYS)
        self.ask_for_lists()

    def _is_ours(self, point: str, home: AtRisk) -> bool:
        shared = self.state.terms.one_team_per_list and not home.found
        return not shared or self.state.holds(self._what_for(point, home.zone))

    def ask_for_lists(self) -> None:
        """Ask for every list that somebody waits for, unless it is being asked."""
        for point, zone in dict.fromkeys((each.point, each.zone) for each in self.state.waiting):
            what_for = self._what_for(point, zone)
            unit = self.state.unit_of(what_for)
            if unit is None or unit.standing in GIVEN_UP:
                self.reserve_unit(LISTS_OF_PLACES, what_for, key=self._key(point, zone))
            elif unit.standing is UnitStanding.REFUSED:
                unit.standing = (
                    UnitStanding.ASKED
                )  # nothing stands in the table under its purpose: the same is asked again
                self.errand("reserve", unit.number)
            elif unit.standing is UnitStanding.HELD:
                self._send_waiting(point, zone)
        if self.state.waiting:
            self.start_clock("lists")

    def unit_is_held(self, unit: ReservedUnit) -> None:
        """It is this warning's: a team goes, unless it is over by now."""
        if unit.kind != LISTS_OF_PLACES:
            super().unit_is_held(unit)
            return
        point, zone = self._list_of(unit)
        if self.state.stage in {Stage.MOVING, Stage.SHELTERED}:
            self._send_waiting(point, zone)
        else:
            self.give_up_unit(unit)

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """Another warning's team moves them: the street and the department hear so, each time that it is asked."""
        if unit.kind != LISTS_OF_PLACES:
            super().unit_is_refused(unit)
            return
        if self.state.stage not in {Stage.MOVING, Stage.SHELTERED}:
            return
        point, zone = self._list_of(unit)
        if unit.code != ReserveStatus.TAKEN:
            self._send_waiting(point, zone)
            return
        for told in (STREET, self.address_of(THE_DEPARTMENT)):
            self.notify(told, "warning_list_taken", point=point, zone=zone)

    def ask_again(self, step: Step) -> None:
        """再次申请: the other one may have let go."""
        self.record(self.entry_of(step), waiting=len(self.state.waiting))
        self.ask_for_lists()

    def let_go(self) -> None:
        """It is over: another warning may move whoever it has to move, from now on, also those who are not home yet."""
        for unit in list(self.state.reserved_units):
            if unit.kind == LISTS_OF_PLACES:
                self.give_up_unit(unit)

    async def errand_reserve(self, number: int) -> None:
        """Ask the table; what was given up of the same is free first, else this very warning would have it."""
        asked = self.state.reserved_units[number - 1]
        for earlier in self.state.reserved_units[: number - 1]:
            if earlier.what_for == asked.what_for and earlier.standing is UnitStanding.GIVEN_UP:
                await self.errand_done("release", earlier.number)
        await super().errand_reserve(number)

    def _send_waiting(self, point: str, zone: str) -> None:
        waiting = [each for each in self.state.waiting if (each.point, each.zone) == (point, zone)]
        if waiting:
            self.send_team(point, [self.home_of(each) for each in waiting])

    def home_of(self, listed: ListedHousehold) -> AtRisk:
        """A household as its place has it."""
        return next(each for each in self.state.points[listed.point].households if each.code == listed.code)

    def _what_for(self, point: str, zone: Zone) -> str:
        return f"place-{list(self.state.points).index(point) + 1}-{zone}"

    def _key(self, point: str, zone: Zone) -> str:
        return f"{'drill/' if self.state.drill else ''}{point}/{zone}"

    def _list_of(self, unit: ReservedUnit) -> tuple[str, str]:
        point, zone = str(unit.key).split("/")[-2:]
        return point, zone
