"""核验身份 who applies: the issuer vouches for the account, or two people of the town have seen the card (decision 0009).

accepted -> sure who applies -> the sources are asked, urgent aid is paid first
-> not sure: somebody else sees the card, at the window or at home; until then nobody is asked, and nothing paid
"""

from collections.abc import Iterable

from schemas.kernel.people import among, how_many
from schemas.values.actor import Actor
from schemas.welfare_commands import Accept
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Check
from schemas.welfare_state import (
    Checked,
    Stage,
)
from workflows.welfare_duties import (
    APPLICANT,
    STREET,
)
from workflows.welfare_household import Household


class Identity(Household):
    """The part of a case that is accepted once it is sure who applies."""

    def accept(self, command: Accept, by: Actor) -> None:
        """受理: the visits are due; once it is sure who applies the sources are asked, and urgent aid is paid first."""
        self.clocks.stop("accept", by.subject)
        self.state.accepted_at = self.now()
        self.move(Stage.CHECKING, STREET)
        needed = self.state.needed(self.now())
        self.state.checked = {check.source: Checked(source=check.source) for check in needed}
        self.await_visits()
        if command.card_seen:
            self.saw_the_papers(by)
        self.record(
            Kind.ACCEPTED,
            checks=[check.source for check in needed],
            visits=self.state.rules.visits,
            **self.what_is_said_of_the_card(card_seen=command.card_seen),
        )
        self.notify(APPLICANT, "welfare_accepted")
        if self.state.identified:
            self.who_applies_is_sure(needed)
        else:
            self.await_identification()
        self.survey_may_be_complete()

    def who_vouches(self) -> dict[str, bool | int]:
        """Whether the issuer vouches for the account, and how many have seen the card; cases from before did not ask."""
        if not self.state.charter.people_are_identified:
            return {}
        return {"account_bound": self.state.account_bound, "cards_seen": how_many(self.state.card_seen_by)}

    def what_is_said_of_the_card(self, *, card_seen: bool) -> dict[str, bool]:
        """What somebody says of the card, as a fact; cases from before did not ask."""
        return {"card_seen": card_seen} if self.state.charter.people_are_identified else {}

    def saw_the_papers(self, by: Actor) -> None:
        """Who accepts has the card and the consents on the table, and is another one than who entered them."""
        self.saw_the_card(by)
        for member in self.state.household_members:
            member.consent_by = None

    def saw_the_card(self, by: Actor) -> None:
        """One more of the town has seen it; the same one again is still one."""
        if self.state.charter.people_are_identified and not among(by.subject, self.state.card_seen_by):
            self.state.card_seen_by.append(by.subject)

    def await_identification(self) -> None:
        """Somebody else sees the card, at the window or at home; until then no register is asked, and nothing is paid first."""
        self.start_clock("identify")
        self.notify(APPLICANT, "identity_to_be_shown")
        self.notify(STREET, "identification_due")

    def identify(self, by: Actor) -> None:
        """核验身份: with the second one the application goes on."""
        self.saw_the_card(by)
        self.record_command(by=by.role, **self.who_vouches())
        self.identity_may_be_sure()

    def identity_may_be_sure(self) -> None:
        """Accepted and sure: the sources are asked now."""
        if self.state.identified and self.state.accepted_at is not None and self.clocks.runs("identify"):
            self.clocks.stop("identify", "engine")
            self.who_applies_is_sure(
                self.checks_of(each.source for each in self.state.checked.values() if not each.answered)
            )
        self.survey_may_be_complete()

    def who_applies_is_sure(self, checks: Iterable[Check]) -> None:
        """The sources are asked; urgent aid is paid first."""
        self.ask(checks)
        self.pay_first()
