"""How a whistle ends, and the incident it was born of: closed when all are scored, cancelled, or left by everybody.

Whoever was called hears of it, and so does the incident that waits. One that cannot wait says so, and the whistle goes on
alone.
"""

from schemas.kernel.case import Letter, Message
from schemas.values.actor import Actor
from schemas.whistle import Kind
from schemas.whistle_commands import Score
from schemas.whistle_gathering import all_scored, evaluation
from schemas.whistle_messages import Blown, Ended, IncidentAnswered, Scored, Subject
from schemas.whistle_state import Stage
from workflows.whistle_departments import STREET, Departments


class WhistleEndings(Departments):
    """The part of a whistle that ends it."""

    # ---- scoring ----------------------------------------------------------------------------------------------------

    def score(self, command: Score, by: Actor) -> None:
        """评分: one department; with the last one the whistle is evaluated, and closes by itself."""
        summoned = self.state.find(command.department)
        if summoned is None:
            raise LookupError(command.department)  # the command's own faults say so first
        summoned.score, summoned.score_reason = command.score, command.reason
        self.record_command()
        self.tell_child(summoned, Subject.SCORED, Scored(score=command.score, reason=command.reason))
        if all_scored(self.state.summoned):
            self.clocks.stop("score", by.subject)
            self.state.stage = Stage.EVALUATED
            self.record(Kind.EVALUATED, **evaluation(self.state).model_dump(mode="json"))
            self.finish_as(Stage.CLOSED, Kind.CLOSED)
        else:
            self.take_stock()

    # ---- the end ----------------------------------------------------------------------------------------------------

    def on_finished(self) -> None:
        """Tell all who wait for a word: the summonses that still listen, and the incident that waits."""
        self.tell_children(self.listening, self.last_word)
        if self.state.incident is not None and self.state.incident_waits is not False:
            results = {each.department: each.result for each in self.state.summoned if each.result is not None}
            ended = Ended(stage=self.state.stage, results=results)
            self.tell(self.state.incident, Subject.ENDED, **ended.model_dump(mode="json"))

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

    def incident_answered(self, answer: IncidentAnswered) -> None:
        """It waits, or it does not, or not any more: then the whistle goes on alone, on the record."""
        if self.state.incident_waits is answer.waits:
            return
        self.state.incident_waits = answer.waits
        kind = Kind.INCIDENT_WAITS if answer.waits else Kind.INCIDENT_GOES_ON
        self.record(kind, incident=self.state.incident, stage=answer.stage)
        if not answer.waits:
            self.notify(STREET, "incident_does_not_wait", incident=self.state.incident)

    def on_undeliverable(self, letter: Letter) -> None:
        """The incident does not run any more: it cannot wait either."""
        if letter.message.subject == Subject.BLOWN:
            self.incident_answered(IncidentAnswered(waits=False, stage="ended"))
