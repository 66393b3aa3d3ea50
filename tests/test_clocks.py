"""Clocks: when a limit ends, warns and escalates, and what may happen to a clock."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from engine.calendars import load_calendar
from schemas.calendar import DAY, SHANGHAI, midnight
from schemas.clocks import (
    Clock,
    ClockFact,
    FactKind,
    Limit,
    MomentError,
    NotNowError,
    OverdueError,
    Status,
    Tier,
    TimeRunsBackError,
    Unit,
    due_at,
    late_by,
    met,
    moments,
    view,
    warning_at,
)

CALENDAR = load_calendar(Path(__file__).parent.parent / "policies" / "calendars")
ENGINE = "engine"

# A busy machine may stall any example; what is tested is the calendar's time, not the machine's.
settings.register_profile("calendar_time", deadline=None)
settings.load_profile("calendar_time")


def town(text: str) -> datetime:
    """A town time as people write it: "2026-02-13 16:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def limit(text: str) -> Limit:
    """A limit as policies write it."""
    return Limit.model_validate(text)


def tier(after: str, to: str) -> Tier:
    """A tier as policies write it."""
    return Tier(after=limit(after), to=to)


TIERS = (tier("0 hours", "duty_leader"), tier("4 hours", "supervisor"), tier("24 hours", "district"))


def clock(text: str, tiers: tuple[Tier, ...] = TIERS) -> Clock:
    """A clock that has not started."""
    return Clock(name="finish", limit=limit(text), tiers=tiers)


SOLAR_HOLIDAYS = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}


def is_restday(day: date) -> bool:
    """A day off, written out once more from the data and the regulation, so that a rule is not checked with itself."""
    fixed = day.year not in CALENDAR.years and (day.month, day.day) in SOLAR_HOLIDAYS
    return fixed or day in CALENDAR.holidays or (day.weekday() >= 5 and day not in CALENDAR.makeup)


starts = st.datetimes(datetime(2024, 11, 1), datetime(2028, 3, 1), timezones=st.sampled_from([SHANGHAI, UTC]))  # noqa: DTZ001 - hypothesis adds the zone
spans = st.timedeltas(timedelta(0), timedelta(days=20))
limits = st.builds(
    lambda amount, unit: Limit(amount=amount, unit=unit), st.integers(1, 40), st.sampled_from(sorted(Unit))
)
hour_limits = limits.filter(lambda limit: not limit.in_days)
day_limits = limits.filter(lambda limit: limit.in_days)
tier_lists = st.lists(st.builds(Tier, after=limits, to=st.just("supervisor")), max_size=3).map(tuple)
idle_clocks = st.builds(Clock, name=st.just("finish"), limit=limits, tiers=tier_lists, warn_percent=st.integers(1, 100))


@st.composite
def lived_clocks(draw: st.DrawFn, among: st.SearchStrategy[Limit] = limits) -> Clock:
    """A clock to which anything that can happen has happened, some of it at the same instant."""
    at = draw(starts)
    lived = draw(idle_clocks).model_copy(update={"limit": draw(among)}).start(at, ENGINE)
    for _ in range(draw(st.integers(0, 6))):
        at += draw(st.one_of(st.just(timedelta(0)), st.timedeltas(timedelta(0), timedelta(days=4))))
        verbs = {
            Status.RUNNING: ["pause", "stop", "extend", "replan", "start"],
            Status.PAUSED: ["resume", "resume", "stop", "extend"],
            Status.STOPPED: ["resume", "resume", "replan"],
        }[lived.status]
        verb = draw(st.sampled_from(verbs))
        if verb == "extend":
            due = due_at(lived, CALENDAR)
            if due is None or at < due:
                lived = lived.extend(at, ENGINE, draw(among), CALENDAR)
        elif verb == "replan":
            lived = lived.replan(at, ENGINE, CALENDAR, CALENDAR)
        else:
            lived = getattr(lived, verb)(at, ENGINE)
    return lived


def due(of: Clock) -> datetime:
    """The due time of a clock that has one."""
    at = due_at(of, CALENDAR)
    assert at is not None
    return at


# --- how limits are counted -------------------------------------------------------------------------------------------

EXAMPLES = [
    # the check of the design: 14 February 2026 is worked, the festival lasts from the 15th to the 23rd
    ("2026-02-13 10:00", "3 working_days", "2026-02-26 00:00"),
    ("2026-02-13 23:59", "1 working_days", "2026-02-15 00:00"),
    ("2026-02-14 09:00", "1 working_days", "2026-02-25 00:00"),
    # a start on a day off counts from the next day too
    ("2026-02-20 12:00", "1 working_days", "2026-02-25 00:00"),
    ("2026-02-20 12:00", "4 working_days", "2026-02-28 00:00"),
    ("2026-02-20 12:00", "5 working_days", "2026-03-01 00:00"),
    # natural days: a last day on a day off moves behind the festival, a make-up day is no day off
    ("2026-02-12 08:00", "7 natural_days", "2026-02-25 00:00"),
    ("2026-02-07 08:00", "7 natural_days", "2026-02-15 00:00"),
    ("2026-02-21 08:00", "7 natural_days", "2026-03-01 00:00"),
    ("2026-03-03 08:00", "7 natural_days", "2026-03-11 00:00"),
    ("2026-03-01 08:00", "7 natural_days", "2026-03-10 00:00"),
    # National Day 2025 (with Mid-autumn, eight days) and 2026
    ("2025-09-26 17:00", "1 working_days", "2025-09-29 00:00"),
    ("2025-09-30 17:00", "1 working_days", "2025-10-10 00:00"),
    ("2025-09-30 17:00", "3 working_days", "2025-10-12 00:00"),
    ("2025-09-25 17:00", "7 natural_days", "2025-10-10 00:00"),
    ("2026-09-30 17:00", "2 working_days", "2026-10-10 00:00"),
    ("2026-09-30 17:00", "3 working_days", "2026-10-11 00:00"),
    # the end of the year: 1-3 January 2026 off, Sunday the 4th worked
    ("2025-12-31 12:00", "1 working_days", "2026-01-05 00:00"),
    ("2025-12-25 12:00", "7 natural_days", "2026-01-05 00:00"),
    # 2027 is provisional: no make-up days known, 1 January a Friday
    ("2026-12-31 12:00", "1 working_days", "2027-01-05 00:00"),
    ("2027-02-04 12:00", "1 working_days", "2027-02-12 00:00"),
    # beyond the data: weekends and fixed holidays; 1 October 2029 is a Monday
    ("2029-09-28 12:00", "1 working_days", "2029-10-05 00:00"),
    # hours run around the clock, festival or not
    ("2026-02-15 23:45", "30 minutes", "2026-02-16 00:15"),
    ("2026-02-15 23:45", "24 hours", "2026-02-16 23:45"),
]


@pytest.mark.parametrize(("start", "text", "expected"), EXAMPLES)
def test_limit_ends_where_the_calendar_says(start: str, text: str, expected: str) -> None:
    """The start day does not count, days end at 24:00 of their last day, hours are exact."""
    assert due(clock(text).start(town(start), ENGINE)) == town(expected)


def test_the_day_of_the_start_is_the_day_in_the_town() -> None:
    """17:00 of the 13th in Greenwich is 01:00 of the 14th in the town, so the first day counted is the 15th."""
    started = clock("1 natural_days").start(datetime(2026, 3, 13, 17, tzinfo=UTC), ENGINE)

    assert due(started) == town("2026-03-17 00:00")  # the 15th is a Sunday: Monday the 16th


@given(lived_clocks())
def test_due_time_is_never_before_the_start(lived: Clock) -> None:
    """Whatever happened to it, a clock is due after it started."""
    at = due_at(lived, CALENDAR)
    started = max(fact.at for fact in lived.facts if fact.kind is FactKind.STARTED)

    assert at is None or at > started


@given(st.dates(date(2025, 1, 1), date(2027, 10, 1)), st.integers(1, 40))
def test_working_days_end_on_the_last_of_so_many_working_days(start: date, amount: int) -> None:
    """After the start day exactly N working days pass, and the last of them is the due day."""
    last = (due(clock(f"{amount} working_days").start(midnight(start), ENGINE)) - DAY).date()
    between = [start + DAY * number for number in range(1, (last - start).days + 1)]

    assert sum(not is_restday(day) for day in between) == amount
    assert not is_restday(last)


@given(st.dates(date(2025, 1, 1), date(2027, 10, 1)), st.integers(1, 40))
def test_natural_days_end_on_the_first_working_day_from_the_last(start: date, amount: int) -> None:
    """The due day of N natural days is a working day, and from the Nth day on there is none before it."""
    last = (due(clock(f"{amount} natural_days").start(midnight(start), ENGINE)) - DAY).date()
    nth = start + DAY * amount

    assert last >= nth
    assert not is_restday(last)
    assert all(is_restday(nth + DAY * number) for number in range((last - nth).days))


@given(lived_clocks(day_limits))
def test_days_end_at_midnight_of_a_working_day(lived: Clock) -> None:
    """The last day of a clock in days is a working day that ends at 24:00, also after pauses and extensions in days."""
    at = due_at(lived, CALENDAR)

    assert at is None or at == midnight(at.date())
    assert at is None or CALENDAR.is_working_day((at - DAY).date())


# --- pauses -----------------------------------------------------------------------------------------------------------


@given(hour_limits, starts, spans, spans)
def test_pause_shifts_hours_by_exactly_the_pause(
    limit: Limit, start: datetime, run: timedelta, held: timedelta
) -> None:
    """A pause before the due time shifts it by exactly the pause, to the microsecond; a later pause does not."""
    running = Clock(name="finish", limit=limit).start(start, ENGINE)
    paused = running.pause(start + run, ENGINE).resume(start + run + held, ENGINE)

    assert due(paused) == due(running) + (held if run < limit.counted else timedelta(0))


@given(day_limits, starts, spans, spans)
def test_pause_holds_days_from_its_day_to_the_day_of_the_resumption(
    limit: Limit, start: datetime, run: timedelta, held: timedelta
) -> None:
    """Days from the day of the pause up to, but without, the day of the resumption count for nothing."""
    running = Clock(name="finish", limit=limit).start(start, ENGINE)
    first, end = (at.astimezone(SHANGHAI).date() for at in (start + run, start + run + held))
    paused = running.pause(start + run, ENGINE).resume(start + run + held, ENGINE)

    last, counted = start.astimezone(SHANGHAI).date(), 0
    while counted < limit.amount:
        last += DAY
        worked = limit.unit is Unit.NATURAL_DAYS or not is_restday(last)
        counted += worked and not first <= last < end
    while is_restday(last) or first <= last < end:
        last += DAY

    assert due(paused) == midnight(last + DAY)


PAUSES = [
    # inside one day nothing shifts, not even on the due day
    ("5 working_days", "2026-03-04 09:00", "2026-03-04 18:00", "2026-03-10 00:00"),
    # Wednesday to Friday: two working days are held
    ("5 working_days", "2026-03-04 09:00", "2026-03-06 18:00", "2026-03-12 00:00"),
    # Friday to Monday: Friday is held
    ("5 working_days", "2026-03-06 09:00", "2026-03-09 18:00", "2026-03-11 00:00"),
    # the pause of the start day holds nothing: that day does not count anyway
    ("5 working_days", "2026-03-02 11:00", "2026-03-03 09:00", "2026-03-10 00:00"),
    # on the due day, over midnight: the due day is made up for
    ("5 working_days", "2026-03-09 23:59", "2026-03-10 00:01", "2026-03-11 00:00"),
    # after the due time nothing shifts
    ("5 working_days", "2026-03-10 00:00", "2026-03-12 00:00", "2026-03-10 00:00"),
    # natural days: the 4th, 5th and 6th are held, so the seventh day counted is the 12th
    ("7 natural_days", "2026-03-04 09:00", "2026-03-07 18:00", "2026-03-13 00:00"),
]


@pytest.mark.parametrize(("text", "paused", "resumed", "expected"), PAUSES)
def test_pause_of_a_clock_in_days(text: str, paused: str, resumed: str, expected: str) -> None:
    """From Monday 2026-03-02 10:00: whole days are held, the day of the resumption counts."""
    running = clock(text).start(town("2026-03-02 10:00"), ENGINE)

    assert due(running.pause(town(paused), ENGINE).resume(town(resumed), ENGINE)) == town(expected)


@pytest.mark.parametrize("text", ["96 hours", "2 natural_days", "2 working_days", "7 natural_days", "7 working_days"])
def test_paused_clock_has_no_due_time_and_no_moments(text: str) -> None:
    """While paused nobody knows when the clock is due, and nothing happens; also when paused on its last day."""
    paused = clock(text).start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-04 10:00"), ENGINE)

    assert (paused.status, due_at(paused, CALENDAR), moments(paused, CALENDAR)) == (Status.PAUSED, None, ())
    assert met(paused, CALENDAR) is None


def test_clock_paused_when_overdue_is_still_overdue() -> None:
    """A pause after the due time does not take the due time away: suspending a late case does not make it punctual."""
    late = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-02 13:00"), ENGINE)

    assert due(late) == town("2026-03-02 12:00")
    assert late_by(late, CALENDAR, town("2026-03-05 13:00")) == timedelta(hours=1)
    assert moments(late, CALENDAR) == ()


def test_pause_holds_the_tiers_after_the_breach() -> None:
    """Tiers run on counted time: a pause of five hours after the breach makes the next tier five hours later."""
    late = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE)
    held = late.pause(town("2026-03-02 13:00"), ENGINE).resume(town("2026-03-02 18:00"), ENGINE)

    assert [moment.at for moment in moments(held, CALENDAR)][1:] == [
        town("2026-03-02 12:00"),
        town("2026-03-02 21:00"),
        town("2026-03-03 17:00"),
    ]


def test_lateness_leaves_out_pauses_after_the_due_time_only() -> None:
    """Due at 13:00 after an hour's pause, stopped at 18:00 after two more hours' pause: three hours late."""
    running = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE)
    early = running.pause(town("2026-03-02 10:30"), ENGINE).resume(town("2026-03-02 11:30"), ENGINE)
    late = early.pause(town("2026-03-02 14:00"), ENGINE).resume(town("2026-03-02 16:00"), ENGINE)

    assert due(late) == town("2026-03-02 13:00")
    assert late_by(late, CALENDAR, town("2026-03-02 18:00")) == timedelta(hours=3)
    assert late_by(late.stop(town("2026-03-02 18:00"), ENGINE), CALENDAR, town("2026-03-09 09:00")) == timedelta(
        hours=3
    )


@given(lived_clocks(), st.randoms())
def test_order_of_facts_does_not_matter(lived: Clock, chance: random.Random) -> None:
    """Facts given in any order make the same clock, also when several are of one instant."""
    shuffled = list(lived.facts)
    chance.shuffle(shuffled)

    again = Clock.model_validate(lived.model_dump() | {"facts": shuffled})

    assert again == lived
    assert view(again, CALENDAR) == view(lived, CALENDAR)


# --- stopping, going on, starting anew --------------------------------------------------------------------------------


@given(limits, starts, spans, spans)
def test_time_between_stop_and_resumption_is_not_counted(
    limit: Limit, start: datetime, run: timedelta, held: timedelta
) -> None:
    """Rework: a clock stopped and resumed is due when a clock paused and resumed would be."""
    running = Clock(name="finish", limit=limit).start(start, ENGINE)
    stopped = running.stop(start + run, ENGINE).resume(start + run + held, ENGINE)
    paused = running.pause(start + run, ENGINE).resume(start + run + held, ENGINE)

    assert stopped.status is Status.RUNNING
    assert due_at(stopped, CALENDAR) == due_at(paused, CALENDAR)
    assert moments(stopped, CALENDAR) == moments(paused, CALENDAR)


@given(idle_clocks, starts, spans)
def test_stopped_clock_keeps_its_due_time_and_was_met_before_it(idle: Clock, start: datetime, run: timedelta) -> None:
    """Stopping moves no due time; the clock is met exactly if it was stopped before it."""
    running = idle.start(start, ENGINE)
    stopped = running.stop(start + run, ENGINE)

    assert due(stopped) == due(running)
    assert met(stopped, CALENDAR) is (start + run < due(running))
    assert view(stopped, CALENDAR).breached is not met(stopped, CALENDAR)
    assert late_by(stopped, CALENDAR, start + run + DAY) == max(timedelta(0), start + run - due(running))
    assert moments(stopped, CALENDAR) == ()
    assert warning_at(stopped, CALENDAR) is None


def test_the_due_instant_itself_is_late() -> None:
    """At 24:00 the day is over: stopped at that instant the limit is missed, a microsecond earlier it is met."""
    running = clock("1 working_days").start(town("2026-03-02 10:00"), ENGINE)
    midnight_after = town("2026-03-04 00:00")

    assert met(running.stop(midnight_after, ENGINE), CALENDAR) is False
    assert met(running.stop(midnight_after - timedelta(microseconds=1), ENGINE), CALENDAR) is True


def test_stopped_while_paused_is_judged_without_the_pause() -> None:
    """A case withdrawn while suspended was in time if its clock had time left when it was suspended."""
    paused = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-02 11:00"), ENGINE)
    stopped = paused.stop(town("2026-03-05 11:00"), ENGINE)

    assert due(stopped) == town("2026-03-05 12:00")
    assert met(stopped, CALENDAR) is True
    assert due(stopped.resume(town("2026-03-06 11:00"), ENGINE)) == town("2026-03-06 12:00")


def test_start_anew_forgets_what_was_before() -> None:
    """Redispatch starts `sign` anew: earlier pauses, extensions and fired moments no longer matter."""
    first = clock("1 hours").start(town("2026-03-02 10:00"), ENGINE)
    lived = first.extend(town("2026-03-02 10:10"), ENGINE, limit("3 hours"), CALENDAR).mark_fired("warning")
    lived = lived.pause(town("2026-03-02 10:20"), ENGINE).resume(town("2026-03-02 10:50"), ENGINE)
    lived = lived.stop(town("2026-03-02 11:00"), ENGINE)

    anew = lived.start(town("2026-03-03 10:00"), ENGINE)

    assert due(anew) == town("2026-03-03 11:00")
    assert anew.fired == ()
    assert len(anew.facts) == 6
    assert view(anew, CALENDAR).started_at == town("2026-03-03 10:00")


def test_idle_clock_says_nothing() -> None:
    """A clock that never started has no due time, no moments and is not late."""
    idle = clock("1 hours")

    assert (idle.status, due_at(idle, CALENDAR), warning_at(idle, CALENDAR)) == (Status.IDLE, None, None)
    assert (moments(idle, CALENDAR), met(idle, CALENDAR)) == ((), None)
    assert late_by(idle, CALENDAR, town("2026-03-03 10:00")) == timedelta(0)
    assert view(idle, CALENDAR).breached is False


# --- extension and replan ---------------------------------------------------------------------------------------------


@given(idle_clocks, starts, limits, limits)
def test_extension_never_shortens_and_is_walked_from_the_due_time(
    idle: Clock, start: datetime, first: Limit, second: Limit
) -> None:
    """Each extension makes the clock due later; in working days the old due day is the day that does not count."""
    running = idle.start(start, ENGINE)
    once = running.extend(start, ENGINE, first, CALENDAR)
    twice = once.extend(start, ENGINE, second, CALENDAR)

    assert due(running) < due(once) < due(twice)
    if not first.in_days:
        assert due(once) == due(running) + first.counted


def test_extension_in_working_days_follows_the_day_on_which_the_clock_was_due() -> None:
    """Seven natural days from Saturday the 21st end on the worked Saturday 28 February; ten working days follow."""
    running = clock("7 natural_days").start(town("2026-02-21 08:00"), ENGINE)
    extended = running.extend(town("2026-02-26 08:00"), ENGINE, limit("10 working_days"), CALENDAR)

    assert due(extended) == town("2026-03-14 00:00")


def test_extension_of_one_working_day_is_a_real_one() -> None:
    """Due on Monday because the seventh day is a Sunday: one working day more is Tuesday, not the same Monday again."""
    running = clock("7 natural_days").start(town("2026-03-01 08:00"), ENGINE)
    extended = running.extend(town("2026-03-02 08:00"), ENGINE, limit("1 working_days"), CALENDAR)

    assert (due(running), due(extended)) == (town("2026-03-10 00:00"), town("2026-03-11 00:00"))


def test_extension_warns_again_ahead_of_the_new_due_time() -> None:
    """A warning that had fired for the old due time fires once more for the new one."""
    running = clock("10 hours").start(town("2026-03-02 10:00"), ENGINE).mark_fired("warning")
    extended = running.extend(town("2026-03-02 19:00"), ENGINE, limit("10 hours"), CALENDAR)

    assert [(moment.name, moment.at) for moment in moments(extended, CALENDAR)][:2] == [
        ("warning", town("2026-03-03 02:00")),
        ("breach", town("2026-03-03 06:00")),
    ]


def test_extension_leaves_alone_what_fired_and_still_lies_behind() -> None:
    """An extension so short that the warning stays in the past does not warn twice."""
    running = clock("10 hours").start(town("2026-03-02 10:00"), ENGINE).mark_fired("warning")
    extended = running.extend(town("2026-03-02 19:00"), ENGINE, limit("1 hours"), CALENDAR)

    assert [moment.name for moment in moments(extended, CALENDAR)] == ["breach", "tier:1", "tier:2"]


def test_paused_clock_can_be_extended() -> None:
    """An extension granted during a suspension counts when the clock goes on."""
    paused = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-02 11:00"), ENGINE)
    extended = paused.extend(town("2026-03-02 15:00"), ENGINE, limit("1 hours"), CALENDAR)

    assert due(extended.resume(town("2026-03-02 16:00"), ENGINE)) == town("2026-03-02 18:00")


@pytest.mark.parametrize("at", ["2026-03-02 12:00", "2026-03-02 13:00"])
def test_overdue_clock_cannot_be_extended(at: str) -> None:
    """From the due instant on an extension is refused, whether the clock runs or was paused when overdue."""
    running = clock("2 hours").start(town("2026-03-02 10:00"), ENGINE)

    with pytest.raises(OverdueError, match="can no longer be extended"):
        running.extend(town(at), ENGINE, limit("1 hours"), CALENDAR)
    with pytest.raises(OverdueError):
        running.pause(town(at), ENGINE).extend(town(at), ENGINE, limit("1 hours"), CALENDAR)


@given(lived_clocks())
def test_replan_to_the_same_calendar_changes_nothing(lived: Clock) -> None:
    """Moved to the calendar it already goes by, a clock keeps due time, moments and verdict; the fact is kept."""
    at = lived.facts[-1].at
    replanned = lived.replan(at, "admin", CALENDAR, CALENDAR)

    assert view(replanned, CALENDAR) == view(lived, CALENDAR)
    assert moments(replanned, CALENDAR) == moments(lived, CALENDAR)
    assert replanned.facts[-1].due_before == due_at(lived, CALENDAR)
    assert replanned.facts[-1].calendar == CALENDAR.version


NOTICE_OF_2027 = CALENDAR.model_copy(
    update={"version": "2025.1-2026.1-2027.1", "holidays": CALENDAR.holidays | {date(2027, 2, 11), date(2027, 2, 12)}}
)


def test_replan_keeps_the_old_due_time_and_gives_the_new() -> None:
    """When the notice lengthens a provisional festival, the clock is due after it, and both due times stand."""
    running = clock("1 working_days").start(town("2027-02-04 12:00"), ENGINE)
    replanned = running.replan(town("2027-02-05 12:00"), "admin", CALENDAR, NOTICE_OF_2027, reason="notice_2027")

    assert replanned.facts[-1].due_before == town("2027-02-12 00:00")
    assert due_at(replanned, NOTICE_OF_2027) == town("2027-02-16 00:00")


def test_breach_by_a_provisional_calendar_is_taken_back_and_told_anew() -> None:
    """A breach that the notice moves into the future did not happen, and happens again if the clock runs that long."""
    running = clock("1 working_days").start(town("2027-02-04 12:00"), ENGINE)
    breached = running.mark_fired("warning").mark_fired("breach")
    replanned = breached.replan(town("2027-02-12 08:00"), "admin", CALENDAR, NOTICE_OF_2027)

    assert view(breached, CALENDAR).breached is True
    assert view(replanned, NOTICE_OF_2027).breached is False
    assert "breach" in {moment.name for moment in moments(replanned, NOTICE_OF_2027)}


def test_stopped_clock_is_judged_by_the_due_time_it_had() -> None:
    """A later notice does not turn a missed limit into a met one; resumed for rework, the clock goes by the notice."""
    running = clock("1 working_days").start(town("2027-02-04 12:00"), ENGINE)
    missed = running.mark_fired("breach").stop(town("2027-02-12 09:00"), ENGINE)
    replanned = missed.replan(town("2027-02-13 09:00"), "admin", CALENDAR, NOTICE_OF_2027)
    twice = replanned.replan(town("2027-02-13 09:00"), "admin", NOTICE_OF_2027, NOTICE_OF_2027)

    assert met(twice, NOTICE_OF_2027) is False
    assert due_at(twice, NOTICE_OF_2027) == town("2027-02-12 00:00")
    assert twice.fired == ("breach",)
    resumed = twice.resume(town("2027-02-13 10:00"), ENGINE)
    assert due_at(resumed, NOTICE_OF_2027) == town("2027-02-16 00:00")


# --- warning, breach, tiers -------------------------------------------------------------------------------------------


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
    found = moments(clock("1 hours").start(town("2026-03-02 10:00"), ENGINE), CALENDAR)

    assert [(moment.name, moment.at, moment.to) for moment in found] == [
        ("warning", town("2026-03-02 10:48"), None),
        ("breach", town("2026-03-02 11:00"), "duty_leader"),
        ("tier:1", town("2026-03-02 15:00"), "supervisor"),
        ("tier:2", town("2026-03-03 11:00"), "district"),
    ]


def test_tier_in_days_follows_the_due_day() -> None:
    """One working day after a clock due at 24:00 on Friday is 24:00 on Monday."""
    tiers = (tier("1 working_days", "supervisor"),)
    found = moments(clock("5 natural_days", tiers).start(town("2026-03-01 10:00"), ENGINE), CALENDAR)

    assert [(moment.name, moment.at) for moment in found][1:] == [
        ("breach", town("2026-03-07 00:00")),
        ("tier:1", town("2026-03-10 00:00")),
    ]


@given(lived_clocks())
def test_moments_are_sorted_unique_and_fire_once_each(lived: Clock) -> None:
    """Firing the next moment over and over fires every moment once, in order of time, the breach always among them."""
    names, at = [], []
    while coming := moments(lived, CALENDAR):
        assert [moment.at for moment in coming] == sorted(moment.at for moment in coming)
        assert min(due(lived), coming[0].at) == coming[0].at or "breach" in names
        names.append(coming[0].name)
        at.append(coming[0].at)
        lived = lived.mark_fired(coming[0].name)
        with pytest.raises(MomentError):
            lived.mark_fired(names[-1])

    assert at == sorted(at)
    assert len(names) == len(set(names)) == (2 + len(lived.tiers) if lived.status is Status.RUNNING else 0)
    assert lived.status is not Status.RUNNING or {"warning", "breach"} <= set(names)


@pytest.mark.parametrize("name", ["tier:3", "tier:0", "", "Breach"])
def test_unknown_moment_cannot_fire(name: str) -> None:
    """Only a moment of the clock can fire, and only while it runs."""
    running = clock("1 hours").start(town("2026-03-02 10:00"), ENGINE)

    with pytest.raises(MomentError, match="no moment"):
        running.mark_fired(name)
    with pytest.raises(MomentError):
        running.stop(town("2026-03-02 10:01"), ENGINE).mark_fired("warning")


# --- what may happen, and how it is written ---------------------------------------------------------------------------

ILLEGAL = [
    ((), ("pause", "resume", "stop", "extend", "replan")),
    (("start",), ("resume",)),
    (("start", "pause"), ("pause",)),
    (("start", "stop"), ("pause", "stop", "extend")),
]


@pytest.mark.parametrize(("before", "verbs"), ILLEGAL)
def test_verb_that_makes_no_sense_now_is_refused(before: tuple[str, ...], verbs: tuple[str, ...]) -> None:
    """A verb is refused in a state in which it cannot happen, and the error names clock, state and verb."""
    at = town("2026-03-02 10:00")
    lived = clock("1 hours")
    for verb in before:
        lived = getattr(lived, verb)(at, ENGINE)

    for verb in verbs:
        more = {"extend": (limit("1 hours"), CALENDAR), "replan": (CALENDAR, CALENDAR)}.get(verb, ())
        with pytest.raises(NotNowError, match=f"The clock finish is {lived.status}: it cannot be"):
            getattr(lived, verb)(at, ENGINE, *more)


def test_fact_before_the_last_fact_is_refused() -> None:
    """Time does not run back; facts of the same instant are fine, since commands share a task."""
    at = town("2026-03-02 10:00")
    running = clock("1 hours").start(at, ENGINE)

    assert running.pause(at, ENGINE).resume(at, ENGINE).status is Status.RUNNING
    with pytest.raises(TimeRunsBackError):
        running.pause(at - timedelta(microseconds=1), ENGINE)


def test_time_without_zone_is_refused() -> None:
    """A time without an offset is an error wherever it enters."""
    naive = datetime(2026, 3, 2, 10)  # noqa: DTZ001 - the point

    with pytest.raises(ValidationError, match="timezone"):
        clock("1 hours").start(naive, ENGINE)
    with pytest.raises(ValueError, match="time zone"):
        late_by(clock("1 hours"), CALENDAR, naive)


def test_verbs_leave_the_old_clock_as_it_was() -> None:
    """A clock is a value: a verb gives a new one."""
    idle = clock("1 hours")
    running = idle.start(town("2026-03-02 10:00"), ENGINE)

    assert (idle.facts, idle.status) == ((), Status.IDLE)
    assert running.mark_fired("warning") != running


@given(lived_clocks())
def test_clock_comes_back_from_its_json_without_floats(lived: Clock) -> None:
    """A clock survives continue-as-new: its JSON has no float and gives the same clock."""
    written = lived.model_dump_json()

    assert Clock.model_validate_json(written) == lived
    assert "float" not in {type(leaf).__name__ for leaf in leaves(lived.model_dump(mode="json"))}


def leaves(value: object) -> list[object]:
    """All scalar values in a JSON value."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


IMPOSSIBLE_HISTORIES = [
    ([(1, "paused")], "cannot be paused"),
    ([(1, "started"), (3, "stopped")], "numbered from 1"),
    ([(1, "started"), (2, "stopped"), (3, "stopped")], "cannot be stopped"),
]


@pytest.mark.parametrize(("history", "complaint"), IMPOSSIBLE_HISTORIES)
def test_facts_that_cannot_have_happened_are_refused(history: list[tuple[int, str]], complaint: str) -> None:
    """A clock read from a file with an impossible or incomplete history is refused."""
    facts = [{"seq": seq, "kind": kind, "at": "2026-03-02T10:00:00+08:00", "actor": "x"} for seq, kind in history]

    with pytest.raises(ValidationError, match=complaint):
        Clock.model_validate({"name": "finish", "limit": "1 hours", "facts": facts})


@pytest.mark.parametrize(
    "details",
    [
        {"kind": "extended"},
        {"kind": "extended", "limit": "0 hours"},
        {"kind": "paused", "limit": "1 hours"},
        {"kind": "replanned"},
        {"kind": "stopped", "due_before": "2026-03-02T10:00:00+08:00"},
    ],
)
def test_fact_says_what_its_kind_needs_and_no_more(details: dict[str, str]) -> None:
    """An extension has a limit, a replan a calendar, and no other fact has either."""
    with pytest.raises(ValidationError):
        ClockFact.model_validate({"seq": 1, "at": "2026-03-02T10:00:00+08:00", "actor": "x"} | details)


def test_clock_needs_a_limit_and_one_tier_at_the_breach() -> None:
    """A limit of zero and two tiers at offset zero are slips of a policy, and refused."""
    with pytest.raises(ValidationError, match="more than zero"):
        clock("0 hours")
    with pytest.raises(ValidationError, match="two tiers"):
        clock("1 hours", (tier("0 hours", "one"), tier("0 working_days", "two")))


@pytest.mark.parametrize(
    ("text", "chinese", "english"),
    [
        ("30 minutes", "30分钟", "30 minutes"),
        ("1 hours", "1小时", "1 hour"),
        ("7 natural_days", "7个自然日", "7 natural days"),
        ("1 working_days", "1个工作日", "1 working day"),
    ],
)
def test_limit_is_read_and_written_as_people_do(text: str, chinese: str, english: str) -> None:
    """A limit comes from the text of a policy or from an object, and has a Chinese and an English text."""
    read = limit(text)

    assert (read.chinese, read.english, str(read)) == (chinese, english, text)
    assert Limit.model_validate(read.model_dump(mode="json")) == read
    assert TypeAdapter(Tier).validate_python({"after": text, "to": "x"}).after == read


@pytest.mark.parametrize("text", ["7", "days", "-1 hours", "7 days", "1.5 hours", "7natural_days", "1000000 hours", ""])
def test_limit_that_cannot_be_read_is_refused(text: str) -> None:
    """What is not AMOUNT UNIT is refused, not guessed."""
    with pytest.raises(ValidationError):
        limit(text)
