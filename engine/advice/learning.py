"""Learning a model of dispatch: logistic regression by scikit-learn, of which nothing but whole numbers is kept.

scikit-learn takes seconds to load and is loaded here alone, when something is learned (extra `learn`): no process of a town does.

What a model must not hold: a gram is kept only if PEOPLE_AT_LEAST different people wrote it, and grams have neither digits nor
letters. So a name, a number or an address that one person wrote, however often, stands in no model.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from engine.advice.examples import Example, by_category, known_well_enough
from engine.advice.scores import Answer, Scores, scores_of
from engine.runtime.operator_error import OperatorError
from schemas.advice.dispatch_model import UNIT, WEIGHT, DispatchModel, Gram, lengthened
from schemas.advice.grams import grams

FOLDS = 5
EXAMPLES_AT_LEAST = 50
OF_A_CATEGORY_AT_LEAST = 2 * FOLDS
PEOPLE_AT_LEAST = 5
"""So many different people must have written a gram before a model may hold it."""

GRAMS_AT_MOST = 20_000
_SEED = 1
_STRENGTH = 30.0
"""The inverse of the penalty on weights, chosen by cross-validation on 380 messages (docs/dispatch-help.md)."""

_ROUNDS_AT_MOST = 1000


class TooLittle(OperatorError):
    """There is not enough to learn from; the message says what was there."""


class NoLibrary(OperatorError):
    """scikit-learn is not installed here."""


def learn(examples: Sequence[Example]) -> tuple[DispatchModel, Scores]:
    """Learn from all of them, and say how well it does on what it has not seen.

    The same examples, in any order, give the same model with the same library. Raises TooLittle, NoLibrary.
    """
    fit = fitting(examples)
    return _model(fit), cross_validated(fit)


def fitting(examples: Sequence[Example]) -> list[Example]:
    """What can be learned from, in an order of its own. Raises TooLittle."""
    fit = sorted(known_well_enough(examples, OF_A_CATEGORY_AT_LEAST), key=lambda each: (each.category, each.text))
    if len(fit) < EXAMPLES_AT_LEAST or len(by_category(fit)) < 2:  # noqa: PLR2004 - one category is no choice
        raise TooLittle(
            f"只有{len(fit)}条可学习 only {len(fit)} to learn from, of {len(by_category(fit))} categories. At least "
            f"{EXAMPLES_AT_LEAST} of two categories, {OF_A_CATEGORY_AT_LEAST} of each: give a file, `jiceng learn FILE`."
        )
    return fit


def cross_validated(fit: Sequence[Example]) -> Scores:
    """How well models do that have learned from four fifths, on the fifth that they have not seen; all five together.

    By the very model that would be used, with its rounded weights and without the grams that it must not hold.
    """
    folds = _library().model_selection.StratifiedKFold(FOLDS, shuffle=True, random_state=_SEED)
    answers: list[Answer] = []
    for seen, unseen in folds.split(fit, [each.category for each in fit]):
        model = _model([fit[place] for place in seen])
        answers += [Answer(fit[place], model.likelihoods(fit[place].text)) for place in unseen]
    return scores_of(answers)


def _model(examples: Sequence[Example]) -> DispatchModel:
    counted = [grams(each.text) for each in examples]
    rarity = _rarities(examples, counted)
    values = [
        lengthened({gram: n for gram, n in each.items() if gram in rarity}, rarity.__getitem__) for each in counted
    ]
    library = _library()
    table = library.feature_extraction.DictVectorizer()
    matrix = table.fit_transform([{gram: value / UNIT for gram, value in each.items()} for each in values])
    found = library.linear_model.LogisticRegression(C=_STRENGTH, max_iter=_ROUNDS_AT_MOST)
    with library.one_thread():  # several wait for each other on a busy machine, and add numbers up in another order
        found.fit(matrix, [each.category for each in examples])
    weights, biases = _of_each_category(found.coef_.tolist(), found.intercept_.tolist())
    names = [str(name) for name in table.get_feature_names_out()]
    return DispatchModel(
        categories=tuple(str(each) for each in found.classes_),
        biases=tuple(biases),
        grams={
            gram: Gram(rarity=rarity[gram], weights=tuple(column))
            for gram, column in zip(names, zip(*weights, strict=True), strict=True)
        },
    )


def _rarities(examples: Sequence[Example], counted: Sequence[Counter[str]]) -> Mapping[str, int]:
    """How rare each gram is that enough different people wrote, in thousandths; the most frequent ones where there are too many."""
    people: dict[str, set[str]] = defaultdict(set)
    texts: Counter[str] = Counter()
    for example, each in zip(examples, counted, strict=True):
        texts.update(each.keys())
        for gram in each:
            people[gram].add(example.who)
    kept = sorted((gram for gram, who in people.items() if len(who) >= PEOPLE_AT_LEAST), key=lambda g: (-texts[g], g))
    if not kept:
        raise TooLittle(f"没有{PEOPLE_AT_LEAST}人以上共用的词 no words that {PEOPLE_AT_LEAST} different people wrote.")
    return {gram: int(UNIT * (1 + math.log((1 + len(examples)) / (1 + texts[gram])))) for gram in kept[:GRAMS_AT_MOST]}


def _of_each_category(weights: list[list[float]], biases: list[float]) -> tuple[list[list[int]], list[int]]:
    """Weights in ten-thousandths, a row for each category. Of two the library gives one row: what speaks for the second."""
    if len(weights) == 1:
        weights, biases = [[-each for each in weights[0]], weights[0]], [-biases[0], biases[0]]
        weights, biases = [[each / 2 for each in row] for row in weights], [each / 2 for each in biases]
    return [[round(each * WEIGHT) for each in row] for row in weights], [round(each * WEIGHT) for each in biases]


class _Library:
    """What is used of scikit-learn."""

    def __init__(self) -> None:
        from sklearn import feature_extraction, linear_model, model_selection  # noqa: PLC0415 - only when it is needed
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with it

        self.one_thread = partial(threadpool_limits, limits=1)
        self.feature_extraction: Any = feature_extraction
        self.linear_model: Any = linear_model
        self.model_selection: Any = model_selection


def _library() -> _Library:
    try:
        return _Library()
    except ImportError as missing:
        raise NoLibrary(
            "未安装 scikit-learn is not installed here: pip install 'jiceng[learn]'. Models that were learned are used without it."
        ) from missing
