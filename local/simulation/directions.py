"""Stage directions about a person: by them a story tells the simulated sources and the bank how to treat somebody.

They stand at the end of a name, and those for the bank also at the end of an account number:

    王小明〔剧本:monthly_income_fen=120000〕              the tax office knows of 1,200 yuan a month
    王小明〔剧本:properties=2;tax 中断〕                  two flats, and the tax office is down for three days
    王小明〔剧本:death_registered=1@2027-06-10〕          from that day on
    王小明〔剧本:town-bank 超时〕                         the bank pays and does not answer
    6222020000000001〔剧本:退回〕                         an account: to whoever reads it
    6222020000000001〔剧本:退回@2027-03〕                 only for that month

Only simulated counterparts read them; a real one would see them as text.
"""

import re
from dataclasses import dataclass

_DIRECTION = re.compile(r"〔剧本[::]([^〔〕]*)〕\s*\Z")
_FACT = re.compile(r"(?P<name>[a-z][a-z0-9_]*)=(?P<value>[0-9]{1,12})(?:@(?P<since>[0-9]{4}-[0-9]{2}-[0-9]{2}))?")
_WORD = re.compile(r"(?P<word>[^\s@=]+)(?:@(?P<month>[0-9]{4}-[0-9]{2}))?")


class UnreadableDirection(ValueError):
    """A stage direction is not one of the forms that there are, or says a word that its reader does not know."""


@dataclass(frozen=True)
class StagedFact:
    """A fact about a person. `since`: a day of town time as ISO 8601; before it, the fact is 0."""

    name: str
    value: int
    since: str | None


@dataclass(frozen=True)
class Manner:
    """A word for one reader. `reader` None: to whoever reads it. `month`: only then."""

    reader: str | None
    word: str
    month: str | None


def read_directions(text: str) -> list[StagedFact | Manner]:
    """Return the directions at the end of a text; none when there are none. Raises UnreadableDirection."""
    found = _DIRECTION.search(text)
    parts = re.split(r"[;;]", found[1]) if found else []
    return [_part(part.strip()) for part in parts]


def without_directions(text: str) -> str:
    """The text alone."""
    return _DIRECTION.sub("", text).strip()


def word_for(reader: str, text: str, month: str | None = None) -> str | None:
    """The word for one reader, if there is one that holds in this month. Raises UnreadableDirection."""
    for each in read_directions(text):
        if isinstance(each, Manner) and each.reader in {reader, None} and each.month in {month, None}:
            return each.word
    return None


def facts_in(text: str, day: str) -> dict[str, int]:
    """The facts about a person that hold on a day (ISO 8601). Raises UnreadableDirection."""
    return {
        each.name: each.value
        for each in read_directions(text)
        if isinstance(each, StagedFact) and (each.since is None or each.since <= day)
    }


def _part(part: str) -> StagedFact | Manner:
    if fact := _FACT.fullmatch(part):
        return StagedFact(fact["name"], int(fact["value"]), fact["since"])
    reader, _, rest = part.rpartition(" ")
    if word := _WORD.fullmatch(rest):
        return Manner(reader.strip() or None, word["word"], word["month"])
    raise UnreadableDirection(f"write FACT=NUMBER, WORD or READER WORD, not {part!r}")
