"""意见: opinions are counted as they come, and each is answered by somebody else (schemas/parts/opinions.py)."""

from typing import TypeVar

from schemas.clocks.clocks import Clock, due_at
from schemas.parts.agreed import limit_until
from schemas.parts.opinions import ANSWER, AnswerOpinion, OpinionsState, OpinionWaiting
from schemas.values.actor import Actor, Role
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=OpinionsState)


class Opinions(DeclaredCase[StateT]):
    """The part of a case in which people say what they think of it."""

    def opine(self, by: Actor) -> None:
        """提出意见: it waits for its answer."""
        self.state.opinions_of[by.subject] = self.state.opinions_of.get(by.subject, 0) + 1
        waiting = OpinionWaiting(
            number=self.state.opinions_given, by=by.subject, given_at=self.now(), own=by.role is Role.RESIDENT
        )
        self.state.opinions_waiting.append(waiting)
        self.record_command(number=waiting.number)
        if not self.clocks.runs(ANSWER):
            self.start_clock(ANSWER)

    def answer_opinion(self, command: AnswerOpinion, by: Actor) -> None:
        """答复意见: whoever has waited longest is the next one whose time runs."""
        state = self.state
        answered = next(each for each in state.opinions_waiting if each.number == command.request)
        state.opinions_waiting = [each for each in state.opinions_waiting if each.number != command.request]
        state.opinions_answered[command.taken] = state.opinions_answered.get(command.taken, 0) + 1
        self.record_command(waiting=len(state.opinions_waiting))
        if answered.own:
            self.notify(f"participant:{answered.by}", "opinion_answered", number=answered.number, taken=command.taken)
        self.clocks.stop(ANSWER, by.subject)
        if state.opinions_waiting:
            self.wait_for_the_oldest()

    def wait_for_the_oldest(self) -> None:
        """The clock goes by the day on which it was given, not by that of the answer to another one."""
        limit = self.timer_of(ANSWER).limit_under(self.state.terms, self.state)
        given = Clock(name=ANSWER, limit=limit).start(self.state.opinions_waiting[0].given_at, "engine")
        due = due_at(given, self.state.charter.calendar)
        self.start_clock(ANSWER, limit=limit if due is None else limit_until(self.now(), due))
