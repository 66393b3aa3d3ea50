"""The working calendars of past years, for playing what happened then.

They are made here, at the edge, and stand in no `policies/`: those are the rules in force, read by every process of a
town and checked against the regulation of 2025. A past year is right by the notice of its own time.
"""

from datetime import date

import chinese_calendar.constants as published

from local.csv_records import UnreadableFile
from schemas.calendar import Calendar

REVISION = 1
"""As in the calendars of `policies/`: the published notice."""


class NoPublishedCalendar(UnreadableFile):
    """Days off and make-up days of a year are not known; the message says which years are."""


def known_years() -> range:
    """The years whose notices the library has."""
    years = {day.year for day in published.holidays}
    return range(min(years), max(years) + 1)


def past_calendar(first: date, last: date) -> Calendar:
    """The days off from the year of `first` to that of `last`, by the State Council's notices.

    Raises:
        NoPublishedCalendar: a year in between has no notice.
    """
    years = range(first.year, last.year + 1)
    known = known_years()
    if unknown := [year for year in years if year not in known]:
        raise NoPublishedCalendar(
            f"{unknown[0]}: the notices of {known[0]} to {known[-1]} are known. Leave out the rows of other years."
        )
    return Calendar(
        version="-".join(f"{year}.{REVISION}" for year in years),
        years=tuple(years),
        holidays=frozenset(day for day in published.holidays if day.year in years),
        makeup=frozenset(day for day in published.workdays if day.year in years),
    )
