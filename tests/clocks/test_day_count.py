"""What an auditor counts along: every day and hour between the start of a clock and its due time, with its reason."""

from datetime import date, timedelta

import pytest
from hypothesis import given

from schemas.clocks.calendar import DAY, midnight
from schemas.clocks.clock_facts import course_of
from schemas.clocks.clocks import Clock, Unit, due_at
from schemas.clocks.day_count import Why, legs_of
from schemas.words.day_count_words import chinese_length, words_of
from tests.clock_examples import CALENDAR, ENGINE, clock, lived_clocks, town


@given(lived_clocks())
def test_what_is_counted_is_the_limit_and_ends_when_it_is_due(lived: Clock) -> None:
    """Each leg counts exactly its limit, one after the other, and the last ends at the due time of the clock."""
    legs = legs_of(lived.model_copy(update={"fired": ()}), CALENDAR)

    for leg in legs:
        if leg.ends is None:
            continue
        if leg.limit.in_days:
            assert [day.number for day in leg.days if day.number] == list(range(1, leg.limit.amount + 1))
            assert leg.ends == midnight(leg.days[-1].day + DAY)
        else:
            assert sum((time.ends - time.begins for time in leg.times), timedelta(0)) == leg.limit.counted
    replanned_when_stopped = due_at(lived, CALENDAR) != (legs[-1].ends if legs else None)
    assert not replanned_when_stopped or lived.facts[-1].kind == "replanned"
    assert [leg.begins for leg in legs[1:]] == [leg.ends for leg in legs[:-1]]


def is_held(lived: Clock, day: date) -> bool:
    """Whether a day lies in a pause, from the day of the pause up to, but without, the day of the resumption."""
    course = course_of(lived.facts)
    gaps = course.gaps if course else ()
    return any(gap.start.date() <= day and (gap.end is None or day < gap.end.date()) for gap in gaps)


def test_a_pause_divides_the_time_that_counts() -> None:
    """Hours stop at the pause and go on at the resumption; working hours leave out lunch and the night besides."""
    around, working = (
        clock(limit).start(town("2026-03-02 11:00"), ENGINE).pause(town("2026-03-02 11:30"), ENGINE)
        for limit in ("2 hours", "3 working_hours")
    )
    counted = [
        [(f"{time.begins:%d %H:%M}", f"{time.ends:%d %H:%M}") for time in leg.times]
        for each in (around, working)
        for leg in legs_of(each.resume(town("2026-03-02 16:30"), ENGINE), CALENDAR)
    ]

    assert counted[0] == [("02 11:00", "02 11:30"), ("02 16:30", "02 18:00")]
    assert counted[1][0] == ("02 11:00", "02 11:30")
    assert counted[1][1][0] == "02 16:30"
    assert counted[1][-1][0] == "03 08:30"


def test_natural_days_in_a_pause_do_not_count() -> None:
    """Held from the 3rd to the 6th, three natural days from the 2nd end on the 8th, a Sunday, and so on Monday the 9th."""
    held = clock("3 natural_days").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-03 10:00"), ENGINE)
    (leg,) = legs_of(held.resume(town("2026-03-06 10:00"), ENGINE), CALENDAR)

    assert {day.day.day: day.number for day in leg.days if day.number} == {6: 1, 7: 2, 8: 3}
    assert [day.day.day for day in leg.days if day.why is Why.HELD] == [3, 4, 5]
    assert (leg.days[-1].day.day, leg.days[-1].why) == (9, Why.MOVED)


@given(lived_clocks())
def test_every_day_between_has_its_reason(lived: Clock) -> None:
    """No day is left out and none stands twice; what counts is open by the calendar, unless the limit counts all days."""
    for leg in legs_of(lived, CALENDAR):
        days = [each.day for each in leg.days]
        if leg.limit.in_days:
            assert days == [days[0] + DAY * number for number in range(len(days))]
        for each in leg.days:
            if each.number is not None and leg.limit.unit is Unit.WORKING_DAYS:
                assert CALENDAR.is_working_day(each.day)
            if is_held(lived, each.day):
                assert each.number is None
            if each.why in {Why.HOLIDAY, Why.WEEKEND}:
                assert not CALENDAR.is_working_day(each.day)
                assert each.number is None


def test_the_spring_festival_is_counted_as_the_notice_says() -> None:
    """From Friday 2026-02-13 three working days end on 2026-02-25: the 14th is made up, nine holidays do not count."""
    (leg,) = legs_of(clock("3 working_days").start(town("2026-02-13 10:00"), ENGINE), CALENDAR)
    counted = {day.day.isoformat(): day.number for day in leg.days if day.number}
    why = [day.why for day in leg.days]

    assert counted == {"2026-02-14": 1, "2026-02-24": 2, "2026-02-25": 3}
    assert why == [Why.BEGINS, Why.MAKEUP, *[Why.HOLIDAY] * 9, Why.WORKING_DAY, Why.WORKING_DAY]
    assert leg.ends == town("2026-02-26 00:00")


def holidays(first: int, weekdays: str) -> list[str]:
    """The lines of holidays of February 2026, from a day on."""
    return [
        f"2026-02-{day} 周{name} 不计 法定节假日 (public holiday)" for day, name in enumerate(weekdays, start=first)
    ]


WORDS = {
    "3 working_days": [
        "期限 3个工作日,自 2026-02-13 10:00 起 (limit 3 working days, from 2026-02-13 10:00)",
        "2026-02-13 周五 不计 起算日不计 (the day on which it begins does not count)",
        "2026-02-14 周六 第1日 调休上班 (make-up working day)",
        *holidays(15, "日一二三四五六日一"),
        "2026-02-24 周二 第2日 工作日 (working day)",
        "2026-02-25 周三 第3日 工作日 (working day)",
        "至 2026-02-25 24:00 期满 (ends at 2026-02-25 24:00)",
    ],
    "2 hours": [
        "期限 2小时,自 2026-02-13 10:00 起 (limit 2 hours, from 2026-02-13 10:00)",
        "2026-02-13 10:00 - 2026-02-13 12:00 计时,累计 2小时 (counted, 2 h in all)",
        "至 2026-02-13 12:00 期满 (ends at 2026-02-13 12:00)",
    ],
    "3 natural_days": [
        "期限 3个自然日,自 2026-02-13 10:00 起 (limit 3 natural days, from 2026-02-13 10:00)",
        "2026-02-13 周五 不计 起算日不计 (the day on which it begins does not count)",
        "2026-02-14 周六 - 2026-02-16 周一 第1-3日 自然日 (natural day)",
        *holidays(17, "二三四五六日一"),
        "2026-02-24 周二 期满日 末日遇休息日,顺延至此 (the last day was off: it moves to here)",
        "至 2026-02-24 24:00 期满 (ends at 2026-02-24 24:00)",
    ],
}  # fmt: skip


@pytest.mark.parametrize("limit", WORDS)
def test_the_count_is_written_line_by_line(limit: str) -> None:
    """Chinese first: every day that is left out has a line with its reason, days that simply count stand together."""
    (leg,) = legs_of(clock(limit).start(town("2026-02-13 10:00"), ENGINE), CALENDAR)

    assert list(words_of(leg)) == WORDS[limit]


def test_a_clock_that_is_paused_says_that_it_has_no_due_time() -> None:
    """Behind a pause that is still open nothing is counted."""
    paused = clock("3 working_days").start(town("2026-03-02 10:00"), ENGINE).pause(town("2026-03-04 10:00"), ENGINE)
    (leg,) = legs_of(paused, CALENDAR)

    assert leg.ends is None
    assert leg.days[-1].why is Why.HELD
    assert list(words_of(leg))[-1].startswith("暂停中")


def test_a_length_is_told_by_its_two_largest_units() -> None:
    """Two days and three hours, not 51 hours."""
    lengths = [timedelta(days=2, hours=3, minutes=4), timedelta(minutes=5, seconds=6), timedelta(0)]

    assert [chinese_length(length) for length in lengths] == ["2天3小时", "5分钟6秒", "0秒"]
