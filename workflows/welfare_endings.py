"""A reported end: payment rests at once, and the benefit ends when a second person, or the register of deaths, says so too.

    report_change (a death, a move, an income above the limit) by anybody but the payee
        -> payment rests; the payee is told, and may object (`welfare_rest`)
        -> confirm_end by another person, or the register's word: it ends, and what was paid beyond it comes back
        -> refuse_end by another person: payment goes on, with the months that were left out

What lowers counts at once, but an end is final: with it a debt is raised, and nobody applies for the dead.
"""

from schemas.contracts.means import CheckRequest
from schemas.values.actor import Actor
from schemas.welfare_entitlement import (
    Change,
    RefuseEnd,
)
from schemas.welfare_entries import Kind
from schemas.welfare_state import EndReported, Stage
from workflows.kernel import steps
from workflows.welfare_duties import APPLICANT
from workflows.welfare_payments import DEATH_REGISTERED
from workflows.welfare_reassessment import Reassessment

END_CHECKS = 1_000_000
"""The askings about a reported death are numbered from here on, apart from those before payments."""

REGISTER = "register"


class WelfareEndings(Reassessment):
    """The part of a case that lets nobody end it alone by saying that somebody is dead or gone."""

    async def errand_ask_of_death(self, number: int) -> None:
        """Ask the register of deaths; its word is that of a second one. One that does not know yet says nothing against it."""
        source = self.state.terms.alive_by
        assert source is not None, "only a town with such a register asks"  # noqa: S101 - `ask_for_end` sees to it
        answer = await self.answer_after_due_clocks(
            steps.ask_source(
                CheckRequest(
                    case_id=self.state.case_id,
                    check=source,
                    number=END_CHECKS + number,
                    person=self.state.reporter,
                    statements=self.state.statements_of(self.state.reporter),
                    as_of=self.now(),
                )
            )
        )
        end = self.state.end_asked
        if answer.facts.get(DEATH_REGISTERED, 0) > 0 and end is not None and end.number == number:
            self.state.death_registered = True
            self.end_is_confirmed(end, REGISTER, "engine")

    def confirm_end(self, by: Actor) -> None:
        """确认终止: by a second person."""
        self.end_is_confirmed(self.end_that_waits(), by.role, by.subject)

    def refuse_end(self, command: RefuseEnd, by: Actor) -> None:
        """不予终止: by a second person; payment goes on as before, unless it rested for something else."""
        end = self.end_that_waits()
        self.forget_the_end_asked(by.subject)
        months = list(self.state.skipped) if end.rests else []
        self.record(Kind.END_REFUSED, number=end.number, reason=command.reason, months=months, by=by.role)
        self.notify(APPLICANT, "end_refused")
        if end.rests and self.state.stage == Stage.PAYMENT_SUSPENDED:
            self.goes_on()
            self.make_good("end_refused", by)
        self.pay_those_that_wait()
        self.end_if_settled()

    def end_is_confirmed(self, end: EndReported, by: str, who: str) -> None:
        """What was reported counts: nothing is due after its last month, and what was paid after that comes back."""
        self.forget_the_end_asked(who)
        self.take_facts(end.stated)
        self.state.alive = end.cause != Change.DEATH and self.state.alive
        self.record(Kind.END_CONFIRMED, number=end.number, cause=end.cause, last_due=end.last_due, by=by)
        self.ends(end.last_due, end.cause)
