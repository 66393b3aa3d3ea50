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

from schemas.values.actor import Actor
from schemas.whistle import WHISTLE, Kind
from schemas.whistle_commands import HandOverLead, SummonMore
from schemas.whistle_messages import IncidentAnswered, Subject, SummonsReport
from schemas.whistle_state import Stage
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.whistle_endings import WhistleEndings


@procedure_workflow
class Whistle(WhistleEndings):
    """One whistle, from the call to the last score."""

    procedure = WHISTLE

    MESSAGE_HANDLERS = {
        Subject.SUMMONS_REPORTED: (SummonsReport, "hear"),
        Subject.INCIDENT_ANSWERED: (IncidentAnswered, "incident_answered"),
    }

    async def story(self) -> None:
        """Tell the procedure: as long as it is open, then until everybody has been told."""
        await super().story()
        await self.until(lambda: not self.state.errands)

    # ---- 1. the call ----------------------------------------------------------------------------------------------

    def reported(self) -> dict[str, object]:
        """吹哨: what the street called for."""
        named = ("type", "matter", "address", "area", "lead", "incident", "channel")
        return {"departments": self.state.called, **{name: getattr(self.state, name) for name in named}}

    def begin(self) -> None:
        """召集: at once. The whistle's own clock runs until they have gathered."""
        self.start_clock("gather")
        self.call(self.state.called)
        self.move(Stage.SUMMONING, f"department:{self.state.lead}")
        self.record(Kind.SUMMONED, departments=self.state.called, lead=self.state.lead)
        self.tell_incident()

    def summon_more(self, command: SummonMore) -> None:
        """增派: each with clocks of its own from now on; who has gathered stays gathered."""
        self.call(command.departments)
        self.record_command(lead=self.state.lead)
        self.take_stock()

    # ---- 2. the lead ------------------------------------------------------------------------------------------------

    def hand_over_lead(self, command: HandOverLead) -> None:
        """移交牵头: whatever the lead had to do is the other one's from now on; its clocks go on."""
        before, self.state.department = self.state.lead, command.department
        duties = [name for name in ("gather", "begin") if self.clocks.runs(name)]
        self.record(Kind.LEAD_HANDED_OVER, before=before, lead=command.department, duties=duties, reason=command.reason)
        self.tell_lead(*self.listening)
        self.take_stock()

    # ---- 3. the work ------------------------------------------------------------------------------------------------

    def begin_work(self, by: Actor) -> None:
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
        self.tell_calendar(*self.listening)
