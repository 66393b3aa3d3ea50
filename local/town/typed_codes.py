"""Codes and numbers as people type them at a terminal, also while an input method for Chinese is on."""

import unicodedata

from schemas.values.tidy_text import tidy


def typed_code(text: str | None) -> str | None:
    """What a code means: full width made plain, dashes of every kind a hyphen, no blanks. For options of a command line."""
    if text is None:
        return None
    return "".join("-" if unicodedata.category(each) == "Pd" else each for each in tidy(text) if each != " ")


def typed_number(text: str | None) -> str | None:
    """The number of a case, which has no capitals."""
    code = typed_code(text)
    return None if code is None else code.lower()
