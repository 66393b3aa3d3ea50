"""分期拨付: milestones are claimed, verified by another person, and paid, one after the other (schemas/parts/instalments.py).

A procedure that pays so derives from `InstalmentsCase`, begins with `next_milestone()` and says what follows the last one
(`milestones_are_done`).
"""

from typing import TypeVar

from schemas.clocks.clock_schedule import last_moment
from schemas.clocks.months import month_at
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.instalments import (
    MILESTONE,
    VERIFY,
    ClaimMilestone,
    Instalments,
    InstalmentsState,
    VerifyMilestone,
)
from schemas.parts.payments import Payment, SettlePayment
from schemas.values.actor import Actor
from workflows.parts.accounts import Accounts

StateT = TypeVar("StateT", bound=InstalmentsState)


class InstalmentsCase(Accounts[StateT]):
    """The part of a case that is paid milestone by milestone."""

    def milestones_are_done(self) -> None:
        """Go on: the last milestone is accepted, and its instalment on its way."""
        raise NotImplementedError

    @property
    def instalments(self) -> Instalments:
        """How the procedure pays in instalments. Raises TypeError: it does not."""
        return self.procedure.part(Instalments)

    def next_milestone(self) -> None:
        """The next one runs; after the last one the procedure goes on."""
        if self.state.reached < len(self.state.milestones):
            self.start_clock(MILESTONE)
            self.move(self.instalments.running, THE_REPORTER)
        else:
            self.milestones_are_done()

    def claim_milestone(self, command: ClaimMilestone, by: Actor) -> None:
        """申报完成: it is reached, says somebody; another person looks."""
        self.state.claimed_by = by.subject
        self.state.milestone_claims += 1
        for document in command.documents:
            self.keep_document(document)
        self.apply(milestone=self.state.reached + 1, number=self.state.milestone_claims)

    def verify_milestone(self, command: VerifyMilestone, by: Actor) -> None:
        """验收: somebody else has looked; theirs is the last word, unless the procedure asks for another one."""
        self.decide_on_milestone(command, by)

    def decide_on_milestone(self, command: VerifyMilestone, by: Actor) -> None:
        """Accepted, its instalment is paid; else the time for it goes on from where it stood."""
        number, self.state.claimed_by = self.state.reached + 1, None
        self.clocks.stop(VERIFY, by.subject)
        if command.passed:
            self.state.reached = number
            self.record_command(milestone=number)
            self.pay_instalment(number)
            self.next_milestone()
        else:
            self.clocks.go_on(MILESTONE, by.subject)
            self.move(self.instalments.running, THE_REPORTER)
            self.record(
                self.instalments.kinds.MILESTONE_NOT_ACCEPTED,
                milestone=number,
                request=command.request,
                finding=command.finding,
            )
            self.notify(THE_REPORTER, "milestone_not_accepted", milestone=number)
            if last_moment(self.state.clocks[MILESTONE].tiers) in self.state.clocks[MILESTONE].fired:
                self.after_last_tier(MILESTONE)

    def not_due(self, payment: Payment, command: SettlePayment) -> None:
        """不予发放: what a verified milestone would have got; whose it is hears of it."""
        super().not_due(payment, command)
        self.notify(THE_REPORTER, "instalment_not_due", yuan=payment.amount_fen // 100, fen=payment.amount_fen % 100)

    def pay_instalment(self, number: int) -> None:
        """What a milestone gets, under a key of its own: once in a case, in whatever month it is accepted."""
        purpose = f"{self.procedure.name.replace('_', '-')}-{number}"
        self.pay(month_at(self.now()), self.state.milestones[number - 1].amount_fen, paid_as=purpose)
