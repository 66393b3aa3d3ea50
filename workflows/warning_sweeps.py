"""The sweeps of a warning: one for each place, each a case of its own; nobody is listed twice, and nobody is missing.

Each household that is to be moved stands on exactly one list, from the moment at which it is ordered; what its sweep says of it
is taken in by household, and older news loses.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from schemas.kernel.case import CaseState, Letter, Message
from schemas.parts.children import open_child
from schemas.sweep import SWEEP
from schemas.sweep_state import ENDS, Household, HouseholdStage, SweepState
from schemas.sweep_state import Stage as SweepStage
from schemas.values.model import Model
from schemas.warning import Kind
from schemas.warning_messages import HouseholdsAdded, Listed, NotTaken, Subject, SweepReport
from schemas.warning_state import AtRisk, ListedHousehold, Stage, SweepSent, WarningState
from schemas.warning_terms import Zone
from workflows.parts.children import ChildrenCase
from workflows.warning_places import Places


class Sweeps(ChildrenCase[WarningState, SweepSent], Places):
    """The part of a warning that sends teams."""

    child_procedure = SWEEP
    child_errand = "send_team"
    MESSAGE_HANDLERS = {
        Subject.SWEEP_REPORTED: (SweepReport, "hear_sweep"),
        Subject.NOT_TAKEN: (NotTaken, "not_taken"),
    }

    async def story(self) -> None:
        """As long as anything can happen, then until every sweep stands and has been told."""
        await super().story()
        await self.until(lambda: not self.state.errands)

    def sweep_has_told(self) -> None:
        """Go on: one stands elsewhere, or is over."""
        raise NotImplementedError

    def whoever_came_home_is_moved(self, codes: Iterable[str]) -> None:
        """Where their place is not released."""
        raise NotImplementedError

    # ---- listed -----------------------------------------------------------------------------------------------------

    def move_lists(self, zones: Iterable[Zone]) -> list[str]:
        """Put whoever is on these lists to a team, who stands on none yet; the codes."""
        named = list(zones)
        self.state.moves = list(dict.fromkeys((*self.state.moves, *named)))
        to_move = self.state.to_move(named)
        for point, homes in groupby(to_move, key=lambda each: each[0]):
            self.send_to(point, [home for _, home in homes])
        return [home.code for _, home in to_move]

    def send_team(self, point: str, homes: Sequence[AtRisk], *, as_they_stand: bool = False) -> None:
        """To the team of that place: it has a sweep, which hears of them, or gets one. Nobody was there yet, or `as_they_stand`."""
        state, sweep = self.state, self.state.sweep_of(point)
        fresh = sweep is None
        if sweep is None:
            sweep = SweepSent(number=len(state.sweeps) + 1, point=point, sent_at=self.now(), stamp=self.stamp)
            state.sweeps.append(sweep)
        for home in homes:
            self.list_home(home, point, sweep.number, as_they_stand=as_they_stand)
        if fresh:
            self.ask_for_child(sweep)
        else:
            self._tell_of(sweep, [home.code for home in homes])

    def list_home(self, home: AtRisk, point: str, sweep: int, *, as_they_stand: bool = False) -> None:
        """On one list, from now on; nobody was there yet, unless they stay `as_they_stand`."""
        known = self.state.listed(home.code)
        if known is not None:  # it waited, had ended and is in danger again, or its sweep is over or gone
            known.sweep, known.heard = sweep, 0
            if not as_they_stand:
                known.stage, known.persons = HouseholdStage.LISTED, 0
            return
        listed = ListedHousehold(
            code=home.code, point=point, zone=home.zone, heads=home.heads, address=home.address, sweep=sweep
        )
        self.state.households.append(listed)

    def _tell_of(self, sweep: SweepSent, codes: Sequence[str]) -> None:
        """What is said before its case stands is in what it starts with."""
        listed = tuple(_as_listed(each) for each in self.state.households if each.code in codes)
        self.tell_child(sweep, Subject.HOUSEHOLDS_ADDED, HouseholdsAdded(households=listed))

    def tell_sweeps(self, subject: str, facts: Model) -> None:
        """Tell all that are under way."""
        self.tell_children(self.state.sweeps_running, subject, facts)

    # ---- the child --------------------------------------------------------------------------------------------------

    def children(self) -> Sequence[SweepSent]:
        """Every sweep that was sent."""
        return self.state.sweeps

    def code_of(self, child: SweepSent) -> str:
        """In order."""
        return f"sweep-{child.number}"

    def is_told(self, child: SweepSent) -> bool:
        """Once its case stands."""
        return child.started

    async def errand_send_team(self, number: int) -> None:
        """Start the case of a sweep."""
        await self.start_child(number)

    def opening_of(self, child: SweepSent) -> CaseState:
        """Whom it goes to, and who leads, as the warning has it now."""
        state, point = self.state, self.state.points[child.point]
        listed = [each for each in state.households if each.sweep == child.number]
        return open_child(
            SweepState,
            state,
            self.code_of(child),
            stamp=child.stamp or state.opening,
            at=child.sent_at,
            department=state.department,
            area=point.area,
            terms=state.terms,
            number=child.number,
            hazard=state.hazard,
            level=state.level,
            drill=state.drill,
            onset=state.onset,
            leader=point.leader,
            deputy=point.deputy,
            items=[
                Household(number=number, since=child.sent_at, **_as_listed(each).model_dump())
                for number, each in enumerate(listed, 1)
            ],
        )

    def child_stands(self, child: SweepSent, opening: CaseState, *, anew: bool) -> None:
        """立案: whoever was listed for it meanwhile is told of now; so is all else that was said before it stood."""
        child.started, child.stamp = True, None
        self.record(Kind.SWEEP_STANDS, sweep=opening.case_id, point=child.point, anew=anew)
        assert isinstance(opening, SweepState)  # noqa: S101 - what was opened
        known = {each.code for each in opening.items}
        later = [each.code for each in self.state.households if each.sweep == child.number and each.code not in known]
        if later:
            self._tell_of(child, later)
        self.sweep_stands(child, opening)

    def sweep_stands(self, child: SweepSent, opening: SweepState) -> None:
        """Tell it what has changed since it was sent."""
        raise NotImplementedError

    # ---- hearing ----------------------------------------------------------------------------------------------------

    def knows(self, message: Message) -> bool:
        """Each sweep speaks for itself alone."""
        if message.subject in set(Subject):
            child = self.child_called(message.sender)
            return child is not None and child.number == message.facts.get("number")
        return super().knows(message)

    def hear_sweep(self, report: SweepReport) -> None:
        """转移进展: by household, and older news loses; what is not this sweep's any more it does not speak of."""
        child = self.state.sweeps[report.number - 1]
        for door in report.doors:
            listed = self.state.listed(door.code)
            if listed is not None and listed.sweep == child.number and listed.heard < report.heard:
                listed.stage, listed.persons, listed.heard = door.stage, door.persons, report.heard
        if report.heard > child.heard:
            child.heard, child.stage, child.over = report.heard, report.stage, child.over or report.over
        self.record(
            Kind.SWEEP_REPORTED,
            sweep=self.id_of(child),
            sweep_stage=child.stage,
            doors=[each.model_dump(mode="json") for each in report.doors],
        )
        if self.state.stage in {Stage.MOVING, Stage.SHELTERED}:
            self._others_go_if_needed(child, report)
        self.whoever_came_home_is_moved(child.point for door in report.doors if door.stage == HouseholdStage.RETURNED)
        self.sweep_has_told()

    def _others_go_if_needed(self, child: SweepSent, report: SweepReport) -> None:
        """Its last word was on its way when it got worse again: who is its own is somebody's, and who is home is moved."""
        if child.over:
            self.others_go_for(child, [each.code for each in self.state.households])
        for door in report.doors:
            home = self.state.listed(door.code)
            if home is None or self.state.points[home.point].released:
                continue  # nobody is in danger where both have found it safe, whatever is found elsewhere
            if home.sweep == child.number and home.stage == HouseholdStage.RETURNED:
                self.send_to(home.point, [self.home_of(home)])

    def on_undeliverable(self, letter: Letter) -> None:
        """A sweep does not run any more, and never said how it ended: whoever of it has not ended is somebody else's."""
        super().on_undeliverable(letter)
        child = self.child_called(letter.to)
        if child is None or self.over:
            return
        if not child.over and not child.gone:
            child.gone = True
            self.record(Kind.SWEEP_GONE, sweep=self.id_of(child), point=child.point)
        self.others_go_for(child, [each.code for each in self.state.households])
        self.sweep_has_told()

    def not_taken(self, told: NotTaken) -> None:
        """A team was done when it was to go to somebody: another one goes."""
        child = self.state.sweeps[told.number - 1]
        child.over = True
        self.others_go_for(child, told.codes)
        self.sweep_has_told()

    def others_go_for(self, child: SweepSent, codes: Collection[str]) -> None:
        """Whoever of these is still that sweep's, and has not ended, is another one's: nobody is lost with a case.

        After the all clear nobody goes to whom nobody had gone; whoever was moved stays moved, and is seen home by that other one.
        """
        nobody_is_moved = self.state.stage not in {Stage.MOVING, Stage.SHELTERED}
        is_over = nobody_is_moved or self.state.is_over_at(child.point)
        if is_over and child.stage == SweepStage.RECALLED:
            return
        left = [
            each
            for each in self.state.households
            if each.sweep == child.number and each.stage not in ENDS and each.code in codes
        ]
        for point, homes in groupby(left, key=lambda each: each.point):
            for home in homes:
                if is_over:
                    self.send_team(point, [self.home_of(home)], as_they_stand=True)
                else:
                    self.send_to(point, [self.home_of(home)])

    @property
    def all_are_swept_now(self) -> bool:
        """Whether no team has still to go to a door, and nobody is on a list to whom nobody went."""
        if any(each.stage == HouseholdStage.LISTED for each in self.state.households):
            return False
        return all(each.stage not in {SweepStage.SENT, SweepStage.WALKING} for each in self.state.sweeps_running)


def _as_listed(each: ListedHousehold) -> Listed:
    return Listed(
        code=each.code,
        point=each.point,
        zone=each.zone,
        heads=each.heads,
        address=each.address,
        stage=HouseholdStage(each.stage),
        persons=each.persons,
    )
