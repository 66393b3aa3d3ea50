"""hall 居民议事厅: a community's hall of one year: it sits every month, publishes what it said, and closes on 31 December.

    open <-> sitting -> ... -> closed (31 December, 24:00)                                  also: unresolved

1. The committee opens it and sets its members: a delegate for 5 to 15 households, at least a third of them women.
2. Every month it is called, with an agenda that is out for three days before it sits; a month without a sitting is a gap: duty
   leader, street and supervisor are told, it stays on the record, and no later sitting makes it good.
3. Of each sitting the minutes are published within five working days, without the names of residents.
4. With the last month of the year it closes, with its report: sittings, how many of them people could come to after work, gaps,
   minutes that never came.

Motions are cases of their own beside it: they outlive the year, and anybody may see how one went without the hall.
"""

from typing import Any

from schemas.clocks.calendar import in_shanghai
from schemas.clocks.windows import is_after_work
from schemas.hall import (
    HALL,
    MINUTES,
    CallSitting,
    CloseSitting,
    HallState,
    Kind,
    PublishMinutes,
    SetMembers,
    Sitting,
    Stage,
)
from schemas.kernel.acts import Step
from schemas.parts.monthly import MonthKept
from schemas.values.actor import Actor
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.monthly import EveryMonth

DECEMBER = 12


@procedure_workflow
class Hall(EveryMonth[HallState]):
    """One hall, from its opening to the end of its year."""

    procedure = HALL

    def reported(self) -> dict[str, Any]:
        """设立: opened in December, it is that of the next year."""
        now = in_shanghai(self.now())
        self.state.year = now.year + (now.month == DECEMBER)
        return {**super().reported(), "year": self.state.year}

    def begin(self) -> None:
        """From its first month on it has to sit every month."""
        super().begin()
        self.start_clock("members")
        now = in_shanghai(self.now())
        self.begin_month(f"{now:%Y-%m}" if now.year == self.state.year else f"{self.state.year}-01")

    # ---- 1. members -------------------------------------------------------------------------------------------------

    def set_members(self, command: SetMembers) -> None:
        """设定代表: in numbers; a later setting, as after an election, replaces them."""
        self.state.delegates, self.state.women = command.delegates, command.women
        self.apply(households=self.state.households)

    # ---- 2. sittings ------------------------------------------------------------------------------------------------

    def call_sitting(self, command: CallSitting) -> None:
        """召集: the motions on it are kept once each, for the report."""
        self.state.called += 1
        self.state.motions += [each for each in dict.fromkeys(command.motions) if each not in self.state.motions]
        self.apply(sitting=self.state.called)

    def let_it_sit(self, step: Step) -> None:
        """议程公布期满: who wanted to come knows of it, and the hall may sit."""
        self.record(self.entry_of(step), sitting=self.state.called)

    def close_sitting(self, command: CloseSitting, by: Actor) -> None:
        """散会: this month is kept; the minutes are due."""
        after_work = is_after_work(self.now(), self.state.charter.calendar, self.state.terms.evening)
        sitting = Sitting(number=self.state.called, present=command.present, after_work=after_work)
        self.state.sittings.append(sitting)
        self.done_this_month(by.subject)
        self.start_clock(f"{MINUTES}:{sitting.number}")
        self.apply(sitting=sitting.number, after_work=after_work, delegates=self.state.delegates)

    # ---- 3. minutes -------------------------------------------------------------------------------------------------

    def publish_minutes(self, command: PublishMinutes, by: Actor) -> None:
        """发布纪要: of that sitting."""
        next(each for each in self.state.sittings if each.number == command.sitting).published = True
        self.clocks.stop(f"{MINUTES}:{command.sitting}", by.subject)
        self.apply()

    # ---- 4. the year ------------------------------------------------------------------------------------------------

    def month_facts(self) -> dict[str, object]:
        """A gap says how many there are by now."""
        return {"gaps": len(self.state.gaps)}

    def month_is_over(self, month: MonthKept) -> bool:
        """With December it closes."""
        if not month.month.endswith(f"-{DECEMBER}"):
            return True
        self.finish_as(Stage.CLOSED, Kind.CLOSED)
        return False

    def outcome(self) -> dict[str, Any]:
        """The report of the year."""
        sittings, gaps = self.state.sittings, self.state.gaps
        return {
            "year": self.state.year,
            "held": len(sittings),
            "after_work": sum(each.after_work for each in sittings),
            "present": sum(each.present for each in sittings),
            "missed": len(gaps),
            "gaps": list(gaps),
            "motions": len(self.state.motions),
            "without_minutes": list(self.state.unpublished),
        }
