"""A change that would pay more is asked for; the registers that it touches are asked anew. Others decide: `welfare_raises`.

    report_change, reassess with facts that raise, and arrears above the amount of a second signature, are requests
    asked -> dropped: newer facts in their place, or the entitlement ends

Meanwhile the old amount is paid on, and nothing that was stated counts. Arrears alone are the asker's word and one other's.
"""

from collections.abc import Iterable, Mapping

from schemas.clocks.months import month_at
from schemas.values.actor import Actor
from schemas.welfare_entries import Kind
from schemas.welfare_policy import Check, Fact
from schemas.welfare_rules import Assessment, assess, touched_checks
from schemas.welfare_state import ChangeAsked, Checked
from workflows.welfare_duties import (
    APPLICANT,
)
from workflows.welfare_survey import Survey


class Changes(Survey):
    """The part of a case in which a higher amount is asked for."""

    def ask_for_change(
        self, cause: str, since: str, stated: Mapping[str, int], by: Actor, months: tuple[str, ...] = ()
    ) -> None:
        """申请调整: in place of one that was asked for before; the registers whose answers it touches are asked anew."""
        self.drop_change("replaced")
        self.state.changes_asked += 1
        arrears = self.arrears_of(months)
        change = ChangeAsked(
            number=self.state.changes_asked,
            cause=cause,
            since=since,
            stated=dict(stated),
            months=list(months),
            before_fen=self.state.granted_fen,
            amount_fen=arrears.amount_fen,
            asked_by=by.subject,
            asked_at=self.now(),
        )
        self.state.change = change
        asked = self.amount_asked() if stated else arrears
        change.amount_fen = asked.amount_fen
        touched = self.checks_a_change_touches(stated)
        change.checked = {check.source: Checked(source=check.source) for check in touched}
        self.record(
            Kind.CHANGE_ASKED,
            number=change.number,
            cause=cause,
            since=since,
            stated=dict(stated),
            months=list(months),
            arrears_fen=arrears.amount_fen,
            before_fen=change.before_fen,
            amount_fen=change.amount_fen,
            arithmetic=asked.arithmetic,
            asked_again=[check.source for check in touched],
            by=by.role,
        )
        self.notify(APPLICANT, "change_asked", cause=cause)
        self.ask(touched)
        if stated:
            self.change_may_be_reviewed()
        else:
            self.await_confirmation_of_change()

    def amount_asked(self) -> Assessment:
        """The amount a month as the change that waits would have it."""
        return assess(self.state.rules, self.state.household_asked, month_at(self.now()))

    def arrears_of(self, months: Iterable[str]) -> Assessment:
        """What months that were left out come to, as things stand."""
        due = {month: assess(self.state.rules, self.state.household, month).amount_fen for month in months}
        return Assessment(amount_fen=sum(due.values()), arithmetic={"rule": "arrears", **due})

    def checks_a_change_touches(self, stated: Mapping[str, int]) -> list[Check]:
        """The registers whose answers depend on what is stated other than before."""
        changed = [fact for fact in Fact if stated.get(fact, getattr(self.state, fact)) != getattr(self.state, fact)]
        return list(touched_checks(self.state.needed(self.now()), changed))

    def take_facts(self, stated: Mapping[str, int]) -> None:
        """From now on these facts are what the amount is reckoned from."""
        for fact, value in stated.items():
            setattr(self.state, fact, value)
