"""约定义务 duties with a date, as a case minds them (schemas/parts/duties.py)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar, TypeVar

from schemas.clocks.limits import Limit
from schemas.kernel.entries import EntryKind
from schemas.kernel.timers import TimerKind
from schemas.parts.agreed import Agreed, DatedDuty, Side, Standing, limit_until, rounds_until
from schemas.parts.duties import (
    ACCEPT,
    CURE,
    DUTY,
    LOOK_INTO_REPORT,
    AcceptCounterDuty,
    AcceptDuty,
    DutiesState,
    DutyEntries,
    ProveCounterDuty,
    ProveDuty,
    RejectCounterDuty,
    RejectDuty,
    WaiveDuty,
)
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=DutiesState)


class DatedDuties(DeclaredCase[StateT]):
    """The part of a case that has dated duties. `duties_owed_by`, `duties_accepted_by`: who is told, as codes.

    What the other side owes is theirs who accept what the first side owes, and the other way round. Where there are more sides
    than two, `owed_by` and `accepted_by` say so of each.
    """

    duties_owed_by: ClassVar[str]
    duties_accepted_by: ClassVar[str]

    # ---- for procedures -------------------------------------------------------------------------------------------

    def on_duty_settled(self, duty: DatedDuty, ended_as: Standing) -> None:
        """This time of it is settled; `state.duties_settled`: so are all. Nothing, unless the procedure says."""

    def owed_by(self, duty: DatedDuty) -> Sequence[str]:
        """Return the codes of whoever has to do it."""
        return (self.duties_owed_by if duty.agreed.side is Side.PARTY else self.duties_accepted_by,)

    def accepted_by(self, duty: DatedDuty) -> Sequence[str]:
        """Return the codes of whoever accepts it."""
        return (self.duties_accepted_by if duty.agreed.side is Side.PARTY else self.duties_owed_by,)

    def on_duty_changed(self, duty: DatedDuty) -> None:
        """It was missed, proved or found not done. Nothing, unless the procedure says."""

    def cure_limit(self, duty: DatedDuty) -> Limit | None:  # noqa: ARG002 - some have more time for money
        """Return how long there is to cure it; None: as the clock is declared."""
        return None

    def warned_of(self, clock: str) -> str | None:
        """Whoever owes the duty of a clock, or has to accept it."""
        kind, _, code = clock.partition(":")
        if kind not in (DUTY, CURE, ACCEPT) or not code:
            return super().warned_of(clock)
        duty = self.state.duty_of(code)
        return (self.accepted_by(duty) if kind == ACCEPT else self.owed_by(duty))[0]

    # ---- agreed on ------------------------------------------------------------------------------------------------

    def agree_on(self, agreed: Iterable[Agreed]) -> None:
        """约定: from now on somebody has to do this, by these days."""
        for each in agreed:
            duty = DatedDuty(agreed=each)
            self.state.duties.append(duty)
            self.start_round(duty)
            said = {"recurs": each.recurs, "times": each.times, "side": each.side}
            self.record_duty(DutyEntries.DUTY_AGREED, duty, what=each.what, **said)

    def start_round(self, duty: DatedDuty) -> None:
        """It is due by its day."""
        self.start_clock(f"{DUTY}:{duty.code}", limit=limit_until(self.now(), duty.due_at))

    def prolong_duty(self, duty: DatedDuty, last: date) -> None:
        """续: it comes again until a later day, unless it was done once, or given up for good."""
        times = rounds_until(duty.agreed.first_on, duty.agreed.recurs, last)
        duty.agreed = duty.agreed.model_copy(update={"times": max(times, duty.agreed.times)})
        if not duty.open and duty.comes_again:
            self.next_round(duty)

    # ---- proved and accepted ----------------------------------------------------------------------------------------

    def prove_duty(self, command: ProveDuty, by: Actor) -> None:
        """举证履行: the other side has the word."""
        self.take_proof(command, by)

    def prove_counter_duty(self, command: ProveCounterDuty, by: Actor) -> None:
        """对方举证履行: likewise."""
        self.take_proof(command, by)

    def take_proof(self, command: ProveDuty, by: Actor) -> None:
        """Somebody says that it is done, whichever side owes it."""
        duty = self.state.duty_of(command.duty)
        for document in command.documents:
            self.keep_document(document)
        self.state.proofs_given += 1
        duty.standing, duty.proof, duty.proved_by = Standing.PROVED, self.state.proofs_given, by.subject
        duty.receipt = command.receipt
        if command.receipt is not None:
            self.state.receipts.append(command.receipt)
        self.stop_clocks_of(duty, by.subject)
        self.start_clock(f"{ACCEPT}:{duty.code}", by.subject)
        self.record_command(round=duty.round, request=duty.proof, late=duty.late)
        for told in self.accepted_by(duty):
            self.notify(told, "duty_proved", round=duty.round)
        self.on_duty_changed(duty)

    def accept_duty(self, command: AcceptDuty, by: Actor) -> None:
        """认可履行: this time it is kept."""
        self.take_acceptance(command, by)

    def accept_counter_duty(self, command: AcceptCounterDuty, by: Actor) -> None:
        """认可对方履行: likewise."""
        self.take_acceptance(command, by)

    def take_acceptance(self, command: AcceptDuty, by: Actor) -> None:
        """The other side has seen it: this time is kept, or a part of it, where it takes more than one proof."""
        duty = self.proved_as(command.request)
        self.stop_clocks_of(duty, by.subject)
        duty.done, duty.reported = duty.done + 1, False
        self.clocks.stop(f"{LOOK_INTO_REPORT}:{duty.code}", by.subject)
        self.record_command(duty=duty.code, round=duty.round, late=duty.late, done=duty.done)
        if duty.done < duty.agreed.each_time:
            self.is_due_again(duty)
        else:
            self.settle(duty, Standing.KEPT)

    def reject_duty(self, command: RejectDuty, by: Actor) -> None:
        """不予认可: it is due on its day, as before; after that day there is the whole time to cure it."""
        self.take_rejection(command, by)

    def reject_counter_duty(self, command: RejectCounterDuty, by: Actor) -> None:
        """不予认可对方履行: likewise."""
        self.take_rejection(command, by)

    def take_rejection(self, command: RejectDuty, by: Actor) -> None:
        """The other side says that it is not done, whichever side owes it."""
        duty = self.proved_as(command.request)
        self.stop_clocks_of(duty, by.subject)
        self.state.receipts = [each for each in self.state.receipts if each != duty.receipt]
        self.is_due_again(duty)
        self.record_command(duty=duty.code, round=duty.round, standing=duty.standing)
        for told in self.owed_by(duty):
            self.notify(told, "duty_rejected", round=duty.round)

    def is_due_again(self, duty: DatedDuty) -> None:
        """Something is still to be done about it this time: by its day, or within the time to cure it."""
        duty.proof, duty.proved_by, duty.receipt = None, None, None
        duty.standing = Standing.DUE if self.now() < duty.due_at else Standing.MISSED
        duty.late = duty.standing is Standing.MISSED
        if duty.late:
            self.start_clock(f"{CURE}:{duty.code}", limit=self.cure_limit(duty))
        else:
            self.start_round(duty)
        self.on_duty_changed(duty)

    def waive_duty(self, command: WaiveDuty, by: Actor) -> None:
        """免除: this time, or for good."""
        duty = self.state.duty_of(command.duty)
        self.stop_clocks_of(duty, by.subject)
        self.record_command(round=duty.round)
        self.settle(duty, Standing.WAIVED, for_good=command.for_good)

    def proved_as(self, number: int) -> DatedDuty:
        """The duty of which this was proved."""
        return next(each for each in self.state.duties_being(Standing.PROVED) if each.proof == number)

    # ---- late -----------------------------------------------------------------------------------------------------

    def on_duty_broken(self, clock: str) -> None:
        """到期未履行: there is time to cure it; its tiers are told all the same. What rests is settled so, and nobody was late."""
        kind, _, code = clock.partition(":")
        if kind != DUTY:
            super().on_duty_broken(clock)
            return
        duty = self.state.duty_of(code)
        if self.duty_rests(duty):
            self.pass_by(duty)
            return
        duty.standing, duty.late = Standing.MISSED, True
        self.start_clock(f"{CURE}:{code}", limit=self.cure_limit(duty))
        self.record_duty(DutyEntries.DUTY_MISSED, duty)
        for told in (*self.owed_by(duty), *self.accepted_by(duty)):
            self.notify(told, "duty_missed", round=duty.round)
        self.on_duty_changed(duty)

    def duty_rests(self, duty: DatedDuty) -> bool:
        """Whether its day passes it by."""
        return self.state.rests(duty)

    def pass_by(self, duty: DatedDuty) -> None:
        """中止: this time was not to be done. Nothing, unless duties can rest (`CounterDuties`)."""
        raise NotImplementedError

    def on_clock_passed(self, clock: str) -> None:
        """逾期未补救: it is broken. 逾期未异议: where silence accepts, it is kept."""
        kind, _, code = clock.partition(":")
        if kind == CURE:
            self.is_settled_by_time(code, DutyEntries.DUTY_BROKEN, Standing.BROKEN)
        elif kind == ACCEPT and self.timer_of(clock).kind is TimerKind.WINDOW:
            self.is_settled_by_time(code, DutyEntries.DUTY_UNCONTESTED, Standing.KEPT)
        else:
            super().on_clock_passed(clock)

    def is_settled_by_time(self, code: str, kind: EntryKind, ended_as: Standing) -> None:
        """Nobody did anything until the end of a window."""
        duty = self.state.duty_of(code)
        self.stop_clocks_of(duty, "engine")
        self.record_duty(kind, duty)
        self.settle(duty, ended_as)

    # ---- settled --------------------------------------------------------------------------------------------------

    def settle(self, duty: DatedDuty, ended_as: Standing, *, for_good: bool = False) -> None:
        """This time is settled, whatever way; the next time comes on its own day."""
        duty.ended_as.append(ended_as)
        duty.proof, duty.proved_by, duty.receipt, duty.figure, duty.waiver = None, None, None, None, None
        duty.over = duty.over or for_good
        duty.standing = ended_as
        if duty.comes_again:
            self.next_round(duty)
        self.on_duty_settled(duty, ended_as)

    def next_round(self, duty: DatedDuty) -> None:
        """It is due once more, on its next day."""
        duty.round, duty.standing, duty.late, duty.done = duty.round + 1, Standing.DUE, False, 0
        self.start_round(duty)

    def stop_clocks_of(self, duty: DatedDuty, by: str) -> None:
        """Nothing of this time is waited for."""
        for kind in (DUTY, CURE, ACCEPT):
            self.clocks.stop(f"{kind}:{duty.code}", by)

    def record_duty(self, kind: EntryKind, duty: DatedDuty, **facts: object) -> None:
        """Say what a duty has come to by itself."""
        self.record(
            f"{self.procedure.name}:{kind}",
            duty=duty.code,
            round=duty.round,
            due_on=duty.due_on.isoformat(),
            **facts,
        )
