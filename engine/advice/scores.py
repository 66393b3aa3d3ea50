"""How well a model does: as a whole, by category, by area and by group, and above which probability it is how often right."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.advice.examples import Example
from schemas.advice.dispatch_model import Likelihood
from schemas.values.model import Model

FIRST, FIRST_THREE = 1, 3
STEPS_PERMILLE = (0, 500, 600, 700, 800, 900, 950)
FEW = 10
"""Of fewer texts an area or group has no line of its own: it goes to `other`, for one right answer more would be 10 % more."""

OTHER = "other"


@dataclass(frozen=True)
class Answer:
    """What a model said of an example that it had not seen."""

    example: Example
    said: Sequence[Likelihood]

    @property
    def rank(self) -> int:
        """At which place the right category stood, from 1."""
        return 1 + [each.category for each in self.said].index(self.example.category)


class Score(Model):
    """Of so many texts: how many times the right category was the first one, and among the first three."""

    texts: int
    first: int
    first_three: int

    @property
    def first_rate(self) -> float:
        """As a share."""
        return self.first / self.texts if self.texts else 0.0

    @property
    def first_three_rate(self) -> float:
        """As a share."""
        return self.first_three / self.texts if self.texts else 0.0


class AtLeast(Model):
    """Of the texts whose first proposal had at least this probability: how many there were, and how often it was right."""

    permille: int
    texts: int
    first: int


class Scores(Model):
    """The scores of a model on what it had not seen. `by_group`: KIND=VALUE, such as channel=app."""

    whole: Score
    by_category: dict[str, Score]
    by_area: dict[str, Score]
    by_group: dict[str, Score]
    by_probability: tuple[AtLeast, ...]


def scores_of(answers: Sequence[Answer]) -> Scores:
    """Count them."""
    groups = [(f"{kind}={value}", each) for each in answers for kind, value in each.example.groups.items()]
    return Scores(
        whole=_score(answers),
        by_category=_each((each.example.category, each) for each in answers),
        by_area=_each(((each.example.area or OTHER, each) for each in answers), few=FEW),
        by_group=_each(groups, few=FEW),
        by_probability=tuple(_at_least(answers, permille) for permille in STEPS_PERMILLE),
    )


def _each(named: Iterable[tuple[str, Answer]], few: int = 0) -> dict[str, Score]:
    found: dict[str, list[Answer]] = defaultdict(list)
    for name, answer in named:
        found[name].append(answer)
    for name in [name for name, answers in found.items() if len(answers) < few and name != OTHER]:
        found[OTHER] += found.pop(name)
    return {name: _score(found[name]) for name in sorted(found)}


def _score(answers: Sequence[Answer]) -> Score:
    ranks = [each.rank for each in answers]
    return Score(
        texts=len(ranks),
        first=sum(each == FIRST for each in ranks),
        first_three=sum(each <= FIRST_THREE for each in ranks),
    )


def _at_least(answers: Sequence[Answer], permille: int) -> AtLeast:
    sure = [each for each in answers if each.said[0].permille >= permille]
    return AtLeast(permille=permille, texts=len(sure), first=sum(each.rank == FIRST for each in sure))
