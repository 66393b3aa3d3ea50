"""Law: a file becomes what it says or is told, line by line and before anything is started; nothing of it is guessed."""

import csv
import io
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from engine.keys.keys import Keys
from local.real.category_map import read_category_map
from local.real.csv_records import UnreadableFile, column_key
from local.real.message_file import ColumnMap, read_messages
from local.real.reply_file import ReplyColumns, read_replies
from local.real.written_dates import NoDay, read_date
from schemas.clocks.calendar import SHANGHAI
from tests.local.test_import import Desk

pytest_plugins = ("tests.api_fixture",)

COLUMNS = ("message_id", "user", "subject", "submitted_at", "text", "category")
HEADER = ",".join(COLUMNS) + "\n"
SIMPLIFIED = "小区路灯坏了三天没有人来修,请尽快处理"
TRADITIONAL = "社區路燈壞了三天沒有人來修理,請儘快處理"


def row(text: str = SIMPLIFIED, at: str = "2026-11-20", user: str = "u1", message_id: str | None = None) -> str:
    cells = io.StringIO()
    csv.writer(cells, lineterminator="\n").writerow(
        [message_id or uuid.uuid4().hex, user, "路灯", at, text, "城乡建设"]
    )
    return cells.getvalue()


def in_traditional_characters(text: str = TRADITIONAL) -> str:
    return row(text).translate(str.maketrans("灯乡设", "燈鄉設"))


def written(folder: Path, *parts: bytes) -> Path:
    file = folder / f"{uuid.uuid4().hex}.csv"
    file.write_bytes(b"".join(parts))
    return file


@pytest.fixture
def desk(http: httpx.AsyncClient, keys: Keys) -> Desk:
    """A desk of its own for each test: rows of other tests are not known there."""
    return Desk(http, keys)


# ---- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("most", "few"), [("gb18030", "utf-8"), ("utf-8", "gb18030")])
async def test_lines_of_another_encoding_are_faults_and_start_nothing(
    most: str, few: str, tmp_path: Path, desk: Desk
) -> None:
    """Of a file put together of two, the smaller part is told line by line; the rest is started, and reads as it was written."""
    user = f"user-{uuid.uuid4().hex[:8]}"
    lines = [row(user=user).encode(most) for _ in range(5)] + [row(user=user).encode(few) for _ in range(2)]
    report = await desk.imports(written(tmp_path, HEADER.encode(), *lines))

    assert (report.encoding, report.started) == (most, 5)
    assert [(fault.line, fault.field) for fault in report.refused] == [(7, "row"), (8, "row")]
    assert all(few in fault.reason for fault in report.refused)
    assert {entry.facts["description"] for entry in await desk.openings(user, 5)} == {f"路灯\n{SIMPLIFIED}"}


_TWO_HIGH_BYTES = [
    chr(code)
    for code in range(0x4E00, 0x9FA6)
    if (written_as := chr(code).encode("gb18030"))[0] >= 0xB0 and min(written_as) >= 0xA1
]
_HANZI = st.text(st.sampled_from(_TWO_HIGH_BYTES), min_size=3, max_size=40)
"""Chinese characters of GB2312: chosen among those, for most of all others would have to be thrown away."""


@given(
    st.lists(_HANZI, min_size=1, max_size=8),
    st.lists(_HANZI, min_size=1, max_size=8),
    st.permutations(("utf-8", "gb18030")),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_line_is_read_as_what_it_is_not(
    tmp_path: Path, ours: list[str], theirs: list[str], encodings: tuple[str, str]
) -> None:
    """However many lines of UTF-8 and GB18030 stand in a file, and in whatever order: what is read was written."""
    lines = [
        row(text).encode(encoding) for texts, encoding in zip((ours, theirs), encodings, strict=True) for text in texts
    ]
    read = read_messages(written(tmp_path, HEADER.encode(), *lines), ColumnMap())

    assert {message.description.removeprefix("路灯\n") for message in read.messages} <= {*ours, *theirs}
    assert len(read.messages) + len(read.faults) == len(lines)
    assert len(read.messages) >= len(lines) / 2


@pytest.mark.parametrize("most", ["gb18030", "utf-8"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("foreign", ["灯", "路灯", "路灯坏", SIMPLIFIED, "路灯 ABC 坏了三天", "“路灯”坏了"])
def test_a_cell_of_another_encoding_is_told_by_line_and_column(
    most: str, column: str, foreign: str, tmp_path: Path
) -> None:
    """One cell pasted from a file of another encoding: the row is a fault at that column, whichever and however short."""
    other = {"gb18030": "utf-8", "utf-8": "gb18030"}[most]
    cells = dict(zip(COLUMNS, ["编号一", "王小明", "路灯坏了", "二〇二六年", SIMPLIFIED, "城乡建设"], strict=True))
    said = ((foreign.encode(other) if name == column else cell.encode(most)) for name, cell in cells.items())
    line = b",".join(b'"' + cell + b'"' for cell in said)
    sound = [row().encode(most) for _ in range(3)]
    read = read_messages(written(tmp_path, HEADER.encode(), *sound, line + b"\n"), ColumnMap())

    assert (read.encoding, len(read.messages)) == (most, 3)
    assert {(fault.line, fault.field) for fault in read.faults} == {(5, column)}
    assert all("编码" in fault.reason for fault in read.faults)


@pytest.mark.parametrize("most", ["gb18030", "utf-8"])
@pytest.mark.parametrize("between", ["", " ", ","])
@pytest.mark.parametrize("foreign", ["路灯", "路灯坏了", SIMPLIFIED])
def test_a_cell_of_two_encodings_is_told(most: str, between: str, foreign: str, tmp_path: Path) -> None:
    """Also where the two stand side by side in one cell, before or behind: nothing of it is read as what nobody wrote."""
    other = {"gb18030": "utf-8", "utf-8": "gb18030"}[most]
    ours = f"{SIMPLIFIED}{between}".encode(most)
    sound = [row().encode(most) for _ in range(3)]
    for cell in (ours + foreign.encode(other), foreign.encode(other) + ours, ours + foreign.encode(other) + ours):
        line = b"1,u,s,2026-11-20," + b'"' + cell + b'",' + "城乡建设".encode(most) + b"\n"
        read = read_messages(written(tmp_path, HEADER.encode(), *sound, line), ColumnMap())
        assert (
            len(read.messages),
            {(fault.line, fault.field) for fault in read.faults} <= {(5, "text"), (5, "row")},
        ) == (3, True)
        assert read.faults


@given(st.lists(_HANZI, min_size=1, max_size=5), st.lists(_HANZI, min_size=1, max_size=5))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_file_whose_cells_are_of_two_encodings_is_read(tmp_path: Path, ours: list[str], theirs: list[str]) -> None:
    """Where every row has a cell of each, none is read, whichever comes first.

    With 区 at the end of each: some words of GB18030 are letters of another script in UTF-8, which no program can tell apart.
    """
    lines = [
        b"1,u," + f"{first}区".encode("gb18030") + b",," + second.encode() + b",x\n"
        for first, second in zip(ours, theirs, strict=False)
    ]
    try:
        read = read_messages(written(tmp_path, HEADER.encode(), *lines), ColumnMap())
    except UnreadableFile:
        return  # the whole of it looks like something else

    assert not read.messages
    assert len({fault.line for fault in read.faults}) == len(lines)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_text_that_lost_characters_before_is_told(encoding: str, tmp_path: Path) -> None:
    """What another program could not read it wrote as U+FFFD: told at its column, and not taken for what was written."""
    read = read_messages(
        written(tmp_path, (HEADER + row("路灯\ufffd\ufffd坏了") + row()).encode(encoding)), ColumnMap()
    )

    assert (len(read.messages), [(fault.line, fault.field) for fault in read.faults]) == (1, [(2, "text")])


@pytest.mark.parametrize("content", [
    (HEADER + in_traditional_characters() * 3).encode("big5"),
    (HEADER + "".join(in_traditional_characters("壞") for _ in range(20))).encode("big5"),
    (HEADER + row()).encode("utf-16"),
    (HEADER + row()).encode("utf-16-le"),
    (HEADER + row()).encode("utf-32"),
])  # fmt: skip
async def test_other_encodings_are_named_and_start_nothing(content: bytes, tmp_path: Path, desk: Desk) -> None:
    """Big5 and UTF-16 are refused as a whole, with the remedy, instead of being read as something else."""
    with pytest.raises(UnreadableFile, match="UTF-8"):
        await desk.imports(written(tmp_path, content))


def test_a_line_of_big5_among_others_is_a_fault(tmp_path: Path) -> None:
    """What was pasted from a file in Big5 is told at its line, and not read as characters that nobody wrote."""
    lines = [row().encode("gb18030") for _ in range(4)] + [in_traditional_characters().encode("big5")]
    read = read_messages(written(tmp_path, HEADER.encode(), *lines), ColumnMap())

    assert len(read.messages) == 4
    assert [(fault.line, "big5" in fault.reason) for fault in read.faults] == [(6, True)]


def test_traditional_characters_in_gb18030_are_no_big5(tmp_path: Path) -> None:
    """GB18030 has them too: what fits it as a text is not called Big5."""
    read = read_messages(written(tmp_path, (HEADER + row(TRADITIONAL) * 1).encode("gb18030")), ColumnMap())

    assert [message.description for message in read.messages] == [f"路灯\n{TRADITIONAL}"]


def test_a_header_of_another_encoding_is_told(tmp_path: Path) -> None:
    """Names of columns that would become something else refuse the file."""
    columns = ColumnMap(message_id="编号", text="留言内容", category=None, user=None, subject=None, submitted_at=None)
    lines = [f"{number},{SIMPLIFIED}\n".encode("gb18030") for number in range(3)]
    with pytest.raises(UnreadableFile, match="header is in another encoding"):
        read_messages(written(tmp_path, "编号,留言内容\n".encode(), *lines), columns)


@pytest.mark.parametrize("end", [b"\x1a", b"\r\n\x1a\r\n", b"\n\x1a\x1a\n"])
def test_the_mark_at_the_end_of_old_files_is_no_row(end: bytes, tmp_path: Path) -> None:
    """Ctrl-Z behind the last row is nothing; in the middle of a text it is a control character like any other."""
    read = read_messages(written(tmp_path, (HEADER + row()).encode().rstrip(b"\n"), end), ColumnMap())
    within = read_messages(written(tmp_path, (HEADER + row("前\x1a后") + row()).encode()), ColumnMap())

    assert (len(read.messages), read.faults) == (1, ())
    assert [(fault.line, fault.field) for fault in within.faults] == [(2, "text")]


# ---- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", ["text", " text ", "TEXT", "ｔｅｘｔ", "te\u200bxt", "text\u3000"])
async def test_a_column_that_stands_twice_refuses_the_file(second: str, tmp_path: Path, desk: Desk) -> None:
    """Whatever looks like the name of another column: no row is started, and the message names it."""
    header = f"message_id,user,subject,submitted_at,text,{second},category\n"
    with pytest.raises(UnreadableFile, match="text stands twice"):
        await desk.imports(written(tmp_path, (header + "1,u,s,2026-11-20,真正的内容,别的内容,环境卫生\n").encode()))


@pytest.mark.parametrize("doubled", ["reply", "replied_at", "message_id", "note"])
def test_a_column_that_stands_twice_refuses_a_file_of_replies(doubled: str, tmp_path: Path) -> None:
    """Also a column that nobody reads: which of the two was meant is not for the program to say."""
    names = [*COLUMNS, "reply", "replied_at", "note", doubled.upper()]
    with pytest.raises(UnreadableFile, match=f"{doubled} stands twice"):
        read_replies(written(tmp_path, (",".join(names) + "\n").encode()), ReplyColumns())


@pytest.mark.parametrize(("name", "content"), [
    ("map.csv", "道路,交通运输\n环卫,环境卫生\n道路 ,城乡建设\n"),
    ("map.csv", "道路,交通运输\n道\u200b路,城乡建设\n"),
    ("map.yaml", '道路: 交通运输\n"道路 ": 城乡建设\n'),
    ("map.yaml", "道路: 交通运输\n道路: 城乡建设\n"),
])  # fmt: skip
def test_a_category_that_is_mapped_twice_refuses_the_map(name: str, content: str, tmp_path: Path) -> None:
    """Of two lines for one category neither wins in silence."""
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"道路|twice"):
        read_category_map(file)


def test_a_map_of_two_encodings_is_refused(tmp_path: Path) -> None:
    """A map is small: every line of it must be sound."""
    file = written(tmp_path, "道路设施,交通运输\n".encode() * 2, "环境卫生类,环境卫生\n".encode("gb18030"))
    with pytest.raises(UnreadableFile, match="line 3"):
        read_category_map(file)


def test_columns_without_a_name_are_no_fault_and_rows_of_commas_are_no_rows(tmp_path: Path) -> None:
    """Blank heads shift nothing; blank cells behind a row are told with what to do; a row of nothing visible is no row."""
    header = HEADER.strip() + ",, \u200b\n"
    lines = [row().strip() + ",,\n", ",,,,,,,\n", "\u200b,\u3000,,,,,,\n", row().strip() + ",,,,\n"]
    read = read_messages(written(tmp_path, (header + "".join(lines)).encode()), ColumnMap())

    assert len(read.messages) == 1
    assert [(fault.line, fault.field) for fault in read.faults] == [(5, "row")]
    assert "remove empty cells at the end" in read.faults[0].remedy


@given(st.text(max_size=20))
def test_a_name_of_a_column_is_found_however_it_is_written(name: str) -> None:
    """The key of a name is its own key: no two columns that look the same are two."""
    assert column_key(column_key(name)) == column_key(name)
    assert column_key(f" {name}\u200b") == column_key(name)


# ---- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["message_id", "text", "category"])
@pytest.mark.parametrize("nothing", ["\u200b", "\u3164", "\u00ad\u2060", "\u202e ", "\ufeff"])
def test_a_cell_of_which_nothing_can_be_seen_is_blank(column: str, nothing: str, tmp_path: Path) -> None:
    """Invisible text is no message, no id and no category: told at its field."""
    cells = {"message_id": "1", "user": "u", "subject": "s", "submitted_at": "", "text": "正文", "category": "环境卫生"}
    line = ",".join((cells | {column: nothing}).values()) + "\n"
    read = read_messages(written(tmp_path, (HEADER + line).encode()), ColumnMap())

    assert [(fault.line, fault.field) for fault in read.faults] == [(2, column)]


async def test_a_damaged_id_is_told_and_starts_nothing(tmp_path: Path, desk: Desk) -> None:
    """A long number as a spreadsheet shows it is no id: each such row is a fault of its own, not a double of another."""
    ids = (
        "4.30281E+17",
        "4.30281E+17",
        "1.39123E+10",
        "1e+15",
        "４.3E+17",
        "4.30281E-17",
        "E+17",
        "43028119480307731X",
    )
    lines = [row(message_id=each, user="T05") for each in ids]
    report = await desk.imports(written(tmp_path, (HEADER + "".join(lines)).encode()))

    assert [(fault.line, fault.field) for fault in report.refused] == [(line, "message_id") for line in range(2, 7)]
    assert all("damaged" in fault.reason for fault in report.refused)
    assert report.started == 3


async def test_a_number_in_the_column_of_users_is_a_name(tmp_path: Path, desk: Desk, pool: asyncpg.Pool) -> None:
    """Numbers of people are kept closed, as the name; a code stands as the account. None of them stands in the open."""
    numbers = ("+8613912345678", "139-1234-5678", "320104480307731", "025-83123456", "13912345678@163.com")
    user = f"user-{uuid.uuid4().hex[:8]}"
    lines = [row(user=each) for each in (*numbers, user)]
    report = await desk.imports(written(tmp_path, (HEADER + "".join(lines)).encode()))
    await desk.openings(user, 1)
    kept = await pool.fetch(
        "select distinct reporter_subject from cases where reporter_subject = any($1)", [*numbers, user]
    )

    assert report.started == len(lines)
    assert {each["reporter_subject"] for each in kept} == {user}
    newest = [case.case_id async for case in desk.client().cases(procedure="incident")][: len(lines) * 3]
    facts = [(await desk.client().timeline(case_id))[0].facts for case_id in newest]
    assert {*numbers, user} <= {each["reporter"]["name"] for each in facts if each.get("reporter")}


# ---- dates ------------------------------------------------------------------------------------------------------------

_FIRST, _LAST = datetime(2004, 1, 1), datetime(2026, 12, 31)  # noqa: DTZ001 - town time is added
MOMENTS = st.datetimes(_FIRST, _LAST).map(lambda moment: moment.replace(second=0, microsecond=0))
WIDE = {48 + digit: 0xFF10 + digit for digit in range(10)} | {ord("/"): "／", ord(":"): "："}
FORMS: tuple[Callable[[datetime], str], ...] = (
    lambda at: f"{at:%Y-%m-%d %H:%M}",
    lambda at: f"{at.year}-{at.month}-{at.day} {at.hour}:{at:%M}",
    lambda at: f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M}:00",
    lambda at: f"{at.year}.{at.month:02}.{at.day:02} {at.hour}:{at:%M}",
    lambda at: f"{at.year}年{at.month}月{at.day}日 {at.hour}:{at:%M}",
    lambda at: f"{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute}分",
    lambda at: f"{at.year}年{at.month:02}月{at.day:02}日 星期{'一二三四五六日'[at.weekday()]} {at.hour}点{at.minute}分",
    lambda at: f"{at.year}/{at.month}/{at.day} {'上午' if at.hour < 12 else '下午'}{at.hour % 12 or 12}:{at:%M}",
    lambda at: f"{at.year}/{at.month}/{at.day} {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}",
    lambda at: f"{at.year}/{at.month}/{at.day} {at.hour}:{at:%M}".translate(WIDE),
    lambda at: f"{at:%Y%m%d%H%M}00",
    lambda at: f"{at.isoformat()}+08:00",
)  # fmt: skip


@given(MOMENTS, st.sampled_from(FORMS), st.sampled_from(["", " ", "\u200b", "\u3000", "\u00a0"]))
def test_a_date_in_any_spelling_is_its_moment(at: datetime, form: Callable[[datetime], str], around: str) -> None:
    """As spreadsheets and offices write it, in half or full width: the very minute, in the town's own time."""
    assert read_date(f"{around}{form(at)}{around}") == at.replace(tzinfo=SHANGHAI)


@given(
    st.dates(date(2004, 1, 1), date(2026, 12, 31)),
    st.sampled_from(["{0}-{1}-{2}", "{0}/{1}/{2}", "{0}.{1:02}.{2:02}", "{0}年{1}月{2}日"]),
)
def test_a_day_is_its_midnight(day: date, form: str) -> None:
    """A day without an hour begins at 00:00."""
    assert read_date(form.format(day.year, day.month, day.day)) == datetime(
        day.year, day.month, day.day, tzinfo=SHANGHAI
    )


@pytest.mark.parametrize(("text", "reason"), [
    ("2026-02-29", "no such day"), ("2026-13-01", "no such day"), ("2026年11月31日", "no such day"),
    ("2026-11-5 25:00", "no such day"), ("2026-11-5 9:75", "no such day"), ("2026-11-5 上午13:00", "no such day"),
    ("9999-12-31 24:00", "no such day"), ("46331", "serial number"), ("46331.395833", "serial number"),
    ("3026-11-05", "year"), ("0206-11-05", "year"),
])  # fmt: skip
async def test_what_is_no_day_is_told_with_its_remedy(text: str, reason: str, tmp_path: Path, desk: Desk) -> None:
    """A date that cannot be is a fault of its row: more may be wrong with it than the date."""
    report = await desk.imports(written(tmp_path, (HEADER + row(at=text) + row()).encode()))

    assert (report.started, [(fault.line, fault.field) for fault in report.refused]) == (1, [(2, "submitted_at")])
    assert reason in report.refused[0].reason
    assert report.refused[0].remedy


@pytest.mark.parametrize("text", ["5-Nov-26", "11/5/2026", "昨天上午", "26-11-5"])
async def test_a_date_that_nobody_can_read_costs_no_row(text: str, tmp_path: Path, desk: Desk) -> None:
    """The date is not kept: the row is started, and a warning says that its date was not read."""
    report = await desk.imports(written(tmp_path, (HEADER + row(at=text)).encode()))

    assert (report.started, report.refused, report.well) == (1, [], True)
    assert [(warning.line, warning.field) for warning in report.warnings] == [(2, "submitted_at")]


@given(st.text(st.sampled_from("0123456789-/.:年月日时分上下午 TZ+"), max_size=24))
def test_whatever_stands_where_a_date_is_to_be_is_read_or_told(text: str) -> None:
    """Nothing that looks a little like a date breaks the reading; what is read lies in a year that can be."""
    found = read_date(text)

    assert found is None or isinstance(found, NoDay) or 1949 <= found.year <= datetime.now(UTC).year + 1
