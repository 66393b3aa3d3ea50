"""热点: the same trouble reported again and again, and what could be done about it. Pure; nothing is kept.

Two reports are of one matter if their places agree and their words do. Places: by coordinates where both have them; else by the
names in their addresses; where one says no place at all, only in nearly the same words. Street lamps that are broken in ten
streets are ten matters, also in the same words. A report joins the spot to most of whose reports it belongs, so that no chain of
likenesses joins what lies far apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schemas.advice.advice_policy import HotSpotRules
from schemas.advice.grams import runs_of
from schemas.advice.places import metres_apart, name_of_place, same_name
from schemas.values.area import community_of
from schemas.values.model import Model

ALIKE_IN_ONE_CATEGORY = 0.14
"""In one place and of one category: so much of what the shorter text says, and at least one pair of characters."""

ALIKE_IN_ONE_PLACE = 0.30
"""In one place, of different categories: at least two pairs."""

ALIKE_ANYWHERE = 0.60
"""Where one of them does not say where it is: at least six pairs."""

_LEAST = {ALIKE_IN_ONE_CATEGORY: 1, ALIKE_IN_ONE_PLACE: 2, ALIKE_ANYWHERE: 6}
_SHORT = 20
"""A text of so few pairs needs to share no more than the least number."""

_SAY_NOTHING = frozenset(
    "的了是在不有我你他她它们很都也就还没好几天日月年时个这那和与把被让给为请人大小多少上下中里到去来说要会能可以吗呢吧啊无未每经常已又再从向对于"
    "但如果因所或及等各某其此该什么怎样一二三四五六七八九十百千万两号楼栋层市区县镇乡村组路街巷您望谢尊敬领导书记长反映问题情况决处理相关部门希"
)
"""Characters that stand in every report: a pair with one of them says of none what it is about."""


class Advised(StrEnum):
    """What is proposed. A proposal only: people merge, blow the whistle and call departments together, by their commands."""

    MERGE = "merge"
    WHISTLE = "whistle"
    JOINT_TASK = "joint_task"


class Because(StrEnum):
    """Why."""

    OPEN_BESIDE_EACH_OTHER = "open_beside_each_other"
    SEVERAL_DEPARTMENTS = "several_departments"
    CAME_BACK = "came_back"
    MANY_PEOPLE = "many_people"
    MANY_COMMUNITIES = "many_communities"


@dataclass(frozen=True)
class SpotReport:
    """A report as it is compared. `who` tells people apart. `mergeable`: it can still go into another; `over`: it was closed."""

    case_id: str
    opened_at: datetime
    category: str
    department: str | None
    area: str
    who: str = field(repr=False)
    text: str = field(repr=False)
    address: str = field(default="", repr=False)
    place: tuple[int, int] | None = None
    mergeable: bool = False
    over: bool = False


class Advice(Model):
    """A proposal: what, with which cases, and why. Of a merge the first case is the one into which the others would go."""

    advised: Advised
    because: Because
    cases: tuple[str, ...]


class HotSpot(Model):
    """One trouble: its cases, oldest first; how many people reported it, of which category and where; what is proposed.

    `words`: what most of the reports say, by pairs of characters; part of what people wrote, for who may read that.
    """

    cases: tuple[str, ...]
    people: int
    category: str
    departments: tuple[str, ...]
    areas: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    words: tuple[str, ...]
    advice: tuple[Advice, ...]


@dataclass(frozen=True)
class _Compared:
    report: SpotReport
    pairs: frozenset[str]
    name: str


def hot_spots(reports: Iterable[SpotReport], rules: HotSpotRules) -> list[HotSpot]:
    """Return the spots with enough reports of enough people, those of most people first.

    The reports of one period; in any order the same ones give the same spots.
    """
    compared = [
        _Compared(each, _pairs(each.text, each.address), name_of_place(each.address))
        for each in sorted(reports, key=lambda each: (each.opened_at, each.case_id))
    ]
    groups = _grouped(compared, rules)
    spots = [_spot([each.report for each in group], group, rules) for group in groups]
    found = [
        spot for spot in spots if len(spot.cases) >= rules.reports_at_least and spot.people >= rules.people_at_least
    ]
    return sorted(found, key=lambda spot: (-spot.people, -len(spot.cases), spot.cases))


def _grouped(compared: Sequence[_Compared], rules: HotSpotRules) -> list[list[_Compared]]:
    """Each report with those of one matter. Compared are only reports that share a pair: in a town's fortnight hardly any do."""
    groups: list[list[_Compared]] = []
    group_of: list[int] = []
    having: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(compared):
        shared = Counter(other for pair in each.pairs for other in having[pair])
        alike = Counter(group_of[other] for other, many in shared.items() if _one(each, compared[other], many, rules))
        best = max(alike, key=lambda group: (alike[group] / len(groups[group]), -group), default=None)
        if best is not None and alike[best] * 2 > len(groups[best]):
            groups[best].append(each)
            group_of.append(best)
        else:
            group_of.append(len(groups))
            groups.append([each])
        for pair in each.pairs:
            having[pair].append(number)
    return groups


def _one(one: _Compared, other: _Compared, shared: int, rules: HotSpotRules) -> bool:
    """Whether two reports that share so many pairs are of one matter."""
    here, there = one.report, other.report
    in_one_place = ALIKE_IN_ONE_CATEGORY if here.category == there.category else ALIKE_IN_ONE_PLACE
    if here.place is not None and there.place is not None:
        needed = in_one_place if metres_apart(here.place, there.place) <= rules.metres else None
    elif one.name and other.name:
        needed = in_one_place if same_name(one.name, other.name) else None
    else:
        needed = ALIKE_ANYWHERE
    if needed is None or shared < _LEAST[needed]:
        return False
    shorter = min(len(one.pairs), len(other.pairs))
    return shared >= needed * shorter or (needed == ALIKE_IN_ONE_CATEGORY and shorter <= _SHORT)


def _pairs(text: str, address: str) -> frozenset[str]:
    """The pairs of Chinese characters of a text that say what it is about: not where, and not what every report says."""
    where = frozenset(run[at : at + 2] for run in runs_of(address) for at in range(len(run) - 1))
    found = {run[at : at + 2] for run in runs_of(text) for at in range(len(run) - 1)}
    return frozenset(pair for pair in found - where if _SAY_NOTHING.isdisjoint(pair))


def _spot(reports: Sequence[SpotReport], group: Sequence[_Compared], rules: HotSpotRules) -> HotSpot:
    said = Counter(pair for each in group for pair in each.pairs)
    common = sorted(
        (pair for pair, many in said.items() if many * 2 > len(group)), key=lambda pair: (-said[pair], pair)
    )
    departments = sorted({each.department for each in reports if each.department is not None})
    return HotSpot(
        cases=tuple(each.case_id for each in reports),
        people=len({each.who for each in reports}),
        category=Counter(each.category for each in reports).most_common(1)[0][0],
        departments=tuple(departments),
        areas=tuple(sorted({each.area for each in reports})),
        first_at=reports[0].opened_at,
        last_at=reports[-1].opened_at,
        words=tuple(common[:5]),
        advice=tuple(_advice(reports, departments, rules)),
    )


def _advice(reports: Sequence[SpotReport], departments: Sequence[str], rules: HotSpotRules) -> Iterable[Advice]:
    mergeable = tuple(each.case_id for each in reports if each.mergeable)
    everything = tuple(each.case_id for each in reports)
    if len(mergeable) > 1:
        yield Advice(advised=Advised.MERGE, because=Because.OPEN_BESIDE_EACH_OTHER, cases=mergeable)
    first_over = next((place for place, each in enumerate(reports) if each.over), None)
    came_back = first_over is not None and any(not each.over for each in reports[first_over + 1 :])
    if len(departments) > 1:
        yield Advice(advised=Advised.WHISTLE, because=Because.SEVERAL_DEPARTMENTS, cases=everything)
    elif came_back:
        yield Advice(advised=Advised.WHISTLE, because=Because.CAME_BACK, cases=everything)
    communities = {community_of(each.area) or each.area for each in reports}
    if len({each.who for each in reports}) >= rules.joint_people_at_least:
        yield Advice(advised=Advised.JOINT_TASK, because=Because.MANY_PEOPLE, cases=everything)
    elif len(communities) >= rules.joint_communities_at_least:
        yield Advice(advised=Advised.JOINT_TASK, because=Because.MANY_COMMUNITIES, cases=everything)
