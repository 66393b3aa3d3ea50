"""A model of dispatch: which category of the responsibility list a text is probably of, and which of its words say so.

It is learned elsewhere (engine/advice/learning.py) and is nothing but numbers: weights of grams, in whole numbers throughout.
So it is kept as canonical JSON, loaded without running anything, applied without the library that learned it, and gives the
same answer on every machine and in every year.

    x(gram)    = damped(count) * rarity(gram), all of a text brought to one length
    z(category) = bias + sum of x(gram) * weight(gram, category)
    p(category) = e^z / sum of e^z
"""

import math
from collections.abc import Callable, Collection, Mapping
from decimal import Context, Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.advice.grams import grams
from schemas.values.canonical import digest
from schemas.values.model import Model

UNIT = 1000
"""Rarities, and the length to which a text is brought, are in thousandths."""

WEIGHT = 10_000
"""Weights and biases are in ten-thousandths."""

PERMILLE = 1000
WORDS_SHOWN = 5
WORDED = 3
"""Of so many categories, the most probable, the words are looked for that spoke for them."""

_EXACT = Context(prec=30)
_COUNTS_AT_MOST = 64


def _damping() -> tuple[int, ...]:
    """1 + ln(count) in thousandths: said ten times is not ten times as much. Decimal logarithms are rounded right everywhere."""
    logarithms = (_EXACT.ln(Decimal(count)) for count in range(1, _COUNTS_AT_MOST + 1))
    return (0, *(int((1 + each) * UNIT) for each in logarithms))


_DAMPED = _damping()


class Gram(Model):
    """What a model knows of a gram: how rare it is, and what it says for each category, in the order of the model's."""

    rarity: int
    weights: tuple[int, ...]


class Likelihood(Model):
    """How probable a category is, in thousandths, and, if they were asked for, the words of the text that spoke for it."""

    category: str
    permille: int
    words: tuple[str, ...]


class DispatchModel(Model):
    """A model as it is kept. `biases` and the weights of each gram stand in the order of `categories`."""

    form: Literal[1] = 1
    categories: tuple[str, ...] = Field(min_length=2)
    biases: tuple[int, ...]
    grams: Mapping[str, Gram]

    @model_validator(mode="after")
    def _as_many_weights_as_categories(self) -> Self:
        wide = len(self.categories)
        if len(self.biases) != wide or any(len(each.weights) != wide for each in self.grams.values()):
            raise ValueError("a weight for each category")
        return self

    @property
    def sha256(self) -> str:
        """By what entries name it."""
        return digest(self)

    def likelihoods(self, text: str, worded: Collection[str] = ()) -> list[Likelihood]:
        """Return every category, the most probable first; of equals the one that stands first in the model.

        Of the first three of the categories `worded` also the words that spoke for them, which takes longer.
        A text of which the model knows nothing has what is usual (the biases) and no words.
        """
        values = lengthened({gram: count for gram, count in grams(text).items() if gram in self.grams}, self._rarity)
        sums = list(self.biases)
        for gram, value in values.items():
            for place, weight in enumerate(self.grams[gram].weights):
                sums[place] += value * weight // UNIT
        shares = _shares(sums)
        order = sorted(range(len(sums)), key=lambda place: (-shares[place], -sums[place], place))
        asked = [place for place in order if self.categories[place] in worded][:WORDED]
        words = {place: self._words(values, place) for place in asked}
        return [
            Likelihood(category=self.categories[place], permille=shares[place], words=words.get(place, ()))
            for place in order
        ]

    def _rarity(self, gram: str) -> int:
        return self.grams[gram].rarity

    def _words(self, values: Mapping[str, int], place: int) -> tuple[str, ...]:
        """The grams that say more for this category than for the usual one; of those inside of each other the strongest."""
        said: dict[str, int] = {}
        for gram, value in values.items():
            weights = self.grams[gram].weights
            more = value * (weights[place] * len(weights) - sum(weights))
            if more > 0 and len(gram) > 1:
                said[gram] = more
        chosen: list[str] = []
        for gram in sorted(said, key=lambda each: (-said[each], each)):
            if len(chosen) == WORDS_SHOWN:
                break
            if not any(gram in other or other in gram for other in chosen):
                chosen.append(gram)
        return tuple(chosen)


def lengthened(counts: Mapping[str, int], rarity: Callable[[str], int]) -> dict[str, int]:
    """Return the counts of a text, damped, by rarity, and brought to one length: the squares of all sum up to UNIT squared."""
    raw = {gram: _DAMPED[min(count, _COUNTS_AT_MOST)] * rarity(gram) for gram, count in sorted(counts.items())}
    length = math.isqrt(sum(value * value for value in raw.values()))
    return {gram: value * UNIT // length for gram, value in raw.items()} if length else {}


def _shares(sums: list[int]) -> list[int]:
    """Probabilities in thousandths. `Decimal.exp` is rounded right by its definition, which `math.exp` is not."""
    highest = max(sums)
    powers = [_EXACT.exp(Decimal(each - highest) / WEIGHT) for each in sums]
    whole = sum(powers)
    return [int((each * PERMILLE / whole).to_integral_value()) for each in powers]
