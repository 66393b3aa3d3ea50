"""Who is moved, by which lists: ordered, by itself, or by the level; nobody twice, and nobody is called back by what is less grave.

What its sweeps say leads on: swept, going again, worse again after the all clear.
"""

from datetime import datetime
from typing import Any

from schemas.kernel.acts import Step
from schemas.kernel.parties import THE_DEPARTMENT
from schemas.sweep_state import SweepState
from schemas.values.actor import Actor
from schemas.warning import STREET, Kind
from schemas.warning_commands import FoundHousehold, OrderMove, RaiseLevel
from schemas.warning_messages import ItIsOver, LevelChanged, Subject, WorseAgain
from schemas.warning_state import BEFORE_MOVING, OUT, AtRisk, Stage, SweepSent
from schemas.warning_terms import WarningLevel
from workflows.warning_calls import Calls
from workflows.warning_return import Returns


class Moves(Returns, Calls):
    """The part of a warning that has people moved."""

    # ---- ordered -----------------------------------------------------------------------------------------------------

    def order_move(self, command: OrderMove, by: Actor) -> None:
        """下令转移: the lists that are named. After the all clear it is worse again, and nobody goes home."""
        for clock in ("order", "confirm", "watch"):
            self.clocks.stop(clock, by.subject)
        self.state.dismissal = None
        self._is_worse_again()
        listed = self.move_by(command.zones)
        self.record_command(listed=listed)

    def order_by_itself(self, step: Step) -> None:
        """超时自动转移: the lists of its level."""
        self.clocks.stop("order", "engine")
        listed = self.move_by(self.state.terms.levels[self.state.level].moves)
        self.record(self.entry_of(step), zones=self.state.moves, listed=listed)
        self.inform(step, {})

    def move_by(self, zones: Any) -> list[str]:
        """Whoever these lists name and who stands on none yet; where nobody was called before, they are now."""
        self.state.all_clear = None  # it was asked when fewer were moved
        listed = self.move_lists(zones)
        self.move(Stage.MOVING, STREET)
        self.ask_for_lists()
        if not (self.state.sweeps_running or self.state.waiting):
            self.start_clock("sheltered")  # no team goes: that it is looked at is somebody's duty all the same
        if not self.state.calls:
            self.call_all()
        self.notify(STREET, "warning_move", hazard=self.state.hazard, households=len(listed))
        return listed

    def _is_worse_again(self) -> None:
        """Where an all clear holds, at any place, it holds no more."""
        if self.state.cleared_by is None:
            return
        self.state.cleared_by = None
        self.clocks.stop("inspect", "engine")
        self.clocks.stop("permit", "engine")
        for point in self.state.points.values():
            point.inspected, point.inspectors, point.released = {}, {}, None
        were_over = [each for each in self.state.sweeps_running if not self.state.points[each.point].moved_again]
        for point in self.state.points.values():
            point.moved_again = False
        self.tell_children(were_over, Subject.WORSE_AGAIN, WorseAgain(heard=self.state.seq + 1))

    # ---- graver, or less grave ---------------------------------------------------------------------------------------

    def raise_level(self, command: RaiseLevel) -> None:
        """升级: by somebody of the town."""
        before = self.state.level
        self.record_command(before_level=before)
        self.level_is(command.level, command.onset)

    def level_is(self, level: WarningLevel, onset: datetime | None, *, again: bool = False) -> None:
        """Graver: who was not called is, and whoever its lists name is moved too. Less grave calls nobody back.

        `again`: it was over, and its issuer says that it is not: nobody goes home, however grave it was before, and whoever was
        moved and is home already is moved again, also those of a list that the town had ordered beyond its level. Where nobody
        was moved yet, those who lead are called anew.
        """
        before, self.state.level = self.state.level, level
        self.state.onset = onset or self.state.onset
        if not (again or level.is_above(before)):
            if onset is not None and self.state.stage in OUT:
                self._teams_hear_of_it()
            if self.state.stage == Stage.CALLING and not self.state.terms.levels[level].calls:
                self._nobody_is_called_any_more()
            return
        self.state.dismissal, self.state.cancel, self.state.all_clear = None, None, None  # asked of what was less grave
        if self.state.stage in {Stage.ISSUED, Stage.WATCHING} or self._those_who_lead_are_called_off:
            self.clocks.stop("confirm", "engine")
            self.goes_by_its_level()
        elif self.state.stage == Stage.CALLING:
            self.is_graver_than_they_were_called_for()
        elif self.state.stage in OUT:
            self._more_are_moved(again=again)

    def _nobody_is_called_any_more(self) -> None:
        """Less grave before anybody was moved: somebody watches."""
        self.no_call_is_waited_for()
        self.goes_by_its_level()

    def nobody_is_to_go(self) -> None:
        """It is over: no call is waited for; where nobody was moved yet, whoever was called hears so."""
        if self.state.calls and self.state.stage in BEFORE_MOVING:
            self.whoever_was_called_hears()
        self.no_call_is_waited_for()
        self.last_limit_if_safe()

    @property
    def _those_who_lead_are_called_off(self) -> bool:
        """Whether its issuer had called it off, and it goes on for who is in a shelter: nobody is called at the stage of calls."""
        return self.state.stage == Stage.CALLING and bool(self.state.points) and not self.state.calls

    def _more_are_moved(self, *, again: bool) -> None:
        """Whoever the lists of the level name and who stands on none yet; nobody is asked for that. No list, nobody more."""
        ordered = self.state.moves if again else []
        zones = list(dict.fromkeys((*ordered, *self.state.terms.levels[self.state.level].moves)))
        moves = bool(zones) or again
        if moves:
            self._is_worse_again()
        self._teams_hear_of_it()
        if moves:
            listed = self.move_by(zones)
            self.record(Kind.MOVED_BY_LEVEL, zones=zones, listed=listed)

    def _teams_hear_of_it(self) -> None:
        changed = LevelChanged(level=self.state.level, onset=self.state.onset, heard=self.state.seq)
        self.tell_sweeps(Subject.LEVEL_CHANGED, changed)

    # ---- found, and told by the teams --------------------------------------------------------------------------------

    def found_household(self, command: FoundHousehold) -> None:
        """补充: by a list that is moved, somebody goes there now; else it waits with the others of its place."""
        home = AtRisk(
            code=self.state.household_code(),
            zone=command.zone,
            heads=command.heads,
            found=True,
            address=command.address,
        )
        self.state.points[command.point].households.append(home)
        is_over = self.state.stage not in {Stage.MOVING, Stage.SHELTERED} or self.state.is_over_at(command.point)
        moved = command.zone in self.state.moves and not is_over
        self.state.on_no_list += 1
        self.record_command(household=home.code, moved=moved)
        if moved:
            self.send_to(command.point, [home])
            self.move(Stage.MOVING, STREET)
        elif self.state.stage in OUT:
            self.notify(STREET, "warning_found_waits", point=command.point)

    def sweep_has_told(self) -> None:
        """Swept, when no team has still to go to a door; going again, when one has; over, when all are."""
        state = self.state
        if state.stage == Stage.MOVING and state.sweeps and self.all_are_swept_now:
            self.move(Stage.SHELTERED, self.address_of(THE_DEPARTMENT))
            self.start_clock("sheltered")
            self.record(Kind.SWEPT, **self.counted())
            for told in (self.address_of(THE_DEPARTMENT), STREET):
                self.notify(told, "warning_swept", unsafe=self.counted()["unsafe"])
        elif state.stage == Stage.SHELTERED and not self.all_are_swept_now:
            self.move(Stage.MOVING, STREET)
        if state.dead_not_reported:
            for told in (STREET, self.address_of(THE_DEPARTMENT)):
                self.notify(told, "warning_dead_not_reported")
        self.look_whether_all_are_back()

    def move(self, stage: str, holder: str) -> None:
        """Going on silences nobody: as long as somebody waits for an answer or a team, everybody is called again and again."""
        if stage == Stage.MOVING:
            self.clocks.stop("sheltered", "engine")
        super().move(stage, holder)
        self.last_limit_if_safe()

    def last_limit_if_safe(self) -> None:
        """Nobody waits: whoever was called again and again is not any more."""
        if not self.state.somebody_waits:
            self.clocks.stop(self.procedure.last_limit, "engine")

    def sweep_stands(self, child: SweepSent, opening: SweepState) -> None:
        """What was said of all sweeps before this one stood."""
        if self.state.level.is_above(opening.level):
            changed = LevelChanged(level=self.state.level, onset=self.state.onset, heard=self.state.seq)
            self.tell_child(child, Subject.LEVEL_CHANGED, changed)
        if not self.state.is_over_at(child.point):
            return
        if self.state.points[child.point].released:
            self.tell_released(child)
        else:
            over = ItIsOver(by=self.state.cleared_by or "engine", heard=self.state.seq)
            self.tell_child(child, Subject.IT_IS_OVER, over)
