"""recovery 追回多领款项: what was paid too much comes back, in parts if need be, or two people give it up.

    demanded -> repaid                             in one part or many, each recorded by one with the treasury's receipt, and
                                                   confirmed by another
        | ^
    writing_off -> written_off                     proposed by one, agreed to by another; declined, or left until its final limit,
                                                   the debt goes on, and whoever sees to it has the whole time again
    also: unresolved, when nobody does anything until the final limit; the books of the month name it (schemas/reconciliation.py)

While a write-off or a repayment waits for a second person nothing ends by itself: silence gives up no debt. The case that paid
hears of every step, while it lives.
"""

from temporalio import workflow

from schemas.actor import Actor
from schemas.case import CaseOutcome
from schemas.clocks import Limit
from schemas.recovery import (
    RECOVERY,
    AgreeWriteOff,
    ConfirmRepayment,
    DeclineRepayment,
    DeclineWriteOff,
    ProposeWriteOff,
    Repay,
)
from schemas.recovery_entries import Kind
from schemas.recovery_state import OPEN, Claim, RecoveryState, Repayment, Stage
from workflows.case import command
from workflows.case_file import CaseFile

CIVIL_AFFAIRS = "role:civil_affairs_officer"
SUPERVISOR = "role:supervisor"
DEBTOR = "reporter"
TOLD = "recovery_told"

TWO_SAY_THAT_IT_CAME_BACK = "two-say-that-it-came-back"
"""Patch: before, who recorded a repayment made the debt less by that alone."""

SILENCE_GIVES_UP_NO_DEBT = "silence-gives-up-no-debt"
"""Patch: before, the final limit ran on beside a write-off that nobody signed or that was declined, and ended the debt."""

SINCE_SILENCE_GIVES_UP_NO_DEBT = 2
"""The count of `LAWS` with which it came."""


@workflow.defn(name="recovery")
class Recovery(CaseFile[RecoveryState]):
    """One recovery, from the demand to the last fen."""

    procedure = RECOVERY

    @workflow.init
    def __init__(self, state: RecoveryState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: RecoveryState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case; the story is below."""
        return await self.live(self.story)

    async def story(self) -> None:
        """Wait until it is back, or given up."""
        await self.while_at(*OPEN)

    def open(self) -> None:
        """通知退款: how much, for which months, why."""
        self.record(
            Kind.DEMANDED,
            benefit=self.state.benefit,
            cause=self.state.cause,
            debtor=self.state.reporter,
            amount_fen=self.state.amount_fen,
            months=self.state.months,
        )

    def begin(self) -> None:
        """The limit for paying back runs."""
        self.start_duty("repay", self.state.terms.repay)
        self.move(Stage.DEMANDED, CIVIL_AFFAIRS)
        self.notify(DEBTOR, "recovery_demanded", yuan=self.state.amount_fen // 100, fen=self.state.amount_fen % 100)

    def start_duty(self, name: str, limit: Limit) -> None:
        """Start a clock that somebody has to keep: late, it climbs the tiers."""
        self.clocks.start(name, limit, "engine", tiers=self.state.terms.tiers)

    # ---- what people do -------------------------------------------------------------------------------------------

    @command
    def repay(self, command: Repay, by: Actor) -> None:
        """退款: what somebody says has come back; it counts when another person has confirmed it."""
        if not self.law_holds(TWO_SAY_THAT_IT_CAME_BACK):
            self.repaid_before_two_people(command, by)
            return
        self.state.claims_made += 1
        claim = Claim(
            number=self.state.claims_made,
            amount_fen=command.amount_fen,
            receipt=command.receipt,
            by=by.subject,
            at=self.now(),
        )
        self.state.claims.append(claim)
        if not self.clocks.runs("confirm_repayment"):
            self.start_duty("confirm_repayment", self.state.terms.confirm_repayment)
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

    @command
    def confirm_repayment(self, command: ConfirmRepayment, by: Actor) -> None:
        """确认退款: by a second person; with the last part it is over."""
        claim = self.claim_meant(command.repayment)
        self.settle_claim(claim, by)
        part = Repayment(amount_fen=claim.amount_fen, receipt=claim.receipt, at=self.now())
        self.came_back(part, by, repayment=claim.number)

    @command
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

    def claim_meant(self, number: int | None) -> Claim:
        """The repayment that a person speaks of; the oldest that waits when they name none."""
        return next((claim for claim in self.state.claims if claim.number == number), self.state.claims[0])

    def settle_claim(self, claim: Claim, by: Actor) -> None:
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

    @command
    def propose_write_off(self, command: ProposeWriteOff, by: Actor) -> None:
        """申请核销: it cannot be had."""
        self.state.written_off_by, self.state.write_off_reason = by.subject, command.reason
        self.start_duty("write_off", self.state.terms.countersign)
        self.move(Stage.WRITING_OFF, CIVIL_AFFAIRS)
        if not self.law_holds(SILENCE_GIVES_UP_NO_DEBT, SINCE_SILENCE_GIVES_UP_NO_DEBT):
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

    @command
    def agree_write_off(self, command: AgreeWriteOff, by: Actor) -> None:  # noqa: ARG002 - what it names was looked at before
        """同意核销: by a second person."""
        self.finish_as(Stage.WRITTEN_OFF, Kind.WRITTEN_OFF, left_fen=self.state.left_fen, by=by.role)

    @command
    def decline_write_off(self, command: DeclineWriteOff, by: Actor) -> None:
        """不同意核销: it is to come back after all."""
        self.no_write_off_waits(by.subject)
        self.goes_on_with_the_debt()
        self.record(Kind.WRITE_OFF_DECLINED, reason=command.reason)

    def no_write_off_waits(self, by: str) -> None:
        """It is to come back after all."""
        self.state.written_off_by, self.state.write_off_reason = None, None
        self.clocks.stop("write_off", by)
        self.move(Stage.DEMANDED, CIVIL_AFFAIRS)

    def goes_on_with_the_debt(self) -> None:
        """Somebody has acted: the final limit does not run any more, and a duty that has climbed all tiers begins anew."""
        climbed = self.state.terms.last_tier in self.state.clocks["repay"].fired
        acted = climbed or self.clocks.runs("final")
        if acted and self.law_holds(SILENCE_GIVES_UP_NO_DEBT, SINCE_SILENCE_GIVES_UP_NO_DEBT):
            self.clocks.stop("final", "engine")
            if climbed:
                self.start_duty("repay", self.state.terms.repay)

    # ---- the end --------------------------------------------------------------------------------------------------

    def finish_as(self, stage: Stage, kind: Kind, **facts: int | str) -> None:
        """The recovery is over; the case that paid is told."""
        self.clocks.stop_all()
        self.state.closed_at = self.now()
        self.move(stage, "")
        self.record(kind, repaid_fen=self.state.repaid_fen, **facts)
        self.notify(DEBTOR, f"recovery_{stage}")
        self.tell_the_payer()

    def tell_the_payer(self) -> None:
        """Tell the case that paid how much has come back."""
        if self.state.parent is not None:
            self.tell(self.state.parent, TOLD, repaid_fen=self.state.repaid_fen, stage=self.state.stage)

    def on_moment(self, clock: str, moment: str, told: str) -> None:
        """Duties remind and climb the tiers; after the last one the final limit runs."""
        if (clock, moment) == ("final", "breach"):
            self.final_limit_has_passed()
            return
        super().on_moment(clock, moment, told)
        if clock != "confirm_repayment" and moment == self.state.terms.last_tier and self.nobody_else_is_left():
            self.clocks.start("final", self.state.terms.unresolved_after, "engine")
            self.record("clock:final_limit", holder=self.state.holder)

    def nobody_else_is_left(self) -> bool:
        """The final limit does not run yet; one that was stopped may run again."""
        if "final" not in self.state.clocks:
            return True
        return not self.clocks.runs("final") and workflow.patched(SILENCE_GIVES_UP_NO_DEBT)

    def final_limit_has_passed(self) -> None:
        """逾期: an undecided write-off lapses, a repayment that waits holds the case open; else it ends without the money."""
        waits = self.state.stage == Stage.WRITING_OFF or bool(self.state.claims)
        if not (waits and workflow.patched(SILENCE_GIVES_UP_NO_DEBT)):
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
            self.clocks.start("final", self.state.terms.unresolved_after, "engine")
            self.record(Kind.HELD_OPEN, repayments=[claim.number for claim in self.state.claims])
            self.notify(SUPERVISOR, "repayment_confirmation_due")
