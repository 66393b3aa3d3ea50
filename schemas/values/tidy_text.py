"""What of a text can be seen: whether there is anything, and the one form in which names and codes are kept.

Free text is only judged (`is_blank`) and stays as it was written: joiners of emoji and of whole scripts, variants of
characters and marks of direction belong to it. Names and codes are brought into one form (`tidy`), so that what looks the
same is the same: Unicode's NFKC, nothing invisible, no blanks around it and single ones inside.
"""

import unicodedata

from pydantic_core import PydanticCustomError

_INVISIBLE_RANGES = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
    (0x2065, 0x2065),
    (0x2800, 0x2800),  # the blank of Braille
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # Hangul filler, half width
    (0xFFF0, 0xFFF8),
    (0xFFFC, 0xFFFC),  # where a picture stood that was not copied
    (0x1D159, 0x1D159),  # the note without a head
    (0xE0000, 0xE0FFF),  # tags and more variation selectors
)
"""What draws nothing although its category is not Cf: Unicode's Default_Ignorable_Code_Point, and three blanks that are signs."""

_INVISIBLE = frozenset(chr(code) for first, last in _INVISIBLE_RANGES for code in range(first, last + 1))

_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Of category Cf and drawn: Arabic and other signs that enclose the digits behind them."""

DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode's Bidi_Control: they turn what stands behind them, also what is no part of the text."""

_JOINERS = frozenset("\u200c\u200d")
_JOINED_RANGES = ((0x0600, 0x109F), (0x1780, 0x18AF), (0xA840, 0xA87F), (0xA8E0, 0xA8FF))
"""Scripts in which a joiner or its absence is spelling: Arabic (Uyghur, Kazakh), those of India, Tibetan, Mongolian …"""

_MONGOLIAN = (0x1800, 0x18AF)
_LINE_BLANKS = frozenset("\t\n\r")


def is_invisible(character: str) -> bool:
    """Whether a character, alone, draws nothing and is no blank either."""
    if character in _VISIBLE_FORMATS:
        return False
    return character in _INVISIBLE or unicodedata.category(character) == "Cf"


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen: blanks of any kind, controls, and what is invisible."""
    return all(unicodedata.category(each)[0] == "Z" or _is_control(each) or is_invisible(each) for each in text)


def tidy(text: str) -> str:
    """A name or code as it is kept. Nothing that can be seen is lost; controls stay, to be refused by who checks."""
    # Nearly every code is plain, each time that a case is read: of it only blanks can be too many.
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    plain = unicodedata.normalize("NFKC", text)
    seen = "".join(each for place, each in enumerate(plain) if not is_invisible(each) or _belongs(plain, place))
    words = "".join(" " if each in _LINE_BLANKS or unicodedata.category(each)[0] == "Z" else each for each in seen)
    return " ".join(word for word in words.split(" ") if word)


def without_directions(text: str) -> str:
    """A text as a public page shows it: whoever wrote it turns nothing that stands beside it."""
    return "".join(each for each in text if each not in DIRECTIONS)


def checked_name(text: str) -> str:
    """A name in its one form. Raises PydanticCustomError: blank, or with a control character."""
    name = stated(text)
    if is_blank(name):
        raise PydanticCustomError("blank", "is blank")
    return name


def stated(text: str) -> str:
    """What was stated, in its one form; empty when it was nothing. Raises PydanticCustomError: with a control character."""
    name = tidy(text)
    if any(_is_control(each) for each in name):
        raise PydanticCustomError("control_character", "has a control character")
    return "" if is_blank(name) else name


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _belongs(text: str, place: int) -> bool:
    """Whether an invisible character is part of how its neighbours are written."""
    before = text[place - 1] if place else ""
    behind = text[place + 1] if place + 1 < len(text) else ""
    if not before:
        return False
    if text[place] in _JOINERS:
        return bool(behind) and _joined(before) and _joined(behind)
    if _is_within(text[place], (0x180B, 0x180F)):
        return _is_within(before, _MONGOLIAN) and not is_invisible(before)
    return _is_selector(text[place]) and unicodedata.category(before)[0] in "LNS"


def _is_selector(character: str) -> bool:
    return _is_within(character, (0xFE00, 0xFE0F)) or _is_within(character, (0xE0100, 0xE01EF))


def _joined(character: str) -> bool:
    return not is_invisible(character) and any(_is_within(character, each) for each in _JOINED_RANGES)


def _is_within(character: str, span: tuple[int, int]) -> bool:
    return span[0] <= ord(character) <= span[1]
