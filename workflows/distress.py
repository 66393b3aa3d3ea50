"""distress 无档求助: a call for help that no file knows is traced by the duty desk, and silence ends nothing.

    raised -> taken -> located -> sent -> on_site -> helped      any open stage -> ruled_out, on the word of two; it never expires
                ^                   |        |   +-> died        on the word of two
                +-- nobody there ---+--------+

1. A device that is in no file calls, or somebody calls for somebody who has none. The desk is told at once, and who had the file of
   the device last. Who takes it in hand asks the platform, the last file, or the police where the call comes from; the case goes to
   the area of that place.
2. Somebody is sent as soon as the place is known, or before: an emergency service may know it sooner. Of the community somebody
   says that they go, and that they are there; until the place is known it is asked for.
3. Whoever is there says what was the matter, or, for a service, somebody else than who called it. Nobody there ends nothing and
   gives nobody time.
4. That nobody needs help, and that somebody died, two people say: by voice, where that is enough, by sight, or because nobody wears
   the device. A call that comes meanwhile makes it void.

One case for a device at a time: what it goes on saying is counted here, and told again after some minutes, or when it is worse.
What is late climbs its tiers; after the last one everybody is called again and again. Whoever was helped is to have a file: the
street hears.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.distress import DISTRESS, Kind
from schemas.distress_commands import CallAgain, FoundThere, Helper, Locate, ReportScene, RuleOut, SendHelp
from schemas.distress_state import DeathSaid, DistressState, RulingOut, Stage
from schemas.kernel.acts import Step
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, COORDINATOR, GRID_WORKER, STREET_OFFICER, SUPERVISOR, desk_of
from schemas.values.actor import Actor
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.unending import Unending

DESK, GRID, STREET = desk_of(COORDINATOR), desk_of(GRID_WORKER), desk_of(STREET_OFFICER)
CIVIL_AFFAIRS, SUPERVISORS = desk_of(CIVIL_AFFAIRS_OFFICER), desk_of(SUPERVISOR)


@procedure_workflow
class Distress(Unending[DistressState]):
    """One call, from the first word until somebody was there, or until two people say that nobody is in need."""

    procedure = DISTRESS

    # ---- 1. who calls ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The desk is told at once; and who had the file of the device last, who may know who has it now."""
        super().begin()
        if self.state.event is not None:  # who opened it by hand has heard no call of the device yet
            self.state.told_at = self.now()
        for told in self.who_had_the_file():
            self.notify(told, "distress_of_your_file", kinds=self.state.kinds)

    def who_had_the_file(self) -> tuple[str, ...]:
        """The last worker and the last deputy, and the community of the file: the accounts may be nobody's any more."""
        if self.state.last_file is None:
            return ()
        named = dict.fromkeys(each for each in (self.state.last_worker, self.state.last_deputy) if each is not None)
        return (*(f"participant:{each}" for each in named), GRID)

    def call_again(self, command: CallAgain) -> None:
        """再次呼叫: counted; the desk is told at once when it is worse or somebody has acted, else together after some minutes.

        Whoever said that nobody needs help did not know of it: what they asked for is void.
        """
        state, before = self.state, self.state.kinds
        state.further, state.untold = state.further + 1, state.untold + 1
        if command.alarm_kind not in before:
            state.kinds_further.append(command.alarm_kind)
        void, state.ruling_out = state.ruling_out, None
        self.record_command(further=state.further, ruling_out_void=None if void is None else void.number)
        if void is not None:
            for told in (DESK, STREET):
                self.notify(told, "distress_ruling_out_void", kinds=state.kinds)
        if state.told_at is None or state.kinds != before:
            self._tell_that_it_calls()
        if not self.clocks.runs("again"):
            self.start_clock("again")

    def tell_what_was_counted(self, step: Step) -> None:
        """再次呼叫汇总: what has called since the desk was told last; silence is not told."""
        if not self.state.untold:
            return
        self.record(self.entry_of(step), further=self.state.further, untold=self.state.untold)
        self._tell_that_it_calls()

    def _tell_that_it_calls(self) -> None:
        self.state.told_at, self.state.untold = self.now(), 0
        self.notify(DESK, "distress_again", kinds=self.state.kinds, further=self.state.further)

    def _somebody_has_acted(self) -> None:
        """The next call is news: whoever calls has seen nobody yet."""
        self.state.told_at = None

    def take(self) -> None:
        """接办: somebody has it in hand."""
        self._somebody_has_acted()
        self.apply()

    def locate(self, command: Locate) -> None:
        """查明位置: known now, or known better. The case goes to the area of the place, whose people are told."""
        self.state.located = True
        self._somebody_has_acted()
        moved = command.area is not None and command.area != self.state.area
        self.state.area = command.area or self.state.area
        if self.state.stage in {Stage.RAISED, Stage.TAKEN}:
            self.apply()
        else:
            self.clocks.stop("locate", "engine")
            self.record_command()
            self.notify(DESK, "distress_located", kinds=self.state.kinds)
        if moved:
            self.notify(STREET, "distress_located", kinds=self.state.kinds)
            if self.clocks.runs("accept"):
                self.notify(GRID, "distress_go", kinds=self.state.kinds)

    # ---- 2. somebody goes -----------------------------------------------------------------------------------------------

    def send_help(self, command: SendHelp, by: Actor) -> None:
        """派人: of the community somebody says that they go; a service has its number. Where is asked until it is known."""
        state = self.state
        self._somebody_has_acted()
        state.senders = [*dict.fromkeys((*state.senders, by.subject))]
        state.a_service_went = state.a_service_went or command.helper.is_a_service
        if state.stage in {Stage.SENT, Stage.ON_SITE}:
            self.record_command()
        else:
            self.apply()
            self._time_for_help_counts()
            if not state.located and not self.clocks.runs("locate"):
                self.start_clock("locate")
        if command.helper is Helper.GRID_WORKER and state.responder is None and not self.clocks.runs("accept"):
            self.start_clock("accept")
            self.notify(GRID, "distress_go", kinds=state.kinds)

    def _time_for_help_counts(self) -> None:
        """From when somebody was first sent: what has passed since then has passed, and whoever is to hear of it hears at once."""
        self.state.sent_at = self.state.sent_at or self.now()
        self.start_clock("resolve", since=self.state.sent_at)

    def accept_call(self, by: Actor) -> None:
        """出发: the first who says so."""
        self.state.responder = by.subject
        self.apply()

    def pass_on(self) -> None:
        """改派: somebody else is to go."""
        self.state.responder = None
        self.apply()

    def arrive(self, by: Actor) -> None:
        """到场: also without a word before. Who relieves somebody takes over the time that is left."""
        self.state.responder = by.subject
        if self.state.stage == Stage.ON_SITE:
            self.record_command(relieves=True)
            return
        self.apply()
        self._time_for_help_counts()

    # ---- 3. what was found ----------------------------------------------------------------------------------------------

    def report_scene(self, command: ReportScene, by: Actor) -> None:
        """现场情况: of whoever is there, or what a service says. That somebody died waits for a second person."""
        if command.result is FoundThere.NOBODY_THERE:
            self._nobody_is_there()
            return
        if command.result is FoundThere.DIED:
            self.state.deaths_said += 1
            self.state.death = DeathSaid(number=self.state.deaths_said, by=by.subject)
            self.record_command(number=self.state.deaths_said)
            for told in (DESK, STREET, CIVIL_AFFAIRS):
                self.notify(told, "distress_death_said")
            return
        self.finish_as(Stage.HELPED, Kind.SCENE_REPORTED, **command.model_dump(mode="json"))

    def _nobody_is_there(self) -> None:
        """Whoever calls is somewhere else: they are looked for anew, nobody is under way, the time for help counts on."""
        state = self.state
        state.not_found += 1
        state.located, state.responder, state.death = False, None, None
        self._somebody_has_acted()
        for clock in ("accept", "arrive", "send"):
            self.clocks.stop(clock, "engine")
        self.start_clock("locate")
        self.move(Stage.TAKEN, DESK)
        self.record_command(not_found=state.not_found)
        for told in (DESK, STREET, *((SUPERVISORS,) if state.not_found > 1 else ())):
            self.notify(told, "distress_nobody_there", kinds=state.kinds)

    def confirm_death(self) -> None:
        """确认去世: a second person says so."""
        self.notify(CIVIL_AFFAIRS, "distress_died")
        self.apply()

    def refuse_death(self) -> None:
        """不确认去世: every clock has run on."""
        self.state.death = None
        self.apply()

    # ---- 4. nobody is in need -------------------------------------------------------------------------------------------

    def rule_out(self, command: RuleOut, by: Actor) -> None:
        """申请排除: nothing has changed yet; every clock runs on."""
        self.state.asked += 1
        self.state.ruling_out = RulingOut(number=self.state.asked, by=by.subject, known_by=command.known_by)
        self.record_command(number=self.state.asked)
        for told in (DESK, STREET):
            self.notify(told, "distress_ruling_out", known_by=command.known_by)

    def confirm_ruled_out(self) -> None:
        """同意排除: a second person says so."""
        asked = self.state.ruling_out
        assert asked is not None  # noqa: S101 - the table
        self.apply(known_by=asked.known_by)

    def refuse_ruled_out(self) -> None:
        """不同意排除: whoever calls is looked for as before."""
        self.state.ruling_out = None
        self.apply()

    # ---- silence --------------------------------------------------------------------------------------------------------

    def everybody(self) -> Sequence[str]:
        """再次上报: the desk, the street, the community, and who had the file."""
        return tuple(dict.fromkeys((DESK, STREET, GRID, *self.who_had_the_file())))

    def called_again_facts(self) -> Mapping[str, Any]:
        """Nobody has it in hand."""
        return {}

    def outcome(self) -> dict[str, Any]:
        """How often it called, how often nobody was found, and how often everybody was called again."""
        return {"further": self.state.further, "not_found": self.state.not_found, "rounds": self.state.rounds}
