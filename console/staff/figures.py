"""Figures in words: the columns of a table, its cells as a page and as a file have them, and the bars of its pictures."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console.staff.rows import value_word
from schemas.values.both import Both, shown, together
from schemas.words.field_words import FieldWords
from schemas.words.figure_words import EVERYTHING, FIGURES, MEDIAN, NOT_SAID, PERCENTILE_90
from starter.cases.indicator_sheets import FigureTable
from starter.cases.views import Times
from starter.intake.town_rules import TownRules

NOTHING = "-"
"""Stands where there was nothing to judge; in a file such a cell is blank."""

BARS_AT_MOST = 20
LABEL_CHARACTERS = 14
"""Of Chinese; of English, which is half as wide, twice as many."""

_WIDE = re.compile(r"[\u3000-\uffef]")
_RATE, _TIMES = "_rate", "_seconds"
_HOUR = 3600


@dataclass(frozen=True)
class ShownTable:
    """A table as it is shown: titles of its columns, and its rows, of which the first `named` cells say whose they are."""

    title: FieldWords
    columns: tuple[FieldWords, ...]
    named: int
    rows: Sequence[Sequence[str]]
    pictures: Sequence["Picture"]


@dataclass(frozen=True)
class Bar:
    """A line of a picture. `share`: how long the bar is, in thousandths of the longest that there can be."""

    label: str
    said: str
    share: int


@dataclass(frozen=True)
class Picture:
    """A figure of every line, as bars. The table beside it has the same numbers."""

    title: FieldWords
    bars: Sequence[Bar]


def shown_table(town: TownRules, table: FigureTable) -> ShownTable:
    """A table in words. Raises LookupError: a column has none."""
    columns = tuple(table.lines[0]) if table.lines else table.named_by
    named = [name for name in columns if name in table.named_by]
    ordered = (*named, *(name for name in columns if name not in named))
    return ShownTable(
        title=FieldWords(table.title.zh, table.title.en),
        columns=tuple(words for name in ordered for words in _columns(name)),
        named=len(named),
        rows=[[cell for name in ordered for cell in _cells(town, table, name, line)] for line in table.lines],
        pictures=[_picture(town, table, name) for name in table.drawn if table.lines],
    )


def _columns(name: str) -> Iterator[FieldWords]:
    words = FIGURES[name]
    if not name.endswith(_TIMES):
        yield words
        return
    for part in (MEDIAN, PERCENTILE_90):
        yield FieldWords(f"{words.zh}{part.zh}(小时)", f"{words.en}, {part.en}, hours")


def _cells(town: TownRules, table: FigureTable, name: str, line: Mapping[str, Any]) -> Iterator[str]:
    value = line[name]
    if name in table.named_by:
        yield _name(town, table, name, line)
    elif name.endswith(_TIMES):
        yield from (NOTHING, NOTHING) if value is None else _hours(value)
    else:
        yield _figure(name, value)


def _name(town: TownRules, table: FigureTable, name: str, line: Mapping[str, Any]) -> str:
    value = line[name]
    if all(line[each] is None for each in table.named_by):
        return shown(EVERYTHING) if name == table.named_by[0] else ""
    if isinstance(value, Both):
        return value
    return value_word(town, str(value)) if value else shown(NOT_SAID)


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value * 100:.1f}%" if name.endswith(_RATE) else str(value)


def _hours(times: Times) -> tuple[str, str]:
    return f"{times.median / _HOUR:.1f}", f"{times.percentile_90 / _HOUR:.1f}"


def _picture(town: TownRules, table: FigureTable, name: str) -> Picture:
    lines = table.lines[:BARS_AT_MOST]
    longest = 1 if name.endswith(_RATE) else max((line[name] or 0 for line in lines), default=0) or 1
    return Picture(FIGURES[name], [_bar(town, table, name, line, longest) for line in lines])


def _bar(town: TownRules, table: FigureTable, name: str, line: Mapping[str, Any], longest: float) -> Bar:
    label = together(" ", (each for one in table.named_by if (each := _name(town, table, one, line))))
    return Bar(_shortened(label), _figure(name, line[name]), round((line[name] or 0) / longest * 1000))


def _shortened(label: str) -> str:
    """As much of a label as there is room for, in each language."""
    if isinstance(label, Both):
        return Both(_cut(label.zh), _cut(label.en), _cut(str(label)))
    return _cut(label)


def _cut(text: str) -> str:
    room = LABEL_CHARACTERS if _WIDE.search(text) else LABEL_CHARACTERS * 2
    return text if len(text) <= room else f"{text[: room - 1]}…"
