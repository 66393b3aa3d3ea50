"""What people type, as it is meant: full width made plain, nothing invisible, no blanks around it."""

import unicodedata

_INVISIBLE = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0")
"""Characters that show as nothing and are not of category Cf: fillers, joiners, selectors of old scripts."""


def tidy(text: str) -> str:
    """The text in NFKC, without invisible characters and outer blanks. For codes and numbers; never for what people tell."""
    plain = unicodedata.normalize("NFKC", "".join(each for each in text if not _invisible(each)))
    return "".join(each for each in plain if not _invisible(each)).strip()


def is_blank(text: str) -> bool:
    """Whether nothing of a text shows."""
    return not tidy(text)


def _invisible(character: str) -> bool:
    # Variation selectors are marks (Mn) by category, and show as nothing by themselves.
    return (
        unicodedata.category(character) == "Cf"
        or character in _INVISIBLE
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )
