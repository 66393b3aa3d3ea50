"""公示: posted for exactly the window, taken down by an objection, looked into, posted anew or refused (schemas/parts/postings.py).

A procedure that is posted derives from `Postings` and says what is posted (`posted`), what follows when the window has passed
(`publicity_has_ended`) and when an objection is upheld (`objection_is_upheld`); `publicise()` posts it.
"""

from typing import Any, TypeVar

from schemas.clocks.clock_schedule import BREACH
from schemas.kernel.acts import Step
from schemas.kernel.people import among
from schemas.parts.postings import INVESTIGATE, PUBLICITY, Investigate, Object, PostedState, Posting
from schemas.values.actor import Actor, Role
from workflows.kernel.declared import DeclaredCase
from workflows.kernel.law import Law

StateT = TypeVar("StateT", bound=PostedState)

POSTINGS_ARE_COUNTED = Law("postings-are-counted")
"""Patch: before, every objection took the posting down, and it was posted anew for the whole window."""

OBJECTORS_ARE_REMEMBERED = Law("objectors-are-remembered", since=4)
"""Patch: before, whoever of the town objected could look into the own objection."""


class Postings(DeclaredCase[StateT]):
    """The part of a case that is posted for everybody."""

    # ---- for procedures -------------------------------------------------------------------------------------------

    def posted(self) -> dict[str, Any]:
        """Return what the entry says of what is posted, besides the number of the posting."""
        return {}

    def publicity_has_ended(self) -> None:
        """Go on: the window has passed, and every objection is looked into, or will be where the posting says."""
        raise NotImplementedError

    def objection_is_upheld(self, command: Investigate, by: Actor) -> None:
        """Refuse it, with the finding and its law."""
        raise NotImplementedError

    # ---- the posting ----------------------------------------------------------------------------------------------

    @property
    def posting(self) -> Posting:
        """How the procedure posts. Raises TypeError: it declares no posting."""
        return self.procedure.part(Posting)

    def publicise(self) -> None:
        """公示: for the whole window; what everybody sees is declared, and nothing else."""
        self.state.posting += 1
        facts = self.posted()
        self.start_clock(PUBLICITY)
        self.move(self.posting.posted, "")
        self.record(self.posting.kinds.PUBLICISED, posting=self.state.posting, **facts)

    def end_publicity(self, step: Step) -> None:  # noqa: ARG002 - there is one such step
        """公示期满: nobody objected, or it was looked into; else it goes on as soon as it is."""
        if self.posting.settled_at or not self.state.objections_beside:
            self.let_it_end()

    def let_it_end(self) -> None:
        """The posting comes down, and the case goes on."""
        self.clocks.stop(PUBLICITY, "engine")
        self.record(self.posting.kinds.PUBLICITY_ENDED, posting=self.state.posting)
        self.publicity_has_ended()

    # ---- objections -----------------------------------------------------------------------------------------------

    def object(self, command: Object, by: Actor) -> None:
        """公示异议: by anybody; the first takes the posting down until somebody has looked into it, later ones need grounds."""
        self.state.objections += 1
        if by.role is not Role.RESIDENT and self.law_holds(OBJECTORS_ARE_REMEMBERED):
            self.state.objectors.append(by.subject)
        again = self.state.objections > 1 and self.law_holds(POSTINGS_ARE_COUNTED)
        if again and not self.takes_the_posting_down(command):
            self.look_into_it_beside(command, by)
            return
        self.clocks.stop(PUBLICITY, "engine")
        self.start_clock(INVESTIGATE)
        self.move(self.posting.objected, self.posting.desk)
        self.record(
            self.posting.kinds.OBJECTED,
            objection=self.state.objections,
            reason=command.reason,
            contact=command.contact,
            by=by.role,
        )
        self.notify(self.posting.desk, "objection_made")

    def takes_the_posting_down(self, command: Object) -> bool:
        """Only new grounds do, after the first time, and only as often as the policy lets a case be posted."""
        return command.new_grounds is not None and self.state.posting < self.state.postings_at_most

    def look_into_it_beside(self, command: Object, by: Actor) -> None:
        """The posting stays up, its window as it was; it is looked into before anything goes on."""
        self.state.objections_beside += 1
        if not self.clocks.runs(INVESTIGATE):
            self.start_clock(INVESTIGATE)
        self.record(
            self.posting.kinds.OBJECTED_AGAIN,
            objection=self.state.objections,
            reason=command.reason,
            contact=command.contact,
            new_grounds=command.new_grounds,
            by=by.role,
        )
        self.notify(self.posting.desk, "objection_made")

    def investigate(self, command: Investigate, by: Actor) -> None:
        """异议调查: upheld, it is refused; else it is posted anew for the whole window, or goes on where it is."""
        self.wrote(self.state.investigators, by)
        beside, self.state.objections_beside = self.state.objections_beside, 0
        self.clocks.stop(INVESTIGATE, by.subject)
        self.record(
            self.posting.kinds.INVESTIGATED,
            upheld=command.upheld,
            finding=command.finding,
            appraisal=command.appraisal,
            **({"objections": beside} if beside else {}),
        )
        if command.upheld:
            self.clocks.stop(PUBLICITY, by.subject)
            self.objection_is_upheld(command, by)
        elif self.state.stage == self.posting.objected:
            self.publicise()
        elif self.state.stage == self.posting.posted and BREACH in self.state.clocks[PUBLICITY].fired:
            self.let_it_end()

    def wrote(self, whom: list[str], by: Actor) -> None:
        """Remember who wrote down what others decide on."""
        if not among(by.subject, whom):
            whom.append(by.subject)
