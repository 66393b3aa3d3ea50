"""The shelters of a warning: who is in them by the list, and who was counted there by eye."""

from datetime import datetime, timedelta

from schemas.contracts.reserved_units import ReserveStatus
from schemas.kernel.parties import COORDINATOR, WINDOW_CLERK, desk_of
from schemas.parts.reservations import ReservedUnit
from schemas.warning import GRID, STREET, Kind
from schemas.warning_shelter_commands import CheckIn, CheckOut, CloseShelter, Headcount, OpenShelter
from schemas.warning_state import Refuge, WarningState
from workflows.parts.reservations import ReservationsCase

CLERKS, DESK = desk_of(WINDOW_CLERK), desk_of(COORDINATOR)


SHELTERS = "shelter"
"""What a warning reserves over all warnings: the list of who is in one."""


class Shelters(ReservationsCase[WarningState]):
    """The part of a warning that has people in shelters.

    Two warnings send people to one gym, and by eye they are one crowd: all stand in the list of the warning that opened it. It is
    open from the word of whoever opens it; where the table says that another warning has it, nobody more is listed here.
    """

    def shelters_are_empty(self) -> None:
        """Go on, if that was waited for."""
        raise NotImplementedError

    def key_over_warnings(self, code: str) -> str:
        """What it is called over all warnings; a drill is among drills."""
        return f"{'drill/' if self.state.drill else ''}{code}"

    def unit_is_held(self, unit: ReservedUnit) -> None:
        """It is this warning's: closed again meanwhile, or not."""
        if not self.state.shelters[self._shelter_of(unit)].opened:
            self.give_up_unit(unit)

    def unit_is_refused(self, unit: ReservedUnit) -> None:
        """Another warning lists who is in it. What is no answer of the table keeps nobody out."""
        code = self._shelter_of(unit)
        refuge = self._refuge(code)
        if unit.code != ReserveStatus.TAKEN or not refuge.opened:
            return
        refuge.book_elsewhere, refuge.opened = True, bool(refuge.guests)
        self.clocks.stop(f"headcount:{code}", "engine")
        self.record(Kind.SHELTER_ELSEWHERE, shelter=code, people=refuge.people)
        for told in (STREET, GRID, CLERKS, f"participant:{refuge.keeper}"):
            self.notify(told, "warning_shelter_elsewhere", shelter=code, people=refuge.people)
        self.shelters_are_empty()

    def _book_of(self, code: str) -> str:
        return f"shelter-{list(self.state.shelters).index(code) + 1}"

    def _shelter_of(self, unit: ReservedUnit) -> str:
        return str(unit.key).rpartition("/")[2]

    def open_shelter(self, command: OpenShelter) -> None:
        """启用: with somebody who keeps it."""
        refuge = self._refuge(command.shelter)
        refuge.opened, refuge.keeper, refuge.book_elsewhere = True, command.keeper, False
        self.record_command(places=refuge.places, step_free=refuge.step_free)
        for told in (GRID, CLERKS, f"participant:{refuge.keeper}"):
            self.notify(told, "warning_shelter_open", shelter=command.shelter, places=refuge.places)
        if self.state.terms.one_book_per_shelter:
            self.reserve_unit(SHELTERS, self._book_of(command.shelter), key=self.key_over_warnings(command.shelter))

    def check_in(self, command: CheckIn) -> None:
        """登记: with the first guest it has to be counted in time. Who comes later is added."""
        refuge = self._refuge(command.shelter)
        if not self._counts(refuge, command):
            return
        if not refuge.guests:
            refuge.first_guest_at = refuge.first_guest_at or self.now()
            self._count_is_due(command.shelter, refuge)
        self._was_so(refuge, command.done_at, command.persons)
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
        inside = refuge.guests.get(command.household, 0)
        left = inside - command.persons
        refuge.guests = {code: each for code, each in refuge.guests.items() if code != command.household}
        if left > 0:
            refuge.guests[command.household] = left
        refuge.said[command.household] = max(
            command.done_at or self.now(), refuge.said.get(command.household, self.state.opened_at)
        )
        self._was_so(refuge, command.done_at, -min(inside, command.persons))
        refuge.missing -= command.found
        self._look_at_count(command.shelter, refuge)
        self.record_command(people=refuge.people)
        self.shelters_are_empty()

    def headcount(self, command: Headcount) -> None:
        """清点: who is not there is looked for at once."""
        refuge = self._refuge(command.shelter)
        if command.is_overtaken(refuge):
            self._lacked_by_paper(command, refuge)
            return
        self._was_so(refuge, command.done_at)
        refuge.counted_at = command.done_at or self.now()
        refuge.counts += 1
        refuge.missing = max(0, refuge.people - command.counted)
        self.record_command(people=refuge.people, missing=refuge.missing, number=refuge.counts)
        self.clocks.stop(f"headcount:{command.shelter}", "engine")
        if refuge.guests or refuge.missing:
            self._count_is_due(command.shelter, refuge)
        if refuge.missing:
            for told in (GRID, STREET, DESK):
                self.notify(told, "warning_missing", shelter=command.shelter, missing=refuge.missing)

    def _lacked_by_paper(self, command: Headcount, refuge: Refuge) -> None:
        """Held against the list of then, it sets nothing; who lacked is told of, and counted anew, if nobody has counted since."""
        then = command.done_at or self.now()
        counted_since = refuge.counted_at is not None and refuge.counted_at > then
        lacked = 0 if counted_since else max(0, refuge.people_at(then) - command.counted)
        told = {"people": refuge.people, "missing": refuge.missing, "number": refuge.counts}
        self.record_command(**told, counts=False, lacked=lacked)
        if not lacked:
            return
        clock = f"headcount:{command.shelter}"
        self.clocks.stop(clock, "engine")
        self.start_clock(clock, limit=self.state.terms.unsafe)
        for to in (GRID, STREET, DESK):
            self.notify(to, "warning_lacked", shelter=command.shelter, lacked=lacked)

    def close_shelter(self, command: CloseShelter) -> None:
        """关闭: empty, and everybody counted."""
        self._refuge(command.shelter).opened = False
        self.record_command()
        self._others_may_open(command.shelter)
        self.shelters_are_empty()

    def close_shelters(self) -> None:
        """关闭: by itself, when a warning is looked back on; another one may open them, whoever forgot to close them."""
        for code, refuge in self.state.shelters.items():
            if not refuge.opened:
                continue
            refuge.opened = False
            self.record(Kind.CLOSED_SHELTER, shelter=code, by_itself=True)
            self.notify(f"participant:{refuge.keeper}", "warning_shelter_closed", shelter=code)
            self._others_may_open(code)

    def _others_may_open(self, code: str) -> None:
        unit = self.state.unit_of(self._book_of(code))
        if unit is not None:
            self.give_up_unit(unit)

    def _count_is_due(self, shelter: str, refuge: Refuge) -> None:
        """Often at first, later less so."""
        terms, first = self.state.terms, refuge.first_guest_at
        later = timedelta(hours=terms.headcount_later_after_hours)
        is_later = first is not None and self.now() - first >= later
        self.start_clock(f"headcount:{shelter}", limit=terms.headcount_later if is_later else None)

    def _look_at_count(self, shelter: str, refuge: Refuge) -> None:
        if not (refuge.guests or refuge.missing):
            self.clocks.stop(f"headcount:{shelter}", "engine")

    def _was_so(self, refuge: Refuge, done_at: datetime | None, many: int = 0) -> None:
        """So many came or, below nought, left; or somebody was counted."""
        at = done_at or self.now()
        oldest = self.now() - timedelta(hours=self.state.terms.entered_within_hours)
        refuge.changes = [*(each for each in refuge.changes if each[0] >= oldest), *([(at, many)] if many else [])]
        refuge.last_at = at if refuge.last_at is None else max(at, refuge.last_at)

    def _refuge(self, code: str) -> Refuge:
        return self.state.shelters[code]
