"""The working calendars of past years, for playing what happened then.

They are made here, at the edge, and stand in no `policies/`: those are the rules in force, read by every process of a
town and checked against the regulation of 2025. A past year is right by the notice of its own time. A year whose notice is
not out yet is as living cases have it: by the town's own provisional calendar, or by weekends and fixed holidays alone.
"""

from datetime import date

import chinese_calendar.constants as published

from schemas.clocks.calendar import Calendar

REVISION = 1
"""As in the calendars of `policies/`: the published notice."""


def known_years() -> range:
    """The years whose notices the library has."""
    years = {day.year for day in published.holidays}
    return range(min(years), max(years) + 1)


def past_calendar(first: date, last: date, town: Calendar) -> Calendar:
    """The days off from the year of `first` to that of `last`: by the notices, and behind them by the calendar of the town.

    `first` lies in no year before the known ones. What neither has is left out: a calendar takes such years by their
    weekends and fixed holidays, and says that they are provisional.
    """
    years, known = range(first.year, last.year + 1), known_years()
    theirs = [year for year in years if year in known]
    ours = [year for year in years if year >= known.stop and year in town.years]
    versions = dict(zip(town.years, town.version.split("-"), strict=True))
    return Calendar(
        version="-".join([*(f"{year}.{REVISION}" for year in theirs), *(versions[year] for year in ours)]),
        years=(*theirs, *ours),
        provisional=tuple(year for year in ours if year in town.provisional),
        holidays=frozenset(
            [
                *(day for day in published.holidays if day.year in theirs),
                *(day for day in town.holidays if day.year in ours),
            ]
        ),
        makeup=frozenset(
            [
                *(day for day in published.workdays if day.year in theirs),
                *(day for day in town.makeup if day.year in ours),
            ]
        ),
    )
