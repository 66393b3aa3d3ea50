"""When departments have gathered, when all is done, and what a whistle comes to: pure rules on what each has told.

Source: the town's gathering rule per type (policies/whistle.yaml): all must arrive, or the lead and a quorum. Departments
that are released are not counted; absent ones are, and stay on the record.
"""

from collections.abc import Sequence

from schemas.model import Model
from schemas.parts.panel import Turnout, mean_of, turnout
from schemas.summons_state import AWAITED
from schemas.whistle_policy import Gathering, GatheringRule
from schemas.whistle_state import Summoned, WhistleState

_ALL = 100


def gathered(rule: Gathering, lead: str, summoned: Sequence[Summoned]) -> Turnout:
    """Say whether work can begin. Without a lead that has to come it cannot: somebody has to hand over the lead first."""
    counted = [each for each in summoned if not each.released]
    present = {each.department for each in counted if each.present}
    if lead not in {each.department for each in counted} or not present:
        return Turnout.NOT_YET
    members, quorum = len(counted), len(counted)
    if rule.rule is GatheringRule.LEAD_AND_QUORUM and lead in present:
        quorum = -(-members * rule.quorum_percent // _ALL)
    awaited = any(each.stage in AWAITED for each in counted)
    return turnout(members=members, came=len(present), quorum=quorum, awaited=awaited, at_quorum=True)


def all_settled(summoned: Sequence[Summoned]) -> bool:
    """Whether every department that has to come has done its task, or is no longer waited for."""
    counted = [each for each in summoned if not each.released]
    return bool(counted) and all(each.settled for each in counted)


def all_scored(summoned: Sequence[Summoned]) -> bool:
    """Whether the street has scored every department that had to come."""
    counted = [each for each in summoned if not each.released]
    return bool(counted) and all(each.score is not None for each in counted)


class Evaluation(Model):
    """What a whistle came to, by department. `mean_score` is rounded half up; `late` names the clocks that were broken."""

    scores: dict[str, int]
    mean_score: int | None
    late: dict[str, tuple[str, ...]]
    absent: tuple[str, ...]
    released: tuple[str, ...]


def evaluation(state: WhistleState) -> Evaluation:
    """Sum up a whistle as it stands, in the order in which the departments were called."""
    scores = {each.department: each.score for each in state.summoned if each.score is not None}
    return Evaluation(
        scores=scores,
        mean_score=mean_of(scores.values()),
        late={each.department: tuple(each.late) for each in state.summoned if each.late},
        absent=tuple(each.department for each in state.summoned if each.was_absent),
        released=tuple(each.department for each in state.summoned if each.released),
    )
