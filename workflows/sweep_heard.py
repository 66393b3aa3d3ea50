"""What the warning says to a sweep: who is on its list too, graver, over, worse again, released, taken back.

Older news loses. None of it says of any household that it is done.
"""

from datetime import datetime
from typing import Any

from schemas.clocks.clocks import due_at
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.case import Message
from schemas.sweep import Kind
from schemas.sweep_state import ENDS, UNSAFE, Household, HouseholdStage, limit_of_sweep
from schemas.warning_messages import (
    HouseholdsAdded,
    ItIsOver,
    LevelChanged,
    Listed,
    NotTaken,
    Released,
    Subject,
    TakenBack,
    WorseAgain,
)
from workflows.sweep_doors import GRID, Doors


class Heard(Doors):
    """The part of a sweep that hears."""

    MESSAGE_HANDLERS = {
        Subject.HOUSEHOLDS_ADDED: (HouseholdsAdded, "further_are_listed"),
        Subject.LEVEL_CHANGED: (LevelChanged, "level_changes"),
        Subject.IT_IS_OVER: (ItIsOver, "it_is_over"),
        Subject.WORSE_AGAIN: (WorseAgain, "worse_again"),
        Subject.RELEASED: (Released, "places_are_released"),
        Subject.TAKEN_BACK: (TakenBack, "release_is_taken_back"),
    }

    def look_whether_all_are_done(self) -> None:
        """Go on: somebody has said something of everybody, or it is over."""
        raise NotImplementedError

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Who is to be listed where all are done already is somebody to whom another team goes: the warning is told so."""
        if message.subject == Subject.HOUSEHOLDS_ADDED and self.over:
            if not repeated:
                added = HouseholdsAdded.model_validate(message.facts)
                codes = tuple(each.code for each in added.households)
                self.tell_parent(Subject.NOT_TAKEN, NotTaken(number=self.state.number, codes=codes))
            return
        super().on_message(message, repeated=repeated)

    def further_are_listed(self, added: HouseholdsAdded) -> None:
        """补充: none twice; who had ended and is in danger again is listed again. A team that was done goes once more."""
        fresh = [each for each in added.households if self._is_listed_now(each)]
        named = [self.item(each.code) for each in added.households]
        if not fresh:
            self.report(*named)  # the warning had older news of them
            return
        self.record(Kind.ADDED, households=[each.model_dump(mode="json") for each in fresh])
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_added", households=len(fresh))
        self.walk_again()
        self.report(*named)

    def _is_listed_now(self, listed: Listed) -> bool:
        item = self.state.item_called(listed.code)
        if item is None:
            return self.list_item(as_household(listed, self.now()))
        if item.stage not in ENDS:
            return False
        self.list_again(item, HouseholdStage.LISTED)
        self.begins_anew(item, "engine")
        return True

    def level_changes(self, changed: LevelChanged) -> None:
        """等级变更: graver or sooner, there is less time; less grave calls nobody back."""
        state = self.state
        if changed.heard <= state.heard_of_level:
            return
        state.heard_of_level = changed.heard
        before, state.level, state.onset = state.level, changed.level, changed.onset
        self._time_is_no_longer()
        self.record(Kind.LEVEL_CHANGED, before_level=before, level=changed.level)
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_level", level=changed.level)

    def _time_is_no_longer(self) -> None:
        """By what is said now it may be due earlier, never later."""
        if not self.clocks.runs("sweep"):
            return
        state = self.state
        due = due_at(state.clocks["sweep"], state.charter.calendar)
        by_level = limit_of_sweep(state.terms, state.level, self.now(), state.onset)
        if due is None or self.now() + by_level.counted < due:
            self.start_sweep_clock()

    def it_is_over(self, over: ItIsOver) -> None:
        """解除: who has not gone does not go; who has, says first where everybody is."""
        if over.heard <= self.state.heard or self.state.is_over:
            return
        self.state.heard, self.state.is_over, self.state.over_at = over.heard, True, self.now()
        self.clocks.stop("first_door", "engine")
        if self.state.is_called_off:
            self._is_called_off(by=over.by)
            return
        self.state.to_recheck = list(self.state.rechecked)
        self.clocks.stop("recheck", "engine")
        self._nobody_is_in_danger()
        self.record(Kind.OVER, by=over.by)
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_over")
        self.look_whether_all_are_done()

    def _is_called_off(self, **facts: Any) -> None:
        """解除: who has not gone does not go. Who had gone where there was no signal says so for as long as doors are entered."""
        hours = self.state.terms.entered_within_hours
        self.clocks.stop("sweep", "engine")
        self.last_limit_if_safe()
        self.start_clock("late_words", limit=Limit(amount=hours, unit=Unit.HOURS))
        self.record(Kind.OVER, **facts)
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_called_off", hours=hours)

    def _nobody_is_in_danger(self) -> None:
        for item in self.state.items:
            self.clocks.stop(f"unsafe:{item.number}", "engine")
        self.last_limit_if_safe()

    def worse_again(self, worse: WorseAgain) -> None:
        """再次加重: nobody goes home by what was said before; who is home is moved by another sweep."""
        state = self.state
        if worse.heard <= state.heard:
            return
        was_called_off = state.is_called_off
        state.heard = worse.heard
        self._is_not_over()
        self.record(Kind.WORSE_AGAIN)
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_worse_again")
        if was_called_off:
            self.clocks.stop("late_words", "engine")
            self.start_clock("first_door")
            for told in (GRID, *self.led_by()):
                self.notify(told, "sweep_sent", hazard=state.hazard, households=len(state.items))
        if state.items_at(HouseholdStage.LISTED):
            self.start_sweep_clock()
            self.walk_again()

    def _is_not_over(self) -> None:
        state = self.state
        state.is_over, state.over_at, state.worse_at = False, None, self.now()
        for item in state.items:
            item.released = None
            if item.stage in UNSAFE and not self.clocks.runs(f"unsafe:{item.number}"):
                self.start_clock(f"unsafe:{item.number}")
        self.clocks.stop("go_back", "engine")

    def places_are_released(self, released: Released) -> None:
        """准许返回: the later word on a place counts; nobody is home by it. It is over, too: who has not gone does not go."""
        if released.heard <= self.state.heard:
            return
        was_over = self.state.is_over
        self.state.heard, self.state.is_over = released.heard, True
        self.state.over_at = self.state.over_at or self.now()
        here = [each for each in self.state.items if each.point in released.points]
        for item in here:
            item.released = released.release
        self.clocks.stop("first_door", "engine")
        self._nobody_is_in_danger()
        if self.state.is_called_off and not was_over:
            self._is_called_off()
        if not here:
            return
        self.record(Kind.RELEASED, points=list(released.points), release=released.release, households=len(here))
        if self.state.is_called_off:
            return  # nobody is known to be out
        self.start_clock("go_back")
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_released", release=released.release, households=len(here))
        self.look_whether_all_are_done()

    def release_is_taken_back(self, taken: TakenBack) -> None:
        """撤销准返: nobody goes home there any more; who is home already is said to the grid, and moved as the warning says."""
        if taken.heard <= self.state.heard:
            return
        self.state.heard = taken.heard
        here = [each for each in self.state.items if each.point in taken.points]
        for item in here:
            item.released = None
        if not any(each.released for each in self.state.items):
            self.clocks.stop("go_back", "engine")
        if here and taken.moves:
            self._is_not_over()
        at_home = sum(each.stage == HouseholdStage.RETURNED for each in here)
        self.record(Kind.TAKEN_BACK, points=list(taken.points), households=len(here), at_home=at_home)
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_taken_back", at_home=at_home)


def as_household(listed: Listed, now: datetime) -> Household:
    """A household that nobody of this team has been to."""
    return Household(number=0, since=now, **listed.model_dump())
