"""The facts of an entry in words: names and codes by what they are called, money in yuan, documents as links."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.staff.rows import town_word
from schemas.clocks.calendar import TownDatetime
from schemas.kernel.screen_words import FACTS, role_said
from schemas.values.both import LISTED, Both, shown, spoken, titled, together
from schemas.values.money import in_yuan, yuan
from schemas.values.references import WITHHELD
from schemas.words.fact_words import FACT_WORDS, VALUE_WORDS
from schemas.words.field_words import FIELDS, YES_NO
from starter.cases.case_reading import NOT_OPENED
from starter.cases.views import TimelineEntry
from starter.intake.town_rules import TownRules

_SHOWN_APART = frozenset(
    {
        "clocks",
        "calendar",
        "policy",
        "listed",
        "order",
        "receipt",
        "request",
        "channel",
        "terms",
        "arithmetic",
        "evidence",
        "proposed",
    }
)
"""What stands elsewhere on the page, or is for auditors (docs/audit-reading.md)."""

_TOLD_INSTEAD = {
    WITHHELD: Both(WITHHELD, "[withheld]", WITHHELD),
    NOT_OPENED: Both(NOT_OPENED, "[not opened]", NOT_OPENED),
}
"""What stands in the place of a text of a person."""

_DOCUMENT = "document:"
_MONEY = "_fen"
_IN_A_FILE = frozenset({"sha256", "size_bytes", "media_type"})


@dataclass(frozen=True)
class ShownFact:
    """A fact: what it is called, and what it says. `document`: the reference of the file that it is."""

    name: str
    text: str
    document: str = ""


@dataclass(frozen=True)
class ShownEntry:
    """An entry of the timeline."""

    seq: int
    at: TownDatetime
    title: str
    by: str
    facts: list[ShownFact]


def shown_entry(town: TownRules, entry: TimelineEntry) -> ShownEntry:
    """The entry as a page shows it."""
    department = [town_word(town, entry.actor.department)] if entry.actor.department else []
    return ShownEntry(
        seq=entry.seq,
        at=entry.at,
        title=titled(entry.title, entry.kind.rpartition(":")[2]),
        by=together(" ", [role_said(entry.actor.role), *department]),
        facts=facts_in_words(town, entry.facts, _SHOWN_APART),
    )


def facts_in_words(town: TownRules, facts: Mapping[str, Any], left_out: Collection[str] = ()) -> list[ShownFact]:
    """Facts as a page shows them, without those that are left out and those that say nothing."""
    return [fact for name, value in facts.items() if name not in left_out for fact in _facts(town, name, value)]


def _facts(town: TownRules, name: str, value: Any) -> Iterator[ShownFact]:
    """A fact, or each file of it for itself; nothing where it says nothing."""
    if value is None or value in ("", [], {}):
        return
    if isinstance(value, Mapping) and str(value.get("reference", "")).startswith(_DOCUMENT):
        kind = str(value.get("media_type", ""))
        yield ShownFact(_called(name), kind, str(value["reference"]))
    elif isinstance(value, str) and value.startswith(_DOCUMENT):
        yield ShownFact(_called(name), "", value)
    elif isinstance(value, list) and any(isinstance(each, Mapping) and "reference" in each for each in value):
        for each in value:
            yield from _facts(town, name, each)
    else:
        yield ShownFact(_called(name), _text(town, name, value))


def _text(town: TownRules, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return shown(YES_NO[value])
    if isinstance(value, int):
        return in_yuan(yuan(value)) if name.endswith(_MONEY) else str(value)
    if isinstance(value, Mapping):
        inside = (
            together(": ", (_called(str(key)), _text(town, str(key), each)))
            for key, each in value.items()
            if each is not None and key not in _IN_A_FILE
        )
        return together("; ", inside)
    if isinstance(value, list | tuple):
        return together(LISTED, (_text(town, name, each) for each in value))
    word = VALUE_WORDS.get(name, {}).get(str(value))
    if word is not None:
        return Both(word, spoken(str(value)), word)
    return _TOLD_INSTEAD.get(str(value)) or town_word(town, str(value))


def _called(name: str) -> str:
    if name in FACT_WORDS:
        return Both(FACT_WORDS[name], spoken(name), FACT_WORDS[name])
    known = FIELDS.get(name)
    if known is not None:
        return Both(zh := known.zh.replace("(分)", ""), known.en.replace(" in fen", ""), zh)
    return Both(FACTS[name], spoken(name), FACTS[name]) if name in FACTS else spoken(name)
