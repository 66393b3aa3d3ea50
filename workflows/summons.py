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

Where nobody does anything: after the last tier and a last limit it is absent, unfinished, or, if nobody ruled, released; a
whistle that tells nothing any more is waited for so long, and no longer.
"""

from schemas.contracts.work_orders import Matter
from schemas.kernel.acts import Step
from schemas.kernel.parties import STREET_OFFICER, THE_DEPARTMENT, desk_of
from schemas.summons import SUMMONS, Finish, Kind, Ruling
from schemas.summons_state import OPEN, SETTLED, Stage, SummonsState
from schemas.values.actor import Actor
from schemas.whistle_messages import CalendarChanged, LeadChanged, Scored, Subject, SummonsReport
from schemas.whistle_policy import WhistleType
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.children import ChildCase
from workflows.parts.orders import OrdersCase

URGENCIES = {WhistleType.DEMAND: "ordinary", WhistleType.ENFORCEMENT: "urgent", WhistleType.EMERGENCY: "emergency"}
"""How fast, in the words that departments' own systems know from other orders."""


@procedure_workflow
class Summons(OrdersCase[SummonsState], ChildCase[SummonsState]):
    """One summons, from the call to the score."""

    procedure = SUMMONS
    MESSAGE_HANDLERS = {
        Subject.SCORED: (Scored, "is_scored"),
        Subject.LEAD_CHANGED: (LeadChanged, "is_led_by"),
        Subject.CALENDAR_CHANGED: (CalendarChanged, "goes_by"),
        Subject.CANCELLED: (None, "is_cancelled"),
        Subject.OVER: (None, "is_over"),
    }

    @property
    def over(self) -> bool:
        """Whether it was scored, released or cancelled, or no score comes any more."""
        return self.state.over or self.state.stage not in OPEN

    async def story(self) -> None:
        """As long as it is open, then until the department's own system has let go of the order."""
        await self.until(lambda: self.over)
        await self.order_let_go()

    # ---- 1. the call ----------------------------------------------------------------------------------------------

    def reported(self) -> dict[str, object]:
        """召集: whom the whistle calls, to what, and by when."""
        for clock in ("respond", "arrive"):
            self.start_clock(clock)
        state = self.state
        said = {name: getattr(state, name) for name in ("type", "department", "lead", "matter", "address", "area")}
        return {"whistle": state.parent, **said}

    def begin(self) -> None:
        """Tell the department and its own system."""
        department = self.address_of(THE_DEPARTMENT)
        self.move(Stage.SUMMONED, department)
        self.give_order()
        self.notify(department, "summoned", type=self.state.type)

    # ---- 2. the department comes, or declines ---------------------------------------------------------------------

    def respond(self) -> None:
        """响应: stops `respond`."""
        self.state.responded_at = self.now()
        self.apply()
        self.report()

    def decline(self) -> None:
        """反哨: to the coordinator; `arrive` goes on, for all time counts if the ruling is that it has to come."""
        self.apply()
        self.report()

    def arbitrate(self, command: Ruling, by: Actor) -> None:
        """裁定: released, or back to the beginning, with no further decline."""
        self.clocks.stop("arbitrate", by.subject)
        if command.upheld:
            self.finish_as(Stage.RELEASED, Kind.RULED, upheld=True, reason=command.reason)
        else:
            self.bind()
            self.record_command()
            self.notify(self.address_of(THE_DEPARTMENT), "summons_binding")
        self.report()

    def bind(self) -> None:
        """Call the department once more; the ruling binds."""
        self.state.binding = True
        self.start_clock("respond")
        if self.clocks.runs("final"):
            self.start_clock("final")
        self.move(Stage.SUMMONED, self.address_of(THE_DEPARTMENT))
        self.give_order()

    def arrive(self) -> None:
        """到场: stops `respond` and `arrive`; `finish` starts. Better late than never: also after it was given up."""
        self.state.arrived_at = self.now()
        self.state.responded_at = self.state.responded_at or self.state.arrived_at
        for clock in ("final", "unscored"):
            self.clocks.stop(clock, "engine")
        self.apply()
        self.report()

    # ---- 3. its task ----------------------------------------------------------------------------------------------

    def finish(self, command: Finish, by: Actor) -> None:
        """办结: stops `finish`; the street has its word now."""
        self.keep_evidence(command, self.state.evidence)
        self.state.finished_at, self.state.finished_by, self.state.result = self.now(), by.subject, command.result
        self.clocks.stop("finish", by.subject)
        self.settle(Stage.DONE)
        self.record_command()
        self.report()

    # ---- what the whistle says ------------------------------------------------------------------------------------

    def is_scored(self, scored: Scored) -> None:
        """评分: by the street, on the whistle. The summons is over."""
        self.state.score = scored.score
        self.finish_as(Stage.SCORED, Kind.SCORED, score=scored.score, reason=scored.reason)

    def is_cancelled(self) -> None:
        """吹哨撤销: so is this."""
        self.finish_as(Stage.CANCELLED, Kind.CANCELLED)

    def is_led_by(self, changed: LeadChanged) -> None:
        """牵头变更: the last word of the whistle counts."""
        if changed.heard <= self.state.heard:
            return
        before, self.state.lead, self.state.heard = self.state.lead, changed.lead, changed.heard
        if before != changed.lead:
            self.record(Kind.LEAD_CHANGED, before=before, lead=changed.lead)
            self.notify(self.address_of(THE_DEPARTMENT), "summons_lead_changed", lead=changed.lead)

    def goes_by(self, changed: CalendarChanged) -> None:
        """重排期限: the whistle goes by another calendar, and so does this."""
        before = self.state.charter.calendar
        self.clocks.replan(changed.calendar, "engine")
        self.record("clock:replanned", before=before.version, after=changed.calendar.version)

    def is_over(self) -> None:
        """There will be no score: what the department did, or did not do until now, stays as it stands."""
        if self.state.stage not in SETTLED:
            self.on_clock_passed("final")
        if self.state.stage in SETTLED:
            self.stop_everything()
            self.state.over, self.state.holder = True, ""

    # ---- how it ends ----------------------------------------------------------------------------------------------

    def give_up(self, step: Step) -> None:
        """缺席, 未办结: nobody came, or came and did not finish."""
        stage, entry = step.rule.to[0], self.entry_of(step)
        self.state.was_absent = self.state.was_absent or stage == Stage.ABSENT
        self.settle(stage)
        self.record(entry, department=self.state.department)
        self.inform(step, {})
        self.report()

    def release(self, step: Step) -> None:
        """逾期未裁定: nobody ruled on a decline, so it stands."""
        self.finish_as(Stage.RELEASED, self.entry_of(step))
        self.report()

    def on_clock_passed(self, clock: str) -> None:
        """A whistle that says nothing for so long says nothing any more."""
        if clock == "unscored":
            self.is_over()
        else:
            super().on_clock_passed(clock)

    def settle(self, stage: str) -> None:
        """There is nothing more to wait for but the score; a whistle that never gives one is not waited for for ever."""
        self.clocks.stop_all()
        self.start_clock("unscored")
        self.move(stage, desk_of(STREET_OFFICER))

    def stop_everything(self) -> None:
        """Nothing is to be done any more; a department's own system that still has work to do is told that it has not."""
        self.clocks.stop_all()
        if self.state.stage != Stage.DONE:
            self.take_back_the_order()
        self.state.closed_at = self.now()

    # ---- who hears of it --------------------------------------------------------------------------------------------

    def give_order(self) -> None:
        """派单: to the department that is called; once more when a ruling bound it."""
        self.next_order(self.state.department or "")

    def matter(self) -> Matter:
        """What the street called for."""
        return Matter(
            category=self.state.type,
            urgency=URGENCIES[self.state.type],
            description=self.state.matter,
            address=self.state.address,
            latitude_microdegrees=self.state.latitude_micro,
            longitude_microdegrees=self.state.longitude_micro,
        )

    def report(self) -> None:
        """Tell the whistle where this department stands; the last word counts, whatever order words arrive in."""
        state = self.state
        report = SummonsReport(
            department=state.department or "",
            stage=state.stage,
            heard=state.seq,
            late=state.late,
            was_absent=state.was_absent,
            result=state.result,
        )
        self.tell_parent(Subject.SUMMONS_REPORTED, report)
