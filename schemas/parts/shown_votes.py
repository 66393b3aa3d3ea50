"""Votes that everybody sees 居民表决: what is asked, among what one chooses, until when, and how it came out.

A procedure whose cases are votes declares `ShownVotes`, and its cases stand on the page of votes while they are at one of its
stages; whoever may vote for a unit takes its ballot there (starter/intake/votes.py). Nothing in it is about a voter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.clocks.clock_facts import Status
from schemas.clocks.clock_schedule import BREACH
from schemas.clocks.clocks import due_at
from schemas.kernel.acts import Act, Step
from schemas.kernel.rules import Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer
from schemas.parts.ballots import BallotOutcome, UnitCode
from schemas.parts.quorum import APPROVE, OPPOSE, ChoiceCode
from schemas.values.both import Both
from schemas.values.model import Model
from schemas.values.references import TextReference

CHOICES: Mapping[str, Both] = {
    APPROVE: Both("同意", "For it"),
    OPPOSE: Both("反对", "Against it"),
}
"""The choices in words that every vote for or against something has; others are codes, such as the number of a proposal."""


class ShownVote(Model):
    """A vote as everybody sees it.

    `online`: ballots are given out online now. `secret`: on paper too nobody learns who chose what; an open vote is signed.
    `proxies`: by unit, the unit that votes for it. `struck`: units that take no ballot. `outcome`: of a vote that is counted.
    """

    question: TextReference
    choices: tuple[ChoiceCode, ...]
    choices_at_most: int
    secret: bool
    online: bool
    proxies: Mapping[UnitCode, UnitCode] = {}
    struck: tuple[UnitCode, ...] = ()
    outcome: BallotOutcome | None = None


@dataclass(frozen=True, kw_only=True)
class ShownVotes:
    """At which stages votes of a procedure are shown, by which of its clocks their time ends, and what of them is shown."""

    at: tuple[StrEnum, ...]
    clocks: tuple[str, ...]
    shows: Callable[[Any], ShownVote]

    def faults(
        self,
        state: type[DeclaredState],  # noqa: ARG002 - `shows` knows it
        timers: Mapping[str, Timer],
        lines: Sequence[Act | Step | Rule],  # noqa: ARG002 - it has none: it is read alone
    ) -> Iterator[str]:
        """Say what does not fit."""
        yield from (f"votes are shown with a clock that is none: {each}" for each in self.clocks if each not in timers)

    def units_of(self, vote: ShownVote, own: Sequence[UnitCode]) -> tuple[UnitCode, ...]:
        """The units that somebody may take a ballot for: the own ones, and those that have one of these as their proxy."""
        given = [unit for unit, by in vote.proxies.items() if by in own]
        return tuple(each for each in dict.fromkeys([*own, *given]) if each not in vote.struck)


def ends_at(shown: ShownVotes, state: DeclaredState) -> datetime | None:
    """When the part of the vote ends that runs now; None: no clock of it runs."""
    running = [state.clocks[each] for each in shown.clocks if each in state.clocks]
    # A window that is over is not stopped: that its end has come stands among what it has fired.
    live = [each for each in running if each.status is Status.RUNNING and BREACH not in each.fired]
    due = [due_at(each, state.charter.calendar) for each in live]
    return min((each for each in due if each is not None), default=None)
