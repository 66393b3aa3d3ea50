"""Clocks, limits and times for the tests of clocks, by the calendars and office hours of policies/."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from engine.policies.office_hours import load_town_calendar
from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.clocks import Clock, Limit, Status, Tier, Unit, due_at

CALENDAR = load_town_calendar(Path(__file__).parent.parent / "policies")
ENGINE = "engine"


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


AROUND_THE_CLOCK = {Unit.SECONDS, Unit.MINUTES, Unit.HOURS}

starts = st.datetimes(datetime(2024, 11, 1), datetime(2028, 3, 1), timezones=st.sampled_from([SHANGHAI, UTC]))  # noqa: DTZ001 - hypothesis adds the zone
spans = st.timedeltas(timedelta(0), timedelta(days=20))
limits = st.builds(
    lambda amount, unit: Limit(amount=amount, unit=unit), st.integers(1, 40), st.sampled_from(sorted(Unit))
)
hour_limits = limits.filter(lambda limit: limit.unit in AROUND_THE_CLOCK)
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
