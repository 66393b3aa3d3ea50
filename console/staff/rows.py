"""Cases in a list, in words: with the due moment and the working time that is left, by the same count as on the page of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.clocks.time_left import TimeLeft, time_left
from schemas.kernel.screen_words import holder_words
from schemas.values.area import around
from schemas.values.both import LISTED, shown, titled, together
from schemas.words.field_words import VALUES
from starter.cases.views import CaseRow
from starter.intake.town_rules import TownRules

CHANNEL = "channel"
URGENCY = "urgency"
_VALUES = {
    value: shown(words) for name, values in VALUES.items() if name != "Channel" for value, words in values.items()
}


@dataclass(frozen=True)
class ShownRow:
    """A case in a list. `about`: what its procedure lists it by, such as the category."""

    case_id: str
    title: str
    about: str
    stage: str
    holder: str
    area: str
    opened_at: datetime
    ended: bool
    due_clock: str
    due_at: datetime | None
    left: TimeLeft | None


def shown_rows(town: TownRules, rows: Sequence[CaseRow], now: datetime) -> list[ShownRow]:
    """The rows as a page shows them."""
    return [_shown(town, row, now) for row in rows]


def _shown(town: TownRules, row: CaseRow, now: datetime) -> ShownRow:
    procedure = town.procedures[row.procedure]
    calendar = next(iter(town.charters.values())).calendar  # the town has one
    return ShownRow(
        case_id=row.case_id,
        title=titled(procedure.title, procedure.name),
        about=about(town, row.labels),
        stage=procedure.words.stage(row.stage, procedure.name),
        holder=holder_in_words(town, row.holder),
        area=area_in_words(town, row.area),
        opened_at=row.opened_at,
        ended=row.ended,
        due_clock=procedure.words.clock(row.due_clock, procedure.name) if row.due_clock else "",
        due_at=row.due_at,
        left=None if row.due_at is None or row.ended else time_left(row.due_at, calendar, now),
    )


def about(town: TownRules, labels: Mapping[str, str]) -> str:
    """What a case is about: those of its labels that people have a word for, such as the category; by which way it came, not."""
    words = (_label(town, value) for name, value in labels.items() if name not in {CHANNEL, URGENCY})
    return together(LISTED, (word for word in words if word))


def _label(town: TownRules, value: str) -> str:
    if value in town.names:
        return shown(town.names[value])
    return _VALUES[value] if value in _VALUES else "" if value.isascii() else value


def town_word(town: TownRules, code: str) -> str:
    """What the town calls a code; the code where it has no word."""
    return shown(town.names[code]) if code in town.names else code


def value_word(town: TownRules, code: str) -> str:
    """What a code is called, be it the town's own, an area or one of a list; the code where it has no word."""
    if code in town.areas.names:
        return area_in_words(town, code)
    return shown(town.names[code]) if code in town.names else _VALUES.get(code, code)


def holder_in_words(town: TownRules, holder: str) -> str:
    """Who has to act: a department by its name."""
    kind, _, code = holder.partition(":")
    return town_word(town, code) if kind == "department" else holder_words(holder)


def area_in_words(town: TownRules, area: str) -> str:
    """An area by the names of the communities and streets that it lies in."""
    names = town.areas.names
    codes = around(area)
    return together(" ", (shown(names[code]) for code in codes[1:] or codes if code in names)) or area
