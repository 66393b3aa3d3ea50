"""Warning, breach and tiers: the milestones of a clock and when each comes."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clocks.clocks import Clock, FactKind, Limit, MilestoneError, Status, due_at, milestones, warning_at
from tests.clock_examples import CALENDAR, ENGINE, clock, due, hour_limits, limit, lived_clocks, starts, tier, town


@given(lived_clocks())
def test_warning_comes_between_start_and_due_time(lived: Clock) -> None:
    """A clock warns after it started and not after it is due."""
    warning, at = warning_at(lived, CALENDAR), due_at(lived, CALENDAR)
    started = max(fact.at for fact in lived.facts if fact.kind is FactKind.STARTED)

    assert warning is None or started < warning
    assert warning is None or at is None or warning <= at
    assert warning is not None or at is None or lived.status is Status.STOPPED


@given(lived_clocks())
def test_warning_at_all_of_the_time_is_the_due_time(lived: Clock) -> None:
    """A clock that warns at 100 % warns when it is due, behind the holiday where the last day is one."""
    at_last = lived.model_copy(update={"warn_percent": 100})

    assert lived.status is Status.STOPPED or warning_at(at_last, CALENDAR) == due_at(lived, CALENDAR)


@given(hour_limits, starts, st.integers(1, 100))
def test_warning_of_hours_is_exactly_the_share(limit: Limit, start: datetime, percent: int) -> None:
    """Around the clock, the warning lies exactly that many hundredths of the limit after the start."""
    running = Clock(name="finish", limit=limit, warn_percent=percent).start(start, ENGINE)

    assert warning_at(running, CALENDAR) == start + limit.counted * percent / 100


WARNINGS = [
    ("2026-03-02 10:00", "10 hours", "2026-03-02 18:00"),
    ("2026-03-02 10:00", "30 minutes", "2026-03-02 10:24"),
    # 80 % of 5 days is 4 days: the end of the fourth
    ("2026-03-02 10:00", "5 natural_days", "2026-03-07 00:00"),
    ("2026-03-02 10:00", "5 working_days", "2026-03-07 00:00"),
    # 80 % of 7 days is 5 days and 14 h 24 min: on the sixth day counted
    ("2026-03-02 10:00", "7 natural_days", "2026-03-08 14:24"),
    ("2026-03-02 10:00", "7 working_days", "2026-03-10 14:24"),
    # 80 % of 3 working days is on the third, after the festival
    ("2026-02-13 10:00", "3 working_days", "2026-02-25 09:36"),
]


@pytest.mark.parametrize(("start", "text", "expected"), WARNINGS)
def test_warning_is_at_its_share_of_counted_time(start: str, text: str, expected: str) -> None:
    """80 % of the counted time: days off are not counted, a day is 24 hours."""
    assert warning_at(clock(text).start(town(start), ENGINE), CALENDAR) == town(expected)


def test_warning_counts_extension_and_pauses() -> None:
    """80 % of five working days and five more is the end of the eighth; two held days come on top."""
    running = clock("5 working_days").start(town("2026-03-02 10:00"), ENGINE)
    extended = running.extend(town("2026-03-03 10:00"), ENGINE, limit("5 working_days"), CALENDAR)
    held = extended.pause(town("2026-03-04 10:00"), ENGINE).resume(town("2026-03-06 10:00"), ENGINE)

    assert warning_at(extended, CALENDAR) == town("2026-03-13 00:00")
    assert warning_at(held, CALENDAR) == town("2026-03-17 00:00")


def test_tiers_follow_the_breach() -> None:
    """The tier at zero is the breach; the others are numbered after it and name whom they tell."""
    found = milestones(clock("1 hours").start(town("2026-03-02 10:00"), ENGINE), CALENDAR)

    assert [(moment.name, moment.at, moment.to) for moment in found] == [
        ("warning", town("2026-03-02 10:48"), None),
        ("breach", town("2026-03-02 11:00"), "duty_leader"),
        ("tier:1", town("2026-03-02 15:00"), "supervisor"),
        ("tier:2", town("2026-03-03 11:00"), "district"),
    ]


def test_tier_in_days_follows_the_due_day() -> None:
    """One working day after a clock due at 24:00 on Friday is 24:00 on Monday."""
    tiers = (tier("1 working_days", "supervisor"),)
    found = milestones(clock("5 natural_days", tiers).start(town("2026-03-01 10:00"), ENGINE), CALENDAR)

    assert [(moment.name, moment.at) for moment in found][1:] == [
        ("breach", town("2026-03-07 00:00")),
        ("tier:1", town("2026-03-10 00:00")),
    ]


@given(lived_clocks())
def test_moments_are_sorted_unique_and_fire_once_each(lived: Clock) -> None:
    """Firing the next moment over and over fires every moment once, in order of time, the breach always among them."""
    names, at = [], []
    while coming := milestones(lived, CALENDAR):
        assert [moment.at for moment in coming] == sorted(moment.at for moment in coming)
        assert min(due(lived), coming[0].at) == coming[0].at or "breach" in names
        names.append(coming[0].name)
        at.append(coming[0].at)
        lived = lived.mark_fired(coming[0].name)
        with pytest.raises(MilestoneError):
            lived.mark_fired(names[-1])

    assert at == sorted(at)
    assert len(names) == len(set(names)) == (2 + len(lived.tiers) if lived.status is Status.RUNNING else 0)
    assert lived.status is not Status.RUNNING or {"warning", "breach"} <= set(names)


@pytest.mark.parametrize("name", ["tier:3", "tier:0", "", "Breach"])
def test_unknown_moment_cannot_fire(name: str) -> None:
    """Only a moment of the clock can fire, and only while it runs."""
    running = clock("1 hours").start(town("2026-03-02 10:00"), ENGINE)

    with pytest.raises(MilestoneError, match="no moment"):
        running.mark_fired(name)
    with pytest.raises(MilestoneError):
        running.stop(town("2026-03-02 10:01"), ENGINE).mark_fired("warning")
