"""The shelters of a warning: who is in them by the list, and who was counted there by eye."""

from datetime import timedelta

from schemas.kernel.parties import COORDINATOR, WINDOW_CLERK, desk_of
from schemas.warning import GRID, STREET
from schemas.warning_shelter_commands import CheckIn, CheckOut, CloseShelter, Headcount, OpenShelter
from schemas.warning_state import Refuge, WarningState
from workflows.kernel.declared import DeclaredCase

CLERKS, DESK = desk_of(WINDOW_CLERK), desk_of(COORDINATOR)


class Shelters(DeclaredCase[WarningState]):
    """The part of a warning that has people in shelters."""

    def shelters_are_empty(self) -> None:
        """Go on, if that was waited for."""
        raise NotImplementedError

    def open_shelter(self, command: OpenShelter) -> None:
        """启用: with somebody who keeps it."""
        refuge = self._refuge(command.shelter)
        refuge.opened, refuge.keeper = True, command.keeper
        self.record_command(places=refuge.places, step_free=refuge.step_free)
        for told in (GRID, CLERKS):
            self.notify(told, "warning_shelter_open", shelter=command.shelter, places=refuge.places)

    def check_in(self, command: CheckIn) -> None:
        """登记: with the first guest it has to be counted in time. Who comes later is added."""
        refuge = self._refuge(command.shelter)
        if not self._counts(refuge, command):
            return
        if not refuge.guests:
            refuge.first_guest_at = refuge.first_guest_at or self.now()
            self._count_is_due(command.shelter, refuge)
        refuge.guests[command.household] = refuge.guests.get(command.household, 0) + command.persons
        self.record_command(people=refuge.people)

    def _counts(self, refuge: Refuge, command: CheckIn | CheckOut) -> bool:
        """The later word on a household counts; the older one stands in the ledger, and changes nothing."""
        if command.is_overtaken(refuge):
            self.record_command(people=refuge.people, counts=False)
            return False
        return True

    def check_out(self, command: CheckOut) -> None:
        """离开: who leaves is not whoever lacks, unless it is said so: they are looked for until the next count."""
        refuge = self._refuge(command.shelter)
        if not self._counts(refuge, command):
            return
        left = refuge.guests.get(command.household, 0) - command.persons
        refuge.guests = {code: each for code, each in refuge.guests.items() if code != command.household}
        if left > 0:
            refuge.guests[command.household] = left
        refuge.said[command.household] = max(
            command.done_at or self.now(), refuge.said.get(command.household, self.state.opened_at)
        )
        refuge.missing -= command.found
        self._look_at_count(command.shelter, refuge)
        self.record_command(people=refuge.people)
        self.shelters_are_empty()

    def headcount(self, command: Headcount) -> None:
        """清点: who is not there is looked for at once."""
        refuge = self._refuge(command.shelter)
        refuge.counts += 1
        refuge.missing = max(0, refuge.people - command.counted)
        self.record_command(people=refuge.people, missing=refuge.missing, number=refuge.counts)
        self.clocks.stop(f"headcount:{command.shelter}", "engine")
        if refuge.guests or refuge.missing:
            self._count_is_due(command.shelter, refuge)
        if refuge.missing:
            for told in (GRID, STREET, DESK):
                self.notify(told, "warning_missing", shelter=command.shelter, missing=refuge.missing)

    def close_shelter(self, command: CloseShelter) -> None:
        """关闭: empty, and everybody counted."""
        self._refuge(command.shelter).opened = False
        self.record_command()
        self.shelters_are_empty()

    def _count_is_due(self, shelter: str, refuge: Refuge) -> None:
        """Often at first, later less so."""
        terms, first = self.state.terms, refuge.first_guest_at
        later = timedelta(hours=terms.headcount_later_after_hours)
        is_later = first is not None and self.now() - first >= later
        self.start_clock(f"headcount:{shelter}", limit=terms.headcount_later if is_later else None)

    def _look_at_count(self, shelter: str, refuge: Refuge) -> None:
        if not (refuge.guests or refuge.missing):
            self.clocks.stop(f"headcount:{shelter}", "engine")

    def _refuge(self, code: str) -> Refuge:
        return self.state.shelters[code]
