"""Which days and hours count: holidays, make-up days, weekends and office hours, by which limits are walked.

A calendar is data with a version and travels in the case, so that a replay years later counts the same days.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field, field_serializer, field_validator, model_validator

from schemas.clocks.office_hours import OfficeHours
from schemas.values.model import Model

# China has had one fixed offset and no summer time since 1991. A fixed offset needs no time zone database, whose
# updates (or absence) on a worker's machine could otherwise change a replay.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

DAY = timedelta(days=1)
SATURDAY = 5

# 全国年节及纪念日放假办法 (State Council order 795 of 2024-11-10, in force from 2025), article 2: the days off for all
# citizens that have a date in the solar calendar. The yearly notice stretches them with make-up days and adds the lunar
# ones; for a year without a notice nothing else is certain.
FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})


class NaiveTimeError(ValueError):
    """A time without a time zone says nothing here: give it an offset, such as +08:00."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(f"{self.__doc__} Got {moment.isoformat()}.")


class NoTownTimeError(ValueError):
    """A moment at the very end or beginning of the calendar is none on the clocks of the town: give one that can have been."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(f"{self.__doc__} Got {moment.isoformat()}.")


class NoOfficeHoursError(ValueError):
    """A limit in working hours needs a calendar with office hours."""

    def __init__(self, version: str) -> None:
        super().__init__(f"{self.__doc__} The calendar {version} has none.")


def in_shanghai(moment: datetime) -> datetime:
    """The same instant on the clocks of the town.

    Raises:
        NaiveTimeError: the moment has no offset.
        NoTownTimeError: it lies within hours of the year 1 or of the year 10000, as a device's clock does that was never set.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise NaiveTimeError(moment)
    try:
        return moment.astimezone(SHANGHAI)
    except OverflowError:
        raise NoTownTimeError(moment) from None


def midnight(day: date) -> datetime:
    """00:00 of a day in the town, which is 24:00 of the day before."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


# One spelling per instant: the same moment in UTC and in +08:00 would be two canonical JSONs and two hashes.
TownDatetime = Annotated[AwareDatetime, AfterValidator(in_shanghai)]


class Calendar(Model):
    """The days off of some years, and the weekend days on which the town works instead.

    `version` joins the versions of the years ("2025.1-2026.1-2027.0"). `holidays` are all dates off by the State
    Council's yearly notices, weekends inside them included; `makeup` are the working weekend days (调休). `years` are
    covered by data, those in `provisional` before their notice was published. In JSON, runs of dates are ISO 8601
    intervals with both ends included ("2026-02-15/2026-02-23"), sorted: short, readable and stable.

    `office_hours` are for limits in working hours. A case that started before its town had any has no such limit; its
    calendar is written as it was then, so that what was hashed keeps its hash.
    """

    version: str
    years: tuple[int, ...]
    provisional: tuple[int, ...] = ()
    holidays: frozenset[date]
    makeup: frozenset[date]
    office_hours: OfficeHours | None = Field(default=None, exclude_if=lambda hours: hours is None)

    def is_working_day(self, day: date) -> bool:
        """Whether limits in working days count this day: make-up days yes, holidays and other weekends no."""
        if day in self.makeup:
            return True
        return day.weekday() < SATURDAY and not self.is_holiday(day)

    def openings(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """When the offices are open on a day, in order; never on a day off.

        Raises:
            NoOfficeHoursError: the calendar has none.
        """
        if self.office_hours is None:
            raise NoOfficeHoursError(self.version)
        return self.office_hours.after(midnight(day)) if self.is_working_day(day) else iter(())

    def keeping_hours_of(self, earlier: "Calendar") -> "Calendar":
        """This calendar with the office hours of an earlier one, unless it has its own: a yearly notice names days only."""
        return self if self.office_hours else self.model_copy(update={"office_hours": earlier.office_hours})

    def is_holiday(self, day: date) -> bool:
        """Whether the day is off by a notice; in years without data, whether the regulation fixes it."""
        return day in self.holidays or (day.year not in self.years and (day.month, day.day) in FIXED_HOLIDAYS)

    def is_provisional(self, day: date) -> bool:
        """Whether a notice may still change what this calendar says of the day."""
        return day.year not in self.years or day.year in self.provisional

    @field_validator("years", "provisional")
    @classmethod
    def _in_order(cls, years: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(years)))

    @field_validator("holidays", "makeup", mode="before")
    @classmethod
    def _from_intervals(cls, days: Any) -> Any:
        # Dates already, not texts: the door reads JSON strictly, where a list of texts is no set of dates.
        written = isinstance(days, list | tuple) and all(isinstance(day, str | date) for day in days)
        return frozenset(expanded(days)) if written else days

    @field_serializer("holidays", "makeup")
    def _to_intervals(self, days: frozenset[date]) -> list[str]:
        return intervals(days)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if stray := sorted(day for day in self.holidays | self.makeup if day.year not in self.years):
            raise ValueError(f"{stray[0]} lies outside the years covered: {self.years}.")
        if both := sorted(self.holidays & self.makeup):
            raise ValueError(f"{both[0]} cannot be a holiday and a make-up day at once.")
        if unknown := sorted(set(self.provisional) - set(self.years)):
            raise ValueError(f"{unknown[0]} is called provisional but is not among the years covered: {self.years}.")
        return self


def intervals(days: Iterable[date]) -> list[str]:
    """Dates as sorted ISO 8601 dates and intervals, both ends included."""
    runs: list[tuple[date, date]] = []
    for day in sorted(days):
        if runs and runs[-1][1] + DAY == day:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return [first.isoformat() if first == last else f"{first}/{last}" for first, last in runs]


def expanded(days: Iterable[Any]) -> list[Any]:
    """The dates of a list in which intervals may stand; whatever else stands there is left for pydantic to judge."""
    dates: list[Any] = []
    for item in days:
        if isinstance(item, str) and "/" in item:
            first, last = (date.fromisoformat(end) for end in item.split("/", 1))
            if last < first:
                raise ValueError(f"The interval {item} ends before it begins.")
            dates.extend(first + DAY * number for number in range((last - first).days + 1))
        else:
            dates.append(date.fromisoformat(item) if isinstance(item, str) else item)
    return dates
