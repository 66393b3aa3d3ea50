"""whistle 吹哨报到: the pure rules - when departments have gathered, what a whistle comes to, what a policy may not say."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policies import PolicyFaults, load_policy
from engine.settings import PROJECT
from schemas.actor import Actor, Role, Stamp
from schemas.calendar import SHANGHAI
from schemas.parts.panel import Turnout
from schemas.summons_state import Stage
from schemas.whistle import WHISTLE
from schemas.whistle_commands import departments_faults
from schemas.whistle_gathering import all_scored, all_settled, gathered
from schemas.whistle_policy import Gathering, GatheringRule, WhistleType
from schemas.whistle_state import Summoned

NOON = datetime(2026, 11, 23, 12, tzinfo=SHANGHAI)
STAMP = Stamp(
    case_id="whistle-20261123-000001",
    command="blow_whistle",
    command_id="x",
    actor=Actor(subject="street-feng", role=Role.STREET_OFFICER),
    at=NOON,
    digest="",
)
ALL = Gathering(rule=GatheringRule.ALL)
SIXTY = Gathering(rule=GatheringRule.LEAD_AND_QUORUM, quorum_percent=60)


def departments(*stages: Stage) -> list[Summoned]:
    """Departments a, b, c … at these stages."""
    return [
        Summoned(number=number, department="abcdefgh"[number - 1], stamp=STAMP, summoned_at=NOON, stage=stage)
        for number, stage in enumerate(stages, start=1)
    ]


@pytest.mark.parametrize(
    ("rule", "stages", "outcome"),
    [
        (ALL, (Stage.ARRIVED, Stage.RESPONDED), Turnout.NOT_YET),
        (ALL, (Stage.ARRIVED, Stage.ARRIVED), Turnout.COMPLETE),
        (ALL, (Stage.ARRIVED, Stage.DONE, Stage.UNFINISHED), Turnout.COMPLETE),
        (ALL, (Stage.ARRIVED, Stage.RELEASED), Turnout.COMPLETE),
        (ALL, (Stage.ARRIVED, Stage.DECLINED), Turnout.NOT_YET),
        (ALL, (Stage.ARRIVED, Stage.ABSENT), Turnout.SHORT),
        (ALL, (Stage.ABSENT, Stage.ARRIVED), Turnout.SHORT),
        (ALL, (Stage.ABSENT, Stage.ABSENT), Turnout.NOT_YET),
        (ALL, (Stage.RELEASED, Stage.ARRIVED), Turnout.NOT_YET),
        (SIXTY, (Stage.ARRIVED, Stage.ARRIVED, Stage.SUMMONED), Turnout.QUORUM),
        (SIXTY, (Stage.ARRIVED, Stage.SUMMONED, Stage.SUMMONED), Turnout.NOT_YET),
        (SIXTY, (Stage.SUMMONED, Stage.ARRIVED, Stage.ARRIVED), Turnout.NOT_YET),
        (SIXTY, (Stage.ARRIVED, Stage.ARRIVED, Stage.ARRIVED, Stage.SUMMONED, Stage.SUMMONED), Turnout.QUORUM),
        (SIXTY, (Stage.ARRIVED, Stage.SUMMONED, Stage.RELEASED), Turnout.NOT_YET),
        (SIXTY, (Stage.ABSENT, Stage.ARRIVED, Stage.ARRIVED), Turnout.SHORT),
    ],
    ids=str,
)
def test_departments_have_gathered_by_the_rule_of_the_type(
    rule: Gathering, stages: tuple[Stage, ...], outcome: Turnout
) -> None:
    """All, or the lead and exactly the quorum; released ones are not counted, absent ones end the waiting but not the record."""
    assert gathered(rule, "a", departments(*stages)) == outcome


@given(
    stages=st.lists(
        st.sampled_from([Stage.SUMMONED, Stage.DECLINED, Stage.ARRIVED, Stage.DONE]), min_size=1, max_size=8
    ),
    percent=st.integers(1, 100),
    arrives=st.integers(0, 7),
)
def test_who_arrives_never_undoes_a_gathering(stages: list[Stage], percent: int, arrives: int) -> None:
    """Once work can begin, one more department on the spot does not change that."""
    rule = Gathering(rule=GatheringRule.LEAD_AND_QUORUM, quorum_percent=percent)
    before = departments(*stages)
    after = departments(*(Stage.ARRIVED if place == arrives else stage for place, stage in enumerate(stages)))

    assert gathered(rule, "a", before) is Turnout.NOT_YET or gathered(rule, "a", after) is not Turnout.NOT_YET


@given(stages=st.lists(st.sampled_from(list(Stage)[:-2]), min_size=1, max_size=8))
def test_a_quorum_of_all_is_all(stages: list[Stage]) -> None:
    """The lead and a hundred percent is the same as: all must arrive."""
    hundred = Gathering(rule=GatheringRule.LEAD_AND_QUORUM, quorum_percent=100)

    assert gathered(hundred, "a", departments(*stages)) == gathered(ALL, "a", departments(*stages))


def test_all_is_settled_when_nobody_is_waited_for_and_scored_when_each_has_a_score() -> None:
    """Released departments count for neither; where all are released there is nothing to score."""
    done = departments(Stage.DONE, Stage.ABSENT, Stage.UNFINISHED, Stage.RELEASED)
    at_work = departments(Stage.DONE, Stage.ARRIVED)
    scored = [each.model_copy(update={"score": 60}) for each in done[:3]] + done[3:]

    assert [all_settled(each) for each in (done, at_work, departments(Stage.RELEASED))] == [True, False, False]
    assert [all_scored(each) for each in (done, scored, scored[:1] + done[1:])] == [False, True, False]


def test_a_list_of_departments_is_told_every_fault_with_its_place() -> None:
    """Unknown, named twice, called already and too many, all in one answer."""
    faults = list(departments_faults(("a", "x", "a", "b"), ("a", "b", "c"), ("b",), most=2))

    assert [fault.field for fault in faults] == ["departments.1", "departments.2", "departments.3", "departments"]


def test_the_towns_rules_say_it_all_for_each_type() -> None:
    """The file of the project is whole; a type left out and a quorum where all must come are told with their place."""
    policy = load_policy(WHISTLE, PROJECT / "policies", ["urban-management"])
    assert set(policy.model_dump()["terms"]["types"]) == set(WhistleType)


def test_faults_of_the_rules_are_told_all_at_once(tmp_path: Path) -> None:
    """A missing type and a quorum beside "all" are two faults of one answer."""
    text = (PROJECT / "policies" / "whistle.yaml").read_text(encoding="utf-8")
    begin, end = text.index("    emergency:"), text.index("\n  street_tiers:") + 1
    wrong = (text[:begin] + text[end:]).replace("{rule: all}", "{rule: all, quorum_percent: 50}")
    (tmp_path / "whistle.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(PolicyFaults) as found:
        load_policy(WHISTLE, tmp_path, ["urban-management"])

    assert [fault.split(": ")[1] for fault in found.value.faults] == [
        "terms.types.emergency", "terms.types.demand.gathering.quorum_percent",
    ]  # fmt: skip
