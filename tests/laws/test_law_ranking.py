"""The law of ranking: exact, whoever comes in first; a tie goes by jury, public, price and lot; no pool is overdrawn."""

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.parts.ranking import (
    Ranking,
    RankingTerms,
    Standing,
    Trimmed,
    Turnout,
    award,
    place_of,
    points_of,
    rank,
    trimmed,
)

WEIGHTS = {"need": 25, "feasible": 20, "takes_part": 20, "cost": 15, "lasting": 10, "new": 10}
TERMS = RankingTerms(weights=WEIGHTS, valid_at_least=5, spread_at_most=25, public_weight=30, turnout_floor=5, reserve=3)
FULL_HOUSE = Turnout(ballots=100, roll=1000)


def standing(name: str, total: int = 240, **other: Any) -> Standing:
    """One that three counted sheets brought so many points."""
    jury = Trimmed(total=total, counted=other.pop("counted", 3), spread=0)
    return Standing(**{"case_id": name, "proposer": name, "jury": jury, "cost_fen": 100, **other})


STANDINGS = st.lists(
    st.builds(
        lambda number, total, counted, votes, cost, proposer: standing(
            f"p-{number}", total=min(total, counted * 100), counted=counted, votes=votes, cost_fen=cost, proposer=proposer
        ),
        st.integers(0, 60), st.integers(0, 500), st.integers(3, 7), st.integers(0, 100), st.integers(1, 400),
        st.sampled_from("abcdefgh"),
    ),
    max_size=15, unique_by=lambda each: each.case_id,
)  # fmt: skip


# ---- sheets -------------------------------------------------------------------------------------------------------------


def test_best_and_worst_are_off_once_each() -> None:
    """Not every best one: of two with the same points one counts. Four are too few where five have to be."""
    found = trimmed([90, 90, 80, 71, 10], 5)
    assert found == Trimmed(total=241, counted=3, spread=80)
    assert (found.mean, found.mean_hundredths) == (Fraction(241, 3), 8033)
    assert trimmed([90, 90, 80, 71], 5) is None


@given(points=st.lists(st.integers(0, 100), min_size=5, max_size=9))
def test_one_juror_alone_moves_nobody_past_the_others(points: list[int]) -> None:
    """Whoever gives nothing or everything: the mean stays between the least and the most of the others."""
    found = trimmed(points, 5)
    assert found is not None
    for extreme in (0, 100):
        changed = trimmed([extreme, *points[1:]], 5)
        assert changed is not None
        assert min(points[1:]) <= changed.mean <= max(points[1:])
    assert min(points) <= found.mean <= max(points)


@pytest.mark.parametrize(
    "sheet", [{**WEIGHTS, "need": 26}, {**WEIGHTS, "new": -1}, {**WEIGHTS, "charm": 1}, {"need": 25}]
)
def test_a_sheet_is_whole_and_within_its_points(sheet: dict[str, int]) -> None:
    """Nothing is left out, nothing is added, and no criterion is worth more than the town said."""
    assert points_of(WEIGHTS, WEIGHTS) == 100
    with pytest.raises(ValueError, match="a sheet has points"):
        points_of(sheet, WEIGHTS)


@pytest.mark.parametrize("weights", [{"need": 99}, {"need": 101}, {"need": 100, "new": 0}, {}])
def test_weights_are_a_hundred(weights: dict[str, int]) -> None:
    """A policy with other ones is not loaded."""
    with pytest.raises(ValidationError):
        RankingTerms.model_validate({**TERMS.model_dump(), "weights": weights})


# ---- the order ----------------------------------------------------------------------------------------------------------


@given(standings=STANDINGS, seed=st.integers())
def test_the_order_does_not_hang_on_who_came_first(standings: list[Standing], seed: int) -> None:
    """Shuffled, everybody stands where they stood; whoever stands before another is not less in what counts first."""
    shuffled = random.Random(seed).sample(standings, len(standings))  # noqa: S311 - a shuffle of a test
    found = rank(standings, TERMS, FULL_HOUSE)
    places = {each.case_id: place_of(each, TERMS, FULL_HOUSE) for each in standings}

    assert found == rank(shuffled, TERMS, FULL_HOUSE)
    assert sorted(found.order) == sorted(places)
    assert all(places[one] >= places[other] for one, other in zip(found.order, found.order[1:], strict=False))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (standing("a", 241), standing("b", 240)),
        (standing("a", 240, votes=70), standing("b", 270, votes=0)),  # 56 + 21 points, and 63
        (standing("a", 270, votes=0), standing("b", 240, votes=23)),  # 63, and 62.9
        (standing("a", 270, votes=30), standing("b", 240, votes=53)),  # 72.0 and 71.9
        (standing("a", 270, votes=30), standing("b", 207, votes=79)),  # 72 both: the jury's
        (standing("a", cost_fen=99), standing("b", cost_fen=100)),
    ],
)
def test_by_points_then_jury_then_price(first: Standing, second: Standing) -> None:
    """Seventy parts of the jury's mean and thirty of the ballots that named it; equal, the jury's word, then the cheaper one."""
    for both in ((first, second), (second, first)):
        assert rank(both, TERMS, FULL_HOUSE) == Ranking(order=("a", "b"))


def test_no_order_hangs_on_a_rounded_mean() -> None:
    """80.334 and 80.3333… are both shown as 80.33, and one is better."""
    better, worse = standing("z", 40167, counted=500), standing("a", 241, counted=3)

    assert (better.jury.mean_hundredths, worse.jury.mean_hundredths) == (8033, 8033)
    assert rank([worse, better], TERMS, FULL_HOUSE).order == ("z", "a")


@pytest.mark.parametrize("turnout", [Turnout(), Turnout(ballots=49, roll=1000)])
def test_under_the_floor_the_jury_alone_decides(turnout: Turnout) -> None:
    """Four thousand votes by one link, of which none is a ballot, move nobody; with one more ballot the public counts."""
    loved, good = standing("a", 240, votes=min(49, turnout.ballots)), standing("b", 243)

    assert rank([loved, good], TERMS, turnout).order == ("b", "a")
    assert rank([standing("a", 240, votes=49), good], TERMS, Turnout(ballots=50, roll=1000)).order == ("a", "b")


def test_what_nothing_tells_apart_is_drawn_by_lot() -> None:
    """The lot of exactly those counts, and of nobody else; until it is drawn nobody is awarded."""
    three = [standing(name) for name in "abc"]
    ahead = standing("d", 290)
    open_still = rank([*three, ahead], TERMS, FULL_HOUSE)
    assert open_still == Ranking(order=("d", "a", "b", "c"), undecided=(("a", "b", "c"),))
    with pytest.raises(ValueError, match="lot"):
        award(open_still, [*three, ahead], 1000, TERMS)
    for wrong in (["b", "a"], ["d", "c", "b", "a"], ["a", "b", "c", "a"]):
        assert rank([*three, ahead], TERMS, FULL_HOUSE, [wrong]).undecided == (("a", "b", "c"),)

    assert rank([*three, ahead], TERMS, FULL_HOUSE, [["c", "a", "b"]]) == Ranking(order=("d", "c", "a", "b"))


@pytest.mark.parametrize("wrong", [[standing("a"), standing("a")], [standing("a", votes=101)]])
def test_what_cannot_be_is_not_ranked(wrong: list[Standing]) -> None:
    """A case twice; more votes than ballots."""
    with pytest.raises(ValueError, match=r"once|more votes"):
        rank(wrong, TERMS, FULL_HOUSE)


# ---- the pool -----------------------------------------------------------------------------------------------------------


@given(standings=STANDINGS, pool=st.integers(0, 2000), mark=st.integers(0, 100))
def test_no_pool_is_overdrawn_and_nobody_is_jumped_over(standings: list[Standing], pool: int, mark: int) -> None:
    """Everybody stands in one list; a proposer is awarded once; whoever is awarded stands before all who wait."""
    found = rank(standings, TERMS, FULL_HOUSE)
    decided = Ranking(order=found.order)
    made = award(decided, standings, pool, TERMS, mark)
    by_case = {each.case_id: each for each in standings}
    paid = [by_case[each].cost_fen for each in made.awarded]
    at = {case: number for number, case in enumerate(found.order)}

    assert sum(paid) + made.left_fen == pool
    assert made.left_fen >= 0
    assert sorted([*made.awarded, *made.reserve, *made.others]) == sorted(by_case)
    assert len({by_case[each].proposer for each in made.awarded}) == len(made.awarded)
    assert len(made.reserve) <= TERMS.reserve
    assert all(by_case[each].jury.mean >= mark for each in (*made.awarded, *made.reserve))
    assert all(at[one] < at[other] for one in made.awarded for other in made.reserve)


def test_the_first_whom_the_pool_does_not_reach_for_ends_it() -> None:
    """A cheap one behind a dear one does not overtake it; it waits, and so many wait."""
    costs = {"a": 500, "b": 600, "c": 100, "d": 1, "e": 1}
    ranked = [standing(name, 290 - at, cost_fen=cost) for at, (name, cost) in enumerate(costs.items())]
    made = award(rank(ranked, TERMS, FULL_HOUSE), ranked, 1000, TERMS)

    assert (made.awarded, made.reserve, made.others, made.left_fen) == (("a",), ("b", "c", "d"), ("e",), 500)
