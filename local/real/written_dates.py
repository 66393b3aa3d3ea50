"""Dates as people and spreadsheets write them: year, month and day in this order, the clock behind it if there is one."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from schemas.clocks.calendar import DAY, SHANGHAI
from schemas.values.refusals import say
from schemas.values.tidy_text import tidy

FIRST_YEAR = 1949
YEARS_AHEAD = 1
"""A day beyond next year is a slip of the pen: nobody has written yet what they will write then."""

_NOON = 12
_PART_OF_DAY = "凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|夜间|夜里|[AaPp]\\.?[Mm]\\.?"
_AFTER_NOON = frozenset({"下午", "傍晚", "晚上", "夜间", "夜里", "pm"})
_BEFORE_NOON = frozenset({"凌晨", "清晨", "早晨", "早上", "上午", "am"})
_NIGHT = frozenset({"晚上", "夜间", "夜里"})
_HOURS_OF_NOON = frozenset({11, 12, 1})
_EVENING = 5

_DATE = re.compile(
    r"(?P<year>\d{4}) ?"
    r"(?:年 ?(?P<m1>\d{1,2}) ?月 ?(?P<d1>\d{1,2}) ?[日号]?"
    r"|(?P<sign>[-/.]) ?(?P<m2>\d{1,2}) ?(?P=sign) ?(?P<d2>\d{1,2}))"
    r"[ ,]*(?:\(?(?:星期|周|礼拜)[一二三四五六日天]\)?)?[ ,]*"
    rf"(?:T?(?P<part>{_PART_OF_DAY})? ?(?P<hour>\d{{1,2}})"
    r"(?:[:.] ?(?P<minute>\d{1,2})(?:[:.] ?(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,9}))?)?"
    r"|[时点] ?(?:(?P<minute_zh>\d{1,2}) ?分? ?(?:(?P<second_zh>\d{1,2}) ?秒)?|(?P<half>半)|整)?)"
    r" ?(?P<part_behind>[AaPp]\.?[Mm]\.?)?"
    r" ?(?P<zone>Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?)?)?"
)
_DIGITS = ((re.compile(r"\d{14}"), "%Y%m%d%H%M%S"), (re.compile(r"\d{12}"), "%Y%m%d%H%M"))
"""As programs write it without any sign; eight digits are ISO 8601."""

_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
"""What a spreadsheet has behind a date: the days since the end of 1899."""


@dataclass(frozen=True)
class NoDay:
    """Why a text is no day. `form`: nobody knows what it means; else it is known, and cannot be."""

    reason: str
    remedy: str
    form: bool = False


def read_date(text: str) -> datetime | NoDay | None:
    """The moment that was written; one without an offset is meant in the town's time zone. None: nothing was written."""
    plain = tidy(text)
    if not plain:
        return None
    found = _by_machine(plain) or _by_people(plain)
    if isinstance(found, NoDay):
        return found
    if not FIRST_YEAR <= found.year <= datetime.now(UTC).year + YEARS_AHEAD:
        return NoDay(say("年份不合理", "a year that cannot be"), say("请核对年份", "look at the year"))
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _by_machine(text: str) -> datetime | None:
    form = next((form for digits, form in _DIGITS if digits.fullmatch(text)), None)
    try:
        return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - the caller adds it
    except ValueError:
        return None  # not the forms that are meant for machines; people's own follow


def _by_people(text: str) -> datetime | NoDay:
    if _SERIAL.fullmatch(text):
        return NoDay(
            say("是表格软件的日期序号", "a serial number of a spreadsheet"),
            say("请将该列设为日期格式后重新导出", "give the column a format of dates and save the file again"),
        )
    written = _DATE.fullmatch(text)
    if written is None:
        return NoDay(
            say("日期无法识别", "not a date"),
            say("写成2026-11-21T09:30:00+08:00", "write 2026-11-21T09:30:00+08:00"),
            True,
        )
    try:
        return _moment(written)
    except (ValueError, OverflowError):
        return NoDay(say("没有这一天或这一时刻", "no such day or hour"), say("请核对日期", "look at the date"))


def _moment(written: re.Match[str]) -> datetime:
    """The moment of a match. Raises ValueError: there is no such one."""
    said = written.groupdict()
    day = datetime(int(said["year"]), int(said["m1"] or said["m2"]), int(said["d1"] or said["d2"]))  # noqa: DTZ001 - below
    minute = 30 if said["half"] else int(said["minute"] or said["minute_zh"] or 0)
    second = int(said["second"] or said["second_zh"] or 0)
    part = (said["part"] or said["part_behind"] or "").replace(".", "").lower()
    hour = _hour(int(said["hour"] or 0), part)
    if hour == 2 * _NOON and not minute and not second:
        day, hour = day + DAY, 0
    fraction = int((said["fraction"] or "0").ljust(6, "0")[:6])
    return day.replace(hour=hour, minute=minute, second=second, microsecond=fraction, tzinfo=_zone(said["zone"]))


def _hour(hour: int, part: str) -> int:
    """The hour of the day, by the part of it that was named. Raises ValueError: that part has no such hour."""
    if part == "中午":
        if hour not in _HOURS_OF_NOON:
            raise ValueError("no hour of noon")
        return hour + _NOON if hour == 1 else hour
    if part in _BEFORE_NOON:
        if hour > _NOON:
            raise ValueError("not before noon")
        return hour % _NOON  # as spreadsheets have it: 上午12:30 is half past midnight
    if part in _NIGHT and hour == _NOON:
        return 2 * _NOON
    if part in _NIGHT and hour < _EVENING:
        raise ValueError("the night of which day?")
    return hour + _NOON if part in _AFTER_NOON and hour < _NOON else hour


def _zone(written: str | None) -> timezone | None:
    if written is None:
        return None
    if written == "Z":
        return UTC
    sign, digits = re.sub(r"^(UTC|GMT)", "", written)[0], re.sub(r"\D", "", written)
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")  # noqa: PLR2004 - hours alone
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
