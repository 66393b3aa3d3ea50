"""What an incident has to do with whistles 吹哨: it asks for one, waits for one that is born of it, and takes its result.

    with a department: ask_whistle                          the street is told, and decides
    with a department -> whistled -> where it stood         its clocks pause or run on, as the whistle's policy says

An incident that cannot wait says so. It does not wait for ever either: as long as a suspension at most, or until the
coordinator will not wait any longer.
"""

from schemas.incident import Kind
from schemas.incident_state import WITH_DEPARTMENT, Stage, Waiting
from schemas.kernel.acts import WithReason
from schemas.kernel.case import Message, is_case_of
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.whistle_messages import Blown, Ended, IncidentAnswered, Subject
from schemas.whistle_policy import IncidentClocks
from workflows.incident_requests import Requests

STREET = "role:street_officer"
WHISTLE = "whistle"


class Whistles(Requests):
    """The part of an incident that waits for a whistle."""

    def ask_whistle(self, by: Actor) -> None:
        """请求吹哨: the street officers are told; the case goes on meanwhile."""
        self.apply(by=by.role)

    def stop_waiting(self, command: WithReason, by: Actor) -> None:
        """不再等候: the case goes on without the result."""
        self.wait_no_longer(by.subject, reason=command.reason)

    def knows(self, message: Message) -> bool:
        """Any whistle may be born of this case; none but a whistle says so, or that it is over."""
        if message.subject in {Subject.BLOWN, Subject.ENDED}:
            return is_case_of(message.sender, WHISTLE)
        return super().knows(message)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A whistle is born of this case, or has ended."""
        if repeated:
            return
        match message.subject:
            case Subject.BLOWN:
                self.whistle_is_blown(message.sender, Blown.model_validate(message.facts))
            case Subject.ENDED:
                self.whistle_has_ended(message.sender, Ended.model_validate(message.facts))
            case _:
                pass  # of another matter

    def whistle_is_blown(self, whistle: str, blown: Blown) -> None:
        """Wait for it, if a department holds the case and no other whistle is waited for; answer in either case."""
        waits = self.state.stage in WITH_DEPARTMENT and whistle not in self.state.whistles_over
        if waits:
            stands = Stage(self.state.stage)
            self.state.waiting = Waiting(whistle=whistle, stage=stands, holder=self.state.holder)
            if blown.clocks is IncidentClocks.PAUSE:
                self.pause_work("engine", reason=None)
            self.start_clock("whistle")
            self.move(Stage.WHISTLED, STREET)
            self.record(Kind.WHISTLED, whistle=whistle, type=blown.type, clocks_of_the_work=blown.clocks)
            self.notify(self.their_department, "waits_for_whistle", whistle=whistle)
        self.answer_whistle(whistle, waits=waits)

    def whistle_has_ended(self, whistle: str, ended: Ended) -> None:
        """吹哨结束: back to where the case stood, with what the departments reported."""
        self.state.whistles_over.append(whistle)
        if self.state.waiting is None or self.state.waiting.whistle != whistle:
            return
        self.go_on_after_whistle("engine")
        self.record(Kind.WHISTLE_ENDED, whistle=whistle, stage=ended.stage, results=ended.results)
        self.notify(self.their_department, "whistle_over", whistle=whistle)

    def wait_no_longer(self, by: str, reason: TextReference | None = None) -> None:
        """Go on without the result; the whistle hears of it."""
        waiting = self.state.waiting
        if waiting is not None:
            self.go_on_after_whistle(by)
            self.record(Kind.NOT_WAITING, whistle=waiting.whistle, reason=reason)
            self.notify(self.their_department, "resumed")
            self.answer_whistle(waiting.whistle, waits=False)

    def go_on_after_whistle(self, by: str) -> None:
        """Back to where the case stood; what paused goes on, and the time in between is not counted."""
        waiting, self.state.waiting = self.state.waiting, None
        if waiting is None:
            return
        self.resume_work(by)
        self.clocks.stop("whistle", by)
        self.move(waiting.stage, waiting.holder)

    def leave_whistle(self) -> None:
        """The case ends while it waits: the whistle goes on alone."""
        waiting, self.state.waiting = self.state.waiting, None
        if waiting is not None:
            self.answer_whistle(waiting.whistle, waits=False)

    def answer_whistle(self, whistle: str, *, waits: bool) -> None:
        """Say whether this case waits, and where it stands."""
        answer = IncidentAnswered(waits=waits, stage=self.state.stage)
        self.tell(whistle, Subject.INCIDENT_ANSWERED, **answer.model_dump(mode="json"))
