"""What is dear and of one kind is sampled at every commit, by a seed that is printed, and played whole in `make test-all`.

SEED=123 make test      samples what a run that printed 123 did
"""

import os
import random
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

ItemT = TypeVar("ItemT")
_NAME = "SEED"


def settle_seed() -> str:
    """The seed of this run: the caller's, else the commit's, so that a commit is green or not. Inherited by all processes."""
    if not os.environ.get(_NAME):
        asked = subprocess.run(
            ("git", "rev-parse", "--short=8", "HEAD"),  # noqa: S607 - the git of whoever works here
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
        os.environ[_NAME] = asked.stdout.strip() or "0"
    return os.environ[_NAME]


def chosen(items: Iterable[ItemT], number: int, what: str) -> list[ItemT]:
    """So many of the items, by the seed and by what they are for, in their own order."""
    among: Sequence[ItemT] = list(items)
    places = random.Random(f"{settle_seed()} {what}").sample(range(len(among)), min(number, len(among)))  # noqa: S311
    return [among[place] for place in sorted(places)]


def sampled(items: Iterable[ItemT], number: int, what: str) -> list[object]:
    """Parameters of a test: so many by the seed, and the others, marked `long`."""
    among = list(items)
    now = chosen(range(len(among)), number, what)
    return [each if place in now else pytest.param(each, marks=pytest.mark.long) for place, each in enumerate(among)]
