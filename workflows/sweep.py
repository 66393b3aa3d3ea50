"""sweep 逐户转移: one team goes from door to door, and of each household somebody says how it ended.

    sent -> walking <-> swept -> back        sent -> recalled (over before anybody went, as they say, or nobody for some hours)
    household: listed -> moved | with_relatives | away_proved | nobody | refused | must_be_carried
                      -> returned | rehoused | elsewhere | with_police | dead

1. The team of a place is sent with its list. Two people go at the least, and the first door comes within minutes.
2. Of each door somebody who was there says what was found; where there is no signal, hours later: of two words the later one
   counts. Who refuses is asked by a second person within minutes, and taken out only under a law. Where nobody answers, two go
   in with the police; empty is not safe. Who comes back too early is listed again.
3. The sweep is reported when somebody was at each door; whoever is not safe is named, one by one. So many doors are drawn, and seen
   again by others; what is not as written is listed again.
4. When it is graver, time is shorter; nobody is called back, and nobody listed twice. A team that has not gone when it is over
   does not go.
5. After the inspection of a place its households go home, or are rehoused; somebody sees each. When all are, the sweep is over.

No clock, and no word of the warning, says of any household that it is done. What is late climbs its tiers; after the last one
everybody is called again and again.

The doors stand in `sweep_doors`, what the warning says in `sweep_heard`.
"""

from collections.abc import Sequence
from typing import Any

from schemas.kernel.parties import COORDINATOR, desk_of
from schemas.kernel.people import among
from schemas.sweep import SWEEP, Kind
from schemas.sweep_commands import ConfirmBack, Recheck, ReportSwept, SetOut
from schemas.sweep_state import SAFE, UNSAFE, Household, HouseholdStage, Stage, SweepState, drawn_to_recheck
from schemas.values.actor import Actor
from schemas.warning_messages import Listed
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.unending import Unending
from workflows.sweep_doors import GRID, STREET
from workflows.sweep_heard import Heard

DESK = desk_of(COORDINATOR)


@procedure_workflow
class Sweep(Unending[SweepState], Heard):
    """One sweep of one team, until each household has ended."""

    procedure = SWEEP

    def reported(self) -> dict[str, Any]:
        """派出: who, where to, and to whom."""
        self.start_clock("first_door")
        self.start_sweep_clock()
        state = self.state
        return {
            "warning": state.parent,
            "hazard": state.hazard,
            "level": state.level,
            "drill": state.drill,
            "leader": state.leader,
            "deputy": state.deputy,
            "households": [as_listed(each) for each in state.items],
        }

    def begin(self) -> None:
        """The team is told at once."""
        self.move(Stage.SENT, GRID)
        for told in (GRID, *self.led_by()):
            self.notify(told, "sweep_sent", hazard=self.state.hazard, households=len(self.state.items))

    def set_out(self, command: SetOut, by: Actor) -> None:
        """出发: or others join them."""
        had_gone = self.state.is_called_off
        self.state.team = list(dict.fromkeys((*self.state.team, by.subject, *command.team)))
        self.state.gone = list(dict.fromkeys((*self.state.gone, by.subject)))
        for companion in self.state.team:
            if not among(companion, self.state.gone):
                self.notify(f"participant:{companion}", "sweep_say_so")
        if self.state.stage == Stage.SENT:
            self.apply()
        else:
            self.record_command()
        if had_gone:
            self._had_gone_when_it_was_over()
        self.report()

    def _had_gone_when_it_was_over(self) -> None:
        """There was no signal: they say within the time of a sweep where everybody is, and see them home."""
        self.clocks.stop("late_words", "engine")
        self.start_sweep_clock()
        if any(each.released for each in self.state.items):
            self.start_clock("go_back")

    def report_swept(self, command: ReportSwept, by: Actor) -> None:
        """完成: who is not safe is named; after the all clear, to whom nobody came. Then some doors are drawn."""
        state = self.state
        for code in command.unsafe:
            self.item(code).named = True
        for code in command.stayed:
            self.item(code).stayed = True
        self.clocks.stop("sweep", by.subject)
        self.clocks.stop("first_door", by.subject)
        state.walks += 1
        seen = state.items_at(*SAFE, *UNSAFE)
        percent = state.terms.recheck_percent
        left = {*state.left_to_recheck} & {each.code for each in seen}
        fresh = drawn_to_recheck(state.case_id, state.walks, seen, percent, self.now())
        drawn = [] if state.is_over else sorted({*fresh, *left})
        state.to_recheck, state.rechecked = drawn, []
        if drawn:
            self.start_clock("recheck")
        self.move(Stage.SWEPT, GRID)
        self.record_command(to_recheck=drawn, households=self.counted(), people=self.people())
        for told in (STREET, "department"):
            self.notify(
                self.address_of(told), "sweep_swept", safe=self.counted()["safe"], unsafe=self.counted()["unsafe"]
            )
        self.report()

    def recheck(self, command: Recheck, by: Actor) -> None:
        """复核: as written, or it is listed again and somebody goes there once more."""
        item, state = self.item(command.item), self.state
        state.rechecked.append(item.code)
        if not state.left_to_recheck:
            self.clocks.stop("recheck", by.subject)
        was = item.stage
        if not command.as_written:
            self.say_of(item, HouseholdStage.LISTED, self.now(), by)
            self.begins_anew(item, by.subject)
        self.record_command(was=was, stands=item.stage, left=len(state.left_to_recheck))
        if not command.as_written:
            self.notify(STREET, "sweep_not_as_written", household=item.code)
            self.walk_again()
        self.report(item)

    def confirm_back(self, command: ConfirmBack, by: Actor) -> None:
        """返回确认: with the last household the sweep is over. Who went home before it got worse again is gone to once more."""
        item = self.item(command.item)
        was, at_home_in_danger = item.stage, command.is_before_it_got_worse(self.state)
        stage = HouseholdStage.LISTED if at_home_in_danger else command.how.stage
        counts = self.say_of(item, stage, command.said_of(self.now()), by)
        if counts:
            item.persons = 0 if at_home_in_danger else command.persons
            self.look_at_refusal(item, was, by)
            self.look_at_danger(item, was, by)
        self.record_command(counts=counts, was=was, stands=item.stage)
        if counts and at_home_in_danger:
            self.notify(STREET, "sweep_came_back", household=item.code)
            self.walk_again()
        self.report(item)
        self.look_whether_all_are_done()

    def look_whether_all_are_done(self) -> None:
        """All are back or rehoused: each by somebody's word. Before the all clear a team is never done."""
        if self.state.is_over and self.state.all_are_done:
            self.finish_as(Stage.BACK, Kind.BACK)

    def on_finished(self) -> None:
        """The warning hears that it is over."""
        self.report(over=True)

    def outcome(self) -> dict[str, Any]:
        """How many households ended how."""
        return {
            "households": self.state.how_many_at(),
            "people": self.people(),
            "walks": self.state.walks,
            "rounds": self.state.rounds,
        }

    def everybody(self) -> Sequence[str]:
        """再次上报: the desk, the team, the street and who leads it."""
        return (DESK, GRID, STREET, *self.led_by())


def as_listed(item: Household) -> dict[str, Any]:
    """A household as the warning names it."""
    return Listed.model_validate(item, from_attributes=True).model_dump(mode="json")
