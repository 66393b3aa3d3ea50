"""The lines of a record, made from what was kept: how late a clock was, what was one reading, what was later is not told."""

from datetime import datetime, timedelta
from typing import Any

from schemas.audit.case_lines import ONE_READING, entry_lines, reading_lines, refused_lines
from schemas.audit.case_record import ClockLine, Reading, RefusedAttempt
from schemas.clocks.clocks import Clock, view
from schemas.clocks.town_time import TownTime
from schemas.kernel.case import ENGINE, GENESIS, CaseState, Charter, Entry
from schemas.values.actor import Actor, Role, Stamp
from tests.clock_examples import CALENDAR, TIERS, clock, town
from tests.clock_examples import ENGINE as BY_ENGINE

CASE = "incident-20260302-000001"
TIME = TownTime.identity()


def state_with(*clocks: Clock) -> CaseState:
    """A case that has these clocks, in real time."""
    opened = town("2026-03-02 09:00")
    stamp = Stamp(
        case_id=CASE,
        command="report",
        command_id="1",
        actor=Actor(subject="wang", role=Role.RESIDENT),
        at=opened,
        digest="0",
    )
    charter = Charter(policy_version="1", calendar=CALENDAR, time=TIME)
    named = {each.name: each for each in clocks}
    return CaseState(
        case_id=CASE, stage="handling", charter=charter, opening=stamp, area="1", opened_at=opened, clocks=named
    )


def entry(seq: int, at: datetime, kind: str, **facts: Any) -> Entry:
    return Entry(case_id=CASE, seq=seq, at=at, actor=ENGINE, kind=kind, facts=facts, prev_hash=GENESIS).sealed()


def changed(of: Clock) -> dict[str, Any]:
    """A clock as an entry has it."""
    return {of.name: view(of, CALENDAR).model_dump(mode="json", exclude_none=True)}


def clocks_of(state: CaseState, *entries: Entry) -> list[ClockLine]:
    return [clock for line in entry_lines(state, entries, str) for clock in line.clocks]


def test_a_pause_after_the_due_time_is_no_lateness() -> None:
    """A clock due at eleven, held from twelve to one and stopped at two was two hours late, not three."""
    running = clock("2 hours").start(town("2026-03-02 09:00"), BY_ENGINE)
    held = running.pause(town("2026-03-02 12:00"), BY_ENGINE).resume(town("2026-03-02 13:00"), BY_ENGINE)
    stopped = held.stop(town("2026-03-02 14:00"), BY_ENGINE)
    (shown,) = clocks_of(
        state_with(stopped), entry(1, town("2026-03-02 14:00"), "incident:finished", clocks=changed(stopped))
    )

    assert (shown.breached, shown.late_seconds) == (True, 2 * 3600)


def test_a_line_keeps_the_due_time_that_its_entry_had() -> None:
    """What became of a clock later changes no earlier line, and a breach shows the clock as it was last told."""
    running = clock("2 hours").start(town("2026-03-02 09:00"), BY_ENGINE)
    again = running.start(town("2026-03-03 09:00"), BY_ENGINE)
    lines = clocks_of(
        state_with(again),
        entry(1, town("2026-03-02 09:00"), "incident:dispatched", clocks=changed(running)),
        entry(2, town("2026-03-02 11:00"), "clock:breach", clock="finish", moment="breach", told="duty_leader"),
        entry(3, town("2026-03-03 09:00"), "incident:redispatched", clocks=changed(again)),
    )

    assert [line.due_at for line in lines] == [
        town("2026-03-02 11:00"),
        town("2026-03-02 11:00"),
        town("2026-03-03 11:00"),
    ]
    assert [(line.breached, line.late_seconds) for line in lines] == [(False, 0), (True, 0), (False, 0)]


def test_a_window_that_runs_out_is_not_late() -> None:
    """Only what somebody has to keep can be late; a window such as that for reopening just ends."""
    window = (
        clock("2 hours", tiers=()).start(town("2026-03-02 09:00"), BY_ENGINE).stop(town("2026-03-02 12:00"), BY_ENGINE)
    )
    duty = (
        clock("2 hours", tiers=TIERS)
        .start(town("2026-03-02 09:00"), BY_ENGINE)
        .stop(town("2026-03-02 12:00"), BY_ENGINE)
    )
    shown = [
        clocks_of(state_with(each), entry(1, town("2026-03-02 12:00"), "incident:closed", clocks=changed(each)))[0]
        for each in (window, duty)
    ]

    assert [(line.duty, line.breached, line.late_seconds) for line in shown] == [(False, True, 0), (True, True, 3600)]


def reading(at: datetime, who: str = "sun", kind: str = "description", purpose: str = "show-timeline") -> Reading:
    return Reading(at=at, who=who, role="coordinator", person="person:1", kind=kind, purpose=purpose, case_id=CASE)


def test_what_was_read_together_is_one_line() -> None:
    """By one account for one purpose within two seconds; another account, purpose or time is another reading."""
    at = town("2026-03-02 09:00")
    readings = [
        reading(at),
        reading(at + timedelta(seconds=1), kind="address"),
        reading(at + timedelta(seconds=1), who="li"),
        reading(at + timedelta(seconds=2), purpose="show-case"),
        reading(at + timedelta(seconds=1) + ONE_READING, kind="reason"),
        reading(at + timedelta(hours=1)),
    ]
    lines = list(reading_lines(readings, TIME))

    assert [(line.who.subject, line.kind, sum(line.facts["items"].values())) for line in lines] == [
        ("sun", "show-timeline", 3),
        ("li", "show-timeline", 1),
        ("sun", "show-case", 1),
        ("sun", "show-timeline", 1),
    ]
    assert [line.at for line in lines] == [
        at,
        at + timedelta(seconds=1),
        at + timedelta(seconds=2),
        at + timedelta(hours=1),
    ]


def test_refusals_and_readings_stand_at_town_time() -> None:
    """They were kept in real time; in a town that runs faster they stand where the case was then."""
    real = town("2026-03-02 09:00")
    fast = TownTime.starting(town("2026-06-01 00:00"), real, 3600)
    attempt = RefusedAttempt(
        at=real + timedelta(seconds=1),
        command="sign",
        subject="li",
        role="resident",
        department=None,
        code="x",
        stage="y",
    )
    (refused,) = refused_lines([attempt], fast)
    (read,) = reading_lines([reading(real + timedelta(seconds=2))], fast)

    assert (refused.at, read.at) == (town("2026-06-01 01:00"), town("2026-06-01 02:00"))
