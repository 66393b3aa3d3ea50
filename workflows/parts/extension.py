"""延期 and 挂账: more time is asked for and granted, and work rests until what holds it up is over, or for so long at most.

    request_extension -> grant_extension | refuse_extension      the clock grows, or stays as it is
    request_suspension -> grant_suspension | refuse_suspension   the clocks of the work pause, until resume or their limit

When it can be, and who may, stands in `schemas/parts/extension.py`.
"""

from typing import ClassVar, TypeVar

from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import Step, WithReason
from schemas.parts.extension import ExtendedState, ExtensionRequest, RequestExtension, RequestsState
from schemas.values.actor import Actor
from workflows.kernel.case_file import CaseFile
from workflows.kernel.declared import DeclaredCase

ExtendedT = TypeVar("ExtendedT", bound=ExtendedState)
StateT = TypeVar("StateT", bound=RequestsState)


class ExtendedCase(CaseFile[ExtendedT]):
    """A case that gets more time. `extended_clock`: of which clock."""

    extended_clock: ClassVar[str] = "finish"

    def extend_by(self, working_days: int, reason: str, by: str) -> int:
        """The clock grows by so many working days; how many it has grown in all."""
        self.state.extended_working_days += working_days
        self.clocks.extend(self.extended_clock, Limit(amount=working_days, unit=Unit.WORKING_DAYS), by, reason=reason)
        return self.state.extended_working_days


class RequestsCase(ExtendedCase[StateT], DeclaredCase[StateT]):
    """The part of a case in which more time, or a pause, is asked for. `work_clocks`: those that a suspension holds."""

    work_clocks: ClassVar[tuple[str, ...]] = ("finish",)

    def drop_requests(self) -> None:
        """What was asked for the work that is over now is asked no more."""
        for request in ("extension", "suspension"):
            if getattr(self.state, request) is not None:
                setattr(self.state, request, None)
                self.record(f"{self.procedure.name}:request_lapsed", request=request)

    # ---- extension 延期 -------------------------------------------------------------------------------------------

    def request_extension(self, command: RequestExtension) -> None:
        """申请延期: one request at a time, before the due time."""
        self.state.extension = ExtensionRequest(working_days=command.working_days, reason=command.reason)
        self.apply()

    def grant_extension(self, by: Actor) -> None:
        """同意延期: the clock grows by the working days that were asked for."""
        request, self.state.extension = self.state.extension, None
        assert request is not None, "the table grants what was asked for"  # noqa: S101 - states the rule of the table
        in_all = self.extend_by(request.working_days, request.reason, by.subject)
        self.apply(working_days=request.working_days, in_all=in_all)

    def refuse_extension(self) -> None:
        """不同意延期: with its reason; the limit stays."""
        self.state.extension = None
        self.apply()

    # ---- suspension 挂账 ------------------------------------------------------------------------------------------

    def request_suspension(self, command: WithReason) -> None:
        """申请挂账: the work waits for something that is not the asker's to hasten."""
        self.state.suspension = command.reason
        self.apply()

    def grant_suspension(self, by: Actor) -> None:
        """同意挂账: the clocks of the work pause; the suspension has a limit of its own."""
        reason, self.state.suspension = self.state.suspension, None
        self.pause_work(by.subject, reason)
        self.start_clock("suspension", by.subject)
        self.apply(reason=reason)

    def refuse_suspension(self) -> None:
        """不同意挂账: with its reason; the clocks go on."""
        self.state.suspension = None
        self.apply()

    def resume(self, by: Actor) -> None:
        """恢复办理: by who asked for it, or by who granted it and does not want to wait any longer."""
        self.resume_work(by.subject)
        self.apply(by=by.role)

    def end_suspension(self, step: Step) -> None:
        """挂账到期: work does not rest for ever. Both who asked and who granted are told."""
        self.resume_work("engine")
        self.clocks.stop("suspension", "engine")
        asker, granter = self.told_by_line("grant_suspension"), self.told_by_line("request_suspension")
        self.move(step.rule.to[0], asker)
        limit = self.procedure.timers["suspension"].limit_under(self.state.terms, self.state)
        self.record(self.entry_of(step), limit=str(limit))
        for told in (asker, granter):
            self.notify(told, "suspension_ended")

    def told_by_line(self, command: str) -> str:
        """Whom the line of a command tells."""
        tells = self.procedure.acts[command].tells
        assert tells is not None, "the lines of a suspension tell somebody"  # noqa: S101 - schemas/parts/extension.py
        return self.address_of(tells.to)

    # ---- the clocks of the work -----------------------------------------------------------------------------------

    def pause_work(self, by: str, reason: str | None) -> None:
        """What of the work runs is held; `resume_work` lets just that go on."""
        self.state.paused = [name for name in self.work_clocks if self.clocks.runs(name)]
        for name in self.state.paused:
            self.clocks.pause(name, by, reason=reason)

    def resume_work(self, by: str) -> None:
        """What was held goes on, and the time in between is not counted."""
        for name in self.state.paused:
            self.clocks.go_on(name, by)
        self.state.paused = []
