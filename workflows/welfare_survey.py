"""The application until it is reviewed: opened, corrected, visited, given more time, taken back.

applied <-> correcting          missing documents are named; the whole-case clock pauses until they are in
applied -> checking             accepted: `welfare_identity`, `welfare_checks`
checking -> surveyed            when all have answered and two people have visited
"""

from collections.abc import Mapping, Sequence

from schemas.parts.visits import RecordVisit
from schemas.values.actor import Actor, Role
from schemas.welfare_commands import (
    ExtendCase,
    SeesTheCard,
)
from schemas.welfare_entries import Kind
from schemas.welfare_state import Stage
from workflows.welfare_duties import (
    APPLICANT,
    STREET,
    WHO_WITHDRAWS_FOR_OTHERS_TELLS_THEM,
)
from workflows.welfare_identity import Identity

STATED = (
    "benefit", "birth", "household_size", "monthly_income_fen", "income_stable", "disability_level", "area", "address", "account",
    "reason", "consent", "relation", "channel", "on_behalf",
)  # fmt: skip
"""What the first entry has of the application as the case keeps it."""


class Survey(Identity):
    """The part of a case before anybody judges."""

    HELD_WHILE_CORRECTING = ("whole", "accept", "survey", "review")
    corrections_go_to = STREET

    # ---- the application --------------------------------------------------------------------------------------------

    def reported(self) -> dict[str, object]:
        """申请: what was stated stands in the first entry."""
        return {
            **{name: getattr(self.state, name) for name in STATED},
            "applicant": self.state.reporter,
            "members": list(self.state.members),
            "documents": dict(self.state.papers) | self.consent_papers(),
            **self.consents_stated(),
            **self.who_vouches(),
        }

    def on_opened(self) -> None:
        """The applicant hears that it has come."""
        self.notify(APPLICANT, "welfare_applied")

    def begin(self) -> None:
        """The clock of the whole case starts; what is missing is named at once, by the policy of the benefit."""
        self.start_clock("whole")
        self.tell_of_missing_consents()
        if self.state.alike:
            self.notify(STREET, "alike_found", kinds=", ".join(self.state.alike))
        if not self.ask_for_what_is_missing(Stage.APPLIED):
            self.await_acceptance()

    def await_acceptance(self) -> None:
        """The documents are there; the application is to be accepted."""
        self.start_clock("accept")
        self.move(Stage.APPLIED, STREET)
        self.notify(STREET, "acceptance_due")

    def extend_case(self, command: ExtendCase, by: Actor) -> None:
        """延期: with its reason, up to what the policy allows."""
        in_all = self.extend_by(command.working_days, command.reason, by.subject)
        self.record(Kind.EXTENDED, working_days=command.working_days, in_all=in_all, reason=command.reason)
        self.notify(APPLICANT, "welfare_extended", working_days=command.working_days)

    def withdraw_application(self, by: Actor) -> None:
        """撤回申请: before it is decided; an advance comes back. Of another's word the applicant hears."""
        if by.role is not Role.RESIDENT and self.law_holds(WHO_WITHDRAWS_FOR_OTHERS_TELLS_THEM):
            self.notify(APPLICANT, "welfare_withdrawn")
        self.apply(by=by.role)

    # ---- documents 补正 -----------------------------------------------------------------------------------------------

    def file_changes(self) -> None:
        """Who answers names the edition that was seen."""
        self.another_edition()

    def goes_on_corrected(self, stage: str, held: Sequence[str]) -> None:
        """What was not accepted yet, and nobody was asked to accept, is to be accepted now."""
        if stage == Stage.APPLIED and "accept" not in held:
            self.await_acceptance()
        else:
            super().goes_on_corrected(stage, held)

    def on_corrected(self) -> None:
        """It may be all that the survey waited for."""
        self.survey_may_be_complete()

    # ---- visits 入户调查 ------------------------------------------------------------------------------------------------

    def visited(self, command: RecordVisit, by: Actor) -> Mapping[str, bool]:
        """Who visits may have seen the card, too."""
        seen = isinstance(command, SeesTheCard) and command.card_seen
        if seen:
            self.saw_the_card(by)
        return self.what_is_said_of_the_card(card_seen=seen)

    def on_visited(self) -> None:
        """It may be sure now who applies, and the survey complete."""
        self.identity_may_be_sure()

    @property
    def relation_counts(self) -> bool:
        """While the survey goes on, civil affairs visits too."""
        return self.state.stage in (Stage.APPLIED, Stage.CORRECTING, Stage.CHECKING)

    def relation_matters(self) -> Mapping[str, bool]:
        """Whether civil affairs visits too."""
        return {"county_visit": self.relation_counts}
