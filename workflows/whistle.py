"""whistle 吹哨报到: a street calls departments to a matter that it cannot settle alone, and scores what they did.

    blown -> summoning -> gathered -> working -> evaluated -> closed
    also: cancelled, unresolved

1. The street officer names type, place, matter, departments and the lead. Each department gets a summons, a case of its own
   with its own clocks (`summons`); an incident that the whistle is born of is asked to wait.
2. The departments come, or do not. By the gathering rule of the type - all must arrive, or the lead and a quorum - they have
   gathered; who stayed away stands on the record.
3. The lead or the street begins the work. Each department finishes its own task.
4. When every task is settled, the street scores each department; the whistle is evaluated with the last score, and closes.

On the way: further departments are summoned, the lead is handed over with all its duties, the whistle is cancelled and
everybody told. Calling and hearing departments stands in `whistle_departments`, scores, ends and the incident in
`whistle_endings`. A whistle that nobody moves on belongs to the coordinator after the last tier of its clocks, and ends as
`unresolved` at the final limit.
"""

from collections.abc import Sequence

from temporalio import workflow

from schemas.actor import Actor
from schemas.case import CaseOutcome
from schemas.whistle import OPEN, WHISTLE, BeginWork, HandOverLead, Kind, Stage, SummonMore, WhistleState
from workflows.case import command
from workflows.case_file import CaseFile
from workflows.whistle_endings import Endings


@workflow.defn(name="whistle")
class Whistle(Endings, CaseFile[WhistleState]):
    """One whistle, from the call to the last score."""

    procedure = WHISTLE

    @workflow.init
    def __init__(self, state: WhistleState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: WhistleState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case; the story is below."""
        return await self.live(self.story)

    async def story(self) -> None:
        """Tell the procedure: as long as it is open, then until everybody has been told."""
        await self.while_at(*OPEN)
        await self.until(lambda: not self.state.errands)

    # ---- 1. the call ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """吹哨: what the street called for."""
        self.record(
            Kind.BLOWN,
            type=self.state.type,
            matter=self.state.matter,
            address=self.state.address,
            area=self.state.area,
            departments=self.state.called,
            lead=self.state.lead,
            incident=self.state.incident,
            channel=self.state.channel,
            policy=self.state.charter.policy_version,
            calendar=self.state.charter.calendar.version,
        )

    def begin(self) -> None:
        """召集: at once. The whistle's own clock runs until they have gathered."""
        self.start_duty("gather", self.state.limits.arrive, self.state.limits.tiers)
        self.call(self.state.called)
        self.move(Stage.SUMMONING, f"department:{self.state.lead}")
        self.record(Kind.SUMMONED, departments=self.state.called, lead=self.state.lead)
        self.tell_incident()

    @command
    def summon_more(self, command: SummonMore, by: Actor) -> None:  # noqa: ARG002 - the entry names the actor
        """增派: each with clocks of its own from now on; who has gathered stays gathered."""
        self.call(command.departments)
        self.record(Kind.SUMMONED, departments=command.departments, lead=self.state.lead, reason=command.reason)
        self.take_stock()

    # ---- 2. the lead ------------------------------------------------------------------------------------------------

    @command
    def hand_over_lead(self, command: HandOverLead, by: Actor) -> None:  # noqa: ARG002 - the entry names the actor
        """移交牵头: whatever the lead had to do is the other one's from now on; its clocks go on."""
        before, self.state.department = self.state.lead, command.department
        duties = [name for name in ("gather", "begin") if self.clocks.runs(name)]
        self.record(Kind.LEAD_HANDED_OVER, before=before, lead=command.department, duties=duties, reason=command.reason)
        for summoned in self.listening:
            self.tell_lead(summoned)
        self.take_stock()

    # ---- 3. the work ------------------------------------------------------------------------------------------------

    @command
    def begin_work(self, command: BeginWork, by: Actor) -> None:  # noqa: ARG002 - says nothing but its name
        """开展处置: stops `begin`."""
        self.work_begins(by.subject)
        self.take_stock()

    # ---- what people add to the file --------------------------------------------------------------------------------

    def urged(self) -> Sequence[str]:
        """Who has not done its task; the holder when all have."""
        behind = [f"department:{each.department}" for each in self.state.counted() if not each.settled]
        return behind or (self.state.holder,)

    def on_replanned(self) -> None:
        """The summonses go by the same calendar."""
        for summoned in self.listening:
            self.tell_calendar(summoned)
