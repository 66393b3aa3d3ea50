"""Ballots 表决: votes that a case calls, each a case of its own (schemas/ballot.py), heard of by one message.

A procedure that calls ballots takes `BallotingTerms` into its terms, `BallotingState` into its state and `BallotEntries` into its
entries, puts `ballot_timers()` and `ballot_lines(...)` into its declaration, and derives its workflow from `Ballots`
(workflows/ballot_parent.py):

    self.ask_for_ballot(BallotAsked(...))                  at the stage of the vote
    def ballot_has_ended(self, outcome: BallotOutcome)     certified or void; never both, and never twice

It asks one at a time. A ballot that never says anything is void after `ballot.unheard`, on the record.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel as PydanticModel
from pydantic import ConfigDict, Field, StringConstraints, model_validator

from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import Stages, Step, step
from schemas.kernel.entries import entry
from schemas.kernel.policy import Duty
from schemas.kernel.reference_facts import Refers
from schemas.kernel.state import DeclaredState
from schemas.kernel.terms import Terms, TermsPolicy
from schemas.kernel.timers import Timer, window
from schemas.parts.quorum import APPROVE, OPPOSE, Base, ChoiceCode, ClassRule, Count, QuorumClass
from schemas.values.actor import Stamp
from schemas.values.location import AreaCode
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.typed_code import Tidied

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256, as 64 hex digits."""
UnitCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$", max_length=40), Tidied]
"""What votes once: a household, a flat, a delegate. `3-2-501`; never a name or a number of a person."""

A_WEEK_DAYS = 7


class BallotRules(Model):
    """The town's rules for votes, as `ballot` in the terms of whoever calls them.

    `window`: how long a vote is open where the question does not say; `extension`: how much longer, once, when too few came.
    `unheard`: how long whoever called it waits for its end. `window_days_at_least`: so that a weekend lies in it.
    `objections_at_once`: so many objections to a roll wait for an answer; another one is taken after that.
    """

    classes: dict[QuorumClass, ClassRule] = Field(min_length=1)
    post_roll: Limit
    roll: Limit
    answer_objection: Limit
    window: Limit
    window_days_at_least: int = Field(default=A_WEEK_DAYS, ge=1)
    extension: Limit
    count: Limit
    challenge: Limit
    rule: Limit
    unheard: Limit
    proxies_per_person: int = Field(default=1, ge=0)
    min_cell: int = Field(default=10, ge=1)
    objections_at_once: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if (fault := self.window_fault(self.window)) is not None:
            raise ValueError(f"window: {fault}")
        return self

    def window_fault(self, limit: Limit) -> str | None:
        """Say why a vote is not open long enough; None: it is."""
        least = self.window_days_at_least
        if limit.unit is Unit.NATURAL_DAYS and limit.amount >= least:
            return None
        return f"投票期应不少于{least}个自然日 (at least {least} natural_days)"


class BallotingTerms(Terms):
    """The terms of a procedure that calls ballots; a ballot goes by them."""

    ballot: BallotRules


class BallotingPolicy(TermsPolicy):
    """The policy of a procedure that calls ballots: what a vote has of windows and duties is told here once."""

    WINDOWS = TermsPolicy.WINDOWS | {"window", "unheard", "roll", "challenge", "extension"}

    terms: BallotingTerms

    def duties(self) -> Iterator[Duty]:
        """Those among the terms, and those of the votes."""
        yield from super().duties()
        for name in ("post_roll", "answer_objection", "count", "rule"):
            yield Duty(f"terms.ballot.{name}", getattr(self.terms.ballot, name), self.terms.tiers)


class BallotAsked(Model):
    """What is put to the vote, word for word: `text_digest` freezes it. `quorum_class`: the rule; `base`: of whom the roll is.

    `choices`: `approve` and `oppose`, or the codes of what is chosen among. `area`: whose vote it is, if not that of the case
    that calls it. `window`: how long it is open, if not as the town says. `rivals`: units that stand to win by it: they are
    nobody's proxy. `box`: votes are taken online too, where the town has a ballot box; an open vote is on paper alone.
    """

    question: TextReference
    text_digest: Digest
    quorum_class: QuorumClass
    base: Base
    choices: tuple[ChoiceCode, ...] = Field(default=(APPROVE, OPPOSE), min_length=2, max_length=100)
    area: AreaCode | None = None
    window: Limit | None = None
    rivals: tuple[UnitCode, ...] = Field(default=(), max_length=50)
    box: bool = True

    def faults(self, rules: BallotRules) -> Iterator[str]:
        """Say what does not fit the town's rules."""
        rule = rules.classes.get(self.quorum_class)
        if rule is None:
            yield f"there is no class {self.quorum_class} among the rules"
        elif self.base not in rule.turnout:
            yield f"{self.quorum_class} has no rule for a roll of {self.base}"
        elif rule.passed is not None and set(self.choices) != {APPROVE, OPPOSE}:
            yield f"{self.quorum_class} is for it or against it: {APPROVE}, {OPPOSE}"
        elif rule.passed is None and set(self.choices) & {APPROVE, OPPOSE}:
            yield f"{self.quorum_class} ranks what is chosen among: nothing is passed by it, however many are against it"
        if len(set(self.choices)) < len(self.choices):
            yield "a choice stands twice"
        if self.window is not None and (fault := rules.window_fault(self.window)) is not None:
            yield fault


class Void(StrEnum):
    """Why a vote counts for nothing."""

    CHALLENGED = "challenged"  # so much is doubtful that the result could be another one
    CALLED_OFF = "called_off"  # by the case that called it
    OVERCOUNTED = "overcounted"  # more was counted than there are voters, or papers than units were marked for one
    BOX_FAILED = "box_failed"  # its ballot box counts more votes than it gave out, or is lost
    UNRESOLVED = "unresolved"  # nobody acted on it any more
    SILENT = "silent"  # it never said anything


class BallotOutcome(Model):
    """How a vote ended. `void`: it counts for nothing, and why; `passed` is False then.

    `took_part` of `of_how_many`; `totals` per choice, with `abstained` and `spoilt`: only those that may be told (`min_cell`).
    `quorum`: enough took part. `binding`: what was decided is decided. `merkle_root`: of the votes of the box; None: paper alone.
    `counted`: of a class that ranks, all votes of each choice, however few: for the case that ranks by them, in no entry.
    """

    number: int
    passed: bool
    quorum: bool = False
    binding: bool = True
    void: Void | None = None
    took_part: Count = 0
    of_how_many: Count = 0
    totals: dict[str, Count] = {}
    counted: dict[str, Count] = Field(default={}, exclude_if=lambda counted: not counted)
    merkle_root: Digest | None = None


class BallotSubject(StrEnum):
    """What a ballot and the case that called it tell each other."""

    ENDED = "ballot_ended"
    CALLED_OFF = "ballot_called_off"


class BallotCalled(PydanticModel):
    """A ballot, as the case remembers it that called it. Its case is `CASE.ballot-NUMBER`."""

    model_config = ConfigDict(extra="forbid")

    number: int
    asked: BallotAsked
    stamp: Stamp
    asked_at: datetime
    started: bool = False
    called_off: bool = False
    outcome: BallotOutcome | None = None


class BallotingState(DeclaredState):
    """What a case remembers that calls ballots."""

    ballots: list[BallotCalled] = []

    @property
    def open_ballot(self) -> BallotCalled | None:
        """The one whose end is waited for."""
        last = self.ballots[-1] if self.ballots else None
        return None if last is None or last.outcome is not None or last.called_off else last


class BallotEntries:
    """What the ledger says of it: for `class Kind(BallotEntries, EntryKinds, procedure="NAME")`."""

    BALLOT_CALLED = entry("ballot:called", "提请表决", references={"question": Refers.TEXT})
    BALLOT_STANDS = entry("ballot:stands", "表决立案")
    BALLOT_CALLED_OFF = entry("ballot:called_off", "撤销表决")
    BALLOT_ENDED = entry("ballot:ended", "表决结果")


BALLOT_CLOCK = "ballot"


def ballot_timers() -> dict[str, Timer]:
    """How long a ballot is waited for."""
    return {BALLOT_CLOCK: window("表决", "the vote", "ballot.unheard")}


def ballot_lines(kinds: type[BallotEntries], *, at: Stages, to: Stages) -> tuple[Step, ...]:
    """What the case does by itself: it goes on when the vote has ended, or is not waited for any more."""
    return (
        step("hear_ballot", "表决结果", at=at, to=to, entry=kinds.BALLOT_ENDED),
        step("stop_waiting_for_ballot", "表决逾期无结果", at=at, to=to, entry=kinds.BALLOT_ENDED, clock=BALLOT_CLOCK),
    )
