"""What is sampled at a commit is printed, is the same for the same seed, and over many commits is everything."""

import itertools

import pytest

from tests.every_procedure import PROCEDURE_LIST, some_of
from tests.sampling import SAMPLES, chosen, sampled

COMMITS = 400
"""Of the largest sample one in fourteen is played at a commit: after so many nobody is left but by a fault of ours."""

OF_THIS_TEST = "a test of sampling"


def by_seeds(number: int) -> list[str]:
    """Seeds as commits have them."""
    return [f"{place * 2654435761 % 2**32:08x}" for place in range(number)]


def test_over_many_commits_everything_is_played() -> None:
    """Of each sample of each test that is loaded, every member is played at some commit, and none at all of them."""
    some_of(PROCEDURE_LIST, OF_THIS_TEST)
    never = {
        what: sorted(set(range(sample.of)) - set(itertools.chain.from_iterable(map(sample.places, by_seeds(COMMITS)))))
        for what, sample in SAMPLES.items()
    }

    assert f"{OF_THIS_TEST}, opened by people" in never
    assert {what: left for what, left in never.items() if left} == {}


def test_a_few_commits_have_had_every_procedure() -> None:
    """A fault of the kernel that one procedure alone shows is found within some dozens of commits."""
    some_of(PROCEDURE_LIST, OF_THIS_TEST)
    for kind in ("opened by people", "begun by cases"):
        sample = SAMPLES[f"{OF_THIS_TEST}, {kind}"]
        assert set(itertools.chain.from_iterable(map(sample.places, by_seeds(60)))) == set(range(sample.of))


def test_the_seed_alone_decides_and_what_is_sampled() -> None:
    """The same seed plays the same, another one or another test something else; what is not played now is marked `long`."""
    items = list(range(100))
    first = chosen(items, 10, "one", "00000001")

    assert first == chosen(items, 10, "one", "00000001") == sorted(first)
    assert first != chosen(items, 10, "one", "00000002")
    assert first != chosen(items, 10, "another", "00000001")
    now = chosen(items, 10, OF_THIS_TEST)
    marked = [each for each in sampled(items, 10, OF_THIS_TEST) if each not in now]
    assert len(now) == 10
    assert [getattr(each, "marks", ()) for each in marked] == [(pytest.mark.long,)] * 90


def test_procedures_of_both_kinds_are_played_at_each_commit() -> None:
    """Whatever the seed: some that people open, and one whose cases other cases begin."""
    played = [each for each in some_of(PROCEDURE_LIST, OF_THIS_TEST) if each in PROCEDURE_LIST]

    assert sorted(getattr(each, "parent", None) is None for each in played) == [False, True, True]
