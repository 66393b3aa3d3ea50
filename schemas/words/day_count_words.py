"""A count of days and hours in words, one line a day, Chinese first: what an auditor counts along with."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from schemas.clocks.calendar import DAY, midnight
from schemas.clocks.day_count import CountedDay, CountedTime, Leg, Why
from schemas.values.both import Both, together
from schemas.values.refusals import in_both, say

SHORTEST_RUN = 3
"""So many days that simply count stand in one line."""

_WEEKDAYS = tuple(zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))

WORDS = {
    Why.BEGINS: in_both(say("起算日不计", "the day on which it begins does not count")),
    Why.WORKING_DAY: in_both(say("工作日", "working day")),
    Why.MAKEUP: in_both(say("调休上班", "make-up working day")),
    Why.NATURAL_DAY: in_both(say("自然日", "natural day")),
    Why.MOVED: in_both(say("末日遇休息日,顺延至此", "the last day was off: it moves to here")),
    Why.WEEKEND: in_both(say("周末", "weekend")),
    Why.HOLIDAY: in_both(say("法定节假日", "public holiday")),
    Why.HELD: in_both(say("计时暂停", "the clock was paused")),
}

_NOT_COUNTED = Both("不计", "not counted", "不计")
_LAST = Both("期满日", "last day", "期满日")
_UNSURE = in_both(say("日历暂定", "provisional calendar"))
_SOME_UNSURE = in_both(say("含暂定日历", "some of a provisional calendar"))


def words_of(leg: Leg) -> Iterator[str]:
    """The count for people, one line a day; days that simply count one after the other stand together."""
    begins = moment(leg.begins)
    yield in_both(say(f"期限 {leg.limit.chinese},自 {begins} 起", f"limit {leg.limit.english}, from {begins}"))
    yield from _time_words(leg.times)
    for plain, run in groupby(leg.days, key=lambda day: day.number is not None and day.why is not Why.MAKEUP):
        yield from _run_words(list(run), plain=plain)
    if leg.ends is None:
        yield in_both(say("暂停中,尚无到期时间", "paused: it has no due time yet"))
    else:
        yield in_both(say(f"至 {moment(leg.ends)} 期满", f"ends at {moment(leg.ends)}"))


def _run_words(run: Sequence[CountedDay], *, plain: bool) -> Iterator[str]:
    if plain and len(run) >= SHORTEST_RUN:
        first, last = run[0], run[-1]
        numbers = f"{first.number}-{last.number}"
        days = together(" - ", (_date(first.day), _date(last.day)))
        unsure = [_SOME_UNSURE] if any(day.provisional for day in run) else []
        yield together(" ", (days, _numbered(numbers, "days"), WORDS[first.why], *unsure))
        return
    for day in run:
        counted = _NOT_COUNTED if day.number is None else _numbered(str(day.number), "day")
        counted = _LAST if day.why is Why.MOVED else counted
        yield together(" ", (_date(day.day), counted, WORDS[day.why], *([_UNSURE] if day.provisional else [])))


def _numbered(number: str, english: str) -> str:
    return Both(f"第{number}日", f"{english} {number}", f"第{number}日")


def _time_words(times: Sequence[CountedTime]) -> Iterator[str]:
    total = timedelta(0)
    for time in times:
        total += time.ends - time.begins
        between = f"{moment(time.begins)} - {moment(time.ends)}"
        zh, en = f"{between} 计时,累计 {chinese_length(total)}", f"counted, {english_length(total)} in all"
        yield Both(zh, f"{between} {en}", say(zh, en))


def moment(at: datetime) -> str:
    """`2026-02-25 24:00` for the end of a day, as limits in days say it; else `2026-02-25 10:30`."""
    if at == midnight(at.date()):
        return f"{(at - DAY):%Y-%m-%d} 24:00"
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second or at.microsecond else f"{at:%Y-%m-%d %H:%M}"


def chinese_length(length: timedelta) -> str:
    """`2天3小时`: the two largest units."""
    return "".join(f"{amount}{unit}" for amount, unit, _ in _parts(length)) or "0秒"


def english_length(length: timedelta) -> str:
    """`2 d 3 h`: the two largest units."""
    return " ".join(f"{amount} {unit}" for amount, _, unit in _parts(length)) or "0 s"


def _parts(length: timedelta) -> list[tuple[int, str, str]]:
    seconds = length // timedelta(seconds=1)
    units = ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s"))
    found: list[tuple[int, str, str]] = []
    for size, chinese, english in units:
        if seconds >= size:
            found.append((seconds // size, chinese, english))
            seconds %= size
    return found[:2]


def _date(day: date) -> str:
    zh, en = _WEEKDAYS[day.weekday()]
    return Both(f"{day.isoformat()} 周{zh}", f"{day.isoformat()} {en}", f"{day.isoformat()} 周{zh}")
