"""Working hours 工作小时: limits that count only while the town's offices are open."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clocks.calendar import DAY, SHANGHAI, NoOfficeHoursError
from schemas.clocks.clocks import Clock, Limit, Status, Tier, Unit, due_at, late_by, met, milestones, warning_at
from schemas.clocks.office_hours import OfficeHours
from tests.clock_examples import CALENDAR, ENGINE, TIERS, clock, due, is_restday, limit, starts, tier, town

MINUTE = timedelta(minutes=1)

EXAMPLES = [
    # inside one opening, over lunch, over night
    ("2026-03-02 09:00", "2 working_hours", "2026-03-02 11:00"),
    ("2026-03-02 11:00", "2 working_hours", "2026-03-02 15:00"),
    ("2026-03-02 16:30", "2 working_hours", "2026-03-03 09:30"),
    ("2026-03-02 10:00", "7 working_hours", "2026-03-03 10:00"),
    # used up when the offices close is used up then, at lunch and in the evening
    ("2026-03-02 10:00", "2 working_hours", "2026-03-02 12:00"),
    ("2026-03-02 16:30", "1 working_hours", "2026-03-02 17:30"),
    # started while closed: early, at lunch, at the very closing, at night, on a Saturday
    ("2026-03-02 06:00", "1 working_hours", "2026-03-02 09:30"),
    ("2026-03-02 12:00", "1 working_hours", "2026-03-02 15:00"),
    ("2026-03-02 17:30", "1 working_hours", "2026-03-03 09:30"),
    ("2026-03-07 10:00", "1 working_hours", "2026-03-09 09:30"),
    # Spring Festival 2026: Saturday 14 February is worked, 15 to 23 is off, so is Saturday the 21st
    ("2026-02-13 16:30", "4 working_hours", "2026-02-14 11:30"),
    ("2026-02-14 16:30", "4 working_hours", "2026-02-24 11:30"),
    ("2026-02-14 17:30", "7 working_hours", "2026-02-24 17:30"),
    ("2026-02-18 10:00", "8 working_hours", "2026-02-25 09:30"),
    # Saturday 28 February is worked too
    ("2026-02-27 17:00", "1 working_hours", "2026-02-28 09:00"),
    # National Day 2026: 1 to 7 October off, Saturday the 10th worked; Sunday 20 September worked
    ("2026-09-30 17:00", "1 working_hours", "2026-10-08 09:00"),
    ("2026-09-30 10:00", "20 working_hours", "2026-10-10 09:00"),
    ("2026-09-19 10:00", "3 working_hours", "2026-09-20 11:30"),
    # National Day 2025 with Mid-autumn, 1 to 8 October
    ("2025-09-30 15:30", "4 working_hours", "2025-10-09 10:30"),
    # 2027 is provisional; 1 January is a Friday
    ("2026-12-31 17:00", "1 working_hours", "2027-01-04 09:00"),
]


@pytest.mark.parametrize(("start", "text", "expected"), EXAMPLES)
def test_working_hours_end_where_the_offices_say(start: str, text: str, expected: str) -> None:
    """Open from 08:30 to 12:00 and from 14:00 to 17:30 on working days, make-up days included: no other time counts."""
    assert due(clock(text).start(town(start), ENGINE)) == town(expected)


WARNINGS = [
    ("2026-03-02 08:30", "5 working_hours", "2026-03-02 14:30"),  # four hours
    ("2026-03-02 16:30", "5 working_hours", "2026-03-03 11:30"),
    ("2026-02-14 16:30", "4 working_hours", "2026-02-24 10:42"),  # 3 h 12 min
]


@pytest.mark.parametrize(("start", "text", "expected"), WARNINGS)
def test_warning_is_at_its_share_of_the_open_time(start: str, text: str, expected: str) -> None:
    """80 % of the hours that count, not of the time that passes."""
    assert warning_at(clock(text).start(town(start), ENGINE), CALENDAR) == town(expected)


PAUSES = [
    # an hour of open time held
    ("2026-03-02 10:00", "2026-03-02 11:00", "2026-03-02 16:00"),
    # lunch held: nothing shifts
    ("2026-03-02 12:00", "2026-03-02 14:00", "2026-03-02 15:00"),
    # over lunch: half an hour before and half an hour after
    ("2026-03-02 11:30", "2026-03-02 14:30", "2026-03-02 16:00"),
    # from within one opening to within another, next day
    ("2026-03-02 11:00", "2026-03-03 15:00", "2026-03-03 17:00"),
    # after the due time nothing shifts
    ("2026-03-02 15:00", "2026-03-02 16:00", "2026-03-02 15:00"),
]


@pytest.mark.parametrize(("paused", "resumed", "expected"), PAUSES)
def test_pause_holds_the_open_time_in_it(paused: str, resumed: str, expected: str) -> None:
    """Four working hours from Monday 2026-03-02 09:00, due at 15:00 without a pause."""
    running = clock("4 working_hours").start(town("2026-03-02 09:00"), ENGINE)

    assert due(running.pause(town(paused), ENGINE).resume(town(resumed), ENGINE)) == town(expected)


def test_suspension_over_spring_festival_leaves_the_hours_that_were_left() -> None:
    """Suspended on the worked Saturday with two of four hours used, resumed on the 25th at 16:30: due the day after."""
    running = clock("4 working_hours").start(town("2026-02-14 08:30"), ENGINE)
    held = running.pause(town("2026-02-14 10:30"), ENGINE)

    assert (held.status, due_at(held, CALENDAR), milestones(held, CALENDAR)) == (Status.PAUSED, None, ())
    assert due(held.resume(town("2026-02-25 16:30"), ENGINE)) == town("2026-02-26 09:30")


@pytest.mark.parametrize("paused", ["2026-03-02 13:00", "2026-03-02 11:00", "2026-03-02 12:00"])
def test_clock_paused_before_it_is_due_has_no_due_time(paused: str) -> None:
    """Also when it is paused while the offices are closed: the hours that are left come after the resumption."""
    running = clock("4 working_hours").start(town("2026-03-02 09:00"), ENGINE)

    assert due_at(running.pause(town(paused), ENGINE), CALENDAR) is None


def test_the_instant_of_closing_itself_is_late() -> None:
    """Due when the offices close: done then is late, done a microsecond earlier is in time."""
    running = clock("1 working_hours").start(town("2026-03-02 16:30"), ENGINE)
    closing = town("2026-03-02 17:30")

    assert met(running.stop(closing, ENGINE), CALENDAR) is False
    assert met(running.stop(closing - timedelta(microseconds=1), ENGINE), CALENDAR) is True
    assert late_by(running, CALENDAR, closing + timedelta(hours=2)) == timedelta(hours=2)


def test_extension_goes_on_from_the_due_time() -> None:
    """Two working hours due at 17:30, and two more: two hours of the next morning. A working day more is the day after."""
    running = clock("2 working_hours").start(town("2026-03-02 15:30"), ENGINE)
    at = town("2026-03-02 16:00")

    assert due(running.extend(at, ENGINE, limit("2 working_hours"), CALENDAR)) == town("2026-03-03 10:30")
    assert due(running.extend(at, ENGINE, limit("1 working_days"), CALENDAR)) == town("2026-03-04 00:00")
    days = clock("1 working_days").start(at, ENGINE).extend(at, ENGINE, limit("2 working_hours"), CALENDAR)
    assert due(days) == town("2026-03-04 10:30")


def test_tiers_in_working_hours_follow_the_breach() -> None:
    """Two working hours after a breach on Friday at 16:30 are Monday at 09:30; around the clock is as before."""
    tiers = (tier("0 hours", "duty_leader"), tier("2 working_hours", "supervisor"), tier("4 hours", "district"))
    found = milestones(clock("1 working_hours", tiers).start(town("2026-03-06 15:30"), ENGINE), CALENDAR)

    assert {moment.name: moment.at for moment in found} == {
        "warning": town("2026-03-06 16:18"),
        "breach": town("2026-03-06 16:30"),
        "tier:2": town("2026-03-06 20:30"),
        "tier:1": town("2026-03-09 09:30"),
    }


def test_replan_moves_working_hours_to_other_days_and_other_hours() -> None:
    """A notice that takes the make-up Saturday back, and summer hours: the rest is counted anew from the start."""
    running = clock("4 working_hours", TIERS).start(town("2026-02-14 16:30"), ENGINE)
    no_makeup = CALENDAR.model_copy(update={"version": "b", "makeup": frozenset()})
    summer = OfficeHours.model_validate({"version": "summer", "hours": ["09:00-12:00", "15:30-18:30"]})
    with_summer = CALENDAR.model_copy(update={"version": "c", "office_hours": summer})
    at = town("2026-02-14 17:00")

    moved = running.replan(at, "admin", CALENDAR, no_makeup)
    assert moved.facts[-1].due_before == town("2026-02-24 11:30")
    assert due_at(moved, no_makeup) == town("2026-02-24 14:30")
    assert due_at(running.replan(at, "admin", CALENDAR, with_summer), with_summer) == town("2026-02-24 11:00")


def test_calendar_of_days_alone_keeps_the_office_hours_there_were() -> None:
    """The notice of a year names days: a replan by it does not close the offices. One with hours brings its own."""
    notice = CALENDAR.model_copy(update={"version": "b", "office_hours": None})
    own = OfficeHours.model_validate({"version": "2", "hours": ["09:00-17:00"]})

    assert notice.keeping_hours_of(CALENDAR).office_hours == CALENDAR.office_hours
    assert CALENDAR.model_copy(update={"office_hours": own}).keeping_hours_of(CALENDAR).office_hours == own
    assert notice.keeping_hours_of(notice) == notice


def test_without_office_hours_working_hours_cannot_be_counted() -> None:
    """A calendar without office hours refuses to guess; nothing else misses them."""
    bare = CALENDAR.model_copy(update={"office_hours": None})
    at = town("2026-03-02 10:00")

    with pytest.raises(NoOfficeHoursError, match="office hours"):
        due_at(clock("1 working_hours").start(at, ENGINE), bare)
    assert due_at(clock("1 working_days").start(at, ENGINE), bare) == town("2026-03-04 00:00")


# --- against counting minute by minute --------------------------------------------------------------------------------


@st.composite
def office_hours(draw: st.DrawFn) -> OfficeHours:
    """One to three openings of whole minutes, at least an hour in all; the last may end at 24:00, two may touch."""
    count = draw(st.integers(1, 3))
    edges = sorted(draw(st.lists(st.integers(0, 96), min_size=2 * count, max_size=2 * count, unique=True)))
    openings = [(edges[2 * number] * 15, edges[2 * number + 1] * 15) for number in range(count)]
    if sum(end - start for start, end in openings) < 60:
        openings = [(510, 720), (840, 1050)]
    written = [f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}" for start, end in openings]
    return OfficeHours.model_validate({"version": "1", "hours": written})


Held = list[tuple[datetime, datetime]]


def is_open(minute: datetime, hours: OfficeHours) -> bool:
    """Whether the offices are open in the minute that begins then, read from the text of the hours."""
    if is_restday(minute.date()):
        return False
    at = minute.strftime("%H:%M")
    spans = (str(span).split("-") for span in hours.model_dump(mode="json")["hours"])
    return any(start <= at < end for start, end in spans)


def counted_by_minutes(start: datetime, minutes: int, hours: OfficeHours, held: Held) -> datetime:
    """The end of the minute in which so many open minutes are used up, one minute after the other."""
    at, left = start, minutes
    while True:
        if is_open(at, hours) and not any(first <= at < end for first, end in held):
            left -= 1
        at += MINUTE
        if not left:
            return at


whole_minutes = starts.map(lambda at: at.astimezone(SHANGHAI).replace(second=0, microsecond=0))
pauses = st.lists(st.tuples(st.integers(0, 2 * 24 * 60), st.integers(0, 2 * 24 * 60)), max_size=3)


@settings(max_examples=60)
@given(whole_minutes, st.integers(1, 12), office_hours(), pauses, st.sampled_from([0, 1, 3]))
def test_working_hours_are_what_counting_minute_by_minute_finds(
    start: datetime, amount: int, hours: OfficeHours, held: list[tuple[int, int]], further: int
) -> None:
    """Due time and warning, over pauses and an extension, with any office hours, on any day of four years."""
    calendar = CALENDAR.model_copy(update={"office_hours": hours})
    lived = Clock(name="finish", limit=Limit(amount=amount, unit=Unit.WORKING_HOURS)).start(start, ENGINE)
    if further:
        lived = lived.extend(start, ENGINE, Limit(amount=further, unit=Unit.WORKING_HOURS), calendar)
    gaps: Held = []
    at = start
    for run, pause in held:
        gaps.append((at + run * MINUTE, at + (run + pause) * MINUTE))
        at = gaps[-1][1]
        lived = lived.pause(gaps[-1][0], ENGINE).resume(at, ENGINE)

    assert due_at(lived, calendar) == counted_by_minutes(start, (amount + further) * 60, hours, gaps)
    assert warning_at(lived, calendar) == counted_by_minutes(start, (amount + further) * 48, hours, gaps)


@given(starts, st.integers(1, 12), st.timedeltas(timedelta(0), timedelta(days=3)))
def test_open_pause_hides_exactly_what_is_not_yet_used_up(start: datetime, amount: int, run: timedelta) -> None:
    """Paused before the due time there is none; paused at it or later it stands."""
    running = Clock(name="finish", limit=Limit(amount=amount, unit=Unit.WORKING_HOURS)).start(start, ENGINE)
    paused = running.pause(start + run, ENGINE)

    assert due_at(paused, CALENDAR) == (due(running) if due(running) <= start + run else None)


def test_offices_that_never_close_count_every_hour_of_a_working_day() -> None:
    """00:00-24:00: thirty hours from Friday noon are twelve of Friday and eighteen of Monday."""
    always = OfficeHours.model_validate({"version": "1", "hours": ["00:00-24:00"]})
    calendar = CALENDAR.model_copy(update={"office_hours": always})
    running = Clock(name="finish", limit=limit("30 working_hours"), tiers=(Tier(after=limit("1 hours"), to="x"),))

    assert due_at(running.start(town("2026-03-06 12:00"), ENGINE), calendar) == town("2026-03-09 18:00")
    assert calendar.office_hours is not None
    assert [span[1].time() for span in calendar.openings(town("2026-03-06 00:00").date())] == [time(0)]
    assert list(calendar.openings((town("2026-03-06 00:00") + DAY).date())) == []
