"""Who judges a project has nothing of it: kin goes, and whose project it is accepts no milestone of it, under whatever role."""

from typing import Any

import pytest

from schemas.contest import CONTEST, ContestState, Stage
from schemas.parts.instalments import Milestone
from schemas.parts.panel import Opinion
from schemas.values.actor import Actor, Role
from tests.procedures.test_contest import APPLICANT, NOW, project

KIN, JUROR, CLAIMS = (Actor(subject=each, role=Role.GRID_WORKER) for each in ("grid-he", "grid-zhao", "grid-sun"))
STRANGER = Actor(subject="street-wu", role=Role.STREET_OFFICER)


def as_role(who: Actor, role: Role) -> Actor:
    """The same account, at another desk."""
    return who.model_copy(update={"role": role})


def at(stage: Stage, **known: Any) -> ContestState:
    """A project that one juror has judged and another one, who is kin, has left."""
    facts = {
        "stage": stage,
        "opinions": [Opinion(by=JUROR.subject, score=90, at=NOW)],
        "recused": [KIN.subject],
        "milestones": (Milestone(amount_fen=100_000), Milestone(amount_fen=200_000)),
        "payments": [],
        "paid": {},
        **known,
    }
    return project().model_copy(update=facts)


def refused(state: ContestState, command: str, who: Actor) -> bool:
    """Whether the table lets them not."""
    return CONTEST.rules.check(state, command, who, NOW) is not None


@pytest.mark.parametrize("role", [Role.GRID_WORKER, Role.STREET_OFFICER, Role.COORDINATOR, Role.SUPERVISOR])
def test_a_juror_who_is_kin_and_has_left_scores_nothing_under_no_role(role: Role) -> None:
    """Neither a first word nor another one; who has nothing to do with it does."""
    state = at(Stage.JUDGING)

    assert refused(state, "judge", as_role(KIN, role))
    assert refused(state, "judge", as_role(APPLICANT, role))  # the own project, from a desk
    assert refused(state, "judge", as_role(JUROR, role))  # once is enough
    assert not refused(state, "judge", as_role(STRANGER, role))


@pytest.mark.parametrize(
    ("stage", "command", "role"),
    [
        (Stage.OBJECTED, "investigate", Role.STREET_OFFICER),
        (Stage.CLAIMED, "verify_milestone", Role.GRID_WORKER),
        (Stage.CLAIMED, "verify_milestone", Role.STREET_OFFICER),
        (Stage.RUNNING, "cancel", Role.STREET_OFFICER),
    ],
)
def test_kin_who_left_the_jury_decides_nothing_later_either(stage: Stage, command: str, role: Role) -> None:
    """Not on an objection, not on a milestone, not on its end."""
    state = at(stage, claimed_by=CLAIMS.subject, milestone_claims=1, objections_open=1)

    assert refused(state, command, as_role(KIN, role))


@pytest.mark.parametrize("who", [APPLICANT, CLAIMS, JUROR], ids=["whose it is", "who claimed it", "a juror"])
@pytest.mark.parametrize("role", [Role.GRID_WORKER, Role.STREET_OFFICER])
def test_no_milestone_is_accepted_by_its_own_team(who: Actor, role: Role) -> None:
    """Neither by whose project it is, nor by who said that it is reached, nor by who judged it: from whatever desk."""
    state = at(Stage.CLAIMED, claimed_by=CLAIMS.subject, milestone_claims=1)

    assert refused(state, "verify_milestone", as_role(who, role))
    assert not refused(state, "verify_milestone", as_role(STRANGER, role))
