"""When enough took part and who has won: exact fractions, classes of the town's policy, margins, and what may be told."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.policies.policies import PolicyFaults, load_policy_file
from schemas.ballot import BALLOT
from schemas.council import COUNCIL
from schemas.council_policy import CouncilPolicy
from schemas.kernel.people import Part
from schemas.parts.ballots import BallotAsked, BallotRules
from schemas.parts.quorum import Base, Cast, ClassRule, QuorumClass, Roll, area_margin, margin, shown_cells, verdict
from schemas.values.actor import Role
from schemas.values.fractions import Share
from tests.test_architecture import PROJECT

POLICY = PROJECT / "policies" / "council.yaml"


@pytest.fixture(scope="module")
def rules() -> BallotRules:
    """The town's own."""
    policy = load_policy_file(COUNCIL, POLICY, ())
    assert isinstance(policy, CouncilPolicy)
    return policy.terms.ballot


def roll(voters: int, area: int = 0, units: int | None = None) -> Roll:
    return Roll(digest="0" * 64, units=units or voters, voters=voters, area_hundredths=area)


def cast(approve: int, oppose: int, nobody: int = 0) -> Cast:
    return Cast(choices={"approve": approve, "oppose": oppose}, papers=approve + oppose + nobody, abstained=nobody)


@pytest.mark.parametrize(
    ("share", "part", "whole", "reached"),
    [
        ("more_than 1/2", 42, 84, False),
        ("more_than 1/2", 43, 84, True),
        ("at_least 1/2", 42, 84, True),
        ("at_least 2/3", 56, 84, True),
        ("at_least 2/3", 55, 84, False),
        ("at_least 2/3", 1, 0, False),
        ("more_than 1/2", 0, 0, False),
        ("at_least 2/3", 3333333333, 5000000000, False),
        ("at_least 2/3", 3333333334, 5000000000, True),
    ],
)
def test_a_share_is_exact(share: str, part: int, whole: int, reached: bool) -> None:  # noqa: FBT001 - what is expected
    """At least includes the figure itself, more than does not; nothing is rounded, and of nobody nothing is reached."""
    assert Share.model_validate(share).reached(part, whole) is reached


@pytest.mark.parametrize("share", ["more_than 1/2", "at_least 2/3", "at_least 3/4", "at_least 1/100", "more_than 2/3"])
def test_the_least_number_is_enough_and_one_fewer_is_not(share: str) -> None:
    """For every whole, the least that is enough is."""
    read = Share.model_validate(share)
    for whole in range(1, 400):
        least = read.least(whole)
        assert read.reached(least, whole), whole
        assert not read.reached(least - 1, whole), whole


@pytest.mark.parametrize(
    "written", ["1/2", "more_than 1/0", "more_than 2/2", "at_least 3/2", "over 1/2", "at_least 0/2"]
)
def test_a_share_that_nobody_reaches_or_reads_is_refused(written: str) -> None:
    """More than the whole, of nothing, or without its bound."""
    with pytest.raises(ValidationError):
        Share.model_validate(written)


@pytest.mark.parametrize(
    ("quorum_class", "base", "voters", "votes", "quorum", "passed"),
    [
        (QuorumClass.RESIDENTS_MEETING, Base.HOUSEHOLDS, 100, cast(26, 25), True, True),
        (QuorumClass.RESIDENTS_MEETING, Base.HOUSEHOLDS, 100, cast(30, 20), False, False),
        (QuorumClass.RESIDENTS_MEETING, Base.ADULTS, 160, cast(42, 42), True, False),
        (QuorumClass.RESIDENTS_MEETING, Base.ADULTS, 100, cast(40, 10, 30), True, False),
        (QuorumClass.VILLAGERS_MEETING, Base.ADULTS, 90, cast(30, 16), True, True),
        (QuorumClass.VILLAGERS_MEETING, Base.HOUSEHOLDS, 90, cast(40, 19), False, False),
        (QuorumClass.VILLAGERS_MEETING, Base.HOUSEHOLDS, 90, cast(40, 20), True, True),
        (QuorumClass.VILLAGE_DELEGATES, Base.DELEGATES, 30, cast(11, 9), True, True),
        (QuorumClass.VILLAGER_GROUP, Base.HOUSEHOLDS, 30, cast(19, 0), False, False),
        (QuorumClass.SENSE, Base.HOUSEHOLDS, 500, cast(3, 2), True, True),
    ],
)
def test_each_class_has_its_own_quorum_and_majority(
    rules: BallotRules,
    quorum_class: QuorumClass,
    base: Base,
    voters: int,
    votes: Cast,
    quorum: bool,  # noqa: FBT001 - what is expected
    passed: bool,  # noqa: FBT001 - what is expected
) -> None:
    """Who abstained was there and is not for it; a tie is not passed; who stayed away counts with nobody."""
    found = verdict(rules.classes[quorum_class], base, roll(voters), votes)

    assert (found.quorum, found.passed) == (quorum, passed)


def by_area(approve: tuple[int, int], oppose: tuple[int, int]) -> Cast:
    """Numbers of owners with their areas."""
    return Cast(
        choices={"approve": approve[0], "oppose": oppose[0]},
        papers=approve[0] + oppose[0],
        areas={"approve": approve[1], "oppose": oppose[1]},
        area_hundredths=approve[1] + oppose[1],
    )


@pytest.mark.parametrize(
    ("quorum_class", "votes", "quorum", "passed"),
    [
        (QuorumClass.OWNERS, by_area((40, 400_000), (27, 270_000)), True, True),
        (QuorumClass.OWNERS, by_area((40, 400_000), (27, 266_666)), False, False),
        (QuorumClass.OWNERS, by_area((40, 400_000), (27, 266_667)), True, True),
        (QuorumClass.OWNERS, by_area((33, 500_000), (34, 200_000)), True, False),
        (QuorumClass.OWNERS, by_area((34, 350_000), (33, 350_000)), True, False),
        (QuorumClass.OWNERS, by_area((60, 600_000), (6, 300_000)), False, False),
        (QuorumClass.OWNERS_SPECIAL, by_area((60, 600_000), (20, 200_000)), True, True),
        (QuorumClass.OWNERS_SPECIAL, by_area((60, 599_999), (20, 200_000)), True, False),
    ],
)
def test_owners_count_by_number_and_by_area(
    rules: BallotRules,
    quorum_class: QuorumClass,
    votes: Cast,
    quorum: bool,  # noqa: FBT001 - what is expected
    passed: bool,  # noqa: FBT001 - what is expected
) -> None:
    """Both have to be reached, to the hundredth of a square metre: who owns much is one, and many who own little own little."""
    found = verdict(rules.classes[quorum_class], Base.OWNERS, roll(100, 1_000_000, 400), votes)

    assert (found.quorum, found.passed) == (quorum, passed)


def test_a_secret_vote_by_area_is_refused_when_the_policy_is_loaded(tmp_path: Path) -> None:
    """An area names its owner: the file is told to be at fault, with the place."""
    file = tmp_path / "council.yaml"
    file.write_text(POLICY.read_text(encoding="utf-8").replace("secret: false", "secret: true", 1), encoding="utf-8")

    with pytest.raises(PolicyFaults, match=r"terms\.ballot\.classes\.owners.*面积"):
        load_policy_file(COUNCIL, file, ())


def test_a_window_without_a_weekend_is_refused(tmp_path: Path) -> None:
    """A vote is open seven days at least, in the policy and in what is asked."""
    file = tmp_path / "council.yaml"
    text = POLICY.read_text(encoding="utf-8")
    file.write_text(text.replace("    window: 7 natural_days", "    window: 5 working_days"), encoding="utf-8")

    with pytest.raises(PolicyFaults, match="window"):
        load_policy_file(COUNCIL, file, ())


def test_what_is_asked_fits_a_class_of_the_town(rules: BallotRules) -> None:
    """A base that the class has no rule for, other choices than for and against, one that stands twice: all told."""
    asked = {"question": f"text:{'0' * 26}", "text_digest": "0" * 64, "quorum_class": "village_delegates"}

    def faults(**more: object) -> str:
        return " ".join(BallotAsked.model_validate({**asked, "base": "delegates", **more}).faults(rules))

    assert faults() == ""
    assert "no rule for a roll of households" in faults(base="households")
    assert "for it or against it" in faults(choices=["one", "two"])
    assert "stands twice" in faults(choices=["approve", "oppose", "oppose"])
    assert "7" in faults(window={"amount": 3, "unit": "natural_days"})
    assert faults(quorum_class="contest", base="adults", choices=["p-1", "p-2", "p-3"]) == ""


def brute_margin(rule: ClassRule, base: Base, of: Roll, votes: Cast) -> int:
    """The same by trying: fewer doubtful papers than that never turn the result."""
    before = verdict(rule, base, of, votes).passed
    approve, papers = votes.choices["approve"], votes.papers
    for doubtful in range(1, 2000):
        if before:
            left = Cast(choices={"approve": max(approve - doubtful, 0)}, papers=max(papers - doubtful, 0))
        else:
            turned = min(doubtful, papers - approve)
            left = Cast(choices={"approve": approve + doubtful}, papers=papers + doubtful - turned)
        if verdict(rule, base, of, left).passed is not before:
            return doubtful
    raise AssertionError("it never turns")


@pytest.mark.parametrize(
    "votes", [cast(43, 41), cast(42, 42), cast(60, 24), cast(20, 10), cast(30, 50, 4), cast(90, 5)]
)
def test_the_margin_is_how_many_doubtful_papers_turn_the_result(rules: BallotRules, votes: Cast) -> None:
    """For a passed result what falls away, for another one what could have been for it; the quorum counts too."""
    rule = rules.classes[QuorumClass.RESIDENTS_MEETING]

    assert margin(rule, Base.HOUSEHOLDS, roll(150), votes) == brute_margin(rule, Base.HOUSEHOLDS, roll(150), votes)
    assert area_margin(rule, roll(150), votes) is None


def test_by_area_a_single_flat_can_turn_it(rules: BallotRules) -> None:
    """351,000 of 700,000: a doubtful flat of 20 m2 is enough, although by number it takes 4, for the quorum."""
    rule, votes = rules.classes[QuorumClass.OWNERS], by_area((40, 351_000), (30, 349_000))

    assert margin(rule, Base.OWNERS, roll(100, 1_000_000), votes) == 4
    assert area_margin(rule, roll(100, 1_000_000), votes) == 2000


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ({"approve": 50, "oppose": 30}, {"approve": 50, "oppose": 30}),
        ({"approve": 84, "oppose": 0}, {}),
        ({"approve": 50, "oppose": 30, "abstained": 3}, {"approve": 50}),
        ({"approve": 50, "oppose": 3, "abstained": 3}, {}),
        ({"approve": 50, "oppose": 7, "abstained": 3}, {"approve": 50}),
        ({"approve": 12, "oppose": 4, "abstained": 0, "spoilt": 0}, {}),
        ({"approve": 9, "oppose": 9}, {}),
        ({"approve": 10, "oppose": 10}, {"approve": 10, "oppose": 10}),
    ],
)
def test_no_small_figure_is_told_nor_can_be_told_by_the_sum(cells: dict[str, int], shown: dict[str, int]) -> None:
    """Under ten is hidden; alone, or with others as small, it would be the rest of the sum: another one is hidden too."""
    assert shown_cells(cells, 10) == shown


def test_any_resident_objects_to_a_roll_and_challenges_a_result_and_does_nothing_else() -> None:
    """A matter of all: by the number of the ballot; keeping the roll, counting and ruling are others'."""
    open_to_all = {name for name in BALLOT.commands if BALLOT.rules.is_for_neighbours(name, Role.RESIDENT)}

    assert open_to_all == {"object_to_roll", "challenge"}


def test_who_counted_or_challenged_does_not_rule() -> None:
    """The word on the count is of somebody who had no part in it; and each challenges once, and counts once a count."""
    kept = {rule.command: set(rule.apart_from) for rule in BALLOT.rules if not rule.automatic}

    assert kept["rule"] == {Part.CHALLENGED, Part.TELLER}
    assert kept["challenge"] == {Part.CHALLENGED}
    assert kept["count"] == {Part.COUNTED}


def test_an_owner_of_many_flats_is_one_person() -> None:
    """No more voters than units; as many areas as there are flats."""
    assert roll(1, 16 * 8637, 16).voters == 1
    with pytest.raises(ValidationError):
        Roll(digest="0" * 64, units=1, voters=2)
