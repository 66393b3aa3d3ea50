"""Calendars: which days count, how they are kept in files, and how they travel in a case."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.policies.calendars import CalendarFaultsError, calendar_yaml, load_calendar
from schemas.clocks.calendar import FIXED_HOLIDAYS, Calendar, expanded, intervals

CALENDARS = Path(__file__).parents[2] / "policies" / "calendars"
CALENDAR = load_calendar(CALENDARS)


def test_make_up_day_is_a_working_day_although_a_weekend() -> None:
    """A weekend day named in the notice as worked counts as a working day; other weekend days do not."""
    assert CALENDAR.is_working_day(date(2026, 2, 14))
    assert not CALENDAR.is_working_day(date(2026, 2, 7))


def test_day_off_by_notice_is_a_holiday_weekends_inside_included() -> None:
    """All nine days of the Spring Festival of 2026 are holidays, the days before and after are not."""
    festival = {date(2026, 2, 15) + timedelta(days=number) for number in range(9)}

    assert all(CALENDAR.is_holiday(day) and not CALENDAR.is_working_day(day) for day in festival)
    assert not CALENDAR.is_holiday(date(2026, 2, 24))
    assert CALENDAR.is_working_day(date(2026, 2, 24))


@pytest.mark.parametrize(("year", "working_days"), [(2025, 248), (2026, 248)])
def test_published_years_have_the_working_days_of_the_regulation(year: int, working_days: int) -> None:
    """13 holidays by law and the weekends are off; make-up days only move them: 365 - 104 - 13 working days."""
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]

    assert sum(map(CALENDAR.is_working_day, days)) == working_days


def test_year_without_data_has_weekends_and_fixed_holidays() -> None:
    """Beyond the years covered the weekends and the solar holidays of the regulation are off, all else is worked."""
    off = {
        day for day in (date(2031, 1, 1) + timedelta(days=n) for n in range(365)) if not CALENDAR.is_working_day(day)
    }

    assert {day for day in off if day.weekday() < 5} == {
        day for day in (date(2031, month, day) for month, day in FIXED_HOLIDAYS) if day.weekday() < 5
    }
    assert CALENDAR.is_holiday(date(2031, 5, 2))
    assert not CALENDAR.is_holiday(date(2031, 5, 3))


def test_fixed_holidays_add_nothing_to_a_year_with_data() -> None:
    """In a year with data only the data speak, whatever the regulation fixes."""
    worked = Calendar(version="2030.1", years=(2030,), holidays=frozenset(), makeup=frozenset())

    assert worked.is_working_day(date(2030, 10, 1))


def test_provisional_is_what_a_notice_may_still_change() -> None:
    """Years marked provisional and years without data are provisional, published years are not."""
    assert [CALENDAR.is_provisional(date(year, 6, 1)) for year in (2024, 2025, 2026, 2027, 2028)] == [
        True,
        False,
        False,
        True,
        True,
    ]


def test_calendar_json_is_small_stable_and_comes_back() -> None:
    """A calendar is the same after its JSON, whose text does not depend on the order in which dates were given."""
    written = CALENDAR.model_dump_json()
    shuffled = CALENDAR.model_copy(update={"holidays": frozenset(sorted(CALENDAR.holidays, key=hash))})

    assert Calendar.model_validate_json(written) == CALENDAR
    assert shuffled.model_dump_json() == written
    assert '"2026-02-15/2026-02-23"' in written
    assert len(written) < 1024


@given(st.frozensets(st.dates(date(2025, 1, 1), date(2025, 4, 1))))
def test_intervals_keep_every_date(days: frozenset[date]) -> None:
    """Intervals read again are the same dates, each once and in order, and there are as few of them as can be."""
    written = intervals(days)
    read = [date.fromisoformat(str(day)) for day in expanded(written)]

    assert read == sorted(days)
    assert len(written) == sum(day - timedelta(days=1) not in days for day in days)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"holidays": ["2028-01-01"]}, "outside the years"),
        ({"makeup": ["2026-10-01"]}, "at once"),
        ({"provisional": [2028]}, "provisional"),
        ({"holidays": ["2026-10-07/2026-10-01"]}, "ends before it begins"),
    ],
)
def test_calendar_that_contradicts_itself_is_refused(changes: dict[str, object], complaint: str) -> None:
    """A date outside the years, or off and worked at once, is refused and named."""
    with pytest.raises(ValidationError, match=complaint):
        Calendar.model_validate(CALENDAR.model_dump() | changes)


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_committed_calendar_is_what_the_libraries_publish(year: int) -> None:
    """The files equal what is made from the published data; when this fails a notice came out: make the year anew."""
    committed = (CALENDARS / f"{year}.yaml").read_text(encoding="utf-8")
    revision = int(yaml.safe_load(committed)["version"].split(".")[1])

    assert committed == calendar_yaml(year, revision if revision > 1 else None)


def test_a_year_without_notice_is_made_provisional() -> None:
    """A year beyond the published data gets revision 0, the lunar holidays by reckoning, and no make-up days."""
    content = yaml.safe_load(calendar_yaml(2028))

    assert (content["version"], content["provisional"], content["makeup"]) == ("2028.0", True, [])
    assert content["holidays"][date(2028, 1, 26)] == "春节"


def test_calendar_joins_the_years_asked_for() -> None:
    """The version names every year joined, and only the years asked for are covered."""
    assert CALENDAR.version == "2025.1-2026.1-2027.0"
    assert (CALENDAR.years, CALENDAR.provisional) == ((2025, 2026, 2027), (2027,))
    assert load_calendar(CALENDARS, {2026}).years == (2026,)


def test_every_fault_of_every_file_is_named_at_once(tmp_path: Path) -> None:
    """Faults in several files come in one error, each with its file and what to do."""
    good = (CALENDARS / "2026.yaml").read_text(encoding="utf-8")
    (tmp_path / "2025.yaml").write_text(good, encoding="utf-8")
    (tmp_path / "2026.yaml").write_text(
        good.replace("'2026.1'", "2026.1").replace("provisional: false", "provisonal: false"), encoding="utf-8"
    )
    (tmp_path / "2028.yaml").write_text("year: [", encoding="utf-8")
    (tmp_path / "2029.yaml").write_text(good.replace("2026-10-07", "2026-13-07"), encoding="utf-8")
    (tmp_path / "2030.yaml").write_text(good.replace("2026-10-07", "2026-10-06"), encoding="utf-8")
    (tmp_path / "next.yaml").write_text("", encoding="utf-8")

    with pytest.raises(CalendarFaultsError) as raised:
        load_calendar(tmp_path)

    for fault in (
        "2025.yaml: year is 2026: write 2025",
        "2026.yaml: version: Input should be a valid string",
        "2026.yaml: provisional: Field required",
        "2026.yaml: provisonal: Extra inputs are not permitted",
        "2027.yaml: is missing: make it",
        "2028.yaml: is not YAML",
        "2029.yaml: cannot be read (month must be in 1..12",
        "2030.yaml: is not YAML ('2026-10-06' stands twice",
        "next.yaml: the name is not a year",
    ):
        assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ("2026-05-09", "2026-05-08", "makeup 2026-05-08 is no weekend day"),
        ("2026-05-09", "2026-05-03", "2026-05-03 is both holiday and makeup"),
        ("2026-05-09", "2027-05-09", "2027-05-09 is not in 2026"),
        ("  2026-05-02: 劳动节\n", "", "statutory holiday 2026-05-02 is missing"),
        ("2026-05-02: 劳动节", "2026-05-02: ' '", "2026-05-02 has no name"),
        ("'2026.1'", "'2026.0'", "version 2026.0 with provisional False"),
        ("'2026.1'", "'1'", "write '2026.N'"),
    ],
)
def test_slip_in_a_calendar_file_is_named(tmp_path: Path, written: str, instead: str, fault: str) -> None:
    """Each slip that would silently count wrong days is refused and named with its file."""
    content = (CALENDARS / "2026.yaml").read_text(encoding="utf-8")
    (tmp_path / "2026.yaml").write_text(content.replace(written, instead), encoding="utf-8")

    with pytest.raises(CalendarFaultsError, match=f"2026.yaml: .*{fault}"):
        load_calendar(tmp_path)


def test_folder_without_calendars_is_refused(tmp_path: Path) -> None:
    """An empty folder is a fault, not a calendar of weekends."""
    with pytest.raises(CalendarFaultsError, match=r"add files named YYYY\.yaml"):
        load_calendar(tmp_path)


@pytest.mark.parametrize("day", ["{}", "[]", "7", "null", '"2026-13-01"', '"2026-10-03/2026-10-01"', '"x/y"'])
def test_what_is_no_day_is_refused_and_named(day: str) -> None:
    """Whatever stands among the days and is none is a fault of the field, never an error of ours."""
    text = f'{{"version": "1", "years": [2026], "provisional": [], "holidays": [{day}], "makeup": []}}'
    with pytest.raises(ValidationError) as refused:
        Calendar.model_validate_json(text)

    assert {error["loc"][0] for error in refused.value.errors()} == {"holidays"}
