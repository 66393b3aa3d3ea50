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

from schemas.actor import Actor
from schemas.case import CaseOutcome
from schemas.clock_schedule import last_moment
from schemas.department import ReworkCause
from schemas.document import Document
from schemas.incident import (
    FINAL,
    HELD,
    INCIDENT,
    Arbitrate,
    Arrive,
    Finish,
    IncidentState,
    Kind,
    Rate,
    Redispatch,
    Reopen,
    ReturnOrder,
    Sign,
    Solved,
    Stage,
    Verify,
)
from schemas.incident_messages import Told
from schemas.references import TextReference
from workflows.case import command
from workflows.case_file import CaseFile
from workflows.incident_endings import Endings
from workflows.incident_orders import GRID_WORKER, REPORTER
from workflows.orders import COORDINATOR

FINAL_LIMIT_RUNS_AGAIN = "the-final-limit-runs-again"
"""Patch: before, a case that was closed while its final limit ran, and opened anew, had none any more and could stand for ever."""


@workflow.defn(name="incident")
class Incident(Endings, CaseFile[IncidentState]):
    """One incident, from the report to the end of the reopen window."""

    procedure = INCIDENT

    @workflow.init
    def __init__(self, state: IncidentState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: IncidentState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case; the story is below."""
        return await self.live(self.story)

    async def story(self) -> None:
        """Tell the procedure after its dispatch, however many rounds it takes."""
        while not self.over:
            await self.while_at(*HELD)
            await self.while_at(Stage.VERIFYING)
            await self.while_at(Stage.CALLING_BACK)
            await self.while_at(Stage.CLOSED)
            await self.farewell()

    @property
    def over(self) -> bool:
        """Nothing more can happen: a final stage, or the reopen window has passed."""
        return self.state.ended or (self.state.stage in FINAL and not self.state.follows)

    def open(self) -> None:
        """受理: what was reported stands in the first entry."""
        report = self.state
        self.record(
            Kind.REPORTED,
            category=report.category,
            category_given=report.category_given,
            listed=report.listed,
            urgency=report.urgency,
            area=report.area,
            channel=report.channel,
            description=report.description,
            address=report.address,
            reporter=report.reporter,
            on_behalf=report.on_behalf,
            policy=report.charter.policy_version,
            calendar=report.charter.calendar.version,
        )
        self.notify(REPORTER, "incident_reported")

    # ---- 1. dispatch ----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """派单: by the responsibility list, at once. The clocks start at dispatch, not when the order is signed."""
        responsible = self.state.responsibility
        limits = self.state.terms.urgencies[self.state.urgency]
        self.start_duty("respond", limits.respond)
        self.start_duty("finish", limits.finish)
        self.give_order(responsible.department)
        self.record(Kind.DISPATCHED, department=responsible.department, legal_basis=responsible.legal_basis)

    @command
    def redispatch(self, command: Redispatch, by: Actor) -> None:
        """改派: `sign` starts anew, `finish` goes on."""
        self.give_order(command.department)
        self.record(Kind.REDISPATCHED, department=command.department, reason=command.reason, by=by.role)

    # ---- 2. the department ----------------------------------------------------------------------------------------

    @command
    def sign(self, command: Sign, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """签收: stops `sign`."""
        self.state.order.signed_at = self.now()
        self.clocks.stop("sign", by.subject)
        self.move(Stage.HANDLING, f"department:{self.state.department}")
        self.record(Kind.SIGNED, department=self.state.department, order=self.state.order.number)

    @command
    def return_order(self, command: ReturnOrder, by: Actor) -> None:
        """退单: to the coordinator, with reason and legal basis; all time still counts."""
        self.drop_requests()
        self.state.returns += 1
        self.clocks.stop("sign", by.subject)
        self.move(Stage.RETURNED, COORDINATOR)
        self.record(
            Kind.RETURNED,
            department=self.state.department,
            returns=self.state.returns,
            reason=command.reason,
            legal_basis=command.legal_basis,
        )
        self.notify(COORDINATOR, "order_returned", department=self.state.department)

    @command
    def arbitrate(self, command: Arbitrate, by: Actor) -> None:  # noqa: ARG002 - the entry names the actor
        """裁定: names the department; the ruling binds, no further return."""
        self.give_order(command.department, binding=True)
        self.record(Kind.ARBITRATED, department=command.department, reason=command.reason)

    @command
    def arrive(self, command: Arrive, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """到场: stops `respond`."""
        self.clocks.stop("respond", by.subject)
        self.record(Kind.ARRIVED, department=self.state.department)

    @command
    def finish(self, command: Finish, by: Actor) -> None:
        """办结: stops `respond` and `finish`, answers a supervisor's order; somebody else has to look now."""
        self.drop_requests()
        evidence = self.show_evidence(command.documents)
        if self.state.supervised:
            self.supervision_is_answered(by.subject)
        self.state.order.finished_by = by.subject
        self.state.order.result = command.result
        self.clocks.stop("respond", by.subject)
        self.clocks.stop("finish", by.subject)
        self.start_duty("verify", self.state.terms.verify)
        self.move(Stage.VERIFYING, GRID_WORKER)
        self.record(Kind.FINISHED, department=self.state.department, result=command.result, **evidence)
        self.notify(GRID_WORKER, "verification_due")

    def show_evidence(self, documents: tuple[Document, ...]) -> dict[str, object]:
        """Keep the documents that show the work; the facts of the entry, none where none were named."""
        for document in documents:
            self.keep_document(document)
            self.state.order.documents.append(document.reference)
        return {"documents": [document.model_dump(mode="json") for document in documents]} if documents else {}

    # ---- 3. verification ------------------------------------------------------------------------------------------

    @command
    def verify(self, command: Verify, by: Actor) -> None:
        """核查: passed goes to the call-back; failed goes back as rework, and `finish` goes on."""
        self.clocks.stop("verify", by.subject)
        if command.passed:
            self.clocks.start("rate", self.state.terms.rate, by.subject)
            rates = COORDINATOR if self.state.reporter_left else REPORTER
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

    @command
    def rate(self, command: Rate, by: Actor) -> None:
        """评价: *not solved* goes back once; the second time the coordinator decides. Of a merged case, see below."""
        if self.state.stage == Stage.MERGED:
            self.rate_followed(command, by)
            return
        self.state.solved, self.state.satisfied = command.solved, command.satisfied
        self.clocks.stop("rate", by.subject)
        rating = {"solved": command.solved, "satisfied": command.satisfied, "comment": command.comment}
        if command.solved is not Solved.NOT:
            self.record(Kind.RATED, **rating)
            self.close()
            return
        self.state.unsolved += 1
        if self.state.unsolved == 1:
            self.send_back(by, ReworkCause.NOT_SOLVED, command.comment)
        else:
            self.clocks.go_on("finish", by.subject)
            self.move(Stage.RETURNED, COORDINATOR)
        self.record(Kind.RATED, **rating)
        self.notify(self.state.holder, "not_solved", times=self.state.unsolved)

    def rate_followed(self, command: Rate, by: Actor) -> None:
        """评价所并案件: one of several reporters; who finds it not solved has the own report dealt with alone."""
        self.state.solved, self.state.satisfied, self.state.followed_rated = command.solved, command.satisfied, True
        if command.solved is Solved.NOT:
            self.state.unsolved += 1
            self.goes_on_alone(by.subject)
        self.record(Kind.RATED, solved=command.solved, satisfied=command.satisfied, comment=command.comment)
        if command.solved is Solved.NOT:
            self.notify(self.state.holder, "not_solved", times=self.state.unsolved)

    def close(self) -> None:
        """结案: the work is over; the window for reopening starts."""
        self.state.closed_at = self.now()
        self.clocks.stop_all()
        self.clocks.start("reopen", self.state.terms.reopen, "engine", warn_percent=100)
        self.move(Stage.CLOSED, "")
        self.record(Kind.CLOSED)
        self.notify(REPORTER, "incident_closed")
        self.tell_followers(Told.CLOSED)

    # ---- 5. reopening ---------------------------------------------------------------------------------------------

    @command
    def reopen(self, command: Reopen, by: Actor) -> None:
        """重启: back to the department that handled it, with new clocks. A merged case goes on alone."""
        if self.state.stage == Stage.MERGED:
            self.goes_on_alone(by.subject)
            self.record(Kind.REOPENED, reason=command.reason)
            return
        limits = self.state.terms.urgencies[self.state.urgency]
        self.state.closed_at = None
        self.clocks.stop("reopen", by.subject)
        self.start_duty("respond", limits.respond)
        self.start_duty("finish", limits.finish)
        self.give_order(self.state.order.department)
        self.record(Kind.REOPENED, reason=command.reason)
        self.tell_followers(Told.REOPENED)

    # ---- what people add to the file ------------------------------------------------------------------------------

    def on_attached(self, document: Document, by: Actor) -> None:
        """What the department that holds the order attaches shows its work."""
        if by.department is not None and by.department == self.state.department:
            self.state.order.documents.append(document.reference)
        self.pass_on("attach")

    # ---- clocks ---------------------------------------------------------------------------------------------------

    def on_moment(self, clock: str, moment: str, told: str) -> None:
        """What happens when a clock has run so far: reminders and tiers for duties, a decision for windows."""
        match clock, moment:
            case "reopen", "breach":
                self.end()
            case "reopen", _:
                pass
            case "rate", "breach":
                self.record(Kind.NOT_RATED)
                self.close()
            case "suspension", "breach":
                self.suspension_has_ended()
            case "whistle", "breach":
                self.wait_no_longer("engine")
            case "whistle", _:
                pass
            case "final", "breach":
                self.finish_as(Stage.UNRESOLVED, Kind.UNRESOLVED, reason=None)
            case _:
                super().on_moment(clock, moment, told)
                if moment == last_moment(self.state.clocks[clock].tiers):
                    self.belongs_to_the_coordinator()

    def belongs_to_the_coordinator(self) -> None:
        """After the last tier the case is the coordinator's, and the final limit runs."""
        self.state.holder = COORDINATOR
        known = "final" in self.state.clocks
        if not known or (not self.clocks.runs("final") and workflow.patched(FINAL_LIMIT_RUNS_AGAIN)):
            self.clocks.start("final", self.state.terms.unresolved_after, "engine")
            self.record("clock:final_limit", holder=COORDINATOR)
