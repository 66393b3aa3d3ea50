"""Calendars from files: `policies/calendars/YYYY.yaml`, one a year, versioned, made from published data."""

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from engine.runtime.operator_error import OperatorError
from engine.runtime.yaml_files import read_yaml
from schemas.clocks.calendar import FIXED_HOLIDAYS, SATURDAY, Calendar
from schemas.values.model import Model

NOTICES = {2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}

HEADER = """\
# The working calendar of {year}: days off by name, and the weekend days that are worked instead (调休).
# Made by engine.policies.calendars.calendar_yaml({year}); how it is used: docs/clocks.md.
"""


class CalendarFaultsError(OperatorError, ValueError):
    """The calendars cannot be used as they are; every fault is named, with its file and its remedy."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([str(self.__doc__), *(f"- {fault}" for fault in faults)]))


class CalendarYear(Model):
    """What one file says. `version` is "YEAR.REVISION": revision 0 while provisional, from 1 once the notice is out."""

    year: int = Field(strict=True, ge=2025, le=9999)  # the regulation with today's fixed holidays is in force from 2025
    version: str
    source: str = Field(min_length=1)
    provisional: bool
    holidays: dict[date, str] = Field(min_length=1)
    makeup: tuple[date, ...]

    def faults(self, expected_year: int) -> list[str]:
        """What is wrong although each field is well formed, each with its remedy."""
        faults = []
        if self.year != expected_year:
            faults.append(f"year is {self.year}: write {expected_year} or rename the file")
        if not re.fullmatch(rf"{self.year}\.\d+", self.version):
            faults.append(f"version is {self.version!r}: write '{self.year}.N', quoted, N rising with each change")
        elif self.provisional != self.version.endswith(".0"):
            faults.append(
                f"version {self.version} with provisional {self.provisional}: .0 is for provisional years only"
            )
        dates = sorted({*self.holidays, *self.makeup})
        faults += [f"{day} is not in {self.year}: move it to {day.year}.yaml" for day in dates if day.year != self.year]
        faults += [f"{day} has no name: name the holiday" for day, name in self.holidays.items() if not name.strip()]
        faults += [f"makeup {day} is no weekend day: remove it" for day in self.makeup if day.weekday() < SATURDAY]
        faults += [f"{day} is both holiday and makeup: remove one" for day in self.makeup if day in self.holidays]
        statutory = sorted(date(self.year, month, day) for month, day in FIXED_HOLIDAYS)
        faults += [f"statutory holiday {day} is missing: add it" for day in statutory if day not in self.holidays]
        return faults


def load_calendar(folder: Path, years: Collection[int] | None = None) -> Calendar:
    """One calendar joined over the given years, or over all years found in the folder.

    Raises:
        CalendarFaultsError: files missing, unreadable or wrong; all faults of all files in one error.
    """
    faults: list[str] = []
    wanted = sorted(years) if years is not None else _years_found(folder, faults)
    read = [_read_year(folder / f"{year}.yaml", year, faults) for year in wanted]
    if not wanted and not faults:
        faults.append(f"{folder}: holds no calendar: add files named YYYY.yaml")
    if faults:
        raise CalendarFaultsError(faults)
    known = [year for year in read if year is not None]
    return Calendar(
        version="-".join(year.version for year in known),
        years=tuple(year.year for year in known),
        provisional=tuple(year.year for year in known if year.provisional),
        holidays=frozenset(day for year in known for day in year.holidays),
        makeup=frozenset(day for year in known for day in year.makeup),
    )


def calendar_yaml(year: int, revision: int | None = None) -> str:
    """The file of one year, from the published notice where the library knows it, else provisional.

    `revision` is the N of the version; without it 0 for a provisional year and 1 for a published one. Raise it by hand
    when a published year is corrected.
    """
    import chinese_calendar.constants as published  # noqa: PLC0415 - used when files are made, not by every worker

    provisional = year > max(published.holidays).year
    holidays = _provisional_holidays(year) if provisional else _published_holidays(year)
    makeup = [] if provisional else sorted(day for day in published.workdays if day.year == year)
    number = revision if revision is not None else int(not provisional)
    content = {
        "year": year,
        "version": f"{year}.{number}",
        "source": _source(year, provisional=provisional),
        "provisional": provisional,
        "holidays": holidays,
        "makeup": makeup,
    }
    return HEADER.format(year=year) + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)


def _published_holidays(year: int) -> dict[date, str]:
    import chinese_calendar  # noqa: PLC0415 - as above
    import chinese_calendar.constants as published  # noqa: PLC0415 - as above

    chinese = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
    return {day: chinese[name] for day, name in sorted(published.holidays.items()) if day.year == year}


def _provisional_holidays(year: int) -> dict[date, str]:
    import holidays  # noqa: PLC0415 - a quarter of a second to import

    return dict(sorted(holidays.country_holidays("CN", years=year, language="zh_CN").items()))


def _source(year: int, *, provisional: bool) -> str:
    if provisional:
        return "全国年节及纪念日放假办法（国务院令第795号）推算，调休待国务院办公厅通知"
    return f"国务院办公厅关于{year}年部分节假日安排的通知 {NOTICES.get(year, '')}".strip()


def _years_found(folder: Path, faults: list[str]) -> list[int]:
    """The years of the files, and those missing between them: a gap must not pass for a provisional year."""
    found = []
    for file in sorted(folder.glob("*.yaml")):
        if re.fullmatch(r"\d{4}", file.stem):
            found.append(int(file.stem))
        else:
            faults.append(f"{file.name}: the name is not a year: rename it to YYYY.yaml or move it away")
    return list(range(found[0], found[-1] + 1)) if found else []


def _read_year(file: Path, year: int, faults: list[str]) -> CalendarYear | None:
    try:
        content = read_yaml(file)
        read = CalendarYear.model_validate(content)
    except FileNotFoundError:
        faults.append(f"{file.name}: is missing: make it with engine.policies.calendars.calendar_yaml({year})")
    except yaml.YAMLError as error:
        faults.append(f"{file.name}: is not YAML ({' '.join(str(error).split())}): mend it there")
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            place = ".".join(str(part) for part in fault["loc"]) or "the file"
            faults.append(f"{file.name}: {place}: {fault['msg']}: see docs/clocks.md for the form of a calendar")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a date that does not exist
        faults.append(f"{file.name}: cannot be read ({error}): make it a UTF-8 file with dates that exist")
    else:
        faults.extend(f"{file.name}: {fault}" for fault in read.faults(year))
        return read
    return None
