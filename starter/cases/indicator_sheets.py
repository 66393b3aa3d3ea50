"""Indicators as sheets: the figures that the API has, as tables of which a page, a picture and a file can be made.

A procedure that has figures of its own says so by a `SHEET` in a module of its own (starter/http/own_modules.py); those of every
procedure are in starter/cases/procedure_indicators.py. Who gets which figures is decided where they are read, for both alike.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.keys.tokens import Principal
from schemas.contracts.department_policy import Name
from schemas.values.model import Model
from starter.cases.reading import Reading
from starter.http.own_modules import own_modules


@dataclass(frozen=True)
class SheetAsked:
    """What of a sheet somebody asks for: a period, as the API takes it, and by what lines are told apart; None: as usual."""

    opened_from: str | None = None
    opened_to: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class FigureTable:
    """Lines of figures. `named_by`: the columns that say whose line it is; `drawn`: those of which there is a picture.

    A line holds a text, a count, a share from 0 to 1 (`…_rate`), a mean, or times (`…_seconds`) by column; None: nothing to judge.
    """

    title: Name
    named_by: tuple[str, ...]
    drawn: tuple[str, ...]
    lines: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class FigureSheet:
    """A sheet as it was read."""

    as_of: datetime
    opened_from: datetime | None
    opened_before: datetime | None
    tables: Sequence[FigureTable]


@dataclass(frozen=True)
class IndicatorSheet:
    """Figures under a name. `groups`: by what lines can be told apart, the usual one first; none: there is no choice.

    `read(caller, reading, asked)`: raises Problem as the address of the API does.
    """

    name: str
    title: Name
    groups: tuple[str, ...]
    read: Callable[[Principal, Reading, SheetAsked], Awaitable[FigureSheet]]


def sheets_of(procedures: Iterable[str], *common: IndicatorSheet) -> dict[str, IndicatorSheet]:
    """Every sheet of the town by its name: the common ones, then those of its procedures."""
    own = [module.SHEET for module in own_modules(procedures) if hasattr(module, "SHEET")]
    return {each.name: each for each in (*common, *own)}


def line_of(model: Model, *left_out: str) -> dict[str, Any]:
    """A line of figures as a table holds it, in the order of its model."""
    return {name: getattr(model, name) for name in type(model).model_fields if name not in left_out}
