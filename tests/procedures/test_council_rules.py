"""What keeps a motion from the vote, and a task from its acceptance: the table on a state, without a town."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import DAY, SHANGHAI, Calendar
from schemas.clocks.town_time import TownTime
from schemas.council import COUNCIL
from schemas.council_commands import Answer, AssignTask, CallBallot, Ground, LegalReview
from schemas.council_policy import Joined, Topic
from schemas.council_stages import Stage
from schemas.council_state import CouncilState
from schemas.kernel.case import Charter
from schemas.parts.agreed import Agreed, DatedDuty, Standing
from schemas.parts.opinions import OpinionWaiting
from schemas.parts.quorum import Base, QuorumClass
from schemas.values.actor import Actor, Role, Stamp

NOW = datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)
CASE, TEXT, OTHER_TEXT = "council-20260309-000001", "text:" + "0" * 26, "text:" + "1" * 26
APPLICANT = Actor(subject="resident-he", role=Role.RESIDENT)
NEIGHBOUR = Actor(subject="resident-li", role=Role.RESIDENT)
COMMITTEE = Actor(subject="committee-tang", role=Role.COMMITTEE_OFFICER)
STREET = Actor(subject="street-feng", role=Role.STREET_OFFICER)
SUPERVISOR = Actor(subject="supervisor-zhou", role=Role.SUPERVISOR)
TERMS: Any = getattr(load_policy(COUNCIL, PROJECT / "policies", ()), "terms")  # noqa: B009 - of whichever policy it is


def motion(**changed: Any) -> CouncilState:
    """One that was talked over twice, of which nothing speaks against a vote."""
    calendar = Calendar(version="t.1", years=(2026,), holidays=frozenset(), makeup=frozenset())
    known: dict[str, Any] = {
        "case_id": CASE,
        "opening": Stamp(case_id=CASE, command="propose", command_id="c", actor=APPLICANT, at=NOW, digest=""),
        "charter": Charter(calendar=calendar, time=TownTime.starting(NOW, NOW, 1), policy_version="t"),
        "stage": Stage.DELIBERATING,
        "terms": TERMS,
        "area": "320104.003.01",
        "reporter_subject": APPLICANT.subject,
        "motion": TEXT,
        "topic": Topic.FACILITIES,
        "joined": Joined.RESIDENTS,
        "version": 1,
        "rounds": 2,
        "opened_at": NOW,
    }
    return CouncilState.model_construct(**known | changed)


def refused(
    state: CouncilState, command: str = "call_ballot", by: Actor = COMMITTEE, now: datetime = NOW
) -> str | None:
    """Why a command is refused; None: it is not."""
    refusal = COUNCIL.rules.check(state, command, by, now)
    return None if refusal is None else refusal.detail


def test_nothing_speaks_against_a_vote_on_what_was_talked_over_twice() -> None:
    """The counterpart of all that follow."""
    assert refused(motion()) is None


def test_no_vote_while_an_opinion_is_unanswered() -> None:
    """One that waits is enough, and the refusal says which."""
    waiting = motion(opinions_waiting=[OpinionWaiting(number=7, by="resident-li", given_at=NOW)])

    assert "7" in (refused(waiting) or "")
    assert refused(waiting, "answer") is not None
    assert refused(motion(), "answer") is None


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"rounds": 1}, "2"),
        ({"rounds": 3, "rounds_wanted": 4}, "4"),
        ({"topic": Topic.MONEY}, "legality"),
        ({"topic": Topic.MONEY, "review_passed": False}, "amended"),
        ({"review_passed": False}, "amended"),
        ({"voted_at": NOW - 89 * DAY}, "90"),
    ],
)
def test_what_keeps_a_motion_from_the_vote(changed: dict[str, Any], word: str) -> None:
    """Too few rounds, a changed text not talked over, no review where the law asks for one or one not passed, too soon."""
    assert word in (refused(motion(**changed)) or "")


def test_it_is_voted_on_again_after_ninety_days() -> None:
    """The ninetieth day is a Sunday: from 24:00 of the Monday after it (民法典 203)."""
    voted = motion(voted_at=NOW)

    assert refused(voted, now=NOW + 91 * DAY) is not None
    assert refused(voted, now=NOW + 92 * DAY) is None


def test_the_text_that_is_voted_on_is_the_one_that_was_seen() -> None:
    """Another version is refused; what is asked is the text that stands, by its digest, and each change makes another digest."""
    state = motion(version=2, text=OTHER_TEXT)
    first, second = (
        CallBallot(version=number, quorum_class=QuorumClass.RESIDENTS_MEETING, base=Base.HOUSEHOLDS)
        for number in (1, 2)
    )

    assert [fault.field for fault in first.faults(state)] == ["version"]
    assert second.faults(state) == ()
    assert (second.asked(state).question, second.asked(state).text_digest) == (OTHER_TEXT, state.text_digest)
    assert len({each.text_digest for each in (motion(), state, motion(version=2), motion(text=OTHER_TEXT))}) == 4


def test_a_convention_is_voted_on_by_the_meeting_alone() -> None:
    """And a roll that the class has no rule for is refused."""
    convention = motion(topic=Topic.CONVENTION, review_passed=True)
    sense = CallBallot(version=1, quorum_class=QuorumClass.SENSE, base=Base.HOUSEHOLDS)
    delegates = CallBallot(version=1, quorum_class=QuorumClass.VILLAGER_GROUP, base=Base.DELEGATES)

    assert [fault.field for fault in sense.faults(convention)] == ["quorum_class"]
    assert sense.faults(motion()) == ()
    assert [fault.field for fault in delegates.faults(motion())] == ["base"]


@pytest.mark.parametrize(
    ("joined", "base", "enough"), [("residents", 2245, 449), ("villagers", 1840, 184), ("delegates", 60, 20)]
)
def test_a_share_of_the_people_admits_it_exactly(joined: str, base: int, enough: int) -> None:
    """A fifth, a tenth, a third: the figure itself is enough, one fewer is not; who proposed it is one of them."""
    state = motion(joined=Joined(joined), base=base, signatures=enough - 1)

    assert state.has_enough_behind_it
    assert not motion(joined=Joined(joined), base=base, signatures=enough - 2).has_enough_behind_it
    assert not motion(joined=Joined(joined), base=None, signatures=base).has_enough_behind_it


def test_everybody_joins_once_and_nobody_the_own_motion() -> None:
    """The proposer counts already."""
    state = motion(stage=Stage.PROPOSED, supporters=[])

    assert refused(state, "support", NEIGHBOUR) is None
    assert refused(state, "support", APPLICANT) is not None
    assert refused(motion(stage=Stage.PROPOSED, supporters=["resident-li"]), "support", NEIGHBOUR) is not None


def task(**changed: Any) -> CouncilState:
    """A decision with one task that was proved to be done."""
    agreed = Agreed(code="signs", what=TEXT, first_on=date(2026, 5, 1))
    proved = DatedDuty(agreed=agreed, standing=Standing.PROVED, proof=1, proved_by="grid-zhao")
    return motion(**{"stage": Stage.EXECUTING, "duties": [proved], "task_holders": {"signs": "street-feng"}} | changed)


def test_nobody_accepts_the_own_task() -> None:
    """Not who holds it, not who proved it, not who vouched for the proposer's side; and nobody before that side has."""
    vouched = task(vouched={1: "supervisor-zhou"})

    assert refused(task(), "accept_duty", STREET) is not None
    assert refused(task(task_holders={}), "accept_duty", STREET) is not None
    assert refused(task(task_holders={}, vouched={1: "supervisor-zhou"}), "accept_duty", STREET) is None
    assert refused(vouched, "accept_duty", SUPERVISOR) is not None
    assert refused(task(), "vouch_task", Actor(subject="grid-zhao", role=Role.GRID_WORKER)) is not None
    assert refused(task(), "vouch_task", APPLICANT) is None
    assert COUNCIL.commands["accept_duty"].choices("request", task()) == ()
    assert COUNCIL.commands["accept_duty"].choices("request", vouched) == (1,)
    assert COUNCIL.commands["vouch_task"].choices("request", vouched) == ()


def test_it_is_not_done_while_a_task_is_open_or_a_convention_not_on_file() -> None:
    """Neither by silence nor in a hurry."""
    assert refused(task(), "conclude") is not None
    assert refused(motion(stage=Stage.EXECUTING), "conclude") is None
    assert refused(motion(stage=Stage.EXECUTING, topic=Topic.CONVENTION), "conclude") is not None
    assert refused(motion(stage=Stage.EXECUTING, topic=Topic.CONVENTION, filed=True), "conclude") is None


def test_a_task_has_a_code_of_its_own_and_a_day_to_come() -> None:
    """Both faults are said at once."""
    again = AssignTask(task="signs", what=TEXT, holder="grid-qian", due=NOW.date() - timedelta(days=1))

    assert {fault.field for fault in again.faults(task(last_at=NOW))} == {"task", "due"}


def test_a_refusal_by_law_names_the_law() -> None:
    """A motion answered as unlawful, a text that did not pass the review."""
    with pytest.raises(ValueError, match="legal_basis"):
        Answer(ground=Ground.UNLAWFUL, reason=TEXT)
    with pytest.raises(ValueError, match="legal_basis"):
        LegalReview(passed=False, finding=TEXT)


def test_a_refused_motion_has_a_reason() -> None:
    """There is no answer without one."""
    with pytest.raises(ValueError, match="reason"):
        Answer.model_validate({"ground": "not_ours"})
