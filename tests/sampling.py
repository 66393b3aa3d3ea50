"""What is dear and of one kind is sampled at every commit, by a seed that is printed, and played whole in `make test-all`.

SEED=123 make test      samples what a run that printed 123 did
"""

import os
import random
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


def chosen(items: Iterable[ItemT], number: int, what: str, seed: str | None = None) -> list[ItemT]:
    """So many of the items, by the seed and by what they are for, in their own order. `seed`: another one than that of this run."""
    among: Sequence[ItemT] = list(items)
    by = random.Random(f"{seed or settle_seed()} {what}")  # noqa: S311
    return [among[place] for place in sorted(by.sample(range(len(among)), min(number, len(among))))]


@dataclass(frozen=True)
class Sample:
    """What is sampled for one test: so many of so many."""

    what: str
    number: int
    of: int

    def places(self, seed: str | None = None) -> list[int]:
        """Which of them are played by a seed."""
        return chosen(range(self.of), self.number, self.what, seed)


SAMPLES: dict[str, Sample] = {}
"""What this run samples by parameters, by what it is for: every test file that is loaded says so."""


def sampled(items: Iterable[ItemT], number: int, what: str) -> list[object]:
    """Parameters of a test: so many by the seed, and the others, marked `long`."""
    among = list(items)
    sample = SAMPLES[what] = Sample(what, number, len(among))
    now = sample.places()
    return [each if place in now else pytest.param(each, marks=pytest.mark.long) for place, each in enumerate(among)]
