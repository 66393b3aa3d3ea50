"""Finding a line of the responsibility list by what people say. Pure: a list in, a ranked list out.

Chinese has no blanks between words, so nothing is cut into words: what was said and what is known are compared as they
are, one inside the other, and last by the pairs of characters that they share.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.policies.policies import PolicyFaults
from engine.runtime.yaml_files import read_yaml

SAME, WORD_IN_QUERY, QUERY_IN_WORD, PAIRS_MOST = 100, 80, 60, 40
PAIRS_LEAST = 12
WORDS_AT_MOST = 200
"""So many characters of what was said are compared: each is compared with every word of the list, whoever sends them."""

_WEIGHT = {"name": 100, "synonym": 95, "department": 60, "legal_basis": 50}
"""In hundredths: what a category is called counts more than who answers for it, and that more than the law."""


@dataclass(frozen=True)
class Known:
    """A category and the words that lead to it, by where they come from: name, synonym, department, legal_basis."""

    category: str
    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Found:
    """A category that fits: how well, and because of which words."""

    category: str
    score: int
    because: tuple[str, ...]


def search(known: Sequence[Known], query: str) -> list[Found]:
    """The categories that fit, the best first; of equals the one that stands first in the list.

    Of a long text only its beginning counts: WORDS_AT_MOST.
    """
    asked = tidy(query[:WORDS_AT_MOST])
    found = [_match(each, asked) for each in known]
    return sorted((each for each in found if each.score), key=lambda each: -each.score)


def tidy(text: str) -> str:
    """A text without what does not matter to meaning: width, capitals, blanks and punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if unicodedata.category(letter)[0] in "LN")


def _match(known: Known, asked: str) -> Found:
    scores = {
        f"{source}: {word}": _likeness(asked, tidy(word)) * _WEIGHT[source] // 100
        for source, words in known.words.items()
        for word in words
    }
    fitting = {words: score for words, score in scores.items() if score}
    best = max(fitting.values(), default=0)
    # Several words that fit say more than one; the best word decides first.
    more = min(len(fitting) - 1, 9) if fitting else 0
    because = sorted(fitting, key=lambda words: -fitting[words])[:3]
    return Found(known.category, best * 10 + more, tuple(because))


def _likeness(asked: str, word: str) -> int:
    if not asked or not word:
        return 0
    if asked == word:
        return SAME
    if len(word) > 1 and word in asked:
        return WORD_IN_QUERY + min(len(word), 10)  # a longer word that was said whole says more
    if asked in word:
        return QUERY_IN_WORD
    shared, all_pairs = _pairs(asked) & _pairs(word), _pairs(asked) | _pairs(word)
    likeness = PAIRS_MOST * len(shared) // len(all_pairs) if all_pairs else 0
    return likeness if likeness >= PAIRS_LEAST else 0


def _pairs(text: str) -> set[str]:
    return {text[place : place + 2] for place in range(len(text) - 1)}


def load_synonyms(folder: Path, categories: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What people call the categories: policies/synonyms.yaml; nothing where a town has none.

    Raises PolicyFaults with every fault in it: file, place, remedy.
    """
    file = folder / "synonyms.yaml"
    if not file.exists():
        return {}
    try:
        content: Any = read_yaml(file) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyFaults([f"{file}: not readable as YAML: {error}; mend the line it names"]) from error
    if not isinstance(content, dict):
        raise PolicyFaults([f"{file}: no list of words by category; write CATEGORY: [word, word]"])
    listed = set(categories)
    faults = [
        f"{file}: {category}: is no category of incident.yaml; mend the name or remove the line"
        for category in content
        if category not in listed
    ]
    for category, words in content.items():
        if not isinstance(words, list) or not all(isinstance(word, str) and tidy(word) for word in words):
            faults.append(f"{file}: {category}: is no list of words; write [word, word], a number in quotes")
    if faults:
        raise PolicyFaults(faults)
    return {category: tuple(words) for category, words in content.items()}
