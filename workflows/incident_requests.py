"""What a department asks for and a supervisor orders: more time, a pause, an account of itself.

    handling: request_extension -> grant_extension | refuse_extension      `finish` grows, or stays as it is
    handling: request_suspension -> grant_suspension | refuse_suspension   -> suspended -> resume -> handling
    any time: supervise -> answer_supervision | finish                     督办, with its own clock

A request that nobody answered lapses with the work it was made for. A suspension ends by itself at its limit.
"""

from schemas.clocks.clocks import Limit, Status, Unit
from schemas.incident import Kind
from schemas.incident_commands import RequestExtension
from schemas.incident_state import ExtensionRequest, Stage
from schemas.kernel.acts import WithReason
from schemas.values.actor import Actor
from workflows.incident_orders import Orders
from workflows.parts.orders import COORDINATOR


class Requests(Orders):
    """The part of an incident that grants, refuses and supervises."""

    @property
    def their_department(self) -> str:
        """The department that holds the case, as one who is told."""
        return f"department:{self.state.department}"

    # ---- extension 延期 -------------------------------------------------------------------------------------------

    def request_extension(self, command: RequestExtension) -> None:
        """申请延期: one request at a time, before the due time."""
        self.state.extension = ExtensionRequest(working_days=command.working_days, reason=command.reason)
        self.apply()

    def grant_extension(self, by: Actor) -> None:
        """同意延期: `finish` grows by the working days that were asked for."""
        request = self.state.extension
        assert request is not None, "the table grants what was asked for"  # noqa: S101 - states the rule of the table
        self.state.extension = None
        self.state.extended_working_days += request.working_days
        longer = Limit(amount=request.working_days, unit=Unit.WORKING_DAYS)
        self.clocks.extend("finish", longer, by.subject, reason=request.reason)
        self.apply(working_days=request.working_days, in_all=self.state.extended_working_days)

    def refuse_extension(self) -> None:
        """不同意延期: with its reason; the limit stays."""
        self.state.extension = None
        self.apply()

    # ---- suspension 挂账 ------------------------------------------------------------------------------------------

    def request_suspension(self, command: WithReason) -> None:
        """申请挂账: the work waits for something that is not the department's to hasten."""
        self.state.suspension = command.reason
        self.apply()

    def grant_suspension(self, by: Actor) -> None:
        """同意挂账: `finish` pauses, and `respond` if it runs; the suspension has a limit of its own."""
        reason, self.state.suspension = self.state.suspension, None
        self.pause_work(by.subject, reason)
        self.start_clock("suspension", by.subject)
        self.apply(reason=reason)

    def refuse_suspension(self) -> None:
        """不同意挂账: with its reason; the clocks go on."""
        self.state.suspension = None
        self.apply()

    def resume(self, by: Actor) -> None:
        """恢复办理: by the department, or by the coordinator who does not want to wait any longer."""
        self.resume_work(by.subject)
        self.apply(by=by.role)

    def suspension_has_ended(self) -> None:
        """挂账到期: a suspended case does not wait for ever. Both who asked and who granted are told."""
        self.resume_work("engine")
        self.clocks.stop("suspension", "engine")
        self.move(Stage.HANDLING, self.their_department)
        self.record(Kind.SUSPENSION_ENDED, limit=str(self.state.terms.suspension))
        for told in (self.their_department, COORDINATOR):
            self.notify(told, "suspension_ended")

    def pause_work(self, by: str, reason: str | None) -> None:
        """What of the work runs is held; `resume_work` lets just that go on."""
        running = [name for name in ("sign", "respond", "finish") if self.state.clocks[name].status is Status.RUNNING]
        for name in running:
            self.clocks.pause(name, by, reason=reason)
        self.state.paused = running

    def resume_work(self, by: str) -> None:
        """What was held goes on, and the time in between is not counted."""
        for name in self.state.paused:
            self.clocks.go_on(name, by)
        self.state.paused = []

    # ---- supervision 督办 -----------------------------------------------------------------------------------------

    def supervise(self) -> None:
        """督办: a formal order to whoever holds the case and to the department, with its own clock."""
        self.state.supervised = True
        self.start_clock("supervise")
        self.record_command(holder=self.state.holder)
        for told in dict.fromkeys((self.their_department, self.state.holder)):
            self.notify(told, "supervised")

    def answer_supervision(self, by: Actor) -> None:
        """督办反馈: the department's account; finishing the work is an answer too."""
        self.supervision_is_answered(by.subject)
        self.apply()

    def supervision_is_answered(self, by: str) -> None:
        """The supervisor's clock stops."""
        self.state.supervised = False
        self.clocks.stop("supervise", by)
