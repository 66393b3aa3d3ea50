"""The town's rules for rounds 社区提案大赛 and for the proposals in them: policies/round.yaml."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from schemas.clocks.limits import Limit
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.contracts.payment import Fen
from schemas.parts.ballots import BallotingPolicy, BallotingTerms
from schemas.parts.incoming import IncomingTerms
from schemas.parts.instalments import InstalmentTerms, Milestone
from schemas.parts.postings import PostingTerms
from schemas.parts.quorum import QuorumClass
from schemas.parts.ranking import FULL, RankingTerms


class Criterion(StrEnum):
    """By what a juror judges."""

    NEED = "need"
    FEASIBLE = "feasible"
    TAKES_PART = "takes_part"
    COST = "cost"
    LASTING = "lasting"
    NOVEL = "novel"


class RoundTerms(BallotingTerms, PostingTerms, InstalmentTerms, IncomingTerms):
    """The town's rules: how much there is, who judges, how it is ranked, and how long everybody has.

    `pool_at_most_fen`: what all rounds of one year in one street have together. `cap_at_most_fen`: what one proposal may get at
    the most. `proposals_at_most` at one time; `submissions_at_most`: so often somebody speaks for one in a round, withdrawn ones
    too (None: rounds from before it). `street_percent`: so much of a jury may be of the street. `mark`: points under which
    nothing is shortlisted. `talks_at_most`: how often a jury that is too far apart talks and scores anew. `instalments`: percent
    of the cost for each milestone. `negative_list`: what is never proposed, by code. `money`: by when what was not spent has to
    be back. `members`: how long those who are named in a team have to say so; None: rounds from before it, where that ends when
    it is screened.
    """

    pool_at_most_fen: Fen
    cap_at_most_fen: Fen
    proposals_at_most: int = Field(ge=2, le=100)
    submissions_at_most: int | None = Field(default=None, ge=1, le=10)
    team_at_least: int = Field(ge=1, le=20)
    team_at_most: int = Field(ge=1, le=20)
    jury_at_least: int = Field(ge=3, le=21)
    jury_at_most: int = Field(ge=3, le=21)
    street_percent: int = Field(ge=0, le=FULL)
    ranking: RankingTerms
    mark: int = Field(ge=0, le=FULL)
    talks_at_most: int = Field(ge=0, le=3)
    instalments: tuple[int, ...] = Field(min_length=1, max_length=12)
    negative_list: dict[Code, Name] = Field(min_length=1)
    invoices_at_most: int = Field(ge=1, le=500)
    open_round: Limit
    collect: Limit
    screen: Limit
    revise: Limit
    members: Limit | None = None
    judge: Limit
    call_vote: Limit
    draw_lot: Limit
    offer_contract: Limit
    contract: Limit
    grant_change: Limit
    halted: Limit
    accept_invoice: Limit
    account: Limit
    settle_account: Limit
    report_round: Limit
    repay: Limit
    confirm_repayment: Limit
    countersign: Limit

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        if sum(self.instalments) != FULL or min(self.instalments) < 1:
            raise ValueError("instalments: 各期比例须为正且合计100 (each is positive, and together they are 100)")
        if set(self.ranking.weights) != set(Criterion):
            raise ValueError(f"ranking.weights: 须为{', '.join(Criterion)} (one for each of these)")
        if not self.ranking.valid_at_least <= self.jury_at_least <= self.jury_at_most:
            raise ValueError("jury_at_least: 不得少于有效评分数 (at least as many as have to score)")
        if self.team_at_least > self.team_at_most:
            raise ValueError("team_at_least: 不得多于上限 (no more than team_at_most)")
        return self

    def milestones_of(self, cost_fen: int) -> tuple[Milestone, ...]:
        """What each milestone of a proposal gets: whole fen, and what rounding leaves goes to the last one.

        Of a hundred fen at the least, so that a percent is something (`Submit.allowed`).
        """
        parts = [cost_fen * percent // FULL for percent in self.instalments]
        parts[-1] += cost_fen - sum(parts)
        return tuple(Milestone(amount_fen=each) for each in parts)

    def weight_of(self, criterion: Criterion) -> int:
        """The most that a juror may give by it."""
        weights: Mapping[str, int] = self.ranking.weights
        return weights[criterion]


class RoundPolicy(BallotingPolicy):
    """policies/round.yaml."""

    WINDOWS = BallotingPolicy.WINDOWS | {
        "publicity", "pay_again", "look_again", "collect", "revise", "members", "contract", "halted",
    }  # fmt: skip

    terms: RoundTerms

    def faults(self) -> Iterator[str]:
        """A vote that the round needs, and has no rule for."""
        yield from super().faults()
        if QuorumClass.CONTEST not in self.terms.ballot.classes:
            yield "terms.ballot.classes: the public votes by the class contest; add it"
        elif self.terms.ballot.classes[QuorumClass.CONTEST].passed is not None:
            yield "terms.ballot.classes.contest: it ranks what is chosen among, so leave out `passed`"
