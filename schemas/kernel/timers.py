"""The clocks of a procedure, declared: their words, and where in the policy's terms their limits and tiers stand."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit
from schemas.kernel.words import ClockWords, Promise

_NAMED = re.compile(r"\{(\w+)\}")

LimitOf = Callable[[Any, Any], Limit]
"""(terms, state) -> the limit of a clock, where it does not simply stand at one place."""

TiersOf = Callable[[Any, Any], tuple[Tier, ...]]
"""(terms, state) -> its tiers, likewise."""


class TimerKind(StrEnum):
    """What passing a clock means."""

    DUTY = "duty"  # somebody is late: they are warned before, and it is reported upwards
    WINDOW = "window"  # nobody's duty: its end decides something
    LAST = "last"  # what a case gets after the last tier before it ends by itself; warned of, but not reported upwards


@dataclass(frozen=True)
class Timer:
    """A clock of the procedure. `limit` and `tiers` are paths in the terms; `{type}` in them is that attribute of the case.

    `limit` None: it is no limit but a date, and whoever starts the clock says which. `warns`: whoever holds the case is told
    when most of its time is used up; `warned`: who is told instead, as a code (schemas/kernel/parties.py). `beside`: a duty
    beside the matter itself: left undone it climbs its tiers, and the case goes on without it. `runs_on`: of a last limit that
    does not stop with the next stage. `hushed`: of a confidential case: residents, who are in it for their own sake, learn
    nothing of this clock, neither that it runs nor that it ran out. `recurs`: it starts anew for as long as the case lives, which
    may be for many years; the case remembers its course since the last start, and the ledger what was before.
    """

    kind: TimerKind
    words: ClockWords
    limit: str | LimitOf | None
    tiers: str | TiersOf | None = None
    warns: bool = True
    warned: str | None = None
    beside: bool = False
    runs_on: bool = False
    hushed: bool = False
    recurs: bool = False

    def limit_under(self, terms: Any, state: Any) -> Limit:
        """The limit that such a case gets under these terms. Raises TypeError: it goes by a date."""
        if self.limit is None:
            raise TypeError(f"{self.words.en} goes by a date")
        if callable(self.limit):
            return self.limit(terms, state)
        found: Limit = value_at(terms, self.limit, state)
        return found

    def tiers_under(self, terms: Any, state: Any) -> tuple[Tier, ...]:
        """To whom it is reported when it is broken; a clock that is nobody's duty to nobody."""
        if self.tiers is None:
            return ()
        if callable(self.tiers):
            return self.tiers(terms, state)
        found: tuple[Tier, ...] = value_at(terms, self.tiers, state)
        return found

    @property
    def warn_percent(self) -> int:
        """How many percent of its time are used up when it warns; at 100 it does not."""
        return 80 if self.warns else 100

    def paths(self) -> Mapping[str, type]:
        """The paths it asks of the terms, each with what has to stand there."""
        asked = ((self.limit, Limit), (self.tiers, tuple))
        return {path: wanted for path, wanted in asked if isinstance(path, str)}


def duty(
    zh: str,
    en: str,
    limit: str | LimitOf | None,
    tiers: str | TiersOf = "tiers",
    *,
    promise: Promise | None = None,
    warned: str | None = None,
    beside: bool = False,
    hushed: bool = False,
    warns: bool = True,
    recurs: bool = False,
) -> Timer:
    """A clock that somebody has to keep: late, it climbs the tiers. `promise`: what it is for the resident.

    `warned`: whose duty it is, where that is not whoever holds the case. `beside`: the case goes on without it.
    `warns` False: nobody is told before it is late, for 80 % of a minute is no warning. `hushed`, `recurs`: as `Timer` says.
    """
    words = ClockWords(zh, en, promise)
    return Timer(
        TimerKind.DUTY, words, limit, tiers, warned=warned, beside=beside, hushed=hushed, warns=warns, recurs=recurs
    )


def window(
    zh: str,
    en: str,
    limit: str | LimitOf | None,
    *,
    warns: bool = False,
    promise: Promise | None = None,
    warned: str | None = None,
    recurs: bool = False,
) -> Timer:
    """A clock that is nobody's duty: its end decides something. `warns`: somebody can still use it, and is told in time.

    `recurs`: as `Timer` says.
    """
    return Timer(TimerKind.WINDOW, ClockWords(zh, en, promise), limit, warns=warns, warned=warned, recurs=recurs)


def last_limit(limit: str | LimitOf, *, runs_on: bool = False, warns: bool = True, recurs: bool = False) -> Timer:
    """The clock that runs after the last tier, and ends the case; it stops when the case goes to a stage: somebody has acted.

    Where silence must end nothing, its step calls everybody again, and starts it anew.

    `runs_on`: it does not, and the procedure says itself what stops it. `warns` False: of one that comes round again and again.
    `recurs`: as `Timer` says.
    """
    return Timer(
        TimerKind.LAST, ClockWords("最终期限", "final limit"), limit, warns=warns, runs_on=runs_on, recurs=recurs
    )


def value_at(terms: Any, path: str, state: Any) -> Any:
    """What stands at a path such as `types.{type}.respond`. Raises AttributeError, KeyError where there is nothing."""
    for step in _NAMED.sub(lambda name: str(getattr(state, name[1])), path).split("."):
        terms = terms[step] if isinstance(terms, Mapping) else getattr(terms, step)
    return terms


def kind_at(terms: Any, path: str) -> Any:
    """The type of what stands at a path, by the annotations of the model of the terms. Raises TypeError: nothing does."""
    if get_origin(terms) in (Union, UnionType):  # whichever it is: the same stands in each
        kinds = [kind_at(each, path) for each in get_args(terms)]
        if any(kind != kinds[0] for kind in kinds):
            raise TypeError(f"{path}: something else stands there in each of the terms")
        return kinds[0]
    found = terms
    for step in path.split("."):
        if get_origin(found) in (dict, Mapping):
            found = get_args(found)[1]
        elif isinstance(found, type) and issubclass(found, BaseModel) and step in found.model_fields:
            found = found.model_fields[step].annotation
        else:
            raise TypeError(f"{path}: there is no {step} in the terms of the procedure")
    return found
