"""排名 ranking: many are judged by jurors and by the public, put in one order, and get what a pool has, the best first.

    sheets of jurors -> Trimmed        best and worst off; too few, or too far apart: nobody is ranked by them
    jury and votes   -> Standing       70 of a hundred by the jury, 30 by the public; under the floor by the jury alone
    standings        -> Ranking        one order; what the rule cannot tell apart is drawn by lot, before two people
    ranking and pool -> Awards         in that order, and nobody is jumped over

Everything is exact: fractions of whole numbers, never a rounded mean, so that no order hangs on how it was printed. Source: domain
(five valid scores, best and worst off, mean in hundredths; a tie goes by jury, public, cheaper, lot); every number is policy.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from schemas.values.model import Model

FULL = 100
"""Points that jury and public each give at most, and percent of a whole."""

_TRIMMED = 2
"""The best and the worst."""


class RankingTerms(Model):
    """The town's rules for it.

    `weights`: points by criterion, together a hundred. `valid_at_least`: so many sheets, the best and the worst of which are taken
    off. `spread_at_most`: farther apart, the jury talks and scores anew. `public_weight`: percent that the public has, unless
    fewer than `turnout_floor` percent of the roll took part. `reserve`: so many wait for a place that comes free.
    """

    weights: dict[str, int] = Field(min_length=1)
    valid_at_least: int = Field(ge=3)
    spread_at_most: int = Field(ge=0, le=FULL)
    public_weight: int = Field(ge=0, le=FULL)
    turnout_floor: int = Field(ge=0, le=FULL)
    reserve: int = Field(ge=0)

    @model_validator(mode="after")
    def _a_hundred_points(self) -> Self:
        if any(each < 1 for each in self.weights.values()) or sum(self.weights.values()) != FULL:
            raise ValueError("weights: 各项分值须为正且合计100 (each is positive, and together they are 100)")
        return self


def points_of(sheet: Mapping[str, int], weights: Mapping[str, int]) -> int:
    """What one juror gives. Raises ValueError: a criterion is missing, unknown, or has more points than there are."""
    if set(sheet) != set(weights) or any(not 0 <= points <= weights[each] for each, points in sheet.items()):
        raise ValueError("a sheet has points for each criterion, and no more than it is worth")
    return sum(sheet.values())


class Trimmed(Model):
    """What the sheets come to without the best and the worst: `total` of so many, exact. `spread`: between these two."""

    total: int
    counted: int = Field(ge=1)
    spread: int

    @property
    def mean(self) -> Fraction:
        """Exact."""
        return Fraction(self.total, self.counted)

    @property
    def mean_hundredths(self) -> int:
        """For people, rounded half up; nothing is compared by it."""
        return (2 * FULL * self.total + self.counted) // (2 * self.counted)


def trimmed(points: Iterable[int], valid_at_least: int) -> Trimmed | None:
    """The sheets without one best and one worst of them. None: there are too few."""
    given = sorted(points)
    if len(given) < max(valid_at_least, _TRIMMED + 1):
        return None
    return Trimmed(total=sum(given[1:-1]), counted=len(given) - _TRIMMED, spread=given[-1] - given[0])


class Standing(Model):
    """One that is ranked: by the number of its case. `proposer`: whoever gets no two awards; `votes`: ballots for it."""

    case_id: str
    proposer: str
    jury: Trimmed
    votes: int = Field(default=0, ge=0)
    cost_fen: int = Field(ge=1)


class Turnout(Model):
    """How many of a roll took part. Of a vote that there was not: none of none."""

    ballots: int = Field(default=0, ge=0)
    roll: int = Field(default=0, ge=0)

    def reaches(self, floor: int) -> bool:
        """Whether at least so many percent took part; nobody is no public."""
        return self.ballots > 0 and self.ballots * FULL >= floor * self.roll


class Place(NamedTuple):
    """By what one comes before another, the greater first; equal in all of it, only a lot tells them apart."""

    points: Fraction
    jury: Fraction
    votes: int
    cheaper: int


def place_of(standing: Standing, terms: RankingTerms, turnout: Turnout) -> Place:
    """All points of one: of the jury, and of the public where enough took part, as the part of all ballots that named it."""
    weight = terms.public_weight if turnout.reaches(terms.turnout_floor) else 0
    public = Fraction(FULL * standing.votes, turnout.ballots) if weight else Fraction(0)
    points = ((FULL - weight) * standing.jury.mean + weight * public) / FULL
    return Place(points, standing.jury.mean, standing.votes if weight else 0, -standing.cost_fen)


class Ranking(Model):
    """`order`: case numbers, the best first. `undecided`: groups that the rule cannot tell apart, and no lot has yet."""

    order: tuple[str, ...]
    undecided: tuple[tuple[str, ...], ...] = ()


def rank(
    standings: Sequence[Standing], terms: RankingTerms, turnout: Turnout, lots: Sequence[Sequence[str]] = ()
) -> Ranking:
    """Put them in one order. `lots`: drawn orders of groups that were undecided before; a lot of any other group counts nothing.

    Raises ValueError: a case stands twice, or has more votes than there were ballots.
    """
    if any(often > 1 for often in Counter(each.case_id for each in standings).values()):
        raise ValueError("a case is ranked once")
    if any(each.votes > turnout.ballots for each in standings):
        raise ValueError("more votes than ballots")
    groups: dict[Place, list[str]] = {}
    for each in standings:
        groups.setdefault(place_of(each, terms, turnout), []).append(each.case_id)
    order: list[str] = []
    undecided: list[tuple[str, ...]] = []
    drawn = {frozenset(lot): tuple(lot) for lot in lots}
    for _, group in sorted(groups.items(), reverse=True):
        lot = drawn.get(frozenset(group))
        if len(group) > 1 and (lot is None or len(lot) != len(group)):
            undecided.append(tuple(sorted(group)))
        order += sorted(group) if lot is None or len(lot) != len(group) else lot
    return Ranking(order=tuple(order), undecided=tuple(undecided))


class Awards(Model):
    """Who gets what they cost, who waits for a place, and who gets nothing; `left_fen` of the pool is nobody's."""

    awarded: tuple[str, ...]
    reserve: tuple[str, ...]
    others: tuple[str, ...]
    left_fen: int


def award(ranking: Ranking, standings: Sequence[Standing], pool_fen: int, terms: RankingTerms, mark: int = 0) -> Awards:
    """Down the order, while the pool lasts: the first whom it does not reach for ends it, and nobody behind is let before.

    Args:
        ranking: decided throughout.
        standings: those that were ranked.
        pool_fen: what there is.
        terms: the town's.
        mark: points of the jury under which nobody is awarded, however much is left.

    Raises:
        ValueError: a lot is still to be drawn.
    """
    if ranking.undecided:
        raise ValueError("a lot is still to be drawn")
    by_case = {each.case_id: each for each in standings}
    awarded: list[str] = []
    waiting: list[str] = []
    others: list[str] = []
    proposers: set[str] = set()
    left, lasts = pool_fen, True
    for case_id in ranking.order:
        each = by_case[case_id]
        if each.jury.mean < mark or each.proposer in proposers:
            others.append(case_id)
        elif lasts and each.cost_fen <= left:
            awarded.append(case_id)
            proposers.add(each.proposer)
            left -= each.cost_fen
        else:
            lasts = False
            (waiting if len(waiting) < terms.reserve else others).append(case_id)
    return Awards(awarded=tuple(awarded), reserve=tuple(waiting), others=tuple(others), left_fen=left)
