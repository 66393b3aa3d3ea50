"""双方义务 duties of both sides: they rest on each other, shares wait for their figure, waivers for a second word.

What they are stands in schemas/parts/duties.py (`counter_duty_lines`, `report_lines`, `waiver_lines`, `figure_lines`).
"""

from typing import TypeVar

from schemas.parts.agreed import DatedDuty, Figure, Standing, WaiverAsked, share_of
from schemas.parts.duties import (
    LOOK_INTO_REPORT,
    AskWaiver,
    CheckFigure,
    ClaimHardship,
    ClearReport,
    CounterDutyEntries,
    DutiesState,
    GrantWaiver,
    RefuseWaiver,
    ReportOtherSide,
    StateFigure,
)
from schemas.values.actor import Actor
from workflows.parts.duties import DatedDuties

StateT = TypeVar("StateT", bound=DutiesState)


class CounterDuties(DatedDuties[StateT]):
    """The part of a case in which each side owes something to the other."""

    # ---- what hangs on the other side -------------------------------------------------------------------------------

    def pass_by(self, duty: DatedDuty) -> None:
        """中止: the other side had not done its own, so that nobody was late; the next day is asked anew."""
        self.stop_clocks_of(duty, "engine")
        self.record_duty(CounterDutyEntries.DUTY_RESTED, duty)
        self.settle(duty, Standing.RESTED)

    def report_other_side(self, command: ReportOtherSide, by: Actor) -> None:
        """报告对方未履行: what hangs on it rests from now on, until it is proved, or somebody of neither side has looked."""
        duty = self.state.duty_of(command.duty)
        duty.reported = True
        self.start_clock(f"{LOOK_INTO_REPORT}:{duty.code}", by.subject)
        self.record_command(round=duty.round, rests=[each.code for each in self.state.duties if self.state.rests(each)])
        looks = self.warned_of(f"{LOOK_INTO_REPORT}:{duty.code}")
        for told in (*self.owed_by(duty), *([looks] if looks is not None else [])):
            self.notify(told, "duty_reported", round=duty.round)
        self.on_duty_changed(duty)

    def clear_report(self, command: ClearReport, by: Actor) -> None:
        """核查报告: it does not rest any more, unless it is so."""
        duty = self.state.duty_of(command.duty)
        duty.reported = command.is_so
        self.clocks.stop(f"{LOOK_INTO_REPORT}:{duty.code}", by.subject)
        self.record_command(round=duty.round)
        self.on_duty_changed(duty)

    # ---- waivers ----------------------------------------------------------------------------------------------------

    def ask_waiver(self, command: AskWaiver, by: Actor) -> None:
        """申请免除: nothing has changed before the second word."""
        self.wait_for_waiver(self.state.duty_of(command.duty), by, hardship=False)

    def claim_hardship(self, command: ClaimHardship, by: Actor) -> None:
        """困难说明: likewise, with what shows it."""
        for document in command.documents:
            self.keep_document(document)
        self.wait_for_waiver(self.state.duty_of(command.duty), by, hardship=True)

    def wait_for_waiver(self, duty: DatedDuty, by: Actor, *, hardship: bool) -> None:
        """A second person has the word."""
        self.state.duty_requests += 1
        duty.waiver = WaiverAsked(number=self.state.duty_requests, asked_by=by.subject, hardship=hardship)
        self.record_command(round=duty.round, request=duty.waiver.number)

    def grant_waiver(self, command: GrantWaiver, by: Actor) -> None:
        """批准免除: this time; of a gift in hardship, for good."""
        duty = self.waiver_asked_as(command.request)
        hardship = duty.waiver is not None and duty.waiver.hardship
        self.stop_clocks_of(duty, by.subject)
        self.record_command(duty=duty.code, round=duty.round, hardship=hardship)
        if not hardship:
            duty.waived_in.append(duty.due_on.year)
        self.settle(duty, Standing.EXCUSED if hardship else Standing.WAIVED, for_good=hardship)

    def refuse_waiver(self, command: RefuseWaiver) -> None:
        """不予免除: due as it was."""
        duty = self.waiver_asked_as(command.request)
        duty.waiver = None
        self.record_command(duty=duty.code, round=duty.round)

    def waiver_asked_as(self, number: int) -> DatedDuty:
        """The duty of which this waiver was asked for."""
        return next(each for each in self.state.duties if each.waiver is not None and each.waiver.number == number)

    # ---- shares -----------------------------------------------------------------------------------------------------

    def state_figure(self, command: StateFigure, by: Actor) -> None:
        """申报经营数据: somebody else looks at the books."""
        duty = self.state.duty_of(command.duty)
        for document in command.documents:
            self.keep_document(document)
        self.state.duty_requests += 1
        duty.figure = Figure(number=self.state.duty_requests, stated_fen=command.figure_fen, stated_by=by.subject)
        self.record_command(round=duty.round, request=duty.figure.number)

    def check_figure(self, command: CheckFigure, by: Actor) -> None:
        """核对经营数据: now the sum is known; of nothing nothing is due, and this time is kept. Not right: stated anew."""
        duty = next(
            each for each in self.state.duties if each.figure is not None and each.figure.number == command.request
        )
        if duty.figure is None or not command.right:
            duty.figure = None
            self.record_command(duty=duty.code, round=duty.round)
            for told in self.owed_by(duty):
                self.notify(told, "duty_rejected", round=duty.round)
            return
        duty.figure.checked = True
        due_fen = share_of(duty.figure.stated_fen, duty.agreed.percent or 0)
        self.record_command(duty=duty.code, round=duty.round, percent=duty.agreed.percent, due_fen=due_fen)
        if due_fen == 0:
            self.stop_clocks_of(duty, by.subject)
            self.settle(duty, Standing.KEPT)
