"""What changed of the row of a case since it was last told: so that the history need not keep the whole row with every answer.

A row is taken apart no deeper than its parts change by themselves: its columns, the fields of the snapshot, and the clocks
by name. A change names every part that differs in any row since the one that the ledger is known to have: put onto any of
those it makes the row as it stands now.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field
from pydantic_core import from_json

from schemas.values.model import Model

Row = Mapping[str, Any]
"""A row in plain values, by the names of `Projection`; from its JSON (`row_of` in schemas/audit/ledger.py)."""

_SNAPSHOT, _CLOCKS, _VIEWS = "snapshot", "clocks", "clocks"
_DIGITS = 24
_PIECE = 2047
"""Of more bytes at a time hashlib gives other threads the interpreter, and waits longer to have it back than it computes."""


class RowChange(Model):
    """How a row comes out of another. `digest` is that of the row that comes out, `onto` of those that it may be put onto.

    `whole` is the row itself, as JSON: then there is nothing to be put onto. `clocks` are the facts of clocks in the
    snapshot, `views` how the row shows them, both by name.
    """

    digest: str
    onto: tuple[str, ...] = Field(default=(), exclude_if=lambda onto: not onto)
    whole: str = Field(default="", exclude_if=lambda whole: not whole)
    columns: dict[str, Any] = Field(default={}, exclude_if=lambda columns: not columns)
    snapshot: dict[str, Any] = Field(default={}, exclude_if=lambda fields: not fields)
    clocks: dict[str, Any] = Field(default={}, exclude_if=lambda clocks: not clocks)
    views: dict[str, Any] = Field(default={}, exclude_if=lambda views: not views)

    def put_onto(self, row: Row) -> dict[str, Any]:
        """The row that comes out of one of those that it may be put onto."""
        snapshot = {**row[_SNAPSHOT], **self.snapshot}
        snapshot[_CLOCKS] = {**row[_SNAPSHOT][_CLOCKS], **self.clocks}
        shown = {view["name"]: view for view in row[_VIEWS]} | self.views
        return {**row, **self.columns, _VIEWS: list(shown.values()), _SNAPSHOT: snapshot}


def row_digest(text: str) -> str:
    """A short name for a row as a case told it, from its JSON: 96 bits of its SHA-256. It finds a row, and proves nothing."""
    content, found = text.encode(), hashlib.sha256()
    for place in range(0, len(content), _PIECE):
        found.update(content[place : place + _PIECE])
    return found.hexdigest()[:_DIGITS]


class RowTold(NamedTuple):
    """A row that a case told, taken apart. `seq` is that of the last entry told with it."""

    seq: int
    digest: str
    row: Row

    @classmethod
    def of(cls, seq: int, text: str) -> "RowTold":
        """From its JSON."""
        return cls(seq, row_digest(text), from_json(text))


def change_of(before: Sequence[RowTold], now: RowTold) -> RowChange | None:
    """What changed since any of the rows before; None where a part has gone since, or nothing is before."""
    row, rows = now.row, [each.row for each in before]
    if not rows or any(_gone(old, row) for old in rows):
        return None
    return RowChange(
        digest=now.digest,
        onto=tuple(dict.fromkeys(each.digest for each in before)),
        columns=_changed([_without(old, _SNAPSHOT, _VIEWS) for old in rows], _without(row, _SNAPSHOT, _VIEWS)),
        snapshot=_changed([_without(old[_SNAPSHOT], _CLOCKS) for old in rows], _without(row[_SNAPSHOT], _CLOCKS)),
        clocks=_changed([old[_SNAPSHOT][_CLOCKS] for old in rows], row[_SNAPSHOT][_CLOCKS]),
        views=_changed([_by_name(old) for old in rows], _by_name(row)),
    )


def _gone(old: Row, row: Row) -> bool:
    """Whether a part of the old row is not in the new one: a change can only say what is there."""
    parts = ((old, row), (old[_SNAPSHOT], row[_SNAPSHOT]), (old[_SNAPSHOT][_CLOCKS], row[_SNAPSHOT][_CLOCKS]))
    return any(not was.keys() <= now.keys() for was, now in parts) or not _by_name(old).keys() <= _by_name(row).keys()


def _changed(before: Sequence[Mapping[str, Any]], now: Mapping[str, Any]) -> dict[str, Any]:
    absent = object()
    return {name: value for name, value in now.items() if any(old.get(name, absent) != value for old in before)}


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _by_name(row: Row) -> dict[str, Any]:
    return {view["name"]: view for view in row[_VIEWS]}
