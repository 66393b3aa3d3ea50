"""The alarms of a file: raised by a device or a person, each a case of its own that lives on without the file.

Who calls again within minutes, while somebody is on it, is one alarm; who calls again after help was there is another one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.alarm import ALARM
from schemas.alarm_state import WAITING, AlarmOutcome, AlarmState
from schemas.care import Kind
from schemas.care_commands import RaiseAlarm
from schemas.care_messages import AlarmReport, CalledAgain, CalledFurther, Subject, WorkerChanged
from schemas.care_state import KEPT, AlarmRaised, CareState, Stage
from schemas.care_terms import AlarmKind, worst_first
from schemas.kernel.case import CaseState, Letter, Message
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, STREET_OFFICER, desk_of
from schemas.parts.children import open_child
from schemas.values.references import TextReference
from workflows.kernel.declared import DeclaredCase
from workflows.parts.children import ChildrenCase

STREET = desk_of(STREET_OFFICER)


class Alarms(ChildrenCase[CareState, AlarmRaised], DeclaredCase[CareState]):
    """The part of a file that calls for help."""

    child_procedure = ALARM
    child_errand = "call_for_help"
    MESSAGE_HANDLERS = {
        Subject.ALARM_REPORTED: (AlarmReport, "hear_alarm"),
        Subject.CALLED_AGAIN: (CalledAgain, "hear_called_again"),
    }

    async def story(self) -> None:
        """As long as anything can happen, then until every alarm stands."""
        await super().story()
        await self.until(lambda: not any(each.startswith(f"{self.child_errand}/") for each in self.state.errands))

    # ---- for the file ---------------------------------------------------------------------------------------------

    def person_was_seen(self, moment: datetime) -> None:
        """Somebody was with the person: the next visit counts from then."""
        raise NotImplementedError

    def person_is_back(self) -> None:
        """Somebody who was away is at home: visits go on."""
        raise NotImplementedError

    def person_is_in_hospital(self) -> None:
        """An alarm ended there: visits rest."""
        raise NotImplementedError

    def person_is_not_found(self) -> None:
        """Somebody was at the door, and nobody there: the search begins."""
        raise NotImplementedError

    # ---- raising ----------------------------------------------------------------------------------------------------

    def raise_alarm(self, command: RaiseAlarm) -> None:
        """呼叫: by the person, or by whoever hears of it."""
        self.help_is_called(command.alarm_kind, self.now(), words=command.words)

    def help_is_called(
        self,
        kind: AlarmKind,
        happened_at: datetime,
        *,
        event: str | None = None,
        device: str | None = None,
        words: TextReference | None = None,
    ) -> None:
        """Raise an alarm, or say to the one that is under way that the person has called again."""
        said = {"alarm_kind": kind, "happened_at": happened_at.isoformat(), "event": event, "device": device}
        near = self._under_way_near(happened_at)
        if near is None:
            self._call(kind, happened_at, event=event, device=device, words=words)
            return
        near.further += 1
        near.kinds = worst_first((*near.kinds, kind))
        told = said if words is None else {**said, "words": words}
        self.record(Kind.CALLED_FURTHER, alarm=self.id_of(near), further=near.further, **told)
        self._tell_further(near, kind)

    def _call(
        self,
        kind: AlarmKind,
        happened_at: datetime,
        *,
        event: str | None = None,
        device: str | None = None,
        words: TextReference | None = None,
    ) -> None:
        raised = AlarmRaised(
            number=len(self.state.alarms) + 1,
            kinds=[kind],
            happened_at=happened_at,
            raised_at=self.now(),
            event=event,
            device=device,
            stamp=self.stamp,
        )
        self.state.alarms.append(raised)
        self.record(
            Kind.ALARM_RAISED,
            alarm=self.id_of(raised),
            alarm_kind=kind,
            happened_at=happened_at.isoformat(),
            event=event,
            device=device,
            **({} if words is None else {"words": words}),
        )
        self.ask_for_child(raised)

    def _under_way_near(self, happened_at: datetime) -> AlarmRaised | None:
        """The alarm that this is about as well: somebody is on it, and it happened within minutes of that."""
        within = timedelta(minutes=self.state.terms.one_alarm_minutes)
        waiting = [each for each in self.state.alarms_open if each.stage in {"", *WAITING}]
        near = [each for each in waiting if abs(each.happened_at - happened_at) < within]
        return min(near, key=lambda each: (abs(each.happened_at - happened_at), each.number), default=None)

    # ---- the child ------------------------------------------------------------------------------------------------

    def children(self) -> Sequence[AlarmRaised]:
        """Every alarm that was raised."""
        return self.state.alarms

    def code_of(self, child: AlarmRaised) -> str:
        """In order."""
        return f"alarm-{child.number}"

    def is_told(self, child: AlarmRaised) -> bool:
        """Once its case stands."""
        return child.started

    async def errand_call_for_help(self, number: int) -> None:
        """Start the case of an alarm."""
        await self.start_child(number)

    def opening_of(self, child: AlarmRaised) -> AlarmState:
        """Who calls, from where, whom to call, and the rules of the file."""
        state = self.state
        return open_child(
            AlarmState,
            state,
            self.code_of(child),
            stamp=child.stamp or state.opening,
            at=child.raised_at,
            department=None,
            terms=state.terms,
            number=child.number,
            kinds=child.kinds,
            happened_at=child.happened_at,
            event=child.event,
            device=child.device,
            address=state.address,
            emergency_contacts=state.emergency_contacts,
            contact_order=state.contact_order,
            worker=state.worker,
            deputy=state.deputy,
        )

    def child_stands(self, child: AlarmRaised, opening: CaseState, *, anew: bool) -> None:
        """呼叫立案: its stamp need not be kept any more; whoever called again meanwhile is told of now."""
        child.started, child.stamp = True, None
        self.record(Kind.ALARM_STANDS, alarm=opening.case_id, anew=anew)
        if child.further:
            self._tell_further(child, child.kinds[0])
        if isinstance(opening, AlarmState) and (opening.worker, opening.deputy) != (
            self.state.worker,
            self.state.deputy,
        ):
            self.tell_who_knows_the_person()

    def _tell_further(self, child: AlarmRaised, latest: AlarmKind) -> None:
        further = CalledFurther(further=child.further, kinds=tuple(child.kinds), latest=latest)
        self.tell_child(child, Subject.CALLED_FURTHER, further)

    def tell_who_knows_the_person(self) -> None:
        """Who is called by name when nobody goes: of every alarm that is open."""
        changed = WorkerChanged(worker=self.state.worker, deputy=self.state.deputy, heard=self.state.seq)
        for child in self.state.alarms_open:
            self.tell_child(child, Subject.WORKER_CHANGED, changed)

    def on_undeliverable(self, letter: Letter) -> None:
        """Somebody called again, and the alarm that was to hear of it had ended: it is an alarm of its own."""
        super().on_undeliverable(letter)
        child = self.child_called(letter.to)
        if child is not None and letter.message.subject == Subject.CALLED_FURTHER:
            child.over = True
            self._call(CalledFurther.model_validate(letter.message.facts).latest, self.now())

    # ---- hearing --------------------------------------------------------------------------------------------------

    def knows(self, message: Message) -> bool:
        """Each alarm speaks for itself alone."""
        child = self.child_called(message.sender)
        if message.subject in set(Subject):
            return child is not None and child.number == message.facts.get("number")
        return super().knows(message)

    def hear_called_again(self, called: CalledAgain) -> None:
        """再次呼叫: after help was there. Somebody goes again."""
        self._call(called.kind, self.now())

    def hear_alarm(self, report: AlarmReport) -> None:
        """呼叫进展: where an alarm stands; what came of it changes the file, once."""
        child = self.state.alarms[report.number - 1]
        if report.heard <= child.heard:
            return
        is_news = report.outcome is not None and child.outcome != report.outcome
        child.heard, child.stage, child.outcome, child.over = report.heard, report.stage, report.outcome, report.over
        self.record(Kind.ALARM_REPORTED, alarm=self.id_of(child), alarm_stage=report.stage, outcome=report.outcome)
        if is_news and self.state.stage in KEPT:
            self._has_come_to(AlarmOutcome(str(report.outcome)))

    def _has_come_to(self, outcome: AlarmOutcome) -> None:
        if outcome is AlarmOutcome.HELPED:
            if self.state.stage == Stage.ABSENT:
                self.person_is_back()
            self.person_was_seen(self.now())
        elif outcome is AlarmOutcome.HOSPITAL and self.state.stage != Stage.ABSENT:
            self.person_is_in_hospital()
        elif outcome is AlarmOutcome.NOT_FOUND and self.state.stage != Stage.SEARCHING:
            self.person_is_not_found()
        elif outcome is AlarmOutcome.DIED:
            self.notify(desk_of(CIVIL_AFFAIRS_OFFICER), "care_died")
        elif outcome is AlarmOutcome.FALSE_ALARM:
            self._count_false_alarm()

    def _count_false_alarm(self) -> None:
        """误报: several within weeks say that something is wrong with the device, or with the person."""
        since = self.now() - timedelta(days=self.state.terms.false_alarm_days)
        self.state.false_alarms = [each for each in self.state.false_alarms if each > since] + [self.now()]
        if len(self.state.false_alarms) >= self.state.terms.false_alarms_at_most:
            count, self.state.false_alarms = len(self.state.false_alarms), []
            self.start_clock("reassess", limit=self.state.terms.reassess_soon)
            self.record(Kind.REASSESSMENT_DUE, false_alarms=count)
            self.notify(STREET, "care_reassess")
