"""What a model of dispatch is learned from: texts of which somebody has said what they are about."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Example:
    """A text and its category. `who` tells people apart and is kept nowhere; `area` as cut for the scores; `groups` likewise."""

    text: str = field(repr=False)
    category: str
    who: str = field(repr=False)
    area: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)


def known_well_enough(examples: Iterable[Example], at_least: int) -> list[Example]:
    """Those of categories that have so many examples, each text of a category once: what was sent twice says no more.

    Of several people who sent the very same text it is one and the same who counts, in whatever order they come.
    """
    by_people = sorted(examples, key=lambda each: each.who)
    once = {(each.category, each.text): each for each in by_people if each.text.strip()}
    many = Counter(category for category, _ in once)
    return [each for (category, _), each in once.items() if many[category] >= at_least]


def by_category(examples: Sequence[Example]) -> dict[str, int]:
    """How many there are of each, most first."""
    return dict(Counter(each.category for each in examples).most_common())
