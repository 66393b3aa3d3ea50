"""distress 无档求助: a call for help that no file knows is traced by the duty desk, and silence ends nothing.

    raised -> taken -> located -> sent -> helped          any open stage -> ruled_out, on the word of two; it never expires

1. A device that is in no file calls, or somebody calls for somebody who has none. The desk is told at once, and who had the file of
   the device last. Who takes it in hand asks the platform, the last file, or the police where the call comes from.
2. Somebody is sent as soon as the place is known, or before: an emergency service may know it sooner.
3. Whoever was there says what was the matter. Nobody there ends nothing.
4. That nobody needs help, two people say: by voice, by sight, or because the device is worn by nobody.

One case for a device at a time: what it goes on saying is counted here, and told again after some minutes, or when it is worse.
What is late climbs its tiers; after the last one everybody is called again and again. Whoever was helped is to have a file: the
street hears.
"""

from datetime import timedelta
from typing import Any

from schemas.distress import DISTRESS, CallAgain, FoundThere, Kind, ReportScene, RuleOut
from schemas.distress_state import DistressState, RulingOut, Stage
from schemas.kernel.acts import Step
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, COORDINATOR, GRID_WORKER, STREET_OFFICER, desk_of
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase
from workflows.kernel.procedure_workflow import procedure_workflow

DESK, GRID, STREET = desk_of(COORDINATOR), desk_of(GRID_WORKER), desk_of(STREET_OFFICER)


@procedure_workflow
class Distress(DeclaredCase[DistressState]):
    """One call, from the first word until somebody was there, or until two people say that nobody is in need."""

    procedure = DISTRESS

    # ---- 1. who calls ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The desk is told at once; and who had the file of the device last, who may know who has it now."""
        super().begin()
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
        """再次呼叫: counted; the desk is told when it is worse than before, or has not been told for some minutes."""
        before = self.state.kinds
        self.state.further += 1
        if command.alarm_kind not in before:
            self.state.kinds_further.append(command.alarm_kind)
        self.record_command(further=self.state.further)
        since = timedelta(minutes=self.state.terms.told_again_after_minutes)
        quiet = self.state.told_at is None or self.now() - self.state.told_at >= since
        if quiet or self.state.kinds != before:
            self.state.told_at = self.now()
            self.notify(DESK, "distress_again", kinds=self.state.kinds, further=self.state.further)

    def locate(self) -> None:
        """查明位置: known now, or known better."""
        if self.state.stage in {Stage.LOCATED, Stage.SENT}:
            self.record_command()
            self.notify(DESK, "distress_located", kinds=self.state.kinds)
            return
        self.apply()

    # ---- 2. somebody goes -----------------------------------------------------------------------------------------------

    def send_help(self) -> None:
        """派人: the first one begins the time for help; who is sent besides changes nothing of it."""
        if self.state.stage == Stage.SENT:
            self.record_command()
            return
        self.apply()

    # ---- 3. what was found ----------------------------------------------------------------------------------------------

    def report_scene(self, command: ReportScene) -> None:
        """现场情况: of somebody who was there. Nobody there: whoever calls is somewhere else, and the time for help counts anew."""
        if command.result is FoundThere.NOBODY_THERE:
            self.state.not_found += 1
            self.start_clock("resolve")
            self.record_command(not_found=self.state.not_found)
            self.notify(DESK, "distress_nobody_there", kinds=self.state.kinds)
            return
        if command.result is FoundThere.DIED:
            self.notify(desk_of(CIVIL_AFFAIRS_OFFICER), "distress_died")
        self.finish_as(Stage.HELPED, Kind.SCENE_REPORTED, **command.model_dump(mode="json"))

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

    def call_everybody_again(self, step: Step) -> None:
        """再次上报: the desk, the street, the community, who had the file, and the supervisor; then it is waited for again."""
        self.state.rounds += 1
        self.start_clock("final")
        self.record(self.entry_of(step), rounds=self.state.rounds)
        self.inform(step, {})
        for told in dict.fromkeys((DESK, STREET, GRID, *self.who_had_the_file())):
            self.notify(told, "distress_everybody_called", kinds=self.state.kinds)

    def outcome(self) -> dict[str, Any]:
        """How often it called, how often nobody was found, and how often everybody was called again."""
        return {"further": self.state.further, "not_found": self.state.not_found, "rounds": self.state.rounds}
