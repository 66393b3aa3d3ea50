"""What may stand in a field of a command now: one of these, or within these numbers. Pure, by the state of the case.

A command says it once (`Command.allowed`); its faults, the form on a screen and the API all ask there, and cannot disagree.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.values.refusals import Fault, say


@dataclass(frozen=True)
class Choices:
    """One of these values may be named; of a field that takes several, each is one of them.

    `reason` says why another is not among them, for people: for all alike, or by the value. `remedy`: what to do about it.
    """

    values: tuple[Any, ...]
    reason: str | Callable[[Any], str]
    remedy: str = ""

    def faults(self, field: str, value: Any) -> Iterator[Fault]:
        """What is wrong with what somebody named; each of several with its place."""
        if isinstance(value, tuple | list):
            for number, each in enumerate(value):
                yield from self.faults(f"{field}.{number}", each)
        elif value not in self.values:
            reason = self.reason(value) if callable(self.reason) else self.reason
            yield Fault(field=field, reason=reason, remedy=self.remedy or self._one_of_them())

    def _one_of_them(self) -> str:
        named = [str(each) for each in self.values] or ["-"]
        return say(f"可选:{'、'.join(named)}", f"one of: {', '.join(named)}")


@dataclass(frozen=True)
class Bounds:
    """A number or a month within these, both of them included; None: no bound on that side."""

    at_least: int | str | None
    at_most: int | str | None
    reason: str
    remedy: str

    def faults(self, field: str, value: Any) -> Iterator[Fault]:
        """What is wrong with a number."""
        low = self.at_least is not None and value < self.at_least
        high = self.at_most is not None and value > self.at_most
        if low or high:
            yield Fault(field=field, reason=self.reason, remedy=self.remedy)
