"""recovery 追回多领款项: what was paid too much comes back, in parts if need be, or two people give it up.

    demanded -> repaid                             in one part or many, each with the treasury's receipt
        | ^
    writing_off -> written_off                     proposed by one, agreed to by another
    also: unresolved, when nobody does anything until the final limit

The case that paid hears of every step, while it lives.
"""

from temporalio import workflow

from schemas.actor import Actor
from schemas.case import CaseOutcome
from schemas.clocks import Limit
from schemas.recovery import RECOVERY, AgreeWriteOff, DeclineWriteOff, ProposeWriteOff, Repay
from schemas.recovery_entries import Kind
from schemas.recovery_state import OPEN, RecoveryState, Repayment, Stage
from workflows.case import command
from workflows.case_file import CaseFile

CIVIL_AFFAIRS = "role:civil_affairs_officer"
DEBTOR = "reporter"
TOLD = "recovery_told"


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
        """退款: with the last part it is over."""
        part = Repayment(amount_fen=command.amount_fen, receipt=command.receipt, at=self.now())
        self.state.repayments.append(part)
        self.record(
            Kind.REPAID_PART,
            amount_fen=part.amount_fen,
            receipt=part.receipt,
            left_fen=self.state.left_fen,
            by=by.role,
        )
        if self.state.left_fen:
            self.tell_the_payer()
        else:
            self.finish_as(Stage.REPAID, Kind.REPAID)

    @command
    def propose_write_off(self, command: ProposeWriteOff, by: Actor) -> None:
        """申请核销: it cannot be had."""
        self.state.written_off_by, self.state.write_off_reason = by.subject, command.reason
        self.start_duty("write_off", self.state.terms.countersign)
        self.move(Stage.WRITING_OFF, CIVIL_AFFAIRS)
        self.record(Kind.WRITE_OFF_PROPOSED, reason=command.reason, left_fen=self.state.left_fen)

    @command
    def agree_write_off(self, command: AgreeWriteOff, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """同意核销: by a second person."""
        self.finish_as(Stage.WRITTEN_OFF, Kind.WRITTEN_OFF, left_fen=self.state.left_fen, by=by.role)

    @command
    def decline_write_off(self, command: DeclineWriteOff, by: Actor) -> None:
        """不同意核销: it is to come back after all."""
        self.state.written_off_by, self.state.write_off_reason = None, None
        self.clocks.stop("write_off", by.subject)
        self.move(Stage.DEMANDED, CIVIL_AFFAIRS)
        self.record(Kind.WRITE_OFF_DECLINED, reason=command.reason)

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
            self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED, left_fen=self.state.left_fen)
            return
        super().on_moment(clock, moment, told)
        if moment == self.state.terms.last_tier and "final" not in self.state.clocks:
            self.clocks.start("final", self.state.terms.unresolved_after, "engine")
            self.record("clock:final_limit", holder=self.state.holder)
