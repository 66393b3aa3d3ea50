"""Puts the record of a case together: its entries, what was refused and what was read, in order of town time. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from schemas.audit.case_record import CaseRecord, ClockLine, Line, Reading, RefusedAttempt, What, Who
from schemas.clocks.clock_facts import course_of
from schemas.clocks.clocks import Clock, ClockView, late_by, view
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.explanation import cut_at

ONE_READING = timedelta(seconds=2)
"""Items that somebody read for one purpose within so much real time were one reading."""


def record_of(
    state: CaseState,
    entries: Sequence[Entry],
    refused: Iterable[RefusedAttempt],
    readings: Iterable[Reading],
    *,
    real_now: datetime,
    until: datetime | None,
    title: str,
    title_of: Callable[[str], str],
    beside_the_chain: int,
) -> CaseRecord:
    """Put a case together, in order of time. `until`: nothing later is told. The clocks are as they stand by the case's time."""
    time = state.charter.time
    now = max(time.to_town(real_now), state.last_at or state.opened_at)
    told = [entry for entry in entries if until is None or entry.at <= until]
    lines = [
        *entry_lines(state, told, title_of),
        *(line for line in refused_lines(refused, time) if until is None or line.at <= until),
        *(line for line in reading_lines(readings, time) if until is None or line.at <= until),
    ]
    return CaseRecord(
        case_id=state.case_id,
        procedure=state.procedure,
        title=title,
        parent=state.parent,
        stage=state.stage,
        holder=state.holder,
        department=state.department,
        area=state.area,
        opened_at=state.opened_at,
        closed_at=state.closed_at,
        ended=state.ended,
        policy_version=state.charter.policy_version,
        calendar_version=state.charter.calendar.version,
        as_of=now,
        entries=len(told),
        beside_the_chain=beside_the_chain,
        refused=sum(line.what is What.REFUSED for line in lines),
        readings=sum(line.what is What.READ for line in lines),
        clocks=clock_lines(state, now),
        lines=tuple(sorted(lines, key=lambda line: line.at)),  # stable: entries keep their order
    )


def clock_lines(state: CaseState, now: datetime) -> tuple[ClockLine, ...]:
    """Every clock of a case as it stands at a moment that is not before its last fact."""
    return tuple(
        _line(clock, view(clock, state.charter.calendar), late_by(clock, state.charter.calendar, now))
        for clock in state.clocks.values()
    )


def entry_lines(state: CaseState, entries: Iterable[Entry], title_of: Callable[[str], str]) -> Iterator[Line]:
    """The entries, each with the clocks that it changed, or that made it."""
    shown: dict[str, ClockView] = {}
    for entry in entries:
        changed = {name: _view(said) for name, said in entry.facts.get("clocks", {}).items()}
        shown |= changed
        if entry.kind.startswith("clock:") and (name := entry.facts.get("clock")) in shown:
            changed = {name: shown[name]}
        actor = entry.actor
        yield Line(
            at=entry.at,
            what=What.ENTRY,
            seq=entry.seq,
            kind=entry.kind,
            title=title_of(entry.kind),
            who=Who(subject=actor.subject, role=actor.role, department=actor.department, channel=actor.channel),
            facts={name: value for name, value in entry.facts.items() if name != "clocks"},
            clocks=tuple(_changed(state.clocks.get(name), seen, entry.at) for name, seen in changed.items()),
            hash=entry.hash,
        )


def refused_lines(refused: Iterable[RefusedAttempt], time: TownTime) -> Iterator[Line]:
    """What was tried and refused; nothing of it reached the case."""
    for attempt in refused:
        yield Line(
            at=time.to_town(attempt.at),
            what=What.REFUSED,
            kind=attempt.command,
            title="拒绝办理",
            who=Who(subject=attempt.subject, role=attempt.role, department=attempt.department),
            facts={"code": attempt.code, "stage": attempt.stage},
        )


def reading_lines(readings: Iterable[Reading], time: TownTime) -> Iterator[Line]:
    """Who read personal data of the case, for what; what was read together is one line."""
    together: list[list[Reading]] = []
    latest: dict[tuple[str, str, str], list[Reading]] = {}
    for reading in readings:
        key = (reading.who, reading.role, reading.purpose)
        known = latest.get(key)
        if known is None or reading.at - known[-1].at > ONE_READING:
            known = latest[key] = []
            together.append(known)
        known.append(reading)
    for items in together:
        first = items[0]
        yield Line(
            at=time.to_town(first.at),
            what=What.READ,
            kind=first.purpose,
            title="查阅个人信息",
            who=Who(subject=first.who, role=first.role),
            facts={
                "items": _counted(item.kind for item in items),
                "persons": len({item.person for item in items}),
                "cases": sorted({item.case_id for item in items if item.case_id}),
            },
        )


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for kind in kinds:
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def _changed(clock: Clock | None, shown: ClockView, at: datetime) -> ClockLine:
    """A clock as an entry recorded it: its due time is that of the entry, whatever became of the clock later."""
    end = shown.stopped_at or at
    late = timedelta(0)
    if shown.due_at is not None and end > shown.due_at:
        late = end - shown.due_at - _held(clock, shown.due_at, end)
    return ClockLine(
        clock=shown.name,
        status=shown.status,
        started_at=shown.started_at,
        due_at=shown.due_at,
        stopped_at=shown.stopped_at,
        breached=shown.breached or (shown.due_at is not None and end >= shown.due_at),
        duty=_is_duty(clock),
        late_seconds=late // timedelta(seconds=1) if _is_duty(clock) else 0,
    )


def _held(clock: Clock | None, start: datetime, end: datetime) -> timedelta:
    """How much of a time a clock was paused, by its facts until the end of it."""
    course = course_of(cut_at(end, clock.facts)) if clock else None
    inside = (min(gap.end or end, end) - max(gap.start, start) for gap in (course.gaps if course else ()))
    return sum((time for time in inside if time > timedelta(0)), timedelta(0))


def _line(clock: Clock, shown: ClockView, late: timedelta) -> ClockLine:
    return ClockLine(
        clock=shown.name,
        status=shown.status,
        limit=str(clock.limit),
        started_at=shown.started_at,
        due_at=shown.due_at,
        stopped_at=shown.stopped_at,
        breached=shown.breached,
        duty=_is_duty(clock),
        late_seconds=late // timedelta(seconds=1) if _is_duty(clock) else 0,
    )


def _is_duty(clock: Clock | None) -> bool:
    """Duties climb tiers when they are late; windows have none."""
    return clock is not None and bool(clock.tiers)


def _view(said: Mapping[str, Any]) -> ClockView:
    """A clock as an entry has it: what is None was left out."""
    times = dict.fromkeys(("started_at", "due_at", "warning_at", "stopped_at"))
    return ClockView.model_validate({**times, **said})
