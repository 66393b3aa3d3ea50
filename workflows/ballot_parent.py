"""表决: what is put to the vote becomes a ballot, a case of its own, started from here; it reports its end by one message.

A procedure that calls ballots derives from `Ballots` (schemas/parts/ballots.py says what its declaration needs), calls
`ask_for_ballot(asked)` and goes on in `ballot_has_ended(outcome)`; what it does not want to know any more it calls off
(`call_off_ballot`), and so does its own end.
"""

from collections.abc import Sequence
from typing import TypeVar

from schemas.ballot import BALLOT
from schemas.ballot_state import BallotState
from schemas.kernel.acts import Step
from schemas.kernel.case import CaseState, Letter, Message
from schemas.parts.ballots import (
    BALLOT_CLOCK,
    BallotAsked,
    BallotCalled,
    BallotingState,
    BallotingTerms,
    BallotOutcome,
    BallotSubject,
    Void,
)
from schemas.parts.children import open_child
from workflows.kernel.declared import DeclaredCase
from workflows.parts.children import ChildrenCase

StateT = TypeVar("StateT", bound=BallotingState)


class Ballots(ChildrenCase[StateT, BallotCalled], DeclaredCase[StateT]):
    """The part of a case that calls votes."""

    child_procedure = BALLOT
    child_errand = "call_ballot"

    async def story(self) -> None:
        """As long as anything can happen, then until every vote that was called stands, and hears that nobody waits for it."""
        await super().story()
        await self.until(lambda: not any(each.startswith(f"{self.child_errand}/") for each in self.state.errands))

    # ---- for procedures -------------------------------------------------------------------------------------------

    def ballot_has_ended(self, outcome: BallotOutcome) -> None:
        """Go on: it was passed, it was not, or it is void and why."""
        raise NotImplementedError

    def ask_for_ballot(self, asked: BallotAsked) -> None:
        """提请表决: one at a time, and what is asked fits the town's rules: the command says so before (`BallotAsked.faults`).

        Raises:
            ValueError: it does not, or another one is under way.
        """
        if self.state.open_ballot is not None or any(asked.faults(self.state.terms.ballot)):
            raise ValueError("one vote at a time, by a class that the town has")
        called = BallotCalled(number=len(self.state.ballots) + 1, asked=asked, stamp=self.stamp, asked_at=self.now())
        self.state.ballots.append(called)
        self.start_clock(BALLOT_CLOCK)
        self.record(
            f"{self.procedure.name}:ballot:called",
            ballot=self.id_of(called),
            question=asked.question,
            text_digest=asked.text_digest,
            quorum_class=asked.quorum_class,
            base=asked.base,
        )
        self.ask_for_child(called)

    def call_off_ballot(self) -> None:
        """撤销表决: the one that is under way, if one is; nothing more is heard of it."""
        called = self.state.open_ballot
        if called is None:
            return
        called.called_off = True
        self.clocks.stop(BALLOT_CLOCK, "engine")
        self.record(f"{self.procedure.name}:ballot:called_off", ballot=self.id_of(called))
        self.tell_child(called, BallotSubject.CALLED_OFF)

    # ---- the child ------------------------------------------------------------------------------------------------

    def children(self) -> Sequence[BallotCalled]:
        """Every vote that was called."""
        return self.state.ballots

    def code_of(self, child: BallotCalled) -> str:
        """A case may have several, one after another."""
        return f"ballot-{child.number}"

    def is_told(self, child: BallotCalled) -> bool:
        """Once its case stands."""
        return child.started

    async def errand_call_ballot(self, number: int) -> None:
        """Start a vote."""
        await self.start_child(number)

    def opening_of(self, child: BallotCalled) -> BallotState:
        """What is asked, by the terms of this case that it needs."""
        terms = {name: getattr(self.state.terms, name) for name in BallotingTerms.model_fields}
        opened = open_child(
            BallotState,
            self.state,
            self.code_of(child),
            stamp=child.stamp,
            at=child.asked_at,
            department=self.state.department,
            terms=BallotingTerms.model_validate(terms),
            number=child.number,
            asked=child.asked,
        )
        return opened if child.asked.area is None else opened.model_copy(update={"area": child.asked.area})

    def child_stands(self, child: BallotCalled, opening: CaseState, *, anew: bool) -> None:
        """表决立案; one that was called off meanwhile hears that too."""
        child.started = True
        self.record(f"{self.procedure.name}:ballot:stands", ballot=opening.case_id, anew=anew)
        if child.called_off or self.over:
            self.tell_child(child, BallotSubject.CALLED_OFF)

    def stop_everything(self) -> None:
        """Nothing is to be done any more, and nothing to be voted on."""
        self.call_off_ballot()
        super().stop_everything()

    # ---- its end --------------------------------------------------------------------------------------------------

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """A vote tells its end."""
        if message.subject != BallotSubject.ENDED:
            super().on_message(message, repeated=repeated)
        elif not repeated:
            self._hear_end(BallotOutcome.model_validate(message.facts))

    def knows(self, message: Message) -> bool:
        """Each vote speaks for itself alone."""
        called = self.child_called(message.sender)
        if message.subject == BallotSubject.ENDED:
            return called is not None and called.number == message.facts.get("number")
        return super().knows(message)

    def stop_waiting_for_ballot(self, step: Step) -> None:  # noqa: ARG002 - it is known which
        """表决逾期无结果: it said nothing in all that time, and counts for nothing."""
        self._give_up()

    def on_undeliverable(self, letter: Letter) -> None:
        """A vote that was told something has gone."""
        super().on_undeliverable(letter)
        if (called := self.child_called(letter.to)) is not None and called is self.state.open_ballot:
            self._give_up()

    def _give_up(self) -> None:
        if (called := self.state.open_ballot) is not None:
            self.tell_child(called, BallotSubject.CALLED_OFF)
            self._hear_end(BallotOutcome(number=called.number, passed=False, void=Void.SILENT))

    def _hear_end(self, outcome: BallotOutcome) -> None:
        called = self.state.open_ballot
        if called is None or called.number != outcome.number:
            return
        called.outcome = outcome
        self.clocks.stop(BALLOT_CLOCK, "engine")
        self.record(
            f"{self.procedure.name}:ballot:ended",
            ballot=self.id_of(called),
            **outcome.model_dump(mode="json", exclude={"number", "counted"}),
        )
        self.ballot_has_ended(outcome)
