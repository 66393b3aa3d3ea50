"""alarm 紧急呼叫: a call for help is answered within a minute, somebody goes, and silence ends nothing.

    raised -> answered -> responding -> on_site -> resolved -> closed        silence never resolves it, and it never expires
      |          |    ^--------+           ^
      +----------+-------------------------+      whoever is there first is there; nobody waits for an answer

1. The person is called back at once: whoever answers says what was heard; nothing at all is a call for help. After 60 seconds
   without an answer the worker and the deputy are told and may go without it.
2. Somebody of the community goes, the first who says so; the others are told. Nobody goes within minutes: the whole roster,
   then the coordinator is told to call 120, 119 or 110, and the contacts in order; where the town says so, the gateway calls
   those (`alarm_calls`).
3. Whoever is there says what was the matter and what was done; by voice alone only a call by hand can be a mistake.
4. The next day somebody looks in again.

What is late climbs its tiers; after the last one everybody is called again and again. What it came to is told to the file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.alarm import ALARM, Answer, CallEmergency, Kind, Resolve
from schemas.alarm_state import WAITING, AlarmOutcome, AlarmState, EmergencyCall, Said, Stage
from schemas.care_messages import AlarmReport, CalledAgain, CalledFurther, Subject, WorkerChanged
from schemas.care_terms import worst_first
from schemas.kernel.acts import Step
from schemas.kernel.case import Message
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, COORDINATOR, GRID_WORKER, STREET_OFFICER, desk_of
from schemas.values.actor import Actor
from workflows.alarm_calls import ContactCalls
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.children import ChildCase
from workflows.parts.unending import Unending

DESK, GRID, STREET = desk_of(COORDINATOR), desk_of(GRID_WORKER), desk_of(STREET_OFFICER)
CIVIL_AFFAIRS = desk_of(CIVIL_AFFAIRS_OFFICER)
EMERGENCY_AFTER = "tier:1"
"""The tier of `accept` at which somebody else than the community is called."""


@procedure_workflow
class Alarm(Unending[AlarmState], ContactCalls, ChildCase[AlarmState]):
    """One alarm, from the call until somebody has looked in again."""

    procedure = ALARM
    MESSAGE_HANDLERS = {
        Subject.CALLED_FURTHER: (CalledFurther, "is_called_further"),
        Subject.WORKER_CHANGED: (WorkerChanged, "worker_changes"),
    }

    # ---- 1. answered ------------------------------------------------------------------------------------------------

    def reported(self) -> dict[str, Any]:
        """呼叫: who calls, of what, and when it happened."""
        self.start_clock("answer")
        state = self.state
        return {
            "file": state.parent,
            "alarm_kind": state.kind,
            "alarm_kinds": state.kinds,
            "happened_at": state.happened_at.isoformat(),
            "event": state.event,
            "device": state.device,
            "address": state.address,
            "emergency_contacts": state.emergency_contacts,
            "contact_order": [each.relation for each in state.contact_order],
        }

    def begin(self) -> None:
        """The operator is told at once."""
        self.move(Stage.RAISED, DESK)
        self.notify(DESK, "alarm_raised", kinds=self.state.kinds)

    def answer(self, command: Answer, by: Actor) -> None:
        """接警: somebody is to go, whatever was heard; `mark_false` says that nobody need. Who goes already goes on."""
        self.state.said, self.state.answered_at = command.said, self.now()
        if self.state.stage == Stage.RAISED:
            self.apply()
        else:
            self.clocks.stop("answer", by.subject)
            self.record_command()
        self.report()

    def ring_the_next(self, step: Step) -> None:
        """无人接警: the worker and the deputy need no answer to go."""
        self.start_clock("accept")
        self.record(self.entry_of(step))
        for told in self.own_people():
            self.notify(told, "alarm_unanswered", kinds=self.state.kinds)

    def own_people(self) -> tuple[str, str]:
        """Who knows the person."""
        return f"participant:{self.state.worker}", f"participant:{self.state.deputy}"

    # ---- 2. somebody goes -------------------------------------------------------------------------------------------

    def accept_call(self, by: Actor) -> None:
        """出发: the first who says so."""
        self.state.responder = by.subject
        self.apply()
        self.report()

    def pass_on(self) -> None:
        """改派: somebody else is to go. What has passed since the call has passed: whoever is to hear of that hears at once."""
        self.state.responder = None
        self.start_clock("accept", since=self.state.opening.at)
        self.apply()
        self.report()

    def nobody_goes(self, step: Step) -> None:
        """无人出发: the whole roster is told."""
        self.record(self.entry_of(step))
        for told in (GRID, *self.own_people()):
            self.notify(told, "alarm_nobody_goes", kinds=self.state.kinds)

    def on_duty_milestone(self, clock: str, milestone: str) -> None:
        """Nobody has gone for so long that others must: an ambulance, the fire brigade or the police."""
        if clock == "accept" and milestone == EMERGENCY_AFTER:
            self._want_emergency()
        super().on_duty_milestone(clock, milestone)

    def _want_emergency(self) -> None:
        self.state.emergency_wanted = True
        self.record(Kind.EMERGENCY_WANTED, services=self.state.services)
        self.notify(DESK, "alarm_emergency_wanted", services=self.state.services)
        self.contacts_are_called()

    def arrive(self, by: Actor) -> None:
        """到场: also without an answer, and without a word before. Who relieves somebody takes over the time that is left."""
        self.state.responder = by.subject
        if self.state.stage == Stage.ON_SITE:
            self.record_command(relieves=True)
            return
        self.state.arrived_at = self.now()
        self.apply()
        self.report()

    # ---- 3. who is called besides, and what it came to --------------------------------------------------------------

    def call_emergency(self, command: CallEmergency) -> None:
        """转120 110 119: the number of their order is kept."""
        self.state.calls.append(EmergencyCall(service=command.service, order_number=command.order_number))
        self.record_command()

    def call_contact(self) -> None:
        """联系紧急联系人: in order."""
        self.state.contacts_called += 1
        self.record_command()

    def resolve(self, command: Resolve, by: Actor) -> None:
        """处置: the word of whoever is there. Who is not found is looked for: that ends nothing, and what is grave is told."""
        outcome = self.state.outcome = command.result.outcome
        if outcome is AlarmOutcome.NOT_FOUND:
            self.record_command()
        else:
            self.clocks.stop("resolve", by.subject)
            self.start_clock("follow_up")
            self.move(Stage.RESOLVED, self.state.holder)
            self.record_command()
        if outcome is not AlarmOutcome.HELPED:
            told = (STREET, DESK, CIVIL_AFFAIRS) if outcome is AlarmOutcome.DIED else (STREET, DESK)
            for each in told:
                self.notify(each, "alarm_came_to", outcome=outcome)
        self.report()

    def mark_false(self) -> None:
        """误报: by the person's own voice, or by sight."""
        self.state.outcome = AlarmOutcome.FALSE_ALARM
        self.apply()
        self.report()

    # ---- 4. the next day --------------------------------------------------------------------------------------------

    def outcome(self) -> dict[str, Any]:
        """What it came to, how often the person called, and how often everybody was called again."""
        return {"outcome": self.state.outcome, "further": self.state.further, "rounds": self.state.rounds}

    def on_finished(self) -> None:
        """The file hears that it is over."""
        self.report(over=True)

    # ---- silence ----------------------------------------------------------------------------------------------------

    def everybody(self) -> Sequence[str]:
        """再次上报: the operator, the roster, and who knows the person."""
        return (DESK, GRID, *self.own_people())

    def called_again_facts(self) -> Mapping[str, Any]:
        """Nobody has it in hand."""
        return {}

    # ---- what the file says, and is told ------------------------------------------------------------------------------

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """Who calls again when help was there already is somebody for whom somebody goes again: the file is told so."""
        if message.subject == Subject.CALLED_FURTHER and self.state.stage not in WAITING:
            if not repeated:
                self._tell_that_it_is_another(CalledFurther.model_validate(message.facts))
            return
        super().on_message(message, repeated=repeated)

    def is_called_further(self, called: CalledFurther) -> None:
        """重复呼叫: once more while somebody is on it. All that was said counts, and a word of no danger from before does not."""
        if called.further <= self.state.further:
            return
        before = self.state.services
        self.state.further = called.further
        self.state.kinds = worst_first((*self.state.kinds, *called.kinds))
        if self.state.said is Said.NO_DANGER:
            self.state.said = None
        self.record(Kind.CALLED_FURTHER, further=called.further, alarm_kinds=self.state.kinds)
        self.notify(DESK, "alarm_further", kinds=self.state.kinds)
        if self.state.emergency_wanted and self.state.services != before:
            self._want_emergency()

    def worker_changes(self, changed: WorkerChanged) -> None:
        """责任人变更: who is called by name from now on."""
        if changed.heard <= self.state.people_heard:
            return
        self.state.worker, self.state.deputy, self.state.people_heard = changed.worker, changed.deputy, changed.heard
        self.record(Kind.WORKER_CHANGED, worker=changed.worker, deputy=changed.deputy)

    def _tell_that_it_is_another(self, called: CalledFurther) -> None:
        again = CalledAgain(number=self.state.number, kind=called.latest, at=self.now(), further=called.further)
        self.tell_parent(Subject.CALLED_AGAIN, again)

    def report(self, *, over: bool = False) -> None:
        """Tell the file where this stands; the last word counts, whatever order words arrive in."""
        state = self.state
        report = AlarmReport(number=state.number, stage=state.stage, heard=state.seq, outcome=state.outcome, over=over)
        self.tell_parent(Subject.ALARM_REPORTED, report)
