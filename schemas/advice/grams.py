"""What of a text a model of dispatch sees: Chinese characters by one, two and three. Pure, and the same for learning and for use.

Chinese has no blanks between words, so nothing is cut into words. Digits and letters are left out before anything is counted: with
them go numbers of phones, cards, doors and cars, and the codes by which message boards hide places.
"""

import re
import unicodedata
from collections import Counter

SHORTEST, LONGEST = 1, 3
CHARACTERS_AT_MOST = 400
"""So much of a text counts: what it is about stands at its beginning, and everybody may send 4,000 characters."""

BEGINNING_COUNTS = 3
"""The first line says what it is about (an import puts the subject there): each of its grams counts as so many."""

_OTHER = re.compile(r"[^\u3400-\u4dbf\u4e00-\u9fff]+")


def grams(text: str) -> Counter[str]:
    """Return how often each gram stands in a text, those of the first line more. A gram never reaches over what was left out."""
    beginning, _, rest = text.strip().partition("\n")
    counted: Counter[str] = Counter()
    room = CHARACTERS_AT_MOST
    for part, each_counts in ((beginning, BEGINNING_COUNTS), (rest, 1)):
        for run in runs_of(part[:room]):
            for length in range(SHORTEST, LONGEST + 1):
                for place in range(len(run) - length + 1):
                    counted[run[place : place + length]] += each_counts
        room = max(0, room - len(part))
    return counted


def runs_of(text: str) -> list[str]:
    """Return the stretches of Chinese characters in a text."""
    return [run for run in _OTHER.split(unicodedata.normalize("NFKC", text)) if run]
