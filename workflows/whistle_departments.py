"""The departments of a whistle: called, heard, counted, led, scored. Each is a case of its own; they talk by messages.

A message may be overtaken on its way, so each says how much its sender knew, and older news loses.
"""

from collections.abc import Iterable

from schemas.kernel.case import CaseState, Message
from schemas.parts.panel import Turnout
from schemas.summons import SUMMONS
from schemas.summons_state import Stage as SummonsStage
from schemas.summons_state import SummonsState
from schemas.whistle import Kind
from schemas.whistle_call import open_summons
from schemas.whistle_gathering import all_settled, gathered
from schemas.whistle_messages import CalendarChanged, LeadChanged, Subject, SummonsReport
from schemas.whistle_state import FINAL, Stage, Summoned, WhistleState
from workflows.kernel.declared import DeclaredCase
from workflows.parts.children import ChildrenCase
from workflows.parts.orders import COORDINATOR

STREET = "role:street_officer"


class Departments(ChildrenCase[WhistleState, Summoned], DeclaredCase[WhistleState]):
    """The part of a whistle that calls departments and hears of them."""

    child_procedure = SUMMONS
    child_errand = "summon"

    # ---- calling ----------------------------------------------------------------------------------------------------

    def call(self, departments: Iterable[str]) -> None:
        """召集: a summons for each, under the stamp of whoever calls."""
        for department in departments:
            number = len(self.state.summoned) + 1
            called = Summoned(number=number, department=department, stamp=self.stamp, summoned_at=self.now())
            self.state.summoned.append(called)
            self.ask_for_child(called)

    async def errand_summon(self, number: int) -> None:
        """Start the case of one department."""
        await self.start_child(number)

    def children(self) -> list[Summoned]:
        """Every department that was called."""
        return self.state.summoned

    def code_of(self, child: Summoned) -> str:
        """A department is called once."""
        return child.department

    def opening_of(self, child: Summoned) -> SummonsState:
        """By what the whistle is about now."""
        return open_summons(self.state, child)

    def is_told(self, child: Summoned) -> bool:
        """Once its case stands."""
        return child.started

    def child_stands(self, child: Summoned, opening: CaseState, *, anew: bool) -> None:
        """What was said to all meanwhile is said to it now."""
        child.started = True
        self.record(Kind.SUMMONS_STANDS, department=child.department, summons=opening.case_id)
        if self.state.stage in FINAL:
            self.tell_child(child, self.last_word)
        if not anew or not isinstance(opening, SummonsState) or self.state.lead != opening.lead:
            self.tell_lead(child)
        if not anew or self.state.charter != opening.charter:
            self.tell_calendar(child)

    @property
    def last_word(self) -> Subject:
        """What a summons hears that is still under way when the whistle ends."""
        return Subject.CANCELLED if self.state.stage == Stage.CANCELLED else Subject.OVER

    def tell_lead(self, *summoned: Summoned) -> None:
        """Say who leads."""
        self.tell_children(summoned, Subject.LEAD_CHANGED, LeadChanged(lead=self.state.lead, heard=self.state.seq))

    def tell_calendar(self, *summoned: Summoned) -> None:
        """Say by which calendar open clocks go."""
        self.tell_children(summoned, Subject.CALENDAR_CHANGED, CalendarChanged(calendar=self.state.charter.calendar))

    @property
    def listening(self) -> list[Summoned]:
        """The departments whose summons still waits for a word."""
        return [each for each in self.state.counted() if each.score is None]

    def knows(self, message: Message) -> bool:
        """The summonses of this whistle; each reports of its own department alone."""
        called = self.child_called(message.sender)
        if message.subject == Subject.SUMMONS_REPORTED:
            return called is not None and called.department == message.facts.get("department")
        return super().knows(message)

    # ---- hearing ----------------------------------------------------------------------------------------------------

    def hear(self, report: SummonsReport) -> None:
        """部门报告: what a department did stands here too, and the whistle goes on if it was waited for."""
        summoned = self.state.find(report.department)
        if summoned is None or report.heard <= summoned.heard:
            return
        summoned.heard, summoned.stage = report.heard, report.stage
        summoned.late, summoned.was_absent, summoned.result = list(report.late), report.was_absent, report.result
        self.record(
            Kind.REPORTED, department=report.department, stage=report.stage, late=report.late, result=report.result
        )
        if summoned.released and summoned.department == self.state.lead:
            self.record(Kind.LEAD_MISSING, department=summoned.department)
            self.notify(STREET, "lead_missing", department=summoned.department)
        self.take_stock()

    # ---- taking stock -----------------------------------------------------------------------------------------------

    def take_stock(self) -> None:
        """Go on as far as the departments have come: gathered, at work, all settled."""
        if self.state.stage == Stage.SUMMONING:
            outcome = gathered(self.state.limits.gathering, self.state.lead, self.state.summoned)
            if outcome is not Turnout.NOT_YET:
                self.gather(outcome)
        if self.state.stage == Stage.GATHERED and any(each.stage == SummonsStage.DONE for each in self.state.summoned):
            self.work_begins("engine")
        if self.state.stage == Stage.WORKING:
            self.look_for_scores()
        self.state.holder = self.held_by()

    def gather(self, outcome: Turnout) -> None:
        """集结: by the rule of the type; who stayed away stands on the record."""
        for clock in ("gather", "final"):
            self.clocks.stop(clock, "engine")
        self.start_clock("begin")
        self.state.stage = Stage.GATHERED
        counted = self.state.counted()
        self.record(
            Kind.GATHERED,
            outcome=outcome,
            present=[each.department for each in counted if each.present],
            missing=[each.department for each in counted if not each.present],
        )
        for told in (f"department:{self.state.lead}", STREET):
            self.notify(told, "gathered", outcome=outcome)

    def work_begins(self, by: str) -> None:
        """开展处置: by a person, or with the first task that is done."""
        for clock in ("begin", "final"):
            self.clocks.stop(clock, by)
        self.state.stage = Stage.WORKING
        self.record(Kind.WORK_BEGUN)
        for each in self.state.counted():
            if each.present:
                self.notify(f"department:{each.department}", "work_begun")

    def look_for_scores(self) -> None:
        """The street's clock runs while all is settled, and only then."""
        settled = all_settled(self.state.summoned)
        if settled and not self.clocks.runs("score"):
            self.start_clock("score")
            self.record(Kind.ALL_SETTLED)
            self.notify(STREET, "scoring_due")
        elif not settled and self.clocks.runs("score"):
            self.clocks.stop("score", "engine")

    def held_by(self) -> str:
        """Who has to act: the lead, the street where there is none or all is settled, after the last tier the coordinator."""
        if self.state.stage in FINAL:
            return ""
        if self.clocks.runs("final"):
            return COORDINATOR
        lead = self.state.find(self.state.lead)
        settled = self.state.stage == Stage.WORKING and all_settled(self.state.summoned)
        return STREET if settled or lead is None or lead.released else f"department:{self.state.lead}"
