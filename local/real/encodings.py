"""In which encoding a line is written, by its bytes alone: each line by itself, for files are put together from others."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

Encoding = Literal["utf-8", "gb18030"]
"""What a file may be in."""

_TWO_BYTES = "\u07ff"
"""Up to here UTF-8 takes two bytes, as GB18030 does; Chinese takes three."""

_BIG5_PAIRS_AT_LEAST = 8
_BIG5_LOW_SHARE, _BIG5_COMMON_SHARE = 0.15, 0.9
_BIG5_COMMON = range(0xA1, 0xC7)
"""First bytes of punctuation and of the 5,401 characters in frequent use."""
_HIGH = 0xA1
_BEYOND_ASCII = 0x80

_BETWEEN_WORDS = re.compile(rb"([\x00-\x2f\x3a-\x3f]+)")
"""No byte of a character of GB18030 or Big5 is one of these: commas, quotes, blanks. What stands between them is one writing."""
_CHINESE_UTF_8 = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc\xbd][\x80-\xbf]){2,}")
_BEYOND_GB2312 = re.compile(rb"[\x80-\xa0]")
_SURELY = 9
"""So many bytes are three characters of UTF-8, and GB18030 by chance once in a million."""


class Writing(StrEnum):
    """How a line with characters beyond ASCII is written."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"
    EITHER = "either"
    BIG5 = "big5"
    MIXED = "utf-8 + gb18030"
    UNKNOWN = "unknown"


OTHER: Mapping[Encoding, frozenset[Writing]] = {
    "utf-8": frozenset({Writing.GB18030, Writing.BIG5, Writing.MIXED, Writing.UNKNOWN}),
    "gb18030": frozenset({Writing.UTF_8, Writing.BIG5, Writing.MIXED, Writing.UNKNOWN}),
}
"""What does not belong into a file of this encoding."""


def writing_of(line: bytes) -> Writing:
    """How a line is written.

    Chinese in GB18030 is hardly ever valid UTF-8 of three bytes a character (of three characters one in 30,000); of two
    bytes a character, one or two Chinese characters can be: those are EITHER, and as the rest of the file.
    """
    as_utf_8, as_gb18030 = _decoded(line, "utf-8"), _decoded(line, "gb18030")
    if as_utf_8 is not None:
        return Writing.EITHER if as_gb18030 is not None and max(as_utf_8) <= _TWO_BYTES else Writing.UTF_8
    if looks_like_big5(line):
        return Writing.BIG5
    found = {_word_writing(word) for word in _BETWEEN_WORDS.split(line) if not word.isascii()}
    if Writing.MIXED in found or {Writing.UTF_8, Writing.GB18030} <= found:
        return Writing.MIXED
    return Writing.GB18030 if as_gb18030 is not None else Writing.UNKNOWN


def decoded_by_words(line: bytes, encoding: Encoding) -> str:
    """A line of several writings: what is of the encoding as text, and each word that is not as one U+FFFD."""
    return "".join(
        "\ufffd" if _word_writing(word) in OTHER[encoding] else word.decode(encoding, errors="replace")
        for word in _BETWEEN_WORDS.split(line)
    )


def _word_writing(word: bytes) -> Writing:
    """How a piece without commas, quotes and blanks is written; MIXED: of GB18030, with characters of UTF-8 among it."""
    as_utf_8, as_gb18030 = _decoded(word, "utf-8"), _decoded(word, "gb18030")
    if as_utf_8 is not None:
        return Writing.EITHER if as_gb18030 is not None and max(as_utf_8, default="") <= _TWO_BYTES else Writing.UTF_8
    if any(_is_utf_8(found[0]) for found in _CHINESE_UTF_8.finditer(word)):
        return Writing.MIXED
    return Writing.GB18030 if as_gb18030 is not None else Writing.UNKNOWN


def _is_utf_8(stretch: bytes) -> bool:
    return len(stretch) >= _SURELY or _BEYOND_GB2312.search(stretch) is not None


def _decoded(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def looks_like_big5(line: bytes) -> bool:
    """Whether Big5 fits one or many lines, and GB18030 would be nonsense.

    Such has second bytes that simplified characters do not have, behind first ones of frequent traditional characters.
    """
    if _decoded(line, "big5") is None:
        return False
    pairs = _pairs(line)
    if len(pairs) < _BIG5_PAIRS_AT_LEAST:
        return False
    low = sum(second < _HIGH for _, second in pairs)
    common = sum(first in _BIG5_COMMON for first, _ in pairs)
    return low >= len(pairs) * _BIG5_LOW_SHARE and common >= len(pairs) * _BIG5_COMMON_SHARE


def _pairs(line: bytes) -> list[tuple[int, int]]:
    """The characters beyond ASCII, each of two bytes."""
    rest = iter(line)
    return [(first, next(rest, _HIGH)) for first in rest if first >= _BEYOND_ASCII]
