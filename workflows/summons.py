"""summons 部门报到: one department that a whistle calls comes, does its task and is scored.

    summoned -> responded -> arrived -> done -> scored
     |  ^          |          |  ^        ^       ^
     v  | (bound)  v          |  | (late) |       |
    declined      absent -----|--+        |       |
        |            |        v           | (late)|
        v            |    unfinished -----+-------|
    released         +----------------------------+
    at any time: cancelled, when the whistle is

1. The department is told, its own system gets a work order, and the clocks `respond` and `arrive` start.
2. It responds and arrives; or it declines, once, with reason and legal basis: the coordinator releases it, or rules that it
   has to come, and that ruling binds. Late, it climbs its tiers alone; the others go on.
3. It finishes its own task. What it does is told to the whistle, as it happens.
4. The street scores it on the whistle; absent and unfinished departments too. Then it ends.

How a summons ends, by its whistle's word or by nobody's, stands in `summons_endings`, what goes out from it in
`summons_orders`. Where nobody does anything: after the last tier and a last limit it is absent, unfinished, or, if nobody
ruled, released; a whistle that tells nothing any more is waited for so long, and no longer.
"""

from temporalio import workflow

from schemas.actor import Actor
from schemas.case import CaseOutcome
from schemas.summons import OPEN, SUMMONS, Arrive, Decline, Finish, Kind, Respond, Ruling, Stage, SummonsState
from workflows.case import command
from workflows.case_file import CaseFile
from workflows.orders import COORDINATOR
from workflows.summons_endings import Endings


@workflow.defn(name="summons")
class Summons(Endings, CaseFile[SummonsState]):
    """One summons, from the call to the score."""

    procedure = SUMMONS

    @workflow.init
    def __init__(self, state: SummonsState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: SummonsState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case; the story is below."""
        return await self.live(self.story)

    async def story(self) -> None:
        """Tell the procedure: as long as it is open, then until the department's own system has let go of the order."""
        await self.until(lambda: self.state.over or self.state.stage not in OPEN)
        if self.state.last_recall is not None:
            await self.errand_done("recall_order", self.state.last_recall)

    # ---- 1. the call ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """召集: whom the whistle calls, to what, and by when."""
        self.start_duty("respond", self.state.limits.respond, self.state.limits.tiers)
        self.start_duty("arrive", self.state.limits.arrive, self.state.limits.tiers)
        self.record(
            Kind.SUMMONED,
            whistle=self.state.parent,
            type=self.state.type,
            department=self.state.department,
            lead=self.state.lead,
            matter=self.state.matter,
            address=self.state.address,
            area=self.state.area,
            policy=self.state.charter.policy_version,
            calendar=self.state.charter.calendar.version,
        )

    def begin(self) -> None:
        """Tell the department and its own system."""
        self.move(Stage.SUMMONED, self.their_department)
        self.give_order()
        self.notify(self.their_department, "summoned", type=self.state.type)

    # ---- 2. the department comes, or declines ---------------------------------------------------------------------

    @command
    def respond(self, command: Respond, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """响应: stops `respond`."""
        self.state.responded_at = self.now()
        self.clocks.stop("respond", by.subject)
        self.move(Stage.RESPONDED, self.their_department)
        self.record(Kind.RESPONDED, department=self.state.department)
        self.report()

    @command
    def decline(self, command: Decline, by: Actor) -> None:
        """反哨: to the coordinator; `arrive` goes on, for all time counts if the ruling is that it has to come."""
        self.clocks.stop("respond", by.subject)
        self.start_duty("arbitrate", self.state.limits.arbitrate, self.state.terms.street_tiers_of(self.state.type))
        self.move(Stage.DECLINED, COORDINATOR)
        self.record(
            Kind.DECLINED,
            department=self.state.department,
            reason=command.reason,
            legal_basis=command.legal_basis,
        )
        self.notify(COORDINATOR, "summons_declined", department=self.state.department)
        self.report()

    @command
    def arbitrate(self, command: Ruling, by: Actor) -> None:
        """裁定: released, or back to the beginning, with no further decline."""
        self.clocks.stop("arbitrate", by.subject)
        if command.upheld:
            self.finish_as(Stage.RELEASED, Kind.RULED, upheld=True, reason=command.reason)
            self.notify(self.their_department, "summons_released")
            self.report()
            return
        self.state.binding = True
        self.start_duty("respond", self.state.limits.respond, self.state.limits.tiers)
        if self.last_limit_runs:
            self.start_last_limit()
        self.move(Stage.SUMMONED, self.their_department)
        self.give_order()
        self.record(Kind.RULED, upheld=False, reason=command.reason)
        self.notify(self.their_department, "summons_binding")
        self.report()

    @command
    def arrive(self, command: Arrive, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """到场: stops `respond` and `arrive`; `finish` starts. Better late than never: also after it was given up."""
        self.state.arrived_at = self.now()
        self.state.responded_at = self.state.responded_at or self.state.arrived_at
        for clock in ("respond", "arrive"):
            self.clocks.stop(clock, by.subject)
        for clock in ("final", "unscored"):
            self.clocks.stop(clock, "engine")
        self.start_duty("finish", self.state.limits.finish, self.state.limits.tiers)
        self.move(Stage.ARRIVED, self.their_department)
        self.record(Kind.ARRIVED, department=self.state.department)
        self.report()

    # ---- 3. its task ----------------------------------------------------------------------------------------------

    @command
    def finish(self, command: Finish, by: Actor) -> None:
        """办结: stops `finish`; the street has its word now."""
        for document in command.documents:
            self.keep_document(document)
            self.state.evidence.append(document.reference)
        self.state.finished_at, self.state.finished_by, self.state.result = self.now(), by.subject, command.result
        self.clocks.stop("finish", by.subject)
        self.settle(Stage.DONE)
        evidence = [document.model_dump(mode="json") for document in command.documents]
        facts = {"documents": evidence} if evidence else {}
        self.record(Kind.FINISHED, department=self.state.department, result=command.result, **facts)
        self.report()
