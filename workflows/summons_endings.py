"""How a summons ends: scored, released, cancelled; and how it is given up when nobody does anything.

The whistle has the last word. What it says after the end, or twice, is past.
"""

from schemas.case import Message
from schemas.clock_schedule import last_moment
from schemas.summons import FINAL, SETTLED, Kind, Stage
from schemas.whistle_messages import CalendarChanged, LeadChanged, Scored, Subject
from workflows.orders import COORDINATOR
from workflows.summons_orders import Orders

STREET = "role:street_officer"


class Endings(Orders):
    """The part of a summons that ends it."""

    # ---- what the whistle says ------------------------------------------------------------------------------------

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Hear the whistle."""
        if repeated or self.state.ended or self.state.stage in FINAL:
            return
        match message.subject:
            case Subject.SCORED:
                self.is_scored(Scored.model_validate(message.facts))
            case Subject.LEAD_CHANGED:
                self.is_led_by(LeadChanged.model_validate(message.facts))
            case Subject.CALENDAR_CHANGED:
                self.goes_by(CalendarChanged.model_validate(message.facts))
            case Subject.CANCELLED:
                self.finish_as(Stage.CANCELLED, Kind.CANCELLED)
                self.notify(self.their_department, "summons_cancelled")
            case Subject.OVER:
                self.is_over()
            case _:
                pass  # a word of a whistle that knows more than this summons

    def is_scored(self, scored: Scored) -> None:
        """评分: by the street, on the whistle. The summons is over."""
        self.state.score = scored.score
        self.finish_as(Stage.SCORED, Kind.SCORED, score=scored.score, reason=scored.reason)
        self.notify(self.their_department, "summons_scored", score=scored.score)

    def is_led_by(self, changed: LeadChanged) -> None:
        """牵头变更: the last word of the whistle counts."""
        if changed.heard <= self.state.heard:
            return
        before, self.state.lead, self.state.heard = self.state.lead, changed.lead, changed.heard
        if before != changed.lead:
            self.record(Kind.LEAD_CHANGED, before=before, lead=changed.lead)
            self.notify(self.their_department, "summons_lead_changed", lead=changed.lead)

    def goes_by(self, changed: CalendarChanged) -> None:
        """重排期限: the whistle goes by another calendar, and so does this."""
        before = self.state.charter.calendar
        self.clocks.replan(changed.calendar, "engine")
        self.record("clock:replanned", before=before.version, after=changed.calendar.version)

    def is_over(self) -> None:
        """There will be no score: what the department did, or did not do until now, stays as it stands."""
        if self.state.stage not in SETTLED:
            self.give_up()
        if self.state.stage in SETTLED:
            self.let_go()
            self.state.over, self.state.holder = True, ""

    def finish_as(self, stage: Stage, kind: Kind, **facts: str | int | None) -> None:
        """End at a final stage."""
        self.let_go()
        self.move(stage, "")
        self.record(kind, **facts)

    def let_go(self) -> None:
        """Nothing is to be done any more; a department's own system that still has work to do is told that it has not."""
        self.clocks.stop_all()
        if self.state.stage != Stage.DONE:
            self.take_back_the_order()
        self.state.closed_at = self.now()

    # ---- when nobody does anything --------------------------------------------------------------------------------

    def on_moment(self, clock: str, moment: str, told: str) -> None:
        """Reminders and tiers for duties; at the last limit it is given up; a window that passes ends it."""
        match clock, moment:
            case "unscored", "breach":
                self.is_over()
            case "unscored", _:
                pass
            case "final", "breach":
                self.give_up()
            case _:
                super().on_moment(clock, moment, told)
                if moment == last_moment(self.state.clocks[clock].tiers):
                    self.belongs_to_the_coordinator()

    def belongs_to_the_coordinator(self) -> None:
        """After the last tier the coordinator holds it, and the last limit runs."""
        self.state.holder = COORDINATOR
        if not self.last_limit_runs:
            self.start_last_limit()
            self.record("clock:final_limit", holder=COORDINATOR)

    @property
    def last_limit_runs(self) -> bool:
        """Whether it is about to be given up."""
        return self.clocks.runs("final")

    def start_last_limit(self) -> None:
        """Give it this long, and then no longer."""
        self.clocks.start("final", self.state.limits.given_up_after, "engine")

    def give_up(self) -> None:
        """Nobody came: absent. Came and did not finish: unfinished. Nobody ruled on a decline: it stands."""
        match self.state.stage:
            case Stage.DECLINED:
                self.finish_as(Stage.RELEASED, Kind.RELEASED)
                self.notify(self.their_department, "summons_released")
            case Stage.ARRIVED:
                self.settle(Stage.UNFINISHED)
                self.record(Kind.UNFINISHED, department=self.state.department)
                self.notify(self.their_department, "summons_unfinished")
            case _:
                self.state.was_absent = True
                self.settle(Stage.ABSENT)
                self.record(Kind.ABSENT, department=self.state.department)
                self.notify(self.their_department, "summons_absent")
        self.report()

    def settle(self, stage: Stage) -> None:
        """There is nothing more to wait for but the score; a whistle that never gives one is not waited for for ever."""
        self.clocks.stop_all()
        self.clocks.start("unscored", self.state.terms.unscored_after, "engine", warn_percent=100)
        self.move(stage, STREET)
