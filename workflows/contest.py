"""contest 社区微项目: residents propose a small project, a panel judges it, it is posted, and paid milestone by milestone.

    proposed -> judging -> posted -> running <-> claimed -> accounting -> closed
       |           |        |  ^        |
       v           v        v  |        v
    rejected  not_awarded  objected  cancelled          also: withdrawn before the award, unresolved

1. The street accepts the proposal; so many jurors judge it, each once, nobody their own. Under the mark it is not awarded.
2. It is posted for seven days. Anybody may object; upheld, it is not awarded, else it is posted anew.
3. Each milestone is claimed with documents, and verified by somebody else; then its instalment is paid.
4. After the last one, when everything is paid, the final account is handed in, and the project is closed.

A project that nobody moves on belongs to the coordinator after the last tier, and ends as `unresolved`.
"""

from typing import Any

from schemas.contest import CONTEST, Account, ContestState, Kind, Stage
from schemas.kernel.parties import THE_REPORTER
from schemas.parts.panel import Tally, Turnout
from schemas.parts.payments import Payment
from schemas.parts.postings import Investigate
from schemas.values.actor import Actor
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.instalments import InstalmentsCase
from workflows.parts.panel import PanelCase
from workflows.parts.postings import Postings


@procedure_workflow
class Contest(Postings[ContestState], PanelCase[ContestState], InstalmentsCase[ContestState]):
    """One project, from the proposal to its final account."""

    procedure = CONTEST

    def reported(self) -> dict[str, Any]:
        """申报: what is to be done, in which parts, and what all of it costs."""
        return {**super().reported(), "budget_fen": self.state.budget_fen}

    # ---- 1. the panel ---------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """受理: the jury is whoever the table lets, until so many have judged."""
        self.apply()
        self.convene()

    def panel_has_judged(self, tally: Tally, outcome: Turnout) -> None:  # noqa: ARG002 - the entry before says it
        """At or over the mark it is posted."""
        if tally.reaches(self.state.panel_terms.mark):
            self.publicise()
        else:
            self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, mean_hundredths=tally.mean_hundredths)

    def panel_is_short(self, tally: Tally) -> None:
        """Nobody is left who could judge it: it is not awarded."""
        self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, mean_hundredths=tally.mean_hundredths)

    # ---- 2. publicity ---------------------------------------------------------------------------------------------

    def posted(self) -> dict[str, Any]:
        """公示: what it costs, and how it was judged."""
        return {"budget_fen": self.state.budget_fen, "mean_hundredths": self.state.tally.mean_hundredths}

    def objection_is_upheld(self, command: Investigate, by: Actor) -> None:  # noqa: ARG002 - the entry before says who
        """异议成立: not awarded, by its law."""
        self.finish_as(Stage.NOT_AWARDED, Kind.NOT_AWARDED, legal_basis=command.legal_basis)

    def publicity_has_ended(self) -> None:
        """入选: the first milestone is under way."""
        self.record(Kind.AWARDED, budget_fen=self.state.budget_fen)
        self.notify(THE_REPORTER, "contest_awarded")
        self.next_milestone()

    # ---- 3. milestones --------------------------------------------------------------------------------------------

    def milestones_are_done(self) -> None:
        """All are accepted: civil affairs has it until the last instalment is paid."""
        self.move(Stage.ACCOUNTING, self.paying.desk)
        self.await_account()

    def after_payment(self, payment: Payment) -> None:
        """With the last one the final account is due."""
        super().after_payment(payment)
        self.await_account()

    def await_account(self) -> None:
        """The final account is theirs to hand in, and its time runs, once everything is paid."""
        if self.state.stage == Stage.ACCOUNTING and not self.state.payments and "account" not in self.state.clocks:
            self.start_clock("account")
            self.move(Stage.ACCOUNTING, THE_REPORTER)
            self.notify(THE_REPORTER, "contest_account_due")

    def account(self, command: Account) -> None:
        """决算: with its receipts, it is closed; what is left of the money, civil affairs asks back."""
        for document in command.documents:
            self.keep_document(document)
        left = max(self.state.instalments_paid_fen - command.spent_fen, 0)
        if left:
            self.notify(self.paying.desk, "contest_money_left", yuan=left // 100, fen=left % 100)
        self.apply(left_fen=left)

    def outcome(self) -> dict[str, Any]:
        """How far it came, and what it got."""
        return {"reached": self.state.reached, "paid_fen": self.state.instalments_paid_fen}
