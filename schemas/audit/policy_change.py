"""What two versions of the town's rules differ in: pure comparison, no files."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from schemas.clocks.calendar import DAY, Calendar
from schemas.values.model import Model


class PolicyChange(Model):
    """One difference. `before` None: it is new; `after` None: it is gone. Both in the words of the file."""

    section: str
    place: str
    before: str | None
    after: str | None


class PolicyDiff(Model):
    """All differences between two folders of rules, for cases that start under the new one.

    `unnumbered` are files whose rules differ under the same version: then nobody can tell later which one a case had.
    """

    changes: tuple[PolicyChange, ...]
    unnumbered: tuple[str, ...]


Flat = Mapping[str, str]
_LIMIT = {"amount", "unit"}


def flat(value: Any, place: str = "") -> dict[str, str]:
    """Every rule of a plain structure by its place, in words: limits as they are written, lists of words as one."""
    if isinstance(value, Mapping):
        if set(value) == _LIMIT:
            return {place: f"{value['amount']} {value['unit']}"}
        return {
            inner: word
            for key, item in value.items()
            for inner, word in flat(item, f"{place}.{key}" if place else str(key)).items()
        }
    if isinstance(value, list | tuple):
        if any(isinstance(item, Mapping) for item in value):
            numbered = enumerate(value, start=1)
            return {inner: word for number, item in numbered for inner, word in flat(item, f"{place}.{number}").items()}
        return {place: ", ".join(str(item) for item in value)}
    return {} if value is None else {place: str(value)}


def changes(section: str, before: Flat, after: Flat) -> Iterator[PolicyChange]:
    """What differs, in the order of the old file, then what is new."""
    for place in [*before, *(place for place in after if place not in before)]:
        if before.get(place) != after.get(place):
            yield PolicyChange(section=section, place=place, before=before.get(place), after=after.get(place))


def calendar_changes(before: Calendar, after: Calendar) -> Iterator[PolicyChange]:
    """Days that count otherwise, and years whose notice is out; of the years that either knows."""
    for year in sorted({*before.years, *after.years}):
        old, new = _certainty(before, year), _certainty(after, year)
        if old != new:
            yield PolicyChange(section="calendar", place=str(year), before=old, after=new)
        for day in _days(year):
            was, is_now = _kind(before, day), _kind(after, day)
            if was != is_now:
                yield PolicyChange(section="calendar", place=day.isoformat(), before=was, after=is_now)


def _certainty(calendar: Calendar, year: int) -> str | None:
    if year not in calendar.years:
        return None
    return "provisional" if year in calendar.provisional else "published"


def _kind(calendar: Calendar, day: date) -> str:
    return "working day" if calendar.is_working_day(day) else "day off"


def _days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += DAY


def one_line(fields: Flat) -> str:
    """Several rules of one thing as one line: for what is new or gone as a whole."""
    return ", ".join(fields.values())
