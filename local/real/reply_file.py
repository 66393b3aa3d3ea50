"""A file of residents' messages with the reply that each one got, and when: what `jiceng replies` plays."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from local.real.csv_records import Record, UnreadableFile, column_key, column_names, decode, records
from local.real.message_file import ColumnMap, LineFault, ResidentMessage, cell_of, read_messages
from local.real.written_dates import NoDay, read_date
from schemas.values.free_text import TEXT_LIMIT
from schemas.values.refusals import say
from schemas.values.tidy_text import is_blank

CATEGORY = "网民留言"
"""What a row without a category is reported as. It is on no responsibility list, so the coordination centre has it."""


class ReplyColumns(ColumnMap):
    """Which column of the file is what. The defaults are the columns of a message board that was answered in public."""

    source: str = "replies"
    default_category: str | None = CATEGORY
    reply: str = "reply"
    replied_at: str = "replied_at"


@dataclass(frozen=True)
class Answered:
    """A message and its reply, with the dates that both really had."""

    message: ResidentMessage
    submitted_at: datetime
    reply: str
    replied_at: datetime

    @property
    def length(self) -> timedelta:
        """From the message to its reply."""
        return self.replied_at - self.submitted_at


@dataclass(frozen=True)
class ReplyFile:
    """What was read: what can be played, and what not."""

    answered: tuple[Answered, ...]
    faults: tuple[LineFault, ...]

    @property
    def rows(self) -> int:
        """How many rows the file has, good and bad."""
        return len(self.answered) + len({fault.line for fault in self.faults})


def read_replies(file: Path, columns: ReplyColumns) -> ReplyFile:
    """Read the whole file. All faults of a row are told at once.

    Raises:
        UnreadableFile: as for messages, and when there is no column of replies or of their dates.
    """
    messages = read_messages(file, columns)
    cells = _cells(file, columns)
    answered: list[Answered] = []
    faults = list(messages.faults)
    for message in messages.messages:
        read = _answered(message, cells[message.line], columns)
        if isinstance(read, Answered):
            answered.append(read)
        else:
            faults.extend(read)
    return ReplyFile(tuple(answered), tuple(sorted(faults, key=lambda fault: fault.line)))


def _cells(file: Path, columns: ReplyColumns) -> Mapping[int, Mapping[str, str]]:
    decoded = decode(file)
    rows = [record for record in records(decoded.text) if isinstance(record, Record)]
    names = column_names(file, rows[0], decoded)
    needed = (columns.reply, columns.replied_at, str(columns.submitted_at))
    if missing := [name for name in needed if column_key(name) not in names]:
        raise UnreadableFile(f"{file}: no column {', '.join(missing)}; it has {', '.join(names)}.")
    return {row.line: dict(zip(names, row.fields, strict=False)) for row in rows[1:]}


def _answered(message: ResidentMessage, row: Mapping[str, str], columns: ReplyColumns) -> Answered | list[LineFault]:
    reply = row[column_key(columns.reply)]
    replied_at = read_date(cell_of(row, columns.replied_at))
    faults = list(_reply_faults(message.line, reply))
    for name, moment in ((columns.submitted_at or "", message.submitted_at), (columns.replied_at, replied_at)):
        if isinstance(moment, NoDay):
            faults.append(LineFault(message.line, name, moment.reason, moment.remedy))
        elif moment is None:
            remedy = say("写成2019-07-05T11:56:23+08:00", "write 2019-07-05T11:56:23+08:00")
            faults.append(
                LineFault(message.line, name, say("没有日期或无法识别", "no date, or none to be read"), remedy)
            )
    if message.submitted_at is None or not isinstance(replied_at, datetime):
        return faults
    if replied_at <= message.submitted_at:
        reason = say("答复早于留言", "the reply is before the message")
        faults.append(LineFault(message.line, columns.replied_at, reason, say("改正日期", "mend the date")))
    return faults or Answered(message, message.submitted_at, reply, replied_at)


def _reply_faults(line: int, reply: str) -> Iterator[LineFault]:
    if is_blank(reply):
        yield LineFault(line, "reply", say("为空", "blank"), say("请填写", "fill it in"))
    if len(reply) > TEXT_LIMIT:
        reason = say(f"共{len(reply)}字,上限{TEXT_LIMIT}字", f"{len(reply)} characters, the limit is {TEXT_LIMIT}")
        yield LineFault(line, "reply", reason, say("请缩短", "shorten it"))
    if any(unicodedata.category(each) == "Cc" and each not in "\n\r\t" for each in reply):
        yield LineFault(line, "reply", say("含控制字符", "control characters"), say("请删除", "remove them"))
