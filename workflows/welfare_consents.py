"""授权 the consent of the household: adults let the town ask the registers about them, each by a paper of their own.

Here stands what is asked of them; who brings a paper, and who sees it, in `welfare_household`.
"""

from schemas.welfare_entries import Kind
from schemas.welfare_state import CONSENT
from workflows.welfare_advance import Advance
from workflows.welfare_duties import ADULTS_OF_OLD_CASES_CONSENT, APPLICANT, CLERK


class Consents(Advance):
    """The part of a case that knows who has consented."""

    def consent_papers(self) -> dict[str, str]:
        """The papers by which adults of the household consented, by whose they are."""
        return {
            f"{CONSENT}{member.number}": member.consent
            for member in self.state.household_members
            if member.consent is not None
        }

    def consents_stated(self) -> dict[str, list[int]]:
        """Whose consent is missing; cases from before did not ask."""
        if not self.state.charter.people_as_stated:
            return {}
        return {"without_consent": [member.number for member in self.state.not_consenting()]}

    def tell_of_missing_consents(self) -> None:
        """The applicant brings the papers; meanwhile the application goes on, and registers are asked about the others."""
        if missing := self.state.not_consenting():
            self.notify(APPLICANT, "consent_missing", members=len(missing))

    def demand_old_consents(self) -> None:
        """补交授权书: of an application from before nobody knows who is of age; nobody is asked about who has not consented."""
        state = self.state
        old = not state.charter.people_as_stated and state.members and not state.household_members
        if not old or not self.law_holds(ADULTS_OF_OLD_CASES_CONSENT):
            return
        state.count_everybody_as_adult()
        self.start_clock("consent")
        self.record(Kind.CONSENT_DEMANDED, without_consent=[member.number for member in state.not_consenting()])
        self.tell_of_missing_consents()
        self.notify(CLERK, "consent_missing", members=len(state.not_consenting()))

    def whom_it_is_about(self) -> dict[str, list[int]]:
        """The numbers of the members whom a source is asked about; cases from before did not tell."""
        if not self.tells_whom_it_asks_about:
            return {}
        return {"asked_about": self.state.asked_about()}

    @property
    def tells_whom_it_asks_about(self) -> bool:
        """Adults are asked about when they have consented: of cases from before, those that have come to know their people."""
        return self.state.charter.people_as_stated or bool(self.state.household_members)
