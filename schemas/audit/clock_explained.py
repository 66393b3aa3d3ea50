"""Why a clock warned, was broken or was reported upwards: its facts, its limit, its calendar, counted day by day."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from schemas.clocks.calendar import Calendar
from schemas.clocks.clock_facts import ClockFact, FactKind, course_of
from schemas.clocks.clock_schedule import BREACH, WARNING, Schedule
from schemas.clocks.clocks import Clock, ClockView, Status, due_at
from schemas.clocks.day_count import legs_of
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.explanation import Because, cut_at
from schemas.kernel.screen_words import ScreenWords, role_words
from schemas.values.refusals import say
from schemas.words.day_count_words import chinese_length, english_length, moment, words_of

ExplainClock = Callable[[Entry, CaseState, ScreenWords], Because]
"""(entry, the state of the case after it, what its procedure calls its clocks) -> why."""

FACTS = {
    FactKind.STARTED: say("起算", "started"),
    FactKind.PAUSED: say("暂停", "paused"),
    FactKind.RESUMED: say("恢复", "resumed"),
    FactKind.EXTENDED: say("延期", "extended"),
    FactKind.STOPPED: say("停止", "stopped"),
    FactKind.REPLANNED: say("改用日历", "moved to a calendar"),
}


def explain_moment(entry: Entry, state: CaseState, words: ScreenWords) -> Because:
    """A warning, a breach or a tier: how the due time comes about, and how this moment follows from it."""
    name, fired = str(entry.facts["clock"]), str(entry.facts["moment"])
    clock, calendar = clock_then(state, name, entry.at), state.charter.calendar
    return Because(
        rule=say(
            f"计时项“{words.clock(name, state.procedure)}”的期限 {clock.limit.chinese}",
            f"the limit {clock.limit} of the clock",
        ),
        says=_RULES[fired.partition(":")[0]],
        inputs={
            "clock": name,
            "moment": fired,
            "limit": str(clock.limit),
            "warn_percent": clock.warn_percent,
            "tiers": [{"after": str(tier.after), "to": tier.to} for tier in clock.tiers],
            "calendar": calendar.version,
            "told": entry.facts.get("told"),
            "facts": [fact.model_dump(mode="json", exclude_none=True) for fact in clock.facts],
        },
        arithmetic=(
            *(_fact_words(fact) for fact in clock.facts),
            *count_words(clock, calendar),
            *_moment_words(clock, calendar, fired, entry, words.moment(name, fired, state.procedure)),
        ),
    )


def explain_final_limit(entry: Entry, state: CaseState, words: ScreenWords) -> Because:
    """After the last tier: how long the case has before it ends by itself."""
    return Because(
        rule=say("末级上报后的最终期限", "the final limit after the last tier"),
        says=say(
            "末级上报后由综合协调负责,期满自行终结",
            "after the last tier the coordinator holds the case; at the final limit it ends by itself",
        ),
        inputs={"holder": entry.facts.get("holder")},
        arithmetic=tuple(changed_clocks(entry, state, words)),
    )


def explain_replan(entry: Entry, state: CaseState, words: ScreenWords) -> Because:
    """Another calendar: the due time of every clock before and after."""
    calendar = state.charter.calendar
    lines = []
    for name, clock in state.clocks.items():
        called, due = words.clock(name, state.procedure), due_at(clock_then(state, name, entry.at), calendar)
        moved = [fact for fact in clock.facts if fact.kind is FactKind.REPLANNED and fact.at == entry.at]
        lines += [f"{called}: {_due_words(fact.due_before)} → {_due_words(due)}" for fact in moved[-1:]]
    return Because(
        rule=say("重排期限", "a new version of the calendar"),
        says=say(
            "在途计时按新日历重算,已停止的按停止时的到期时间评判",
            "running clocks go by the new calendar, stopped ones are judged by the due time they had",
        ),
        inputs={"before": entry.facts.get("before"), "after": entry.facts.get("after")},
        arithmetic=tuple(lines),
    )


def clock_then(state: CaseState, name: str, at: datetime) -> Clock:
    """A clock as it was at a moment, by its facts until then."""
    clock = state.clocks[name]
    return clock.model_copy(update={"facts": cut_at(at, clock.facts), "fired": ()})


def count_words(clock: Clock, calendar: Calendar) -> Iterator[str]:
    """How the due time of a clock is counted, line by line."""
    for leg in legs_of(clock, calendar):
        yield from words_of(leg)


def changed_clocks(entry: Entry, state: CaseState, words: ScreenWords) -> Iterator[str]:
    """The clocks that an entry started, stopped or moved, in words, with limit and due time."""
    changed: Mapping[str, Any] = entry.facts.get("clocks", {})
    for name, said in changed.items():
        shown = ClockView.model_validate(
            {"started_at": None, "due_at": None, "warning_at": None, "stopped_at": None} | said
        )
        yield f"{words.clock(name, state.procedure)}: {_view_words(shown, state.clocks.get(name))}"


def _view_words(shown: ClockView, clock: Clock | None) -> str:
    limit = f"{clock.limit.chinese}, " if clock else ""
    if shown.status is Status.STOPPED and shown.stopped_at and shown.due_at:
        return say(
            f"停于 {moment(shown.stopped_at)}, 到期 {moment(shown.due_at)}: {'已逾期' if shown.breached else '未逾期'}",
            "stopped late" if shown.breached else "stopped in time",
        )
    if shown.status is Status.PAUSED:
        return say(f"{limit}暂停", "paused")
    return say(f"{limit}到期 {_due_words(shown.due_at)}", "running")


def _due_words(due: datetime | None) -> str:
    return moment(due) if due else "-"


def _fact_words(fact: ClockFact) -> str:
    limit = f" +{fact.limit.chinese}" if fact.limit else ""
    reason = f" ({fact.reason})" if fact.reason else ""
    calendar = f" {fact.calendar}" if fact.calendar else ""
    return f"{fact.at:%Y-%m-%d %H:%M:%S} {FACTS[fact.kind]}{limit}{calendar} - {role_words(fact.actor)}{reason}"


def _moment_words(clock: Clock, calendar: Calendar, fired: str, entry: Entry, called: str) -> Iterator[str]:
    course = course_of(clock.facts)
    if course is None:
        return
    scheduled = Schedule(clock.limit, course, calendar).moments(clock.warn_percent, clock.tiers)
    for each in scheduled:
        if each.name == fired and each.at is not None:
            late = entry.at - each.at
            told = f"{entry.at:%Y-%m-%d %H:%M:%S} (其后 {chinese_length(late)})"
            yield say(
                f"{called} 应在 {moment(each.at)},记录于 {told}",
                f"told {english_length(late)} after the moment",
            )


_RULES = {
    WARNING: say("计时用去规定百分比时预警", "a clock warns when so much of its counted time is used up"),
    BREACH: say(
        "到期时刻仍未停止即为逾期,到期时刻本身已算迟",
        "a clock that runs at its due time has missed its limit; the due instant itself is late",
    ),
    "tier": say("逾期后按级上报", "after the breach it is reported upwards, tier by tier"),
}

CLOCK_EXPLANATIONS: Mapping[str, ExplainClock] = {
    "clock:warning": explain_moment,
    "clock:breach": explain_moment,
    "clock:tier": explain_moment,
    "clock:final_limit": explain_final_limit,
    "clock:replanned": explain_replan,
}
