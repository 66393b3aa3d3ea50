"""约定义务 duties with a date, as a case minds them (schemas/parts/duties.py)."""

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from schemas.kernel.entries import EntryKind
from schemas.kernel.timers import TimerKind
from schemas.parts.agreed import Agreed, DatedDuty, Standing, limit_until
from schemas.parts.duties import (
    ACCEPT,
    CURE,
    DUTY,
    AcceptDuty,
    DutiesState,
    DutyEntries,
    ProveDuty,
    RejectDuty,
    WaiveDuty,
)
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=DutiesState)


class DatedDuties(DeclaredCase[StateT]):
    """The part of a case that has dated duties. `duties_owed_by`, `duties_accepted_by`: who is told, as codes."""

    duties_owed_by: ClassVar[str]
    duties_accepted_by: ClassVar[str]

    # ---- for procedures -------------------------------------------------------------------------------------------

    def on_duty_settled(self, duty: DatedDuty, ended_as: Standing) -> None:
        """This time of it is settled; `state.duties_settled`: so are all. Nothing, unless the procedure says."""

    # ---- agreed on ------------------------------------------------------------------------------------------------

    def agree_on(self, agreed: Iterable[Agreed]) -> None:
        """约定: from now on somebody has to do this, by these days."""
        for each in agreed:
            duty = DatedDuty(agreed=each)
            self.state.duties.append(duty)
            self.start_round(duty)
            said = {"recurs": each.recurs, "times": each.times}
            self.record_duty(DutyEntries.DUTY_AGREED, duty, what=each.what, **said)

    def start_round(self, duty: DatedDuty) -> None:
        """It is due by its day."""
        self.start_clock(f"{DUTY}:{duty.code}", limit=limit_until(self.now(), duty.due_at))

    # ---- proved and accepted ----------------------------------------------------------------------------------------

    def prove_duty(self, command: ProveDuty, by: Actor) -> None:
        """举证履行: the other side has the word."""
        duty = self.state.duty_of(command.duty)
        for document in command.documents:
            self.keep_document(document)
        self.state.proofs_given += 1
        duty.standing, duty.proof, duty.proved_by = Standing.PROVED, self.state.proofs_given, by.subject
        self.stop_clocks_of(duty, by.subject)
        self.start_clock(f"{ACCEPT}:{duty.code}", by.subject)
        self.record_command(round=duty.round, request=duty.proof, late=duty.late)
        self.notify(self.duties_accepted_by, "duty_proved", round=duty.round)

    def accept_duty(self, command: AcceptDuty, by: Actor) -> None:
        """认可履行: this time it is kept."""
        duty = self.proved_as(command.request)
        self.stop_clocks_of(duty, by.subject)
        self.record_command(duty=duty.code, round=duty.round, late=duty.late)
        self.settle(duty, Standing.KEPT)

    def reject_duty(self, command: RejectDuty, by: Actor) -> None:
        """不予认可: it is due on its day, as before; after that day there is the whole time to cure it."""
        duty = self.proved_as(command.request)
        self.stop_clocks_of(duty, by.subject)
        duty.proof, duty.proved_by = None, None
        duty.standing = Standing.DUE if self.now() < duty.due_at else Standing.MISSED
        duty.late = duty.standing is Standing.MISSED
        if duty.late:
            self.start_clock(f"{CURE}:{duty.code}")
        else:
            self.start_round(duty)
        self.record_command(duty=duty.code, round=duty.round, standing=duty.standing)
        self.notify(self.duties_owed_by, "duty_rejected", round=duty.round)

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
        """到期未履行: there is time to cure it; its tiers are told all the same."""
        kind, _, code = clock.partition(":")
        if kind != DUTY:
            super().on_duty_broken(clock)
            return
        duty = self.state.duty_of(code)
        duty.standing, duty.late = Standing.MISSED, True
        self.start_clock(f"{CURE}:{code}")
        self.record_duty(DutyEntries.DUTY_MISSED, duty)
        self.notify(self.duties_owed_by, "duty_missed", round=duty.round)
        self.notify(self.duties_accepted_by, "duty_missed", round=duty.round)

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
        duty.proof, duty.proved_by = None, None
        if duty.comes_again and not for_good:
            duty.round, duty.standing, duty.late = duty.round + 1, Standing.DUE, False
            self.start_round(duty)
        else:
            duty.standing = ended_as
        self.on_duty_settled(duty, ended_as)

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
