"""The departments of a whistle: called, heard, counted, led, scored. Each is a case of its own; they talk by messages.

A message may be overtaken on its way, so each says how much its sender knew, and older news loses.
"""

from collections.abc import Iterable

from schemas.case import Message
from schemas.parts.panel import Turnout
from schemas.summons import SUMMONS
from schemas.summons_state import Stage as SummonsStage
from schemas.whistle import Kind
from schemas.whistle_call import open_summons, summons_id
from schemas.whistle_gathering import all_settled, gathered
from schemas.whistle_messages import CalendarChanged, LeadChanged, Subject, SummonsReport
from schemas.whistle_state import FINAL, Stage, Summoned, WhistleState
from workflows import steps
from workflows.kernel.declared import DeclaredCase
from workflows.orders import COORDINATOR

STREET = "role:street_officer"


class Departments(DeclaredCase[WhistleState]):
    """The part of a whistle that calls departments and hears of them."""

    # ---- calling ----------------------------------------------------------------------------------------------------

    def call(self, departments: Iterable[str]) -> None:
        """召集: a summons for each, under the stamp of whoever calls."""
        for department in departments:
            number = len(self.state.summoned) + 1
            called = Summoned(number=number, department=department, stamp=self.stamp, summoned_at=self.now())
            self.state.summoned.append(called)
            self.errand("summon", number)

    async def errand_summon(self, number: int) -> None:
        """Start the case of one department. What was said to all meanwhile is said to it now."""
        summoned = self.state.summoned[number - 1]
        opening = open_summons(self.state, summoned)
        anew = await steps.start_case(SUMMONS, opening)
        summoned.started = True
        self.record(Kind.SUMMONS_STANDS, department=summoned.department, summons=opening.case_id)
        if self.state.stage in FINAL:
            self.tell_summons(summoned, self.last_word)
        if not anew or self.state.lead != opening.lead:
            self.tell_lead(summoned)
        if not anew or self.state.charter != opening.charter:
            self.tell_calendar(summoned)

    @property
    def last_word(self) -> Subject:
        """What a summons hears that is still under way when the whistle ends."""
        return Subject.CANCELLED if self.state.stage == Stage.CANCELLED else Subject.OVER

    def tell_summons(self, summoned: Summoned, subject: Subject, **facts: object) -> None:
        """Tell one summons something, if its case stands; if not, it hears when it does."""
        if summoned.started:
            self.tell(summons_id(self.state.case_id, summoned.department), subject, **facts)

    def tell_lead(self, summoned: Summoned) -> None:
        """Say who leads."""
        changed = LeadChanged(lead=self.state.lead, heard=self.state.seq)
        self.tell_summons(summoned, Subject.LEAD_CHANGED, **changed.model_dump(mode="json"))

    def tell_calendar(self, summoned: Summoned) -> None:
        """Say by which calendar open clocks go."""
        changed = CalendarChanged(calendar=self.state.charter.calendar)
        self.tell_summons(summoned, Subject.CALENDAR_CHANGED, **changed.model_dump(mode="json"))

    @property
    def listening(self) -> list[Summoned]:
        """The departments whose summons still waits for a word."""
        return [each for each in self.state.counted() if each.score is None]

    def knows(self, message: Message) -> bool:
        """The summonses of this whistle; each reports of its own department alone."""
        called = {summons_id(self.state.case_id, each.department) for each in self.state.summoned}
        if message.subject == Subject.SUMMONS_REPORTED:
            called &= {summons_id(self.state.case_id, str(message.facts.get("department")))}
        return message.sender in called

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
