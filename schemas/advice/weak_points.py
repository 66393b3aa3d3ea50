"""薄弱环节: what of a month grew worse than chance, against the months before it. Pure.

For every department, category and community, and every figure: of n of the month k went wrong, of N before it K. If the month were
as those before, how often would k or more of all k + K that went wrong fall into it by chance? (The hypergeometric tail: Fisher's
exact test, one-sided.) Hundreds of lines are asked at once, so one in twenty would stand out for nothing: shown are those that
pass Benjamini and Hochberg's bound, so that of what is shown no more than the town's share is chance.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.advice.advice_policy import WeakPointRules
from schemas.values.model import Model

PER_MILLION = 1_000_000
ALL_REPORTED = "all_reported"
"""All reports of the months, whoever had them: counted here."""


class Figure(StrEnum):
    """What went wrong, of what was judged; `reported`: the share of all reports."""

    FINISHED_LATE = "finished_late"
    RESPONDED_LATE = "responded_late"
    RETURNED = "returned"
    NOT_SOLVED = "not_solved"
    REPORTED = "reported"


OF = {
    Figure.FINISHED_LATE: "finish_judged",
    Figure.RESPONDED_LATE: "response_judged",
    Figure.RETURNED: "reported",
    Figure.NOT_SOLVED: "outcome_known",
    Figure.REPORTED: ALL_REPORTED,
}


@dataclass(frozen=True)
class MonthCounts:
    """What was counted of one department, category or area in one month: by the names of `Figure` and `OF`."""

    kind: str
    name: str
    month: str
    counts: Mapping[str, int]


class WeakPoint(Model):
    """What grew worse. `wrong` of `judged` in the month, `wrong_before` of `judged_before` in the months before it.

    `chance_per_million`: so often it would be so bad or worse by chance.
    """

    kind: str
    name: str
    figure: Figure
    wrong: int
    judged: int
    wrong_before: int
    judged_before: int
    chance_per_million: int


class WeakPoints(Model):
    """The weak points of a month, the least probable by chance first. `asked`: how many lines were asked."""

    asked: int
    items: tuple[WeakPoint, ...]


def weak_points(counted: Iterable[MonthCounts], month: str, rules: WeakPointRules) -> WeakPoints:
    """Return what of a month (YYYY-MM) grew worse than chance; all other months that are counted are those before it."""
    counted = tuple(counted)
    all_of_month: dict[tuple[str, str], int] = defaultdict(int)
    for each in counted:
        all_of_month[each.kind, each.month] += each.counts[Figure.REPORTED]
    all_before = {
        kind: sum(many for (other, when), many in all_of_month.items() if other == kind and when != month)
        for kind, _ in all_of_month
    }
    now: dict[tuple[str, str], dict[str, int]] = {}
    before: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in counted:
        if each.month == month:
            now[each.kind, each.name] = {**each.counts, ALL_REPORTED: all_of_month[each.kind, month]}
        else:
            for name, count in each.counts.items():
                before[each.kind, each.name][name] += count
    for (kind, _), counts_before in before.items():
        counts_before[ALL_REPORTED] = all_before[kind]
    asked = [
        (_chance(counts[figure], counts[of], earlier[figure], earlier[of]), key, figure)
        for key, counts in sorted(now.items())
        if (earlier := before.get(key)) is not None
        for figure, of in OF.items()
        if min(counts[of], earlier[of]) >= rules.cases_at_least
    ]
    asked.sort(key=lambda each: (each[0], each[1], each[2]))
    shown = asked[: _passing([chance for chance, _, _ in asked], rules.false_percent / 100)]
    points = (_point(each, now, before) for each in shown)
    return WeakPoints(asked=len(asked), items=tuple(each for each in points if each.wrong >= rules.wrong_at_least))


def _point(
    found: tuple[float, tuple[str, str], Figure],
    now: Mapping[tuple[str, str], Mapping[str, int]],
    before: Mapping[tuple[str, str], Mapping[str, int]],
) -> WeakPoint:
    chance, key, figure = found
    of = OF[figure]
    return WeakPoint(
        kind=key[0],
        name=key[1],
        figure=figure,
        wrong=now[key][figure],
        judged=now[key][of],
        wrong_before=before[key][figure],
        judged_before=before[key][of],
        chance_per_million=int(chance * PER_MILLION),
    )


def _chance(wrong: int, judged: int, wrong_before: int, judged_before: int) -> float:
    """How often so many wrong ones, or more, would fall into the month, if all were dealt out by chance."""
    whole, all_wrong = judged + judged_before, wrong + wrong_before
    least, most = max(wrong, judged - (whole - all_wrong)), min(judged, all_wrong)
    ways = _log_ways(whole, judged)
    return min(
        1.0,
        math.fsum(
            math.exp(_log_ways(all_wrong, each) + _log_ways(whole - all_wrong, judged - each) - ways)
            for each in range(least, most + 1)
        ),
    )


def _log_ways(of: int, many: int) -> float:
    """The logarithm of the number of ways to choose so many of so many: the numbers themselves have thousands of digits."""
    return math.lgamma(of + 1) - math.lgamma(many + 1) - math.lgamma(of - many + 1)


def _passing(chances: Sequence[float], false_share: float) -> int:
    """How many of the chances, which are in order, pass the bound: the last that is at most its place's share of it."""
    passing = [place for place, chance in enumerate(chances, 1) if chance <= false_share * place / len(chances)]
    return max(passing, default=0)
