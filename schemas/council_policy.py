"""The town's rules for motions: policies/council.yaml."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from pydantic import Field

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit, Unit
from schemas.clocks.windows import OpenTimes
from schemas.parts.ballots import BallotingPolicy, BallotingTerms
from schemas.parts.opinions import OpinionTerms
from schemas.parts.postings import PostingTerms
from schemas.parts.quorum import QuorumClass
from schemas.values.fractions import Share
from schemas.values.location import AreaCode


class Topic(StrEnum):
    """What a motion is about. Of some the law asks for a review before the vote (policy: `reviewed`)."""

    CONVENTION = "convention"
    MONEY = "money"
    COLLECTIVE_PROPERTY = "collective_property"
    FACILITIES = "facilities"
    ENVIRONMENT = "environment"
    OTHER = "other"


class Joined(StrEnum):
    """Who proposes it together: a share of them brings it onto the agenda by itself."""

    RESIDENTS = "residents"
    VILLAGERS = "villagers"
    DELEGATES = "delegates"


class CouncilTerms(BallotingTerms, PostingTerms, OpinionTerms):
    """The town's rules: when a motion is admitted, talked over, voted on, and done.

    `joined`: the share of those who propose it together that admits it by itself. `communities`: how many there are, by area.
    `reviewed`: the matters of which the legality is looked at before the vote. `revote_after`: how long nothing is voted on again.
    `votes`: by what rules a matter is voted on, where not by any. `evaluate`: how long people judge the result, or longer, until
    that has held the days off of `evaluate_holds`. `annul`: how long a decision can still be annulled.
    """

    joined: Mapping[Joined, Share]
    communities: Mapping[AreaCode, Mapping[Joined, int]] = {}
    reviewed: tuple[Topic, ...]
    rounds_at_least: int = Field(ge=2)
    votes: Mapping[Topic, tuple[QuorumClass, ...]] = {}
    screen: Limit
    start_rounds: Limit
    deliberate: Limit
    revote_after: Limit
    file: Limit
    assign: Limit
    report: Limit
    cure: Limit
    accept_duty: Limit
    evaluate: Limit
    evaluate_holds: OpenTimes
    annul: Limit
    tasks_at_most: int = Field(ge=1)
    task_tiers: tuple[Tier, ...]


class CouncilPolicy(BallotingPolicy):
    """policies/council.yaml."""

    WINDOWS = BallotingPolicy.WINDOWS | {"screen", "publicity", "revote_after", "cure", "evaluate", "annul"}

    terms: CouncilTerms

    def faults(self) -> Iterator[str]:
        """A matter without a rule for its vote, or a rule that there is none of; a text that is out in working days."""
        yield from super().faults()
        for matter, classes in self.terms.votes.items():
            for each in classes:
                if each not in self.terms.ballot.classes:
                    yield f"terms.votes.{matter}: {each} is no class of terms.ballot.classes; name one of them"
                elif self.terms.ballot.classes[each].passed is None:
                    yield f"terms.votes.{matter}: {each} only ranks choices (no `passed`); name one by which a motion passes"
        if self.terms.evaluate.unit is not Unit.NATURAL_DAYS:
            yield "terms.evaluate: count it in natural_days, because it has to hold days off"
