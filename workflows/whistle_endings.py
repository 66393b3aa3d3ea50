"""How a whistle ends, and the incident it was born of: closed when all are scored, cancelled, or left by everybody.

Whoever was called hears of it, and so does the incident that waits. One that cannot wait says so, and the whistle goes on
alone.
"""

from schemas.actor import Actor
from schemas.case import Letter, Message
from schemas.clock_schedule import last_moment
from schemas.whistle import FINAL, Cancel, Kind, Score, Stage
from schemas.whistle_gathering import all_scored, evaluation
from schemas.whistle_messages import Blown, Ended, IncidentAnswered, Scored, Subject
from workflows.case import command
from workflows.orders import COORDINATOR
from workflows.whistle_departments import STREET, Departments


class Endings(Departments):
    """The part of a whistle that ends it."""

    # ---- scoring ----------------------------------------------------------------------------------------------------

    @command
    def score(self, command: Score, by: Actor) -> None:
        """评分: one department; with the last one the whistle is evaluated, and closes by itself."""
        summoned = self.state.find(command.department)
        if summoned is None:
            raise LookupError(command.department)  # the command's own faults say so first
        summoned.score, summoned.score_reason = command.score, command.reason
        self.record(Kind.SCORED, department=command.department, score=command.score, reason=command.reason)
        scored = Scored(score=command.score, reason=command.reason)
        self.tell_summons(summoned, Subject.SCORED, **scored.model_dump(mode="json"))
        if all_scored(self.state.summoned):
            self.clocks.stop("score", by.subject)
            self.state.stage = Stage.EVALUATED
            self.record(Kind.EVALUATED, **evaluation(self.state).model_dump(mode="json"))
            self.finish_as(Stage.CLOSED, Kind.CLOSED)
        else:
            self.take_stock()

    # ---- the end ----------------------------------------------------------------------------------------------------

    @command
    def cancel(self, command: Cancel, by: Actor) -> None:  # noqa: ARG002 - the entry names the actor
        """撤销吹哨: nobody has to come any more, and everybody is told."""
        self.finish_as(Stage.CANCELLED, Kind.CANCELLED, reason=command.reason)

    def finish_as(self, stage: Stage, kind: Kind, **facts: str | None) -> None:
        """End at a final stage, and tell all who wait for a word."""
        self.clocks.stop_all()
        self.state.closed_at = self.now()
        self.move(stage, "")
        self.record(kind, **facts)
        for summoned in self.listening:
            self.tell_summons(summoned, self.last_word)
        self.notify(STREET, f"whistle_{stage}")
        if self.state.incident is not None and self.state.incident_waits is not False:
            results = {each.department: each.result for each in self.state.summoned if each.result is not None}
            ended = Ended(stage=stage, results=results)
            self.tell(self.state.incident, Subject.ENDED, **ended.model_dump(mode="json"))

    def on_moment(self, clock: str, moment: str, told: str) -> None:
        """Reminders and tiers for duties; at the final limit nobody has acted, and it ends."""
        if (clock, moment) == ("final", "breach"):
            self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED)
            return
        super().on_moment(clock, moment, told)
        if moment == last_moment(self.state.clocks[clock].tiers):
            self.belongs_to_the_coordinator()

    def belongs_to_the_coordinator(self) -> None:
        """After the last tier the whistle is the coordinator's, and the final limit runs until somebody moves it on."""
        self.state.holder = COORDINATOR
        if not self.clocks.runs("final"):
            self.clocks.start("final", self.state.terms.unresolved_after, "engine")
            self.record("clock:final_limit", holder=COORDINATOR)

    # ---- the incident -----------------------------------------------------------------------------------------------

    def tell_incident(self) -> None:
        """The incident that the whistle was born of is to wait."""
        if self.state.incident is not None:
            blown = Blown(type=self.state.type, clocks=self.state.limits.incident_clocks)
            self.tell(self.state.incident, Subject.BLOWN, **blown.model_dump(mode="json"))

    def knows(self, message: Message) -> bool:
        """The incident it was born of, too: it alone says whether it waits."""
        if message.subject == Subject.INCIDENT_ANSWERED:
            return message.sender == self.state.incident
        return super().knows(message)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Hear the incident, or a summons."""
        if message.subject == Subject.INCIDENT_ANSWERED and not repeated:
            self.incident_answered(IncidentAnswered.model_validate(message.facts))
        super().on_message(message, repeated=repeated)

    def incident_answered(self, answer: IncidentAnswered) -> None:
        """It waits, or it does not, or not any more: then the whistle goes on alone, on the record."""
        if self.state.stage in FINAL or self.state.incident_waits is answer.waits:
            return
        self.state.incident_waits = answer.waits
        kind = Kind.INCIDENT_WAITS if answer.waits else Kind.INCIDENT_GOES_ON
        self.record(kind, incident=self.state.incident, stage=answer.stage)
        if not answer.waits:
            self.notify(STREET, "incident_does_not_wait", incident=self.state.incident)

    def on_unheard(self, letter: Letter) -> None:
        """The incident does not run any more: it cannot wait either."""
        if letter.message.subject == Subject.BLOWN:
            self.incident_answered(IncidentAnswered(waits=False, stage="ended"))
