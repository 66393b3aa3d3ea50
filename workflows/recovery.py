"""recovery 追回多领款项: what was paid too much comes back, in parts if need be, or two people give it up.

    demanded -> repaid                             in one part or many, each recorded by one with the treasury's receipt, and
                                                   confirmed by another
        | ^
    writing_off -> written_off                     proposed by one, agreed to by another; declined, or left until its final limit,
                                                   the debt goes on, and whoever sees to it has the whole time again
    also: unresolved, when nobody does anything until the final limit; the books of the month name it

While a write-off or a repayment waits for a second person nothing ends by itself: silence gives up no debt. The case that paid
hears of every step, while it lives.
"""

from schemas.kernel.acts import WithReason
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, THE_REPORTER, desk_of
from schemas.kernel.parties import SUPERVISOR as SUPERVISING
from schemas.kernel.people import how_many
from schemas.recovery import RECOVERY, ConfirmRepayment, DeclineRepayment, Kind, Repay
from schemas.recovery_state import RecoveryState, Repayment, RepaymentClaim, Stage
from schemas.values.actor import Actor
from schemas.values.organisation import organisation
from workflows.kernel.declared import DeclaredCase
from workflows.kernel.law import Law
from workflows.kernel.procedure_workflow import procedure_workflow

CIVIL_AFFAIRS, SUPERVISOR = desk_of(CIVIL_AFFAIRS_OFFICER), desk_of(SUPERVISING)
TOLD = "recovery_told"

TWO_SAY_THAT_IT_CAME_BACK = Law("two-say-that-it-came-back")
"""Patch: before, who recorded a repayment made the debt less by that alone."""

SILENCE_GIVES_UP_NO_DEBT = Law("silence-gives-up-no-debt", since=2)
"""Patch: before, the final limit ran on beside a write-off that nobody signed or that was declined, and ended the debt."""

WHO_ENTERED_MAY_BE_ANYBODY = Law("who-entered-may-be-anybody", since=2)
"""Patch: before, where nobody knew who had entered the case that paid, that person's word counted as another's."""


@procedure_workflow
class Recovery(DeclaredCase[RecoveryState]):
    """One recovery, from the demand to the last fen."""

    procedure = RECOVERY
    owner_after_last_tier = None

    def open(self) -> None:
        """通知退款: how much, for which months, why, and of whom."""
        payer = self.state.payer
        self.record(
            Kind.DEMANDED,
            benefit=self.state.benefit,
            cause=self.state.cause,
            amount_fen=self.state.amount_fen,
            months=self.state.months,
            **({"debtor": self.state.reporter} if payer is None else {"payer": organisation(payer)}),
        )

    def begin(self) -> None:
        """The limit for paying back runs."""
        self.start_clock("repay")
        self.move(Stage.DEMANDED, CIVIL_AFFAIRS)
        yuan, fen = divmod(self.state.amount_fen, 100)
        if self.state.payer is None:
            self.notify(THE_REPORTER, "recovery_demanded", yuan=yuan, fen=fen)
            return
        self.notify(f"participant:{self.state.payer_person}", "recovery_demanded", yuan=yuan, fen=fen)
        self.notify(THE_REPORTER, "recovery_of_the_carrier", yuan=yuan, fen=fen)

    # ---- what people do -------------------------------------------------------------------------------------------

    def repay(self, command: Repay, by: Actor) -> None:
        """退款: what somebody says has come back; it counts when another person has confirmed it."""
        if not self.law_holds(TWO_SAY_THAT_IT_CAME_BACK):
            self.repaid_before_two_people(command, by)
            return
        self.state.claims_made += 1
        claim = RepaymentClaim(
            number=self.state.claims_made,
            amount_fen=command.amount_fen,
            receipt=command.receipt,
            by=by.subject,
            at=self.now(),
        )
        self.state.claims.append(claim)
        if not self.clocks.runs("confirm_repayment"):
            self.start_clock("confirm_repayment")
        self.record(
            Kind.REPAYMENT_CLAIMED,
            repayment=claim.number,
            amount_fen=claim.amount_fen,
            receipt=claim.receipt,
            left_fen=self.state.left_fen,
            by=by.role,
        )
        self.notify(CIVIL_AFFAIRS, "repayment_confirmation_due")

    def repaid_before_two_people(self, command: Repay, by: Actor) -> None:
        """As it was: one person's word."""
        self.came_back(Repayment(amount_fen=command.amount_fen, receipt=command.receipt, at=self.now()), by)

    def confirm_repayment(self, command: ConfirmRepayment, by: Actor) -> None:
        """确认退款: by a second person; with the last part it is over."""
        claim = self.claim_meant(command.repayment)
        if self.needs_another(claim.seen_by, by):
            self.record(Kind.REPAYMENT_SEEN, repayment=claim.number, amount_fen=claim.amount_fen, by=by.role)
            self.notify(CIVIL_AFFAIRS, "repayment_confirmation_due")
            return
        self.settle_claim(claim, by)
        part = Repayment(amount_fen=claim.amount_fen, receipt=claim.receipt, at=self.now())
        self.came_back(part, by, repayment=claim.number)

    def decline_repayment(self, command: DeclineRepayment, by: Actor) -> None:
        """退款未到账: the debt is what it was."""
        claim = self.claim_meant(command.repayment)
        self.settle_claim(claim, by)
        self.record(
            Kind.REPAYMENT_DECLINED,
            repayment=claim.number,
            amount_fen=claim.amount_fen,
            reason=command.reason,
            left_fen=self.state.left_fen,
            by=by.role,
        )

    def claim_meant(self, number: int | None) -> RepaymentClaim:
        """The repayment that a person speaks of; the oldest that waits when they name none."""
        return next((claim for claim in self.state.claims if claim.number == number), self.state.claims[0])

    def settle_claim(self, claim: RepaymentClaim, by: Actor) -> None:
        """It does not wait any more; with the last one nobody is waited for."""
        self.state.claims.remove(claim)
        if not self.state.claims:
            self.clocks.stop("confirm_repayment", by.subject)

    def came_back(self, part: Repayment, by: Actor, **facts: int) -> None:
        """So much of the debt is paid; with the last part it is over."""
        self.state.repayments.append(part)
        self.record(
            Kind.REPAID_PART,
            amount_fen=part.amount_fen,
            receipt=part.receipt,
            left_fen=self.state.left_fen,
            by=by.role,
            **facts,
        )
        if self.state.left_fen:
            self.goes_on_with_the_debt()
            self.tell_the_payer()
        else:
            self.finish_as(Stage.REPAID, Kind.REPAID)

    def propose_write_off(self, command: WithReason, by: Actor) -> None:
        """申请核销: it cannot be had."""
        self.state.written_off_by, self.state.write_off_reason = by.subject, command.reason
        self.start_clock("write_off")
        self.move(Stage.WRITING_OFF, CIVIL_AFFAIRS)
        if not self.law_holds(SILENCE_GIVES_UP_NO_DEBT):
            self.record(Kind.WRITE_OFF_PROPOSED, reason=command.reason, left_fen=self.state.left_fen)
            return
        self.clocks.stop("final", by.subject)
        self.state.write_offs += 1
        self.record(
            Kind.WRITE_OFF_PROPOSED,
            reason=command.reason,
            left_fen=self.state.left_fen,
            number=self.state.write_offs,
            by=by.role,
        )
        self.notify(CIVIL_AFFAIRS, "write_off_due")

    def agree_write_off(self, by: Actor) -> None:
        """同意核销: by a second person."""
        if self.needs_another(self.state.agreed_by, by):
            self.record(Kind.WRITE_OFF_SEEN, left_fen=self.state.left_fen, by=by.role)
            return
        self.finish_as(Stage.WRITTEN_OFF, Kind.WRITTEN_OFF, left_fen=self.state.left_fen, by=by.role)

    def needs_another(self, given: list[str], by: Actor) -> bool:
        """Keep the word of one more; whether it takes another's still, because nobody knows who entered the case that paid."""
        if self.state.words_needed == 1 or not self.law_holds(WHO_ENTERED_MAY_BE_ANYBODY):
            return False
        given.append(by.subject)
        return how_many(given) < self.state.words_needed

    def decline_write_off(self, by: Actor) -> None:
        """不同意核销: it is to come back after all."""
        self.no_write_off_waits(by.subject)
        self.goes_on_with_the_debt()
        self.record_command()

    def no_write_off_waits(self, by: str) -> None:
        """It is to come back after all."""
        self.state.written_off_by, self.state.write_off_reason, self.state.agreed_by = None, None, []
        self.clocks.stop("write_off", by)
        self.move(Stage.DEMANDED, CIVIL_AFFAIRS)

    def goes_on_with_the_debt(self) -> None:
        """Somebody has acted: the final limit does not run any more, and a duty that has climbed all tiers begins anew."""
        climbed = self.state.terms.last_tier in self.state.clocks["repay"].fired
        acted = climbed or self.clocks.runs("final")
        if acted and self.law_holds(SILENCE_GIVES_UP_NO_DEBT):
            self.clocks.stop("final", "engine")
            if climbed:
                self.start_clock("repay")

    # ---- the end --------------------------------------------------------------------------------------------------

    def outcome(self) -> dict[str, object]:
        """How much has come back."""
        return {"repaid_fen": self.state.repaid_fen}

    def on_finished(self) -> None:
        """The case that paid is told."""
        self.tell_the_payer()

    def tell_the_payer(self) -> None:
        """Tell the case that paid how much has come back."""
        if self.state.parent is not None:
            self.tell(self.state.parent, TOLD, repaid_fen=self.state.repaid_fen, stage=self.state.stage)

    def on_clock_passed(self, clock: str) -> None:  # noqa: ARG002 - there is one that decides anything
        """The last limit has passed."""
        self.final_limit_has_passed()

    def after_last_tier(self, clock: str) -> None:
        """After the last tier the final limit runs; who holds it goes on holding it."""
        if not self.timer_of(clock).beside and self.nobody_else_is_left():
            super().after_last_tier(clock)

    def nobody_else_is_left(self) -> bool:
        """The final limit does not run yet; one that was stopped may run again."""
        if "final" not in self.state.clocks:
            return True
        return not self.clocks.runs("final") and self.law_holds_here(SILENCE_GIVES_UP_NO_DEBT)

    def final_limit_has_passed(self) -> None:
        """逾期: an undecided write-off lapses, a repayment that waits holds the case open; else it ends without the money."""
        waits = self.state.stage == Stage.WRITING_OFF or bool(self.state.claims)
        if not (waits and self.law_holds_here(SILENCE_GIVES_UP_NO_DEBT)):
            self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED, left_fen=self.state.left_fen)
            return
        self.clocks.stop("final", "engine")
        if self.state.stage == Stage.WRITING_OFF:
            self.no_write_off_waits("engine")
            self.goes_on_with_the_debt()
            self.state.holder = SUPERVISOR
            self.record(Kind.WRITE_OFF_LAPSED, left_fen=self.state.left_fen)
            self.notify(SUPERVISOR, "write_off_lapsed")
        else:
            self.state.holder = SUPERVISOR
            self.start_clock("final")
            self.record(Kind.HELD_OPEN, repayments=[claim.number for claim in self.state.claims])
            self.notify(SUPERVISOR, "repayment_confirmation_due")
