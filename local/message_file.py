"""The messages of a file, row by row; a faulty row becomes faults with its line number and stops no other row."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from pydantic import Field

from local.csv_records import BrokenRecord, Encoding, Record, UnreadableFile, decode, records
from schemas.calendar import SHANGHAI
from schemas.free_text import TEXT_LIMIT
from schemas.model import Model
from schemas.refusals import say

_OTHER_DATES = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y年%m月%d日")


class ColumnMap(Model):
    """Which column of the file is what. The defaults are the columns of a government's message board.

    `source` stands in the row keys: files of one source know each other's rows, wherever they lie. `default_category`
    is for files without a category column.
    """

    source: str = Field(default="messages", pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    message_id: str = "message_id"
    text: str = "text"
    user: str | None = "user"
    subject: str | None = "subject"
    submitted_at: str | None = "submitted_at"
    category: str | None = "category"
    location: str | None = None
    default_category: str | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which no row is a message."""
        category = () if self.category is None or self.default_category is not None else (self.category,)
        return (self.message_id, self.text, *category)


@dataclass(frozen=True)
class Message:
    """One row that is fit to be reported. `line` is where it begins in the file, the header being line 1."""

    line: int
    message_id: str
    user: str | None
    description: str
    category: str
    location: str | None
    submitted_at: datetime | None


@dataclass(frozen=True)
class LineFault:
    """Why a row is not imported, and what to do about it."""

    line: int
    field: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class MessageFile:
    """What was read: what is fit, what is not, and in which encoding it stood."""

    messages: tuple[Message, ...]
    faults: tuple[LineFault, ...]
    encoding: Encoding

    @property
    def rows(self) -> int:
        """How many rows the file has, good and bad."""
        return len({message.line for message in self.messages} | {fault.line for fault in self.faults})


def read_messages(file: Path, columns: ColumnMap) -> MessageFile:
    """Read the whole file. All faults of a row are told at once.

    Raises:
        UnreadableFile: it is not there, not text, has no header, or lacks a column that every message needs.
    """
    decoded = decode(file)
    rows = records(decoded.text)
    header = next(rows, None)
    if not isinstance(header, Record):
        raise UnreadableFile(f"{file}: no header. The first line names the columns: {', '.join(columns.required)} …")
    names = [name.strip() for name in header.fields]
    missing = [name for name in columns.required if name not in names]
    if missing:
        raise UnreadableFile(
            f"{file}: no column {', '.join(missing)}; it has {', '.join(names)}. Say with --map which column is what."
        )
    messages: list[Message] = []
    faults: list[LineFault] = []
    for read in _rows(rows, names, columns, decoded.broken_lines):
        if isinstance(read, Message):
            messages.append(read)
        else:
            faults.extend(read)
    return MessageFile(tuple(messages), tuple(faults), decoded.encoding)


def _rows(
    rows: Iterator[Record | BrokenRecord], names: list[str], columns: ColumnMap, broken_lines: frozenset[int]
) -> Iterator[Message | list[LineFault]]:
    first_seen: dict[tuple[str, str], int] = {}
    for record in rows:
        if isinstance(record, BrokenRecord):
            words = ("引号未闭合", "a quote is not closed") if record.swallowed else ("引号有误", "a quote too many")
            remedy = say("补上引号,文中的引号写两遍", "close it; a quote inside a field is written twice")
            yield [LineFault(record.line, "row", say(*words), remedy)]
        elif not broken_lines.isdisjoint(range(record.line, record.last_line + 1)):
            reason = say("含有无法识别的字节", "bytes that are not text")
            yield [LineFault(record.line, "row", reason, say("另存为UTF-8", "save the file as UTF-8"))]
        elif len(record.fields) != len(names):
            found, expected = len(record.fields), len(names)
            reason = say(f"有{found}列,应为{expected}列", f"{found} columns instead of {expected}")
            remedy = say("检查逗号和引号", "look for a comma or a quote too many or too few")
            yield [LineFault(record.line, "row", reason, remedy)]
        else:
            read = _message(record.line, dict(zip(names, record.fields, strict=True)), columns)
            yield _unless_seen(read, first_seen) if isinstance(read, Message) else read


def _unless_seen(message: Message, first_seen: dict[tuple[str, str], int]) -> Message | list[LineFault]:
    # One message filed under two categories is two cases: that is why the category belongs to the key.
    first = first_seen.setdefault((message.message_id, message.category), message.line)
    if first == message.line:
        return message
    reason = say(f"编号与类别同第{first}行", f"the same id and category as line {first}")
    return [LineFault(message.line, "message_id", reason, say("删除此行或改正编号", "remove the row or mend its id"))]


class _Date(Enum):
    UNREADABLE = "unreadable"


def _message(line: int, row: Mapping[str, str], columns: ColumnMap) -> Message | list[LineFault]:
    """The message of a row, or everything that is wrong with it."""

    def value(column: str | None) -> str:
        return row.get(column, "").strip() if column is not None else ""

    message_id, text = value(columns.message_id), value(columns.text)
    category = value(columns.category) or (columns.default_category or "")
    description = "\n".join(part for part in (value(columns.subject), text) if part)
    submitted_at = _moment(value(columns.submitted_at))
    faults = [
        *_blanks(line, {"message_id": message_id, "text": text, "category": category}),
        *_control_characters(line, row),
        *_too_long(line, description),
    ]
    if isinstance(submitted_at, _Date):
        remedy = say("写成2026-11-21T09:30:00+08:00", "write 2026-11-21T09:30:00+08:00")
        return [*faults, LineFault(line, "submitted_at", say("日期无法识别", "not a date"), remedy)]
    if faults:
        return faults
    return Message(
        line=line,
        message_id=message_id,
        user=value(columns.user) or None,
        description=description,
        category=category,
        location=value(columns.location) or None,
        submitted_at=submitted_at,
    )


def _blanks(line: int, needed: Mapping[str, str]) -> list[LineFault]:
    return [
        LineFault(line, name, say("为空", "blank"), say("请填写", "fill it in"))
        for name, content in needed.items()
        if not content
    ]


def _control_characters(line: int, row: Mapping[str, str]) -> list[LineFault]:
    faults = []
    for name, content in row.items():
        codes = sorted({ord(each) for each in content if unicodedata.category(each) == "Cc" and each not in "\n\r\t"})
        if codes:
            found = ", ".join(f"U+{code:04X}" for code in codes)
            reason = say(f"含控制字符{found}", f"control characters {found}")
            faults.append(LineFault(line, name, reason, say("请删除", "remove them")))
    return faults


def _too_long(line: int, description: str) -> list[LineFault]:
    length = len(description)
    if length <= TEXT_LIMIT:
        return []
    reason = say(
        f"标题与正文共{length}字,上限{TEXT_LIMIT}字",
        f"subject and text have {length} characters, the limit is {TEXT_LIMIT}",
    )
    return [LineFault(line, "text", reason, say("请缩短", "shorten it"))]


def _moment(text: str) -> datetime | _Date | None:
    """A date as files have it; one without an offset is meant in the town's time zone."""
    if not text:
        return None
    return read_moment(text) or _Date.UNREADABLE


def read_moment(text: str) -> datetime | None:
    """A date as files have it; None where it is none."""
    moment = _parsed(text)
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass  # not the one form that is meant for machines; people's own follow
    for form in _OTHER_DATES:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the town's zone
        except ValueError:
            continue
    return None
