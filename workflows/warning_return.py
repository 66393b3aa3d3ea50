"""Over, and back: the end of a warning; two kinds of people look at each place, then its people go home or are rehoused.

Nobody is back by the all clear: it says what may be written, and each sweep what is. What was released and is found unsafe is taken
back.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from schemas.kernel.parties import THE_DEPARTMENT
from schemas.sweep_state import UNSAFE, HouseholdStage, Release
from schemas.values.actor import Actor, Role
from schemas.warning import GRID, STREET, Kind
from schemas.warning_commands import InspectPlace, PermitReturn, Review
from schemas.warning_messages import ItIsOver, Released, Subject, TakenBack
from schemas.warning_state import Asked, ListedHousehold, Stage, SweepSent
from workflows.warning_shelters import Shelters
from workflows.warning_sweeps import Sweeps


class Returns(Sweeps, Shelters):
    """The part of a warning that ends."""

    def ask_all_clear(self, by: Actor) -> None:
        """提请解除: until another person says so too, it is not over."""
        self.state.asked_for_all_clear += 1
        self.state.all_clear = Asked(
            number=self.state.asked_for_all_clear,
            by=by.subject,
            lacking=self.state.lacking,
            of_the_department=by.role is Role.DEPARTMENT_OFFICER,
        )
        self.apply()

    def refuse_all_clear(self) -> None:
        """不同意解除: it can be asked again."""
        self.state.all_clear = None
        self.apply()

    def confirm_all_clear(self, by: Actor) -> None:
        """同意解除: as if its issuer had ended it."""
        self._it_is_over(by)

    def declare_all_clear(self, by: Actor) -> None:
        """解除: teams that have not gone do not go; nobody is home by it."""
        self._it_is_over(by)

    def _it_is_over(self, by: Actor) -> None:
        self.nobody_is_to_go()
        self.clocks.stop("watch", by.subject)
        self.state.all_clear, self.state.cleared_by = None, by.subject
        for point in self.state.points.values():
            if point.moved_again:  # it is looked at anew
                point.inspected, point.inspectors, point.moved_again = {}, {}, False
        self.apply(missing=self.state.missing, not_safe=len(self.state.not_safe))
        self.let_go()
        self.tell_sweeps(Subject.IT_IS_OVER, ItIsOver(by=by.subject, heard=self.state.seq))
        self.look_whether_all_are_back()

    def nobody_is_to_go(self) -> None:
        """No call is waited for; where nobody was moved yet, whoever was called hears so."""
        raise NotImplementedError

    def inspect_place(self, command: InspectPlace, by: Actor) -> None:
        """评估: by the department, and by the grid."""
        point = self.state.points[command.point]
        if command.safe and point.inspected.get(by.role) is False:
            point.inspected, point.inspectors = {}, {}  # it is safe after all: both look again
            self.start_clock("inspect")
        point.inspected[by.role], point.inspectors[by.role] = command.safe, [by.subject, command.second]
        taken_back = not command.safe and point.released == Release.HOME
        self.record_command(taken_back=taken_back)
        if taken_back:
            self._take_back(command.point)
        if self.state.stage == Stage.REVIEWING:
            return
        if all(len(self.state.points[code].inspected) > 1 for code in self._places):
            self.clocks.stop("inspect", by.subject)
            if not (self.clocks.runs("permit") or self._all_are_released):
                self.start_clock("permit")

    def _take_back(self, code: str) -> None:
        """Found unsafe after it was released: nobody goes home there until it is permitted anew."""
        self.state.points[code].released = None
        self._teams_hear_that_it_is_taken_back(code)
        for told in (self.address_of(THE_DEPARTMENT), GRID, f"participant:{self.state.points[code].leader}"):
            self.notify(told, "warning_taken_back", point=code)
        self._whoever_is_home_is_moved(code)

    def _teams_hear_that_it_is_taken_back(self, code: str) -> None:
        teams = [each for each in self.state.sweeps_running if each.point == code]
        taken_back = TakenBack(points=(code,), moves=bool(self._at_home(code)), heard=self.state.seq)
        self.tell_children(teams, Subject.TAKEN_BACK, taken_back)

    def _at_home(self, code: str) -> list[ListedHousehold]:
        return [each for each in self.state.households if each.point == code and each.stage == HouseholdStage.RETURNED]

    def whoever_came_home_is_moved(self, codes: Iterable[str]) -> None:
        """Their words were on their way when their place was taken back: a household is at home where nobody may be."""
        if self.state.stage not in {Stage.CLEARING, Stage.RETURNING}:
            return
        for code in dict.fromkeys(codes):
            if self._at_home(code) and not self.state.points[code].released:
                self._teams_hear_that_it_is_taken_back(code)
                self._whoever_is_home_is_moved(code)

    def _whoever_is_home_is_moved(self, code: str) -> None:
        """Its team goes there once more, or another one where that was done; other places stay as they are."""
        homes = self._at_home(code)
        if not homes:
            return
        self.state.points[code].moved_again = True
        self.clocks.stop("review", "engine")
        if self._all_are_released:
            self.clocks.stop("permit", "engine")
        if all(len(self.state.points[each].inspected) > 1 for each in self._places):
            self.clocks.stop("inspect", "engine")
        self.move(Stage.MOVING, STREET)
        self.send_to(code, [self.home_of(each) for each in homes])

    def permit_return(self, command: PermitReturn, by: Actor) -> None:
        """准返: home, where both have found it safe; else people are rehoused."""
        for code in command.points:
            self.state.points[code].released = self._release_of(code)
        if self.state.stage in {Stage.CLEARING, Stage.RETURNING}:
            self.move(Stage.RETURNING, GRID)
        self.apply(released={code: self.state.points[code].released for code in command.points})
        for child in self.state.sweeps_running:
            if child.point in command.points:
                self.tell_released(child)
        if self._all_are_released:
            self.clocks.stop("permit", by.subject)

    def tell_released(self, child: SweepSent) -> None:
        """How the households of its place may end."""
        release = Release(str(self.state.points[child.point].released))
        released = Released(points=(child.point,), release=release, heard=self.state.seq)
        self.tell_child(child, Subject.RELEASED, released)

    @property
    def _places(self) -> list[str]:
        """Where somebody was sent to, and nobody is moved again."""
        sent_to = dict.fromkeys(each.point for each in self.state.sweeps)
        return [code for code in sent_to if self.state.is_over_at(code)]

    @property
    def _all_are_released(self) -> bool:
        return all(self.state.points[code].released for code in self._places)

    def _release_of(self, code: str) -> Release:
        return Release.HOME if all(self.state.points[code].inspected.values()) else Release.REHOUSE

    def shelters_are_empty(self) -> None:
        """One is."""
        self.look_whether_all_are_back()

    def look_whether_all_are_back(self) -> None:
        """各户均有着落: every sweep is over, nobody is in a shelter, and whoever is dead is a casualty too."""
        state = self.state
        if state.stage not in {Stage.CLEARING, Stage.RETURNING} or state.sweeps_running:
            return
        if any(each.guests or each.missing for each in state.shelters.values()) or state.dead_not_reported:
            return
        for clock in ("inspect", "permit", "expires"):
            self.clocks.stop(clock, "engine")
        self.start_clock("review")
        self.move(Stage.REVIEWING, self.address_of(THE_DEPARTMENT))
        self.record(Kind.ALL_BACK, **self.counted())
        self.close_shelters()
        ended = Counter(each.stage for each in state.households)
        self.notify(
            self.address_of(THE_DEPARTMENT),
            "warning_to_review",
            returned=ended[HouseholdStage.RETURNED],
            rehoused=ended[HouseholdStage.REHOUSED],
            elsewhere=ended[HouseholdStage.ELSEWHERE],
            with_police=ended[HouseholdStage.WITH_POLICE],
            dead=ended[HouseholdStage.DEAD],
            listed=ended[HouseholdStage.LISTED],
        )

    def review(self, command: Review) -> None:
        """复盘."""
        self.state.on_no_list = max(self.state.on_no_list, command.on_no_list)
        self.apply()

    def counted(self) -> dict[str, Any]:
        """How many households stand where, by what their sweeps last said."""
        stages = [each.stage for each in self.state.households]
        return {
            "households": len(stages),
            "unsafe": sum(each in UNSAFE for each in stages),
            "returned": stages.count("returned"),
            "rehoused": stages.count("rehoused"),
            "heads": sum(each.heads for each in self.state.households),
            "accounted_for": sum(each.persons for each in self.state.households),
            "stages": dict(sorted(Counter(stages).items())),
        }

    def outcome(self) -> dict[str, Any]:
        """How it went."""
        return {**self.counted(), "sweeps": len(self.state.sweeps), "rounds": self.state.rounds}
