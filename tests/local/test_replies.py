"""`jiceng replies`: what really happened, played again, breaks the limits that it would have broken.

The limits are reckoned here a second time, from the file, `datetime` and the published calendar alone.
"""

import csv
import shutil
import statistics
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import asyncpg
import chinese_calendar
import httpx
import pytest
from temporalio.client import Client

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.policies.calendars import load_calendar
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from local.real.csv_records import UnreadableFile
from local.real.past_calendar import past_calendar
from local.real.replay_pace import EARLY, LATE, Pace
from local.real.replies import play_replies
from local.real.reply_file import CATEGORY, ReplyColumns, read_replies
from local.real.reply_record import PlayedReply, ReplyReport
from local.real.reply_stage import ReplyTown
from local.town.town import TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.values.actor import Role
from tests.api_callers import As, callers

pytest_plugins = ("tests.api_fixture",)

REAL_REPLIES = Path(__file__).resolve().parents[3] / "shared" / "data" / "replies.csv"
HEADER = ["message_id", "user", "subject", "submitted_at", "text", "reply", "replied_at"]
SHANGHAI = timezone(timedelta(hours=8))
DAY = timedelta(days=1)

OWN_ROWS = {
    "same day": ("2023-03-06T09:00:00+08:00", "2023-03-06T16:00:00+08:00"),
    "seventh day": ("2023-03-06T10:00:00+08:00", "2023-03-13T04:00:00+08:00"),
    "eighth day": ("2023-03-06T10:30:00+08:00", "2023-03-14T04:00:00+08:00"),
    "just before midnight": ("2023-03-06T23:55:00+08:00", "2023-03-13T04:00:00+08:00"),
    # The seventh day, 3 October, is in the National Day week: due on Saturday the 7th, a make-up day.
    "moved by a holiday": ("2023-09-26T09:00:00+08:00", "2023-10-07T04:00:00+08:00"),
    # The seventh day is Sunday 8 October, a make-up day: it does not move.
    "not moved by a make-up day": ("2023-10-01T15:00:00+08:00", "2023-10-09T04:00:00+08:00"),
    # The seventh day, 11 March, is a Saturday; due on Monday the 13th.
    "moved by a weekend": ("2023-03-04T12:00:00+08:00", "2023-03-13T04:00:00+08:00"),
    # The seventh day is 4 January, the first that is worked in 2022.
    "over the year's end": ("2021-12-28T09:00:00+08:00", "2022-01-05T04:00:00+08:00"),
    "far too late": ("2022-05-09T11:00:00+08:00", "2022-12-01T09:00:00+08:00"),
}
"""Of years in which no row of the real file lies, so that indicators of the same town tell them apart. Replies come early in
the day: what a busy machine gives some seconds late, hours of this town, is still of its day."""

OWN_BROKEN = {"eighth day", "not moved by a make-up day", "over the year's end", "far too late"}
"""By the calendar on the wall, read by hand."""


def written(folder: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    file = folder / f"{uuid.uuid4().hex}.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([header, *rows])
    return file


def own_file(folder: Path) -> Path:
    return written(
        folder,
        [
            (
                name,
                f"user-{number}",
                "请修路灯",
                submitted,
                f"第{number}盏路灯不亮",
                f"  网友你好:\n已修好({name})。",
                replied,
            )
            for number, (name, (submitted, replied)) in enumerate(OWN_ROWS.items())
        ],
    )


def due(started: datetime, natural_days: int) -> datetime:
    """24:00 of the last day; a last day off moves to the next day that is worked."""
    last = started.date() + natural_days * DAY
    while not chinese_calendar.is_workday(last):
        last += DAY
    return datetime.combine(last + DAY, time(), SHANGHAI)


def due_in_working_days(started: datetime, working_days: int) -> datetime:
    """24:00 of the n-th day that is worked, the day of the start not counted."""
    day = started.date()
    while working_days:
        day += DAY
        working_days -= chinese_calendar.is_workday(day)
    return datetime.combine(day + DAY, time(), SHANGHAI)


def reckoned(file: Path) -> dict[str, dict[str, Any]]:
    """What the file says and the limits of an ordinary matter make of it, by message."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    found = {}
    for row in rows:
        submitted, replied = (datetime.fromisoformat(row[name]) for name in ("submitted_at", "replied_at"))
        limits = {"respond": due_in_working_days(submitted, 1), "finish": due(submitted, 7)}
        found[row["message_id"]] = {
            "seconds": (replied - submitted).total_seconds(),
            "due": limits,
            "broken": {name for name, limit in limits.items() if replied >= limit},
        }
    return found


def recorded(each: PlayedReply) -> dict[str, Any]:
    """The same of a played case, by its clocks."""
    clocks = {name: each.clocks[name] for name in ("respond", "finish")}
    return {
        "due": {name: clock.due_at for name, clock in clocks.items()},
        "broken": {name for name, clock in clocks.items() if clock.breached},
    }


class Quiet:
    """Nobody is told how it goes."""

    def begun(self, cases: int) -> None:
        """So many cases."""

    def over(self, played: PlayedReply) -> None:
        """One is over."""


@pytest.fixture
def replies_town(settings: Settings, keys: Keys, pool: asyncpg.Pool, temporal: Client, worker: None) -> ReplyTown:
    """The tests' own town, with its worker."""
    return ReplyTown(settings, keys, pool, temporal)


def check_against_the_file(report: ReplyReport, file: Path) -> None:
    """Case by case, the limits that the engine recorded as broken are those that the file breaks; and so are the sums."""
    expected = reckoned(file)
    played = {each.answered.message.message_id: each for each in report.played}

    assert [each.fault for each in report.played if each.fault] == []
    assert report.well, [each.as_json() for each in report.played if not each.well]
    assert played.keys() == expected.keys()
    for message_id, each in played.items():
        found = recorded(each)
        assert found == {name: expected[message_id][name] for name in found}, message_id
    for clock in ("respond", "finish"):
        assert report.limits()[clock]["breach"] == sum(clock in each["broken"] for each in expected.values())


def check_indicators(report: ReplyReport, file: Path) -> None:
    """The rates are the file's exactly, the times to the hours by which acts may be off."""
    expected = reckoned(file)
    whole = report.indicators.whole
    closed = [each for each in report.played if not each.too_late]
    handling = [expected[each.answered.message.message_id]["seconds"] for each in closed]
    off = max(each.off_by_seconds for each in closed) * 2 + 60

    assert (whole.reported - whole.set_aside, whole.open) == (len(expected), 0)
    assert whole.finish_judged - whole.finished_in_time == sum("finish" in each["broken"] for each in expected.values())
    assert whole.response_judged - whole.responded_in_time == sum(
        "respond" in each["broken"] for each in expected.values()
    )
    assert whole.outcome_known - whole.solved == len(report.played) - len(closed)
    assert whole.handling_seconds is not None
    assert whole.handling_seconds.median == pytest.approx(statistics.median(handling), abs=off)
    assert whole.handling_seconds.percentile_90 == pytest.approx(
        statistics.quantiles(handling, n=10, method="inclusive")[8], abs=off
    )


# ---- a file of our own --------------------------------------------------------------------------------------------


def with_a_short_final_limit(settings: Settings, folder: Path) -> Settings:
    """Two weeks after the last tier instead of sixty days, so that the longest case takes a part of the time."""
    policies = shutil.copytree(settings.policies, folder / "policies")
    file = policies / "incident.yaml"
    text = file.read_text(encoding="utf-8")
    assert "unresolved_after: 60 natural_days" in text
    file.write_text(text.replace("unresolved_after: 60 natural_days", "unresolved_after: 14 natural_days"), "utf-8")
    return settings.model_copy(update={"policies": policies})


async def test_replies_break_the_limits_that_the_calendar_says(
    tmp_path: Path, replies_town: ReplyTown, http: httpx.AsyncClient, keys: Keys
) -> None:
    """Holidays, make-up days, a midnight and a year's end: each case breaks what it really broke, and is read as written."""
    path = own_file(tmp_path)
    town = replace(replies_town, settings=with_a_short_final_limit(replies_town.settings, tmp_path))
    report = await play_replies(read_replies(path, ReplyColumns()), town, 24, Quiet())
    played = {each.answered.message.message_id: each for each in report.played}

    check_against_the_file(report, path)
    check_indicators(report, path)
    assert {name for name, each in played.items() if each.clocks["finish"].breached} == OWN_BROKEN
    assert [name for name, each in played.items() if each.too_late] == ["far too late"]
    assert report.stages == {"closed": len(OWN_ROWS) - 1, "unresolved": 1}
    assert await result_of(played["same day"], callers(http, keys)) == "  网友你好:\n已修好(same day)。"
    assert not replace(report, played=[_with_a_broken_chain(played["same day"]), *report.played[1:]]).well


def _with_a_broken_chain(each: PlayedReply) -> PlayedReply:
    assert each.finding is not None
    return replace(each, finding=each.finding.model_copy(update={"ok": False}))


async def result_of(each: PlayedReply, as_: As) -> str:
    answer = await as_(Role.COORDINATOR).get(f"/api/v1/cases/{each.case_id}/timeline")
    (result,) = [entry["facts"]["result"] for entry in answer.json()["items"] if entry["kind"] == "incident:finished"]
    return str(result)


# ---- the real file ------------------------------------------------------------------------------------------------


def real_file() -> Path:
    if not REAL_REPLIES.exists():
        pytest.skip(f"the real replies are not on this machine ({REAL_REPLIES.name})")
    return REAL_REPLIES


def a_dozen_of(file: Path, folder: Path, days_at_most: int = 11) -> Path:
    """Of every three by length the one that was replied to earliest in the day, in a file of their own.

    Its reply may come as late as a busy machine gives it, which is hours of this town, and is still of its day.
    """
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = sorted(csv.DictReader(opened), key=reckoned_length)
    short = [row for row in rows if reckoned_length(row) < days_at_most * DAY]
    some = [min(short[at : at + 3], key=reckoned_hour) for at in range(0, len(short), 3)]
    return written(folder, [[row[name] for name in HEADER] for row in some])


def reckoned_length(row: dict[str, str]) -> timedelta:
    return datetime.fromisoformat(row["replied_at"]) - datetime.fromisoformat(row["submitted_at"])


def reckoned_hour(row: dict[str, str]) -> time:
    return datetime.fromisoformat(row["replied_at"]).time()


async def test_a_dozen_real_replies_break_what_they_broke(tmp_path: Path, replies_town: ReplyTown) -> None:
    """Of a dozen real replies, one day to eleven days long, the recorded clocks say what the file says."""
    path = a_dozen_of(real_file(), tmp_path)
    report = await play_replies(read_replies(path, ReplyColumns()), replies_town, 24, Quiet())

    assert len(report.played) >= 12
    check_against_the_file(report, path)
    check_indicators(report, path)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_all_eighty_real_replies_break_what_they_broke(tmp_path: Path) -> None:
    """All of them, in a town of their own: 51 break the seven days; four came when the final limit had ended the case."""
    path = real_file()
    worker = tuple(process for process in PROCESSES if process.name == "worker")
    async with open_town(TownOptions(data=tmp_path, processes=worker, durable=False)) as town:
        keys = Keys.load(town.settings.key_folder)
        async with await open_pool(town.settings) as pool:
            replies_town = ReplyTown(town.settings, keys, pool, await connect(town.settings, keys))
            report = await play_replies(read_replies(path, ReplyColumns()), replies_town, 240, Quiet())
    late = [each for each in report.played if each.too_late]

    assert len(report.played) == 80
    check_against_the_file(report, path)
    check_indicators(report, path)
    assert report.limits()["finish"]["breach"] == 51
    assert sorted(each.answered.length.days for each in late) == [77, 86, 159, 893]


# ---- reading, calendars and paces -----------------------------------------------------------------------------------


def test_faults_of_replies_are_told_by_line(tmp_path: Path) -> None:
    """A blank reply, a date that is none, a reply before its message: each by line and column, and stops no other row."""
    at, later = "2018-03-05T09:00:00+08:00", "2018-03-06T09:00:00+08:00"
    file = written(
        tmp_path,
        [
            ("1", "u", "s", at, "t", "r", later),
            ("2", "u", "s", at, "t", " ", "soon"),
            ("3", "u", "s", later, "t", "r", at),
            ("4", "u", "s", "", "t", "r", later),
        ],
    )
    read = read_replies(file, ReplyColumns())

    assert [each.message.message_id for each in read.answered] == ["1"]
    assert read.answered[0].message.category == CATEGORY
    assert [(fault.line, fault.field) for fault in read.faults] == [
        (3, "reply"),
        (3, "replied_at"),
        (4, "replied_at"),
        (5, "submitted_at"),
    ]
    assert read.rows == 4


def test_a_file_without_replies_says_so(tmp_path: Path) -> None:
    """Messages without a column of replies cannot be played: one sentence, no stack."""
    with pytest.raises(UnreadableFile, match="no column reply, replied_at"):
        read_replies(
            written(tmp_path, [("1", "t", "2018-03-05")], ["message_id", "text", "submitted_at"]), ReplyColumns()
        )


TOWN_CALENDAR = load_calendar(Path(__file__).resolve().parents[2] / "policies" / "calendars")


def test_the_calendar_of_the_past_is_the_published_one() -> None:
    """Each day of 2010 to 2020 is worked, or not, as its notice says."""
    calendar = past_calendar(date(2010, 5, 1), date(2020, 2, 1), TOWN_CALENDAR)
    days = [date(2010, 1, 1) + DAY * number for number in range((date(2021, 1, 1) - date(2010, 1, 1)).days)]

    assert [day for day in days if calendar.is_working_day(day) != chinese_calendar.is_workday(day)] == []
    assert not any(calendar.is_provisional(day) for day in days)


def test_years_whose_notice_is_not_out_are_as_living_cases_have_them() -> None:
    """2027 by the town's provisional calendar, what no calendar has by weekends and fixed holidays; both are said to be so."""
    calendar = past_calendar(date(2026, 3, 1), date(2029, 1, 1), TOWN_CALENDAR)
    days = [date(2026, 1, 1) + DAY * number for number in range(365 * 3)]

    assert calendar.version == "2026.1-2027.0"
    assert [day for day in days if calendar.is_working_day(day) != TOWN_CALENDAR.is_working_day(day)] == []
    assert [day for day in days if calendar.is_provisional(day) != (day.year > 2026)] == []
    assert not calendar.is_working_day(date(2027, 2, 8))  # 春节, of the lunar year: by the town's calendar alone
    assert not calendar.is_working_day(date(2028, 10, 2))


@pytest.mark.parametrize("hour", ["00:00:00", "00:00:01", "12:00:00", "23:49:12", "23:59:59"])
def test_an_act_may_be_off_by_hours_and_never_by_a_day(hour: str) -> None:
    """At whatever pace, what is aimed at is on the day that it was, and as far from midnight as the guard."""
    moment = datetime.fromisoformat(f"2018-03-05T{hour}+08:00")
    for days, seconds in ((1, 60.0), (30, 60.0), (78, 60.0), (78, 10.0)):
        pace = Pace.fitted(timedelta(days=days), seconds)
        aim = pace.aim(moment)
        assert aim.date() == moment.date()
        assert aim == pace.aim(aim)
        assert aim == moment or moment.hour != 12 or pace.speed > 20_000
    roomy = Pace.fitted(timedelta(days=20), 120)
    aim = roomy.aim(moment)
    assert (
        (aim - EARLY * roomy.speed).date() == (aim + LATE * roomy.speed - timedelta.resolution).date() == moment.date()
    )
