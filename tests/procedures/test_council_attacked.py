"""What somebody tries who wants a motion to come out otherwise: by an easier rule, by one signature, or unseen."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.policies.policies import PolicyFaults, load_policy_file
from schemas.council import COUNCIL
from schemas.council_commands import CallBallot
from schemas.council_policy import Topic
from schemas.council_stages import Stage
from schemas.kernel.people import Part
from schemas.parts.ballots import BallotAsked
from schemas.parts.opinions import room_for_an_opinion
from schemas.parts.quorum import Base, Cast, QuorumClass, Roll, verdict
from schemas.values.actor import Actor, Role
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.procedures.test_ballot_rules import POLICY
from tests.procedures.test_council import steps
from tests.procedures.test_council_rules import NEIGHBOUR, NOW, STREET, TERMS, TEXT, motion, refused, task

pytestmark = pytest.mark.timeout(240)

CLERK = Actor(subject="clerk-qian", role=Role.WINDOW_CLERK)


@pytest.mark.parametrize("topic", list(Topic))
def test_a_motion_passes_by_no_rule_that_only_ranks(topic: Topic) -> None:
    """By the rule of a contest five in a hundred come, and whatever they say it would have passed."""
    state = motion(topic=topic, review_passed=True)
    asked = CallBallot(version=1, quorum_class=QuorumClass.CONTEST, base=Base.ADULTS)
    few = Cast(choices={"approve": 0, "oppose": 5}, papers=5)
    rule, roll = TERMS.ballot.classes[QuorumClass.CONTEST], Roll(digest="0" * 64, units=100, voters=100)

    assert verdict(rule, Base.ADULTS, roll, few).passed  # so the rule itself is kept from motions
    assert "quorum_class" in {fault.field for fault in asked.faults(state)}
    put = BallotAsked(question=TEXT, text_digest="0" * 64, quorum_class=QuorumClass.CONTEST, base=Base.ADULTS)
    assert "nothing is passed by it" in " ".join(put.faults(TERMS.ballot))


def test_a_policy_that_lets_a_matter_pass_by_a_ranking_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    """The file is told to be at fault, with the place."""
    file = tmp_path / "council.yaml"
    text = POLICY.read_text(encoding="utf-8")
    file.write_text(text.replace("money: [residents_meeting,", "money: [contest, residents_meeting,"), encoding="utf-8")

    with pytest.raises(PolicyFaults, match=r"terms\.votes\.money: contest only ranks"):
        load_policy_file(COUNCIL, file, ())


def test_staff_vouch_for_no_proposer_who_has_an_account() -> None:
    """A clerk in a hurry would say it for somebody who has not looked; for whoever has no account they do."""
    state = task()

    assert "themselves" in (refused(state, "vouch_task", CLERK) or "")
    state.reporter_subject = None
    assert refused(state, "vouch_task", CLERK) is None


def test_a_decision_of_all_is_annulled_by_two() -> None:
    """Neither by whoever files the ruling, nor before one is filed, nor by the proposer, nor at the window."""
    rows = [rule for rule in COUNCIL.rules if rule.command == "annul"]

    assert all({Part.RULING_FILED, Part.APPLICANT, Part.ENTERED} <= set(rule.apart_from) for rule in rows)
    assert all(rule.answers == (Part.RULING_FILED,) for rule in rows)
    state = motion(stage=Stage.EXECUTING, rulings=1, ruling_filed_by=STREET.subject)
    assert refused(state, "annul", STREET) is not None
    assert refused(state, "annul", CLERK) is not None
    assert refused(state, "annul", Actor(subject="street-wei", role=Role.STREET_OFFICER)) is None


def test_the_window_writes_down_what_many_say() -> None:
    """Five opinions are the most of one resident; whoever has no account is not the sixth of the clerk's."""
    state: Any = motion(opinions_of={CLERK.subject: 5, NEIGHBOUR.subject: 5})

    assert room_for_an_opinion(state, NEIGHBOUR, NOW) is not None
    assert room_for_an_opinion(state, CLERK, NOW) is None


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of its own."""
    async with case_bench(tmp_path_factory.mktemp("attacked"), sandbox=False) as opened:
        yield opened


async def test_who_said_something_and_whose_words_were_changed_are_told(bench: CaseBench) -> None:
    """Each at their own account: that the opinion was answered, and how; that the text is another one."""
    door: ApiDriver = bench_door(bench, COUNCIL)
    case = await door.start()
    said = "committee admit, applicant opine, committee answer_opinion, committee record_round, committee amend"
    await door.go(case, [each for each in steps(said) if isinstance(each, Step)])
    told = "\n".join(bench.tables.told(case))

    assert "participant:resident-he opinion_answered" in told
    assert "reporter council_amended" in told
