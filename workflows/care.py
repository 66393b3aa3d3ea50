"""care 特殊群体一人一档: who may come to harm unnoticed has a file, one named worker, visits in time, and a call that is answered.

    opened -> active <-> absent        active -> searching -> active | absent | ended        opened -> declined
              active, absent, searching -> ended -> active (reopened) | closed              silence ends no file with consent

1. A file is opened for somebody, with a worker and a deputy. Nothing of it goes on without consent, which is by scope; without a
   word in time it ends as `unresolved`. Without consent an alarm is answered all the same.
2. From consent on somebody sees the person every 1, 7 or 30 calendar days, counted from when they were last seen, in festivals too.
   There is one definition of overdue: the clock `visit`. Overdue, it is the worker's and the deputy's, then climbs; it is always
   somebody's, and after the last tier everybody is called again, for as long as nobody goes.
3. Nobody answers the door: after two tries and the neighbours a search begins, with its own tiers; two people go in; the person is
   found, or the search goes on.
4. Away, visits rest until a day that is named; who is back is seen within a day.
5. The worker hands over: every duty stays until the next one accepts.
6. More visits hold at once, fewer on the word of two.
7. A device is one person's alone, needs its own consent, and protects when a test came through. In trouble, visits are daily.
8. Each alarm is a case of its own (`alarm`); what it came to changes the file.
9. A file ends by the word of two, of the street or of civil affairs; whom it concerns hears of it. For a while it can be reopened.

Alarms stand in `care_alarms`, devices in `care_devices`. A file lives for decades: it keeps no lists of visits, the ledger does.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.care import CARE, GRID, VISIT, Kind
from schemas.care_commands import (
    STAGE_FOUND,
    AcceptHandover,
    DeclineHandover,
    EndCause,
    EndFile,
    Find,
    FoundHow,
    HandOver,
    NameDeputy,
    Reassess,
    RecordConsent,
    RecordVisit,
    RefuseAbsence,
    RefuseEnd,
    RefuseLowering,
    SetAbsence,
    UpdateProfile,
    VisitOutcome,
    WithdrawConsent,
)
from schemas.care_state import Asked, CareState, Stage
from schemas.care_terms import ConsentScope, Need
from schemas.clocks.clock_schedule import BREACH
from schemas.clocks.clocks import Status, due_at
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import Step
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, COORDINATOR, desk_of
from schemas.values.actor import Actor
from workflows.care_alarms import STREET
from workflows.care_devices import Devices
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.unending import Unending

DESK, CIVIL_AFFAIRS = desk_of(COORDINATOR), desk_of(CIVIL_AFFAIRS_OFFICER)


@procedure_workflow
class Care(Unending[CareState], Devices):
    """One file, from its opening until somebody ends it."""

    procedure = CARE

    # ---- 1. consent -------------------------------------------------------------------------------------------------

    def record_consent(self, command: RecordConsent) -> None:
        """同意: with the first one visits begin."""
        self.state.consent = list(dict.fromkeys((*self.state.consent, *command.scopes)))
        if self.state.stage != Stage.OPENED:
            self.record_command()
            return
        self.visits_begin()
        self.apply()

    def withdraw_consent(self, command: WithdrawConsent) -> None:
        """撤回同意: of the file, it ends; of a device, that goes and visits go on."""
        self.state.consent = [each for each in self.state.consent if each not in command.scopes]
        if ConsentScope.FILE in command.scopes:
            self.let_go_of_devices()
            self.finish_as(Stage.CLOSED, Kind.WITHDRAWN, scopes=list(command.scopes))
            return
        if ConsentScope.HEALTH in command.scopes:
            self.state.health = None
        self.record_command()
        if ConsentScope.DEVICE in command.scopes:
            self.let_go_of_devices()

    # ---- 2. visits --------------------------------------------------------------------------------------------------

    def visits_begin(self) -> None:
        """The next visit is due within a day."""
        self.state.due_from = self.state.begun_at = self.now()
        self.start_clock(VISIT, limit=self.state.terms.intervals[Need.DAILY_CHECK])

    def record_visit(self, command: RecordVisit) -> None:
        """记录走访: the next one counts from when this one was, not from when it was written down."""
        visited_at = command.visited_at or self.now()
        late = self._is_late(visited_at)
        self.state.visits += 1
        self.state.visits_late += late
        self.record_command(number=self.state.visits, late=late)
        self.person_was_seen(visited_at)
        if command.outcome is not VisitOutcome.WELL:
            self.notify(STREET, "care_needs_help", outcome=command.outcome)

    def person_was_seen(self, moment: datetime) -> None:
        """Somebody saw or heard the person: the next visit counts from then; older news loses, and what was before visits began."""
        before = [each for each in (self.state.seen_at, self.state.begun_at) if each is not None]
        if any(moment <= each for each in before):
            return
        self.state.seen_at = moment
        if self.state.ending is not None and self.state.ending.cause == EndCause.DIED:
            self.state.ending = None  # who is seen is not dead
        if self.state.stage == Stage.ABSENT:
            return
        self.move(Stage.ACTIVE, GRID)
        self.clocks.stop("search", "engine")
        self.state.due_from = moment
        self.start_clock(VISIT, since=moment)

    def _is_late(self, moment: datetime) -> bool:
        """Whether the person was seen at or after the moment at which the visit was due."""
        due = due_at(self.state.clocks[VISIT], self.state.charter.calendar) if self.clocks.runs(VISIT) else None
        return due is not None and moment >= due

    def warned_of(self, clock: str) -> str | None:
        """The worker owes the visit, and is told in the morning of its last day or so."""
        return f"participant:{self.state.worker}" if clock == VISIT else super().warned_of(clock)

    def on_duty_broken(self, clock: str) -> None:
        """Overdue: the deputy is told as well."""
        super().on_duty_broken(clock)
        if clock == VISIT:
            self.notify(f"participant:{self.state.deputy}", "care_visit_overdue")

    def on_duty_milestone(self, clock: str, milestone: str) -> None:
        """Each tier that is told holds the file from then on: what is overdue is always somebody's."""
        tier = milestone.removeprefix("tier:")
        if clock in {VISIT, "search"} and tier.isdecimal():
            later = [each for each in self.state.clocks[clock].tiers if each.after.amount]
            self.state.holder = later[int(tier) - 1].to
        super().on_duty_milestone(clock, milestone)

    # ---- 3. search --------------------------------------------------------------------------------------------------

    def report_no_answer(self) -> None:
        """无人应答: the visit is a search from now on."""
        self.search_begins()
        self.apply()
        self.notify(f"participant:{self.state.deputy}", "care_search")

    def person_is_not_found(self) -> None:
        """呼叫现场未找到本人: so a search begins."""
        self.search_begins()
        for clock in (VISIT, "absence"):
            self.clocks.stop(clock, "engine")
        self.start_clock("search")
        self.move(Stage.SEARCHING, GRID)
        self.record(Kind.NOT_FOUND)
        self.notify(STREET, "care_search")

    def search_begins(self) -> None:
        """Only who is seen after this is found."""
        self.state.searches += 1
        self.state.searched_since = self.now()

    def find(self, command: Find, by: Actor) -> None:
        """找到: at home, away; or dead, when a second person says so."""
        stage = STAGE_FOUND[command.how]
        if command.how is FoundHow.DIED:
            self.record_command(stage=stage)
            self.end_is_asked(EndCause.DIED, by)
            return
        self.clocks.stop("search", by.subject)
        if stage is Stage.ABSENT:
            self.start_clock("absence", limit=self.state.terms.hospital)
            self.state.seen_at = self.now()
            self.move(stage, GRID)
        else:
            self.person_was_seen(self.now())
        self.record_command(stage=stage)
        if command.how is FoundHow.HURT_AT_HOME:
            self.notify(STREET, "care_needs_help", outcome=command.how)

    # ---- 4. away ----------------------------------------------------------------------------------------------------

    def set_absence(self, command: SetAbsence, by: Actor) -> None:
        """暂离: visits rest until the day that is named; for long, or where one is overdue, when a second person says so."""
        self.notify(STREET, "care_absent", days=command.days)
        overdue = self.clocks.runs(VISIT) and BREACH in self.state.clocks[VISIT].fired
        if overdue or command.days > self.state.terms.absence_days_by_one:
            self.state.absence = Asked(number=self._next(), by=by.subject, days=command.days, cause=command.cause)
            self.record_command(number=self.state.asked, waits=True)
            return
        self.clocks.stop(VISIT, by.subject)
        self.visits_rest(command.days)
        self.move(Stage.ABSENT, GRID)
        self.record_command(waits=False)

    def confirm_absence(self) -> None:
        """同意长期暂离: as if one had said so."""
        asked = self.state.absence
        assert asked is not None  # noqa: S101 - the table
        assert asked.days is not None  # noqa: S101 - so it was asked
        self.visits_rest(asked.days)
        self.apply(days=asked.days, cause=asked.cause)

    def refuse_absence(self, command: RefuseAbsence) -> None:  # noqa: ARG002 - what it answers was looked at before
        """不同意长期暂离: visits go on as they did."""
        self.state.absence = None
        self.apply()

    def visits_rest(self, days: int) -> None:
        """Nobody is visited for so many days; what was left of the time stays so."""
        self.state.absence, self.state.rests_since = None, self.now()
        self.start_clock("absence", limit=Limit(amount=days, unit=Unit.CALENDAR_DAYS))

    def visits_go_on(self) -> None:
        """The next visit is due within a day, and no later than was left of the time before: who comes and goes gains no day."""
        rested, seen = self.state.rests_since, self.state.seen_at
        before = None if rested is None or (seen is not None and seen > rested) else self.state.clocks.get(VISIT)
        self.state.rests_since = None
        self.visits_begin()
        if before is None or before.status is not Status.STOPPED:
            return
        calendar, goes_on = self.state.charter.calendar, before.resume(self.now(), "engine")
        earlier, later = due_at(goes_on, calendar), due_at(self.state.clocks[VISIT], calendar)
        if earlier is not None and later is not None and earlier <= later:
            self.state.clocks[VISIT] = goes_on

    def person_is_back(self) -> None:
        """呼叫现场本人在家: help was at the door, and somebody there. Visits go on."""
        self.clocks.stop("absence", "engine")
        self.visits_begin()
        self.move(Stage.ACTIVE, GRID)
        self.record(Kind.RETURNED)

    def person_is_in_hospital(self) -> None:
        """呼叫后送医: visits rest for so long; then somebody looks."""
        for clock in (VISIT, "search"):
            self.clocks.stop(clock, "engine")
        self.start_clock("absence", limit=self.state.terms.hospital)
        self.move(Stage.ABSENT, GRID)
        self.record(Kind.ABSENT, cause="hospital")

    def return_home(self) -> None:
        """返回: seen within a day."""
        self.visits_go_on()
        self.apply()

    def come_back(self, step: Step) -> None:
        """暂离期满: so is who should be back."""
        self.visits_go_on()
        self.move(Stage.ACTIVE, GRID)
        self.record(self.entry_of(step))
        self.notify(f"participant:{self.state.worker}", "care_back")

    # ---- 5. the worker ----------------------------------------------------------------------------------------------

    def hand_over(self, command: HandOver, by: Actor) -> None:
        """移交: asked; nothing has changed yet."""
        self.state.handover = Asked(number=self._next(), by=by.subject, to=command.to)
        self.apply(number=self.state.asked)
        self.notify(GRID, "care_handover")

    def accept_handover(self, command: AcceptHandover) -> None:  # noqa: ARG002 - what it answers was looked at before
        """接收: the visits, the alarms, the devices; the entry lists them."""
        asked, before = self.state.handover, self.state.worker
        assert asked is not None  # noqa: S101 - the table
        assert asked.to is not None  # noqa: S101 - so it was asked
        self.state.worker, self.state.handover = asked.to, None
        running = [name for name in self.state.clocks if self.clocks.runs(name) and name != "handover"]
        alarms = [self.id_of(each) for each in self.state.alarms_open]
        devices = [each.key for each in self.state.devices if each.bound]
        self.apply(before=before, worker=asked.to, duties=running, alarms=alarms, devices=devices)
        self.tell_who_knows_the_person()

    def take_back_handover(self) -> None:
        """撤回移交: whoever had it has it still; it can be handed over to somebody else."""
        self.state.handover = None
        self.apply()

    def name_deputy(self, command: NameDeputy) -> None:
        """更换替补: alarms hear of it too."""
        before, self.state.deputy = self.state.deputy, command.deputy
        self.apply(before=before)
        self.tell_who_knows_the_person()
        self.notify(f"participant:{command.deputy}", "care_deputy")

    def decline_handover(self, command: DeclineHandover) -> None:  # noqa: ARG002 - as above
        """不接收: whoever asked has it still."""
        self.state.handover = None
        self.apply()
        self.notify(f"participant:{self.state.worker}", "care_handover_declined")

    def _next(self) -> int:
        self.state.asked += 1
        return self.state.asked

    # ---- 6. what changes --------------------------------------------------------------------------------------------

    def update_profile(self, command: UpdateProfile) -> None:
        """更新档案: alarms from now on go by it."""
        self.state.address = command.address or self.state.address
        self.state.emergency_contacts = command.emergency_contacts or self.state.emergency_contacts
        self.state.contact_order = command.contact_order or self.state.contact_order
        self.state.health = command.health or self.state.health
        self.apply()

    def reassess(self, command: Reassess, by: Actor) -> None:
        """需求评估: more often at once; less often when a second person agrees."""
        before = self.state.need
        if command.need.is_less_than(before):
            self.state.lowering = Asked(number=self._next(), by=by.subject, need=command.need)
            self.apply(before=before, waits=True)
            return
        self.state.lowering, self.state.need = None, command.need
        self.state.daily_until_assessed = False
        self.start_clock("reassess")
        self.visits_no_later_than(command.need)
        self.apply(before=before, waits=False)

    def confirm_lowering(self) -> None:
        """同意减少走访: from the next visit on."""
        asked, before = self.state.lowering, self.state.need
        assert asked is not None  # noqa: S101 - the table
        assert asked.need is not None  # noqa: S101 - so it was asked
        self.state.need, self.state.lowering = asked.need, None
        self.state.daily_until_assessed = False
        self.start_clock("reassess")
        self.apply(before=before, need=asked.need)

    def refuse_lowering(self, command: RefuseLowering) -> None:  # noqa: ARG002 - what it answers was looked at before
        """不同意减少走访: it stays as it is, and was assessed."""
        self.state.lowering, self.state.daily_until_assessed = None, False
        self.start_clock("reassess")
        self.apply()

    # ---- 9. the end -------------------------------------------------------------------------------------------------

    def end_file(self, command: EndFile, by: Actor) -> None:
        """申请销档: asked; nothing has changed yet."""
        self.record_command(number=self.state.asked + 1)
        self.end_is_asked(command.cause, by)

    def end_is_asked(self, cause: EndCause, by: Actor) -> None:
        """Two people end a file: visits and the search go on until the second one has spoken."""
        self.state.ending = Asked(number=self._next(), by=by.subject, cause=cause)
        for told in (STREET, CIVIL_AFFAIRS):
            self.notify(told, "care_end_asked", cause=cause)

    def confirm_end(self) -> None:
        """同意销档: for a while it can be reopened; devices are nobody's at once. Whoever it concerns hears of it."""
        asked = self.state.ending
        assert asked is not None  # noqa: S101 - the table
        self.file_ends()
        self.apply(cause=asked.cause)
        for told in (f"participant:{self.state.worker}", f"participant:{self.state.deputy}", "reporter"):
            self.notify(told, "care_ended", cause=asked.cause)

    def refuse_end(self, command: RefuseEnd) -> None:  # noqa: ARG002 - what it answers was looked at before
        """不同意销档: visits go on as they did."""
        self.state.ending = None
        self.apply()

    def file_ends(self) -> None:
        """Nothing is waited for any more, and no device is anybody's."""
        self.state.ended_at = self.now()
        self.state.handover = self.state.lowering = self.state.absence = self.state.ending = None
        self.let_go_of_devices()
        self.clocks.stop_all()
        self.start_clock("reopen")

    def reopen_file(self) -> None:
        """恢复档案: seen within a day; devices are bound anew."""
        self.state.ended_at = None
        self.visits_begin()
        self.apply()

    def close_file(self, step: Step) -> None:
        """归档: nobody wanted it back."""
        self.finish_as(Stage.CLOSED, self.entry_of(step))

    def everybody(self) -> Sequence[str]:
        """再次上报: the desk, who sees the person, and who stands in."""
        return (DESK, f"participant:{self.state.worker}", f"participant:{self.state.deputy}")

    def outcome(self) -> dict[str, Any]:
        """How often the person was seen, and how often late."""
        return {"visits": self.state.visits, "visits_late": self.state.visits_late, "alarms": len(self.state.alarms)}
