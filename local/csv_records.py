"""CSV as people save it: UTF-8 with or without BOM, or GB18030; each record with its line, and none stops another."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.mendable import Mendable

_LINE_ENDS = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
_LINE_ENDS_IN_BYTES = re.compile(rb"(?<=\n)|(?<=\r)(?!\n)")
Encoding = Literal["utf-8", "gb18030"]


class UnreadableFile(Mendable):
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
    """A file as text. `broken_lines` have bytes that do not belong to the encoding."""

    text: str
    encoding: Encoding
    broken_lines: frozenset[int]


def decode(file: Path) -> DecodedText:
    """Read a file in the encoding it is in. Raises UnreadableFile."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{file}: {error.strerror}. Name a file that can be read.") from error
    beginning = content[:1000]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or beginning.count(0) > len(beginning) // 4:
        raise UnreadableFile(f"{file}: UTF-16, or not a text at all. Save it as CSV in UTF-8.")
    # Line by line: Chinese in GB18030 is hardly ever valid UTF-8, so that one broken byte cannot turn the encoding of a
    # whole file.
    lines = _LINE_ENDS_IN_BYTES.split(content.removeprefix(b"\xef\xbb\xbf"))
    beyond_ascii = [number for number, line in enumerate(lines, start=1) if not line.isascii()]
    broken = [number for number in beyond_ascii if not _is(lines[number - 1], "utf-8")]
    if len(broken) * 2 > len(beyond_ascii) and _is(content, "gb18030"):
        return DecodedText(content.decode("gb18030"), "gb18030", frozenset())
    return DecodedText(content.decode("utf-8-sig", errors="replace"), "utf-8", frozenset(broken))


def _is(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


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
        if any(field.strip() for field in fields):
            columns = columns or len(fields)
            yield Record(line, position, fields)


def _from(lines: Sequence[str], position: int) -> Iterator[str]:
    for number in range(position, len(lines)):
        yield lines[number]
