"""The messages of a file, row by row; a faulty row becomes faults with its line number and stops no other row."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import Field

from local.real.csv_records import (
    BrokenRecord,
    DecodedText,
    Record,
    UnreadableFile,
    column_key,
    column_names,
    decode,
    records,
)
from local.real.encodings import Encoding, Writing
from local.real.written_dates import NoDay, read_date
from schemas.values.free_text import TEXT_LIMIT
from schemas.values.model import Model
from schemas.values.refusals import say
from schemas.values.tidy_text import is_blank, tidy

_DAMAGED_ID = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+[0-9]{1,3}")
"""A long number as a spreadsheet shows it: its last digits are lost."""


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


_LOST = "\ufffd"
"""What programs write for a character that they could not read."""


@dataclass(frozen=True)
class ResidentMessage:
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
    """Why a row is not imported, or something of it is not read; and what to do about it."""

    line: int
    field: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class MessageFile:
    """What was read: what is fit, what is not, and in which encoding it stood.

    `warnings` are of rows that are fit without what could not be read of them.
    """

    messages: tuple[ResidentMessage, ...]
    faults: tuple[LineFault, ...]
    encoding: Encoding
    warnings: tuple[LineFault, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the file has, good and bad."""
        return len({message.line for message in self.messages} | {fault.line for fault in self.faults})


def read_messages(file: Path, columns: ColumnMap) -> MessageFile:
    """Read the whole file. All faults of a row are told at once.

    Raises:
        UnreadableFile: it is not there, not text, has no header, lacks a column that every message needs, or has two
            columns of one name.
    """
    decoded = decode(file)
    rows = records(decoded.text)
    header = next(rows, None)
    if not isinstance(header, Record):
        raise UnreadableFile(f"{file}: no header. The first line names the columns: {', '.join(columns.required)} …")
    names = column_names(file, header, decoded)
    missing = [name for name in columns.required if column_key(name) not in names]
    if missing:
        raise UnreadableFile(
            f"{file}: no column {', '.join(missing)}; it has {', '.join(names)}. Say with --map which column is what."
        )
    messages: list[ResidentMessage] = []
    faults: list[LineFault] = []
    warnings: list[LineFault] = []
    for read in _rows(rows, names, columns, decoded):
        if isinstance(read, _Read):
            messages.append(read.message)
            warnings.extend(read.warnings)
        else:
            faults.extend(read)
    return MessageFile(tuple(messages), tuple(faults), decoded.encoding, tuple(warnings))


@dataclass(frozen=True)
class _Read:
    """A message, and what could not be read of its row."""

    message: ResidentMessage
    warnings: tuple[LineFault, ...] = ()


def _rows(
    rows: Iterator[Record | BrokenRecord], names: list[str], columns: ColumnMap, decoded: DecodedText
) -> Iterator[_Read | list[LineFault]]:
    first_seen: dict[tuple[str, str], int] = {}
    for record in rows:
        if isinstance(record, BrokenRecord):
            words = ("引号未闭合", "a quote is not closed") if record.swallowed else ("引号有误", "a quote too many")
            remedy = say("补上引号,文中的引号写两遍", "close it; a quote inside a field is written twice")
            yield [LineFault(record.line, "row", say(*words), remedy)]
        elif (writing := decoded.broken_within(record.line, record.last_line)) is not None:
            yield _of_another_encoding(record, writing, names)
        elif len(record.fields) != len(names):
            yield [_not_so_many_columns(record, len(names))]
        else:
            read = _message(record.line, dict(zip(names, record.fields, strict=True)), columns)
            yield _unless_seen(read, first_seen) if isinstance(read, _Read) else read


def _of_another_encoding(record: Record, writing: Writing, names: list[str]) -> list[LineFault]:
    """Told at the cells in which it stands, where only some of the row are written otherwise."""
    remedy = say("另存为UTF-8", "save the file as UTF-8")
    if writing is Writing.UNKNOWN:
        return [LineFault(record.line, "row", say("含有无法识别的字节", "bytes that are not text"), remedy)]
    cells = [name for name, cell in zip(names, record.fields, strict=False) if _LOST in cell]
    if writing is Writing.MIXED and cells and len(record.fields) == len(names):
        reason = say(f"编码与同一行的其他内容不同:{writing}", f"another encoding than the rest of its row: {writing}")
        remedy = say("请从原系统重新导出,另存为UTF-8", "export it again, as UTF-8")
        return [LineFault(record.line, name or "row", reason, remedy) for name in cells]
    reason = say(f"编码与其他行不同,像是{writing}", f"another encoding than the rest: {writing}, as it seems")
    return [LineFault(record.line, "row", reason, remedy)]


def _not_so_many_columns(record: Record, expected: int) -> LineFault:
    found = len(record.fields)
    reason = say(f"有{found}列,应为{expected}列", f"{found} columns instead of {expected}")
    if found > expected and all(is_blank(cell) for cell in record.fields[expected:]):
        remedy = say("请删除行末的空单元格", "remove empty cells at the end")
    else:
        remedy = say("检查逗号和引号", "look for a comma or a quote too many or too few")
    return LineFault(record.line, "row", reason, remedy)


def _unless_seen(read: _Read, first_seen: dict[tuple[str, str], int]) -> _Read | list[LineFault]:
    # One message filed under two categories is two cases: that is why the category belongs to the key.
    message = read.message
    first = first_seen.setdefault((tidy(message.message_id), tidy(message.category)), message.line)
    if first == message.line:
        return read
    reason = say(f"编号与类别同第{first}行", f"the same id and category as line {first}")
    return [LineFault(message.line, "message_id", reason, say("删除此行或改正编号", "remove the row or mend its id"))]


def cell_of(row: Mapping[str, str], column: str | None) -> str:
    """What stands in a column, without blanks around it; empty when there is no such column, or nothing that can be seen."""
    cell = row.get(column_key(column), "") if column is not None else ""
    return "" if is_blank(cell) else cell.strip()


def _message(line: int, row: Mapping[str, str], columns: ColumnMap) -> _Read | list[LineFault]:
    """The message of a row, or everything that is wrong with it."""
    message_id, text = cell_of(row, columns.message_id), cell_of(row, columns.text)
    category = cell_of(row, columns.category) or (columns.default_category or "")
    description = "\n".join(part for part in (cell_of(row, columns.subject), text) if part)
    submitted_at = read_date(cell_of(row, columns.submitted_at))
    faults = [
        *_blanks(line, {"message_id": message_id, "text": text, "category": category}),
        *_damaged(line, message_id),
        *_control_characters(line, row),
        *_lost_characters(line, row),
        *_too_long(line, description),
    ]
    no_day = (
        [LineFault(line, "submitted_at", submitted_at.reason, submitted_at.remedy)]
        if isinstance(submitted_at, NoDay)
        else []
    )
    # The date is not kept: one of a form that nobody knows costs no row. One that cannot be tells of a row that is damaged.
    unread = isinstance(submitted_at, NoDay) and submitted_at.form
    if faults or (no_day and not unread):
        return [*faults, *no_day]
    message = ResidentMessage(
        line=line,
        message_id=message_id,
        user=cell_of(row, columns.user) or None,
        description=description,
        category=category,
        location=cell_of(row, columns.location) or None,
        submitted_at=None if isinstance(submitted_at, NoDay) else submitted_at,
    )
    return _Read(message, tuple(no_day))


def _damaged(line: int, message_id: str) -> list[LineFault]:
    if not _DAMAGED_ID.fullmatch(tidy(message_id)):
        return []
    reason = say(
        "编号已被表格软件改成科学计数法,末位已丢失", "damaged by a spreadsheet: the last digits of the id are lost"
    )
    remedy = say("请从原系统重新导出,并将该列设为文本", "export it again, with the column as text")
    return [LineFault(line, "message_id", reason, remedy)]


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


def _lost_characters(line: int, row: Mapping[str, str]) -> list[LineFault]:
    reason = say("有字符在转换时丢失", "characters that a conversion has lost, U+FFFD")
    remedy = say("请从原系统重新导出", "export it again from where it comes")
    return [LineFault(line, name, reason, remedy) for name, content in row.items() if _LOST in content]


def _too_long(line: int, description: str) -> list[LineFault]:
    length = len(description)
    if length <= TEXT_LIMIT:
        return []
    reason = say(
        f"标题与正文共{length}字,上限{TEXT_LIMIT}字",
        f"subject and text have {length} characters, the limit is {TEXT_LIMIT}",
    )
    return [LineFault(line, "text", reason, say("请缩短", "shorten it"))]
