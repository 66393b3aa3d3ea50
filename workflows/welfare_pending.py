"""What waits for other people: a change that would pay more, and a reported end. Their clocks, and how they stop waiting.

Who asks for them stands in `welfare_changes` and `welfare_rest`, who decides on them in `welfare_raises` and `welfare_endings`.
"""

from collections.abc import Mapping

from schemas.clocks.clocks import Status
from schemas.welfare_entries import Kind
from schemas.welfare_state import ChangeAsked, EndReported, Stage
from workflows.welfare_duties import APPLICANT, CIVIL_AFFAIRS, STREET
from workflows.welfare_payments import Payments

DUTIES = ("review_change", "confirm_change", "countersign_change")
PAUSED = "payment_suspended"


class Pending(Payments):
    """The part of a case in which something waits for another person."""

    # ---- the clocks of who decides on a change ----------------------------------------------------------------------

    def start_change_duty(self, name: str) -> None:
        """Start a clock of somebody who decides on a change; while payment rests, it rests too."""
        self.start_clock(name)
        if self.state.stage == Stage.PAYMENT_SUSPENDED:
            self.clocks.pause(name, "engine", reason=PAUSED)

    def change_may_be_reviewed(self) -> None:
        """The registers have answered: somebody of the street looks at it, within the limit."""
        change = self.state.change
        if change is None or not change.stated or change.reviewed_by is not None or change.unanswered():
            return
        known = self.state.clocks.get("review_change")
        if known is None or known.status is Status.STOPPED:
            self.clocks.stop("ask_again", "engine")
            self.start_change_duty("review_change")
            self.notify(STREET, "change_review_due")

    def await_confirmation_of_change(self) -> None:
        """Civil affairs decides within its limit."""
        self.start_change_duty("confirm_change")
        self.notify(CIVIL_AFFAIRS, "change_confirmation_due")

    def hold_change(self) -> None:
        """Nobody decides on a change while payment rests."""
        for name in DUTIES:
            if self.clocks.runs(name):
                self.clocks.pause(name, "engine", reason=PAUSED)

    def go_on_with_change(self) -> None:
        """Payment goes on, and the time for deciding on a change with it."""
        for name in DUTIES:
            if name in self.state.clocks and self.state.clocks[name].status is Status.PAUSED:
                self.clocks.go_on(name, "engine")

    # ---- what does not wait any more --------------------------------------------------------------------------------

    def drop_change_of(self, stated: Mapping[str, int]) -> None:
        """Newer facts stand in place of those that were asked for; months that are to be paid are asked for on."""
        change = self.state.change
        if change is not None and not change.months and set(change.stated) & set(stated):
            self.drop_change("replaced")

    def drop_change(self, why: str) -> None:
        """A change that waits is not decided on any more; whoever asked is told."""
        change = self.state.change
        if change is None:
            return
        self.forget_change("engine")
        self.record(Kind.CHANGE_DROPPED, number=change.number, why=why)
        self.notify(APPLICANT, "change_dropped", why=why)

    def forget_change(self, by: str) -> None:
        """No change waits; its clocks stop, and answers of registers that were asked for it come too late."""
        change, self.state.change = self.state.change, None
        for name in (*DUTIES, *(f"check:{source}" for source in (change.checked if change else ()))):
            self.clocks.stop(name, by)
        self.clocks.stop("ask_again", by)

    def forget_the_end_asked(self, by: str) -> None:
        """No end waits; its clock stops, and what a register still answers comes too late."""
        self.state.end_asked = None
        self.clocks.stop("confirm_end", by)

    # ---- what waits -------------------------------------------------------------------------------------------------

    def change_that_waits(self) -> ChangeAsked:
        """The change that is decided on."""
        change = self.state.change
        assert change is not None, "the table takes it only while one waits"  # noqa: S101
        return change

    def end_that_waits(self) -> EndReported:
        """The end that is decided on."""
        end = self.state.end_asked
        assert end is not None, "the table takes it only while one waits"  # noqa: S101
        return end
