"""incident 事件处置: something is reported, and it is dealt with, checked, rated and closed.

    reported -> dispatched -> handling -> verifying -> calling_back -> closed
                  ^   |        ^ | | ^        |             |             |
                  |   v        | v v |        v             v             v
                  +- returned <--+ suspended (rework)   (not solved)    reopened inside the window
    with a department: whistled, while a whistle that is born of it is under way
    also: merged, withdrawn, rejected, unresolved

1. The report is dispatched at once, by the responsibility list, and the clocks `sign`, `respond` and `finish` start.
2. The department signs, returns the order with reason and legal basis, or stays silent: then its clocks escalate, tier by tier.
   It may ask for more time or for a suspension; a supervisor may order an account of the matter.
3. It reports the work done; somebody else verifies it, or sends it back as rework.
4. The resident rates it. *Not solved* sends it back once; after that the coordinator decides.
5. It is closed, and can be reopened inside the window. The workflow ends when the window has passed.

What goes out to departments stands in `incident_orders`, requests and supervision in `incident_requests`, waiting for a
whistle in `incident_whistles`, the ends of a case that is not rated in `incident_endings`, how those who reported the same
matter hear of it in `incident_followers`. A case that nobody answers
belongs to the coordinator after the last tier, and ends as `unresolved` at the final limit.
"""

from temporalio import workflow

from schemas.contracts.department import ReworkCause
from schemas.incident import INCIDENT, Kind
from schemas.incident_commands import Arbitrate, Finish, Rate, Redispatch, Verify
from schemas.incident_messages import Told
from schemas.incident_state import FINAL, HELD, IncidentState, Solved, Stage
from schemas.kernel.parties import THE_REPORTER
from schemas.values.account import is_guest
from schemas.values.actor import Actor
from schemas.values.document import Document
from schemas.values.references import TextReference
from workflows.incident_endings import IncidentEndings
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.orders import COORDINATOR
from workflows.parts.origins import BornCase, OriginCase

FINAL_LIMIT_RUNS_AGAIN = "the-final-limit-runs-again"
"""Patch: before, a case that was closed while its final limit ran, and opened anew, had none any more and could stand for ever."""


@procedure_workflow
class Incident(OriginCase[IncidentState], BornCase[IncidentState], IncidentEndings):
    """One incident, from the report to the end of the reopen window."""

    procedure = INCIDENT
    leads_to = ("mediation",)
    told_if_nobody_holds_it = COORDINATOR

    async def story(self) -> None:
        """Tell the procedure after its dispatch, however many rounds it takes."""
        while not self.over:
            await self.while_at(Stage.SCREENING, *HELD)
            await self.while_at(Stage.VERIFYING)
            await self.while_at(Stage.CALLING_BACK)
            await self.while_at(Stage.CLOSED)
            await self.farewell()

    @property
    def over(self) -> bool:
        """Nothing more can happen: a final stage, or the reopen window has passed."""
        return self.state.ended or (self.state.stage in FINAL and not self.state.follows)

    @property
    def is_of_a_guest(self) -> bool:
        """Whether nobody's account stands behind the report."""
        return is_guest(self.state.opening.actor.subject)

    def born_of(self) -> str | None:
        """The motion that it came from."""
        return self.state.motion

    def on_opened(self) -> None:
        """受理: the reporter is told. What came in without an account is not taken on yet."""
        self.tell_origin_it_stands()
        if not self.is_of_a_guest:
            self.notify(THE_REPORTER, "incident_reported")

    def reported(self) -> dict[str, object]:
        """受理: what was reported stands in the first entry."""
        named = (
            "category",
            "category_given",
            "listed",
            "urgency",
            "area",
            "channel",
            "description",
            "address",
            "reporter",
        )
        said: dict[str, object] = {name: getattr(self.state, name) for name in (*named, "on_behalf")}
        if self.state.motion is not None:
            said["motion"] = self.state.motion
        return said if self.state.proposed is None else said | {"proposed": self.state.proposed.model_dump(mode="json")}

    def on_finished(self) -> None:
        """The motion that it came from hears how it ended."""
        super().on_finished()
        self.tell_origin_it_has_ended()

    # ---- 1. dispatch ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """派单: by the responsibility list, at once; what came in without an account is looked at before 核实."""
        if self.is_of_a_guest:
            self.start_clock("screen")
            self.move(Stage.SCREENING, COORDINATOR)
            self.record(Kind.SCREENED)
            self.notify(COORDINATOR, "screening_due")
        else:
            self.send_out()

    def admit(self, by: Actor) -> None:
        """受理: from here on it goes like every other report."""
        self.clocks.stop("screen", by.subject)
        self.record_command()
        self.notify(THE_REPORTER, "incident_reported")
        self.send_out()

    def send_out(self) -> None:
        """派单: to whom the responsibility list names. The clocks start at dispatch, not when the order is signed."""
        responsible = self.state.responsibility
        for clock in ("respond", "finish"):
            self.start_clock(clock)
        self.give_order(responsible.department)
        self.record(Kind.DISPATCHED, department=responsible.department, legal_basis=responsible.legal_basis)

    def redispatch(self, command: Redispatch, by: Actor) -> None:
        """改派: `sign` starts anew, `finish` goes on."""
        self.give_order(command.department)
        self.record_command(by=by.role, **self.against_proposals(command.department))

    # ---- 2. the department ----------------------------------------------------------------------------------------

    def sign(self) -> None:
        """签收: stops `sign`."""
        self.state.order.signed_at = self.now()
        self.apply(order=self.state.order.number)

    def return_order(self) -> None:
        """退单: to the coordinator, with reason and legal basis; all time still counts."""
        self.drop_requests()
        self.state.returns += 1
        self.apply()

    def arbitrate(self, command: Arbitrate) -> None:
        """裁定: names the department; the ruling binds, no further return."""
        self.give_order(command.department, binding=True)
        self.record_command(**self.against_proposals(command.department))

    def against_proposals(self, department: str) -> dict[str, int]:
        """At which place a department stood among what was proposed when it was reported; nothing where nothing was."""
        proposed = self.state.proposed
        return {} if proposed is None else {"proposal": proposed.rank_of_department(department)}

    def finish(self, command: Finish, by: Actor) -> None:
        """办结: stops `respond` and `finish`, answers a supervisor's order; somebody else has to look now."""
        self.drop_requests()
        self.keep_evidence(command, self.state.order.documents)
        if self.state.supervised:
            self.supervision_is_answered(by.subject)
        self.state.order.finished_by = by.subject
        self.state.order.result = command.result
        self.apply()

    # ---- 3. verification ------------------------------------------------------------------------------------------

    def verify(self, command: Verify, by: Actor) -> None:
        """核查: passed goes to the call-back; failed goes back as rework, and `finish` goes on."""
        self.clocks.stop("verify", by.subject)
        if command.passed:
            self.start_clock("rate", by.subject)
            rates = COORDINATOR if self.state.reporter_left else THE_REPORTER
            self.move(Stage.CALLING_BACK, rates)
            self.record(Kind.VERIFIED)
            self.notify(rates, "rating_asked")
            self.tell_followers(Told.RATING)
        else:
            self.state.reworks += 1
            self.send_back(by, ReworkCause.VERIFICATION_FAILED, command.reason)
            self.record(Kind.VERIFICATION_FAILED, reason=command.reason, reworks=self.state.reworks)
            self.notify(self.state.holder, "rework", reworks=self.state.reworks)

    def send_back(self, by: Actor, cause: ReworkCause, reason: TextReference | None) -> None:
        """Send the case back to the department that handled it; `finish` goes on from where it stood."""
        self.clocks.go_on("finish", by.subject)
        self.move(Stage.HANDLING, f"department:{self.state.department}")
        self.ask_again(cause, reason)

    # ---- 4. rating ------------------------------------------------------------------------------------------------

    def rate(self, command: Rate, by: Actor) -> None:
        """评价: *not solved* goes back once; the second time the coordinator decides. Of a merged case, see below."""
        if self.state.stage == Stage.MERGED:
            self.rate_followed(command, by)
            return
        self.state.solved, self.state.satisfied = command.solved, command.satisfied
        self.clocks.stop("rate", by.subject)
        if command.solved is not Solved.NOT:
            self.record_command()
            self.close()
            return
        self.state.unsolved += 1
        if self.state.unsolved == 1:
            self.send_back(by, ReworkCause.NOT_SOLVED, command.comment)
        else:
            self.clocks.go_on("finish", by.subject)
            self.move(Stage.RETURNED, COORDINATOR)
        self.record_command()
        self.notify(self.state.holder, "not_solved", times=self.state.unsolved)

    def rate_followed(self, command: Rate, by: Actor) -> None:
        """评价所并案件: one of several reporters; who finds it not solved has the own report dealt with alone."""
        self.state.solved, self.state.satisfied, self.state.followed_rated = command.solved, command.satisfied, True
        if command.solved is Solved.NOT:
            self.state.unsolved += 1
            self.goes_on_alone(by.subject)
        self.record_command()
        if command.solved is Solved.NOT:
            self.notify(self.state.holder, "not_solved", times=self.state.unsolved)

    def close(self) -> None:
        """结案: the work is over; the window for reopening starts."""
        self.state.closed_at = self.now()
        self.clocks.stop_all()
        self.start_clock("reopen")
        self.move(Stage.CLOSED, "")
        self.record(Kind.CLOSED)
        self.notify(THE_REPORTER, "incident_closed")
        self.tell_followers(Told.CLOSED)

    # ---- 5. reopening ---------------------------------------------------------------------------------------------

    def reopen(self, by: Actor) -> None:
        """重启: back to the department that handled it, with new clocks. A merged case goes on alone."""
        if self.state.stage == Stage.MERGED:
            self.goes_on_alone(by.subject)
            self.record_command()
            return
        self.state.closed_at = None
        self.clocks.stop("reopen", by.subject)
        for clock in ("respond", "finish"):
            self.start_clock(clock)
        self.give_order(self.state.order.department)
        self.record_command()
        self.tell_followers(Told.REOPENED)

    # ---- what people add to the file ------------------------------------------------------------------------------

    def on_attached(self, document: Document, by: Actor) -> None:
        """What the department that holds the order attaches shows its work."""
        if by.department is not None and by.department == self.state.department:
            self.state.order.documents.append(document.reference)
        self.pass_on("attach")

    # ---- clocks ---------------------------------------------------------------------------------------------------

    def on_clock_passed(self, clock: str) -> None:
        """What the end of a window decides, and of the last limit."""
        match clock:
            case "reopen":
                self.end()
            case "rate":
                self.record(Kind.NOT_RATED)
                self.close()
            case "suspension":
                super().on_clock_passed(clock)
            case "whistle":
                self.wait_no_longer("engine")
            case "follow":
                self.is_it_still_there()
            case _:
                self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED, reason=None)

    def after_last_tier(self, clock: str) -> None:
        """After the last tier the case is the coordinator's, and the final limit runs."""
        stopped = "final" in self.state.clocks and not self.clocks.runs("final")
        if stopped and not workflow.patched(FINAL_LIMIT_RUNS_AGAIN):
            self.state.holder = COORDINATOR
        else:
            super().after_last_tier(clock)
