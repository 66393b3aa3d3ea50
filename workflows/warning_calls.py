"""Who leads at each place is called, and answers for it: where the warning is grave enough; else somebody watches.

Picked up is not answered. Who does not answer is followed by whoever stands in.
"""

from schemas.kernel.parties import THE_DEPARTMENT
from schemas.values.actor import Actor
from schemas.warning import GRID, STREET, Kind
from schemas.warning_commands import AcknowledgeCall, NamePlace
from schemas.warning_state import Call, Point, Stage, WarningState
from workflows.kernel.declared import DeclaredCase


class Calls(DeclaredCase[WarningState]):
    """The part of a warning that calls."""

    def goes_by_its_level(self) -> None:
        """Grave, those who lead are called; less grave, somebody watches."""
        if self.state.terms.levels[self.state.level].calls:
            self.call_out()
            return
        self.start_clock("watch")
        self.move(Stage.WATCHING, STREET)
        self.record(Kind.WATCHED, level=self.state.level)
        for told in (STREET, GRID):
            self.notify(told, "warning_watch", hazard=self.state.hazard, level=self.state.level)

    def call_out(self) -> None:
        """叫应: who leads at each place; the order to move is due soon."""
        self.clocks.stop("watch", "engine")
        self.move(Stage.CALLING, self.address_of(THE_DEPARTMENT))
        if self.state.terms.levels[self.state.level].moves:
            self.start_clock("order")
        self.call_all()
        self.record(Kind.CALLED, points=list(self.state.points))
        for told in (STREET, self.address_of(THE_DEPARTMENT)):
            self.notify(told, "warning_called", hazard=self.state.hazard, level=self.state.level)

    def call_all(self) -> None:
        """Who leads at each place; where no list has a place, that is said, for then nobody is called."""
        for code in self.state.points:
            self.call_for(code)
        if not self.state.points:
            for told in (STREET, self.address_of(THE_DEPARTMENT)):
                self.notify(told, "warning_no_places", hazard=self.state.hazard)

    def call_for(self, code: str) -> None:
        """Who leads at this place."""
        self.state.calls.append(Call(number=len(self.state.calls) + 1, point=code, at=self.now()))
        self.start_clock(f"call:{code}")
        leader = f"participant:{self.state.points[code].leader}"
        self.notify(leader, "warning_call", hazard=self.state.hazard, level=self.state.level, point=code)

    def name_place(self, command: NamePlace) -> None:
        """新增地点: who leads there is called, if the others are; households are added to it one by one."""
        code = self.state.place_code()
        self.state.points[code] = Point(area=self.state.area, leader=command.leader, deputy=command.deputy)
        self.record_command(point=code)
        if self.state.calls or self.state.stage == Stage.CALLING:
            self.call_for(code)

    def acknowledge_call(self, command: AcknowledgeCall, by: Actor) -> None:
        """应答: who, and when."""
        for call in self.state.unanswered:
            if call.point == command.point:
                call.answered_by = by.subject
        self.clocks.stop(f"call:{command.point}", by.subject)
        self.last_limit_if_safe()
        self.record_command()

    def last_limit_if_safe(self) -> None:
        """Whoever was called again and again is not any more, if nobody waits."""
        raise NotImplementedError

    def on_duty_broken(self, clock: str) -> None:
        """Nobody has answered for a place: who stands in is called."""
        super().on_duty_broken(clock)
        name, _, code = clock.partition(":")
        if name == "call":
            deputy = self.state.points[code].deputy
            self.notify(
                f"participant:{deputy}", "warning_call", hazard=self.state.hazard, level=self.state.level, point=code
            )

    def whoever_was_called_hears(self) -> None:
        """Nobody is to go."""
        for told in (GRID, *self._who_was_called()):
            self.notify(told, "warning_called_off", hazard=self.state.hazard)

    def is_graver_than_they_were_called_for(self) -> None:
        """Whoever leads hears it, also who has answered; the order is due, if none was at the level before."""
        if self.state.terms.levels[self.state.level].moves and not self.clocks.runs("order"):
            self.start_clock("order")
        for told in (*self._who_was_called(), STREET, self.address_of(THE_DEPARTMENT)):
            self.notify(told, "warning_graver", hazard=self.state.hazard, level=self.state.level)

    def no_call_is_waited_for(self) -> None:
        """Nor an order: were it grave again, they are called anew."""
        for clock in ("order", *(f"call:{each.point}" for each in self.state.unanswered)):
            self.clocks.stop(clock, "engine")
        self.state.calls = []

    def _who_was_called(self) -> list[str]:
        """Who leads at the places that were called, and who stands in, each once."""
        points = [self.state.points[each.point] for each in self.state.calls]
        return list(dict.fromkeys(f"participant:{each}" for point in points for each in (point.leader, point.deputy)))
