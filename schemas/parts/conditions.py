"""Conditions that several procedures have: something waits or does not, and a window is open.

Who must be another person is no condition but data of the rule: `apart_from` (schemas/kernel/rules.py), by the parts that
people took (schemas/kernel/people.py).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from schemas.clocks.clock_schedule import BREACH
from schemas.clocks.clocks import Status, due_at
from schemas.kernel.rules import Condition
from schemas.values.actor import Actor
from schemas.values.refusals import say

Predicate = Callable[[Any], object]
"""(state) -> what is looked at: something that waits, a flag, a list."""


def needs(name: str, look: Predicate, zh: str, en: str) -> Condition:
    """Only while there is something; else it is refused in these words. `name`: as explanations call it."""

    def condition(state: Any, _actor: Actor, _now: datetime) -> str | None:
        return None if look(state) else say(zh, en)

    return _called(name, condition)


def forbids(name: str, look: Predicate, zh: str, en: str) -> Condition:
    """Only while there is nothing; else it is refused in these words. `name`: as explanations call it."""

    def condition(state: Any, _actor: Actor, _now: datetime) -> str | None:
        return say(zh, en) if look(state) else None

    return _called(name, condition)


def while_open(name: str, clock: str, zh: str, en: str) -> Condition:
    """Only while a window runs, and not in the instant of its end, in which it may not have told yet."""

    def condition(state: Any, _actor: Actor, now: datetime) -> str | None:
        window = state.clocks.get(clock)
        if window is None or window.status is not Status.RUNNING or BREACH in window.fired:
            return say(zh, en)
        due = due_at(window, state.charter.calendar)
        return None if due is None or now < due else say(zh, en)

    return _called(name, condition)


def _called(name: str, condition: Condition) -> Condition:
    condition.__name__ = name
    return condition
