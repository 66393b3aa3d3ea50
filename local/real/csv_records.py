"""CSV as people save it: UTF-8 with or without BOM, or GB18030; each record with its line, and none stops another."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.operator_error import OperatorError
from local.real.encodings import OTHER, Encoding, Writing, decoded_by_words, looks_like_big5, writing_of
from schemas.values.tidy_text import is_blank, tidy

_LINE_ENDS = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
_LINE_ENDS_IN_BYTES = re.compile(rb"(?<=\n)|(?<=\r)(?!\n)")
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_END_OF_FILE = re.compile(rb"(?:\x1a\s*)+\Z")
"""Ctrl-Z: with it programs of old ended a text; what stands behind it is nothing."""


class UnreadableFile(OperatorError):
    """Nothing of the file can be imported; the message says why and what to do."""


@dataclass(frozen=True)
class Record:
    """The fields of one row, which may reach over several lines; lines are counted from 1."""

    line: int
    last_line: int
    fields: list[str]


@dataclass(frozen=True)
class BrokenRecord:
    """What stands at this line has quotes where none can be; `swallowed`: one was opened and not closed on the line."""

    line: int
    swallowed: bool


@dataclass(frozen=True)
class DecodedText:
    """A file as text. `broken`: lines that are not of its encoding, and what they are of instead.

    Of a line of several writings, what is not of the file's stands in the text as U+FFFD, in the cell in which it was.
    """

    text: str
    encoding: Encoding
    broken: Mapping[int, Writing]

    def broken_within(self, first: int, last: int) -> Writing | None:
        """How the first broken one of these lines is written; None when all are sound."""
        return next((self.broken[line] for line in range(first, last + 1) if line in self.broken), None)


def decode(file: Path) -> DecodedText:
    """Read a file in the encoding that most of its lines are in. Raises UnreadableFile."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{file}: {error.strerror}. Name a file that can be read.") from error
    beginning = content[:1000]
    if content.startswith(_UTF_16_MARKS) or beginning.count(0) > len(beginning) // 4:
        raise UnreadableFile(f"{file}: UTF-16, or not a text at all. Save it as CSV in UTF-8.")
    content = _END_OF_FILE.sub(b"", content.removeprefix(b"\xef\xbb\xbf"))
    # Line by line: one broken byte cannot turn the encoding of a whole file, nor lines that were pasted behind it.
    lines = _LINE_ENDS_IN_BYTES.split(content)
    written = {number: writing_of(line) for number, line in enumerate(lines, start=1) if not line.isascii()}
    counts = {each: list(written.values()).count(each) for each in Writing}
    foreign = b"\n".join(lines[number - 1] for number, each in written.items() if each in OTHER["utf-8"])
    if counts[Writing.BIG5] > sum(counts.values()) // 2 or (not counts[Writing.UTF_8] and looks_like_big5(foreign)):
        raise UnreadableFile(f"{file}: Big5, as it seems. Save it as CSV in UTF-8.")
    encoding: Encoding = "gb18030" if counts[Writing.GB18030] > counts[Writing.UTF_8] else "utf-8"
    broken = {number: each for number, each in written.items() if each in OTHER[encoding]}
    text = "".join(
        decoded_by_words(line, encoding)
        if broken.get(number) is Writing.MIXED
        else line.decode(encoding, errors="replace")
        for number, line in enumerate(lines, start=1)
    )
    return DecodedText(text, encoding, broken)


def read_text(file: Path) -> str:
    """A small file of which every line must be sound, such as a map. Raises UnreadableFile."""
    decoded = decode(file)
    if decoded.broken:
        lines = ", ".join(map(str, decoded.broken))
        raise UnreadableFile(f"{file}: line {lines}: another encoding than the rest. Save the whole file as UTF-8.")
    return decoded.text


def column_names(file: Path, header: Record, decoded: DecodedText) -> list[str]:
    """The names in a header, tidy; columns without a name have a blank one. Raises UnreadableFile: one stands twice."""
    if decoded.broken_within(header.line, header.last_line):
        raise UnreadableFile(f"{file}: the header is in another encoding than the rest. Save the whole file as UTF-8.")
    names = [column_key(name) for name in header.fields]
    doubled = [name for place, name in enumerate(names) if name and name in names[:place]]
    if doubled:
        raise UnreadableFile(
            f"{file}: 列名重复 column {', '.join(dict.fromkeys(doubled))} stands twice. "
            "请删除或改名 Remove one of the columns, or give it another name."
        )
    return names


def column_key(name: str) -> str:
    """By what the name of a column is found: two that look the same are the same. Blank when nothing of it can be seen."""
    return "" if is_blank(name) else tidy(name).casefold()


def records(text: str) -> Iterator[Record | BrokenRecord]:
    """Every row with the line it begins at, the header first; blank lines are left out.

    A quote that is never closed swallows what follows, until another quote or the end of the file. The rows after it
    are read all the same, by starting anew at the next line.
    """
    lines = _LINE_ENDS.split(text)
    columns: int | None = None
    position = 0
    while position < len(lines):
        line = position + 1
        reader = csv.reader(_from(lines, position), strict=True)
        try:
            fields = next(reader, [])
        except csv.Error:
            fields = None
        several_lines = reader.line_num > 1
        # Over several lines and not as wide as the header: a quote that was opened has swallowed rows.
        if fields is None or (several_lines and columns not in {None, len(fields)}):
            yield BrokenRecord(line, swallowed=several_lines)
            position += 1
            continue
        position += max(reader.line_num, 1)
        if not all(is_blank(field) for field in fields):
            columns = columns or len(fields)
            yield Record(line, position, fields)


def _from(lines: Sequence[str], position: int) -> Iterator[str]:
    for number in range(position, len(lines)):
        yield lines[number]
