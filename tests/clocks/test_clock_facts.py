"""What may happen to a clock, and how it and its limits are written and read."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from pydantic import TypeAdapter, ValidationError

from schemas.clocks.clocks import Clock, ClockFact, Limit, NotNowError, Status, Tier, TimeRunsBackError, late_by
from tests.clock_examples import CALENDAR, ENGINE, clock, limit, lived_clocks, tier, town

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
