"""The household: consents that are brought and seen by another person, and facts that are put right.

What the registers said without somebody, or by other facts, does not count any more: they are asked anew.
"""

from collections.abc import Iterable

from schemas.kernel.people import same_person
from schemas.values.actor import Actor, Role
from schemas.welfare_commands import ConfirmMember, CorrectFacts, RecordConsent
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Check, Fact
from schemas.welfare_rules import touched_checks
from schemas.welfare_state import LIVING, Checked, Stage
from workflows.welfare_checks import Checks
from workflows.welfare_duties import (
    STREET,
)


class Household(Checks):
    """The part of a case that minds who lives in the household, and what is known of it."""

    # ---- consents ---------------------------------------------------------------------------------------------------

    def record_consent(self, command: RecordConsent, by: Actor) -> None:
        """登记同意: what the registers said without this member does not count any more; they are asked about all anew."""
        self.another_edition()
        to_be_seen = self.is_to_be_seen(by)
        for member in self.state.household_members:
            if member.number == command.member:
                member.consent = command.document.reference
                member.consent_by = by.subject if to_be_seen else None
        self.keep_document(command.document)
        again = [] if to_be_seen else self.checks_that_count()
        self.record(
            Kind.CONSENT_RECORDED,
            member=command.member,
            document=command.document.model_dump(mode="json"),
            asked_again=[check.source for check in again],
            by=by.role,
            **self.consents_stated(),
        )
        if to_be_seen:
            self.notify(STREET, "member_to_be_seen")
        self.a_member_counts(again)

    def is_to_be_seen(self, by: Actor) -> bool:
        """A paper of an adult that an unknown account brings, or who entered the case, is looked at by another person."""
        if not self.state.charter.people_are_identified:
            return False
        entered = by.role is Role.RESIDENT or same_person(by.subject, self.state.opening.actor.subject)
        return entered and not self.state.account_bound

    def confirm_member(self, command: ConfirmMember, by: Actor) -> None:
        """查验家庭成员材料: another person has seen it; from now on registers are asked about this member too."""
        for member in self.state.household_members:
            if member.number == command.member:
                member.consent_by, member.age_shown = None, True
        again = self.checks_that_count()
        self.record(
            Kind.MEMBER_CONFIRMED,
            member=command.member,
            asked_again=[check.source for check in again],
            by=by.role,
            **self.consents_stated(),
        )
        self.a_member_counts(again)

    def checks_that_count(self) -> list[Check]:
        """The registers whose answers are, or were, without somebody: of an entitlement, those of a change that waits."""
        if self.state.stage not in LIVING:
            return self.checks_of(self.state.checked)
        change = self.state.change
        return [] if change is None or change.reviewed_by is not None else self.checks_of(change.checked)

    def a_member_counts(self, again: list[Check]) -> None:
        """Registers are asked anew; what was surveyed without this member is surveyed again."""
        if not self.state.not_consenting():
            self.clocks.stop("consent", "engine")
        if self.state.stage in LIVING:
            self.ask(again)
            return
        if again and self.state.stage == Stage.SURVEYED:
            self.clocks.stop("review", "engine")
            self.move(Stage.CHECKING, STREET)
        elif again and self.state.corrected_from == Stage.SURVEYED:
            self.state.paused = [name for name in self.state.paused if name != "review"]
            self.clocks.stop("review", "engine")
            self.state.corrected_from = Stage.CHECKING
        self.ask(again)

    # ---- facts that are put right 更正信息 ------------------------------------------------------------------------------

    def correct_facts(self, command: CorrectFacts, by: Actor) -> None:
        """更正信息: only the checks that what changed touches are asked anew."""
        self.another_edition()
        self.wrote(self.state.correctors, by)
        changed = command.changed(self.state)
        before = {fact.value: getattr(self.state, fact) for fact in changed}
        for fact in changed:
            setattr(self.state, fact, getattr(command, fact))
        if command.income_stable is not None:
            self.state.income_stable = command.income_stable
        again = self.checks_touched(changed)
        self.record(
            Kind.FACTS_CORRECTED,
            before=before,
            after={fact.value: getattr(self.state, fact) for fact in changed},
            asked_again=[check.source for check in again],
            reason=command.reason,
            by=by.role,
        )
        if again:
            self.clocks.stop("review", "engine")
            self.move(Stage.CHECKING, STREET)
        self.ask(again)

    def checks_touched(self, changed: Iterable[Fact]) -> list[Check]:
        """What is to be asked anew; a check that is needed now is added, one that is not needed any more is dropped."""
        needed = self.state.needed(self.now())
        sources = [check.source for check in needed]
        for source in [source for source in self.state.checked if source not in sources]:
            del self.state.checked[source]
            self.clocks.stop(f"check:{source}", "engine")
        new = [check for check in needed if check.source not in self.state.checked]
        for check in new:
            self.state.checked[check.source] = Checked(source=check.source)
        touched = touched_checks(needed, changed)
        return [check for check in needed if check in touched or check in new]
