"""What a round remembers: its pool and jury, who takes part, how they were ranked, and the pure rules on it."""

from collections.abc import Mapping
from typing import ClassVar

from schemas.clocks.months import month_at
from schemas.contracts.payment import Fen
from schemas.kernel.people import Part, same_account
from schemas.kernel.state import OpenedState
from schemas.kernel.words import DeclaredStage
from schemas.parts.ballots import BallotingState, BallotOutcome
from schemas.parts.payments import Remembered
from schemas.parts.ranking import Ranking, Standing, Trimmed, Turnout, rank
from schemas.parts.reservations import ReservingState
from schemas.round_policy import RoundTerms
from schemas.values.account import AccountCode
from schemas.values.actor import Role, Stamp
from schemas.values.document import Document
from schemas.values.model import Model
from schemas.values.organisation import OrganisationCode
from schemas.values.references import PersonReference, TextReference

STREET_PARTS = 2
"""A street is district and itself: all rounds inside of it share one sum."""
POOL = "pool"
"""For what the round reserves its share of the year's money."""


class Stage(DeclaredStage):
    """Where a round stands."""

    ANNOUNCED = "announced", "已公告", "大赛已公告", "the round is announced"
    COLLECTING = "collecting", "征集中", "正在征集提案", "proposals are collected"
    JUDGING = "judging", "评审中", "提案正在评审", "the jury judges the proposals"
    SHORTLISTED = "shortlisted", "已入围", "入围名单已定,待公众投票", "the shortlist stands; the public vote comes next"
    VOTING = "voting", "投票中", "正在公众投票", "the public votes"
    DRAWING = "drawing", "抽签中", "同分提案正在抽签", "a lot is drawn among equals"
    RUNNING = "running", "实施中", "获奖提案正在实施", "the proposals that won are being carried out"
    CLOSED = "closed", "已结束", "大赛已结束", "the round is over"
    CANCELLED = "cancelled", "已取消", "大赛已取消", "the round is called off"
    UNRESOLVED = "unresolved", "未解决终结", "未能办结,已终结", "it ended without a decision"


BEFORE_VOTE = (Stage.ANNOUNCED, Stage.COLLECTING, Stage.JUDGING, Stage.SHORTLISTED)
OPEN = (*BEFORE_VOTE, Stage.VOTING, Stage.DRAWING, Stage.RUNNING)


class Entrant(Remembered):
    """A proposal of the round, as it was handed in, and what its case last told. Its case is `ROUND.proposal-NUMBER`.

    `team`: accounts, whose proposal it is first; `carrier_person` speaks for the carrier. `kin`: jurors whom they are tied to.
    `jury`: what its sheets come to. `offered`: it was told that the money is its own; `answered`: it was told how it was ranked,
    for good. `place` from 1, among those ranked.
    """

    number: int
    stamp: Stamp
    team: tuple[AccountCode, ...]
    kin: tuple[AccountCode, ...]
    need: TextReference
    plan: TextReference
    site: TextReference
    people_helped: int
    cost_fen: Fen
    carrier: OrganisationCode
    carrier_name: TextReference
    account: TextReference
    carrier_person: AccountCode | None = None
    started: bool = False
    heard: int = 0
    stage: str = ""
    over: bool = False
    contracted: bool = False
    jury: Trimmed | None = None
    place: int | None = None
    offered: bool = False
    answered: bool = False

    @property
    def code(self) -> str:
        """What its number ends in, and what is chosen in a vote."""
        return f"proposal-{self.number}"

    @property
    def joined(self) -> list[AccountCode] | None:
        """Who of the team has said so by handing it in themselves; None: from before members and carriers were asked."""
        if self.carrier_person is None:
            return None
        own = self.stamp.actor.role is Role.RESIDENT and same_account(self.stamp.actor.subject, self.team[0])
        return [self.team[0]] if own else []

    @property
    def lost(self) -> bool:
        """It was to get the money, and will not: it ended before its contract."""
        return self.offered and self.over and not self.contracted


class LotDrawn(Model):
    """抽签: the order that was drawn among equals; it counts when another person has seen it."""

    number: int
    order: tuple[str, ...]
    by: str


class RoundState(BallotingState, ReservingState, OpenedState):
    """What a round remembers.

    `pool_fen` of the year's money is for its proposals, `cap_fen` for one of them at the most. `jury`: accounts, for all to see;
    `street_jurors` are those of them who are of the street. `shortlist`: codes, once the jury has judged. `lots` were drawn and
    witnessed; `lot` waits for its witness.
    """

    procedure: ClassVar[str] = "round"

    stage: str = Stage.ANNOUNCED
    terms: RoundTerms
    reporter: PersonReference
    title: TextReference
    pool_fen: Fen
    cap_fen: Fen
    jury: tuple[AccountCode, ...]
    street_jurors: tuple[AccountCode, ...] = ()
    budget: Document | None = None
    entrants: list[Entrant] = []
    shortlist: tuple[str, ...] = ()
    lots: list[tuple[str, ...]] = []
    lot: LotDrawn | None = None
    lots_drawn: int = 0

    # ---- who takes part -------------------------------------------------------------------------------------------

    def entrant(self, code: str) -> Entrant:
        """The one of a code. Raises LookupError: there is none."""
        found = next((each for each in self.entrants if each.code == code), None)
        if found is None:
            raise LookupError(f"no entrant {code}")
        return found

    @property
    def living(self) -> list[Entrant]:
        """Those whose case is not over."""
        return [each for each in self.entrants if not each.over]

    @property
    def all_are_judged(self) -> bool:
        """Whether nothing more comes of the jury."""
        return all(each.jury is not None for each in self.living)

    # ---- how they are ranked --------------------------------------------------------------------------------------

    @property
    def outcome(self) -> BallotOutcome | None:
        """How the public vote ended, if it counts."""
        last = self.ballots[-1].outcome if self.ballots else None
        return None if last is None or last.void is not None else last

    @property
    def turnout(self) -> Turnout:
        """How many of the public took part; of a vote that there was not, or that is void, nobody."""
        outcome = self.outcome
        return Turnout() if outcome is None else Turnout(ballots=outcome.took_part, roll=outcome.of_how_many)

    def standings(self) -> list[Standing]:
        """Those that are ranked: shortlisted, and still there."""
        counted: Mapping[str, int] = {} if self.outcome is None else self.outcome.counted
        return [
            Standing(
                case_id=each.code,
                proposer=each.team[0],
                jury=each.jury,
                votes=min(counted.get(each.code, 0), self.turnout.ballots),
                cost_fen=each.cost_fen,
            )
            for each in self.living
            if each.code in self.shortlist and each.jury is not None
        ]

    def ranking(self) -> Ranking:
        """One order of them, as far as the rule and the lots that were drawn decide."""
        return rank(self.standings(), self.terms.ranking, self.turnout, self.lots)

    @property
    def to_draw(self) -> tuple[str, ...]:
        """The equals among whom a lot is to be drawn next; none: the order stands."""
        return next(iter(self.ranking().undecided), ())

    # ---- the money ------------------------------------------------------------------------------------------------

    @property
    def years_money(self) -> str:
        """The key of the money from which its pool is taken: of the street and the year in which it was announced."""
        return f"{'.'.join(self.area.split('.')[:STREET_PARTS])}/{month_at(self.opened_at)[:4]}"

    @property
    def left_fen(self) -> int:
        """What of the pool is nobody's: what was offered and lost is free again."""
        return self.pool_fen - sum(each.cost_fen for each in self.entrants if each.offered and not each.lost)

    @property
    def reserve(self) -> list[Entrant]:
        """Who waits for a place that comes free, the best first."""
        waits = [each for each in self.living if each.place is not None and not each.offered and not each.answered]
        return sorted(waits, key=lambda each: each.place or 0)

    @property
    def places_are_settled(self) -> bool:
        """Whether nobody to whom the money was offered may still lose it."""
        return all(each.contracted or each.over for each in self.entrants if each.offered)

    @property
    def is_answered(self) -> bool:
        """Whether each proposal has its answer, for good."""
        return bool(self.entrants) and not self.living

    # ---- for the house --------------------------------------------------------------------------------------------

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who drew a lot that nobody has witnessed, and who is of the jury."""
        return {
            **super().took_part(),
            Part.LOT_DRAWN: () if self.lot is None else (self.lot.by,),
            Part.JUROR: self.jury,
        }

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        """A lot that waits for its witness."""
        return {**super().requests(), Part.LOT_DRAWN: () if self.lot is None else (self.lot.number,)}
