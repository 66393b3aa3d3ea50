"""Why an entry is as it is: the rule, its version, what it was applied to, and the arithmetic, so that anybody can follow.

Each procedure says how its own decisions are explained, by the kind of the entry (`Procedure.explanations`); what clocks
do is explained for all of them in `schemas/audit/clock_explained.py`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from schemas.clocks.calendar import TownDatetime
from schemas.kernel.case import Entry
from schemas.values.actor import Actor
from schemas.values.model import Model


class Because(Model):
    """What a procedure says of one entry.

    `rule`: where the rule stands. `says`: what it says, in words. `inputs`: what it was applied to, codes and numbers.
    `arithmetic`: how that leads to what the entry says, line by line.
    """

    rule: str
    says: str
    legal_basis: str | None = None
    inputs: dict[str, Any] = {}
    arithmetic: tuple[str, ...] = ()


Explain = Callable[[Entry, Any], Because]
"""(entry, the state of the case after it) -> why. Pure: the same for ever."""


class Permission(Model):
    """The row of the table by which somebody was allowed to do it."""

    command: str
    title: str
    by: tuple[str, ...]
    at: tuple[str, ...]
    to: tuple[str, ...]
    conditions: tuple[str, ...]


class Explanation(Because):
    """One entry explained. `policy_version`, `calendar_version`: what the case goes by.

    `from_history`: its state was rebuilt from the recorded history; else it is that of the row, because no history is left.
    """

    case_id: str
    procedure: str
    seq: int
    kind: str
    title: str
    at: TownDatetime
    actor: Actor
    policy_version: str
    calendar_version: str
    permitted_by: tuple[Permission, ...] = ()
    facts: dict[str, Any] = {}
    hash: str
    from_history: bool = True


def cut_at(at: datetime, facts: tuple[Any, ...]) -> tuple[Any, ...]:
    """The facts of a clock that were there at a moment."""
    return tuple(fact for fact in facts if fact.at <= at)
