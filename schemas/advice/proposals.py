"""What a model proposed for a report, and what was taken: it stands in the case from its start, and in its first entry.

Codes and numbers only. The words that spoke for a proposal are part of what somebody wrote, so they are found anew, from the
text in the vault, for whoever may read that (starter/incident_proposals.py).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from pydantic import Field

from schemas.advice.dispatch_model import Likelihood
from schemas.values.model import Model

PROPOSED_AT_MOST = 3
PERCENT = 10
"""Thousandths of one."""


class Taken(StrEnum):
    """What became of the proposals of a report."""

    GIVEN = "given"
    PROPOSED = "proposed"
    LEFT_OPEN = "left_open"


class Proposal(Model):
    """A category, the department that answers for it by the responsibility list, and how probable the model found each.

    In thousandths. `department_permille` adds up all categories for which that department answers.
    """

    category: str
    department: str
    permille: int = Field(ge=0, le=1000)
    department_permille: int = Field(ge=0, le=1000)


class Proposed(Model):
    """What was proposed under which model, and what was taken.

    `model`: the digest of the one that proposed, `version` its number. `takes_above_permille`: the town's threshold at that time.
    `rank`: at which place the category stood that the case has, from 1; 0: it was not among the proposals, or there is none.
    """

    model: str = Field(pattern=r"^[0-9a-f]{64}$")
    version: int
    takes_above_permille: int
    first: tuple[Proposal, ...] = Field(max_length=PROPOSED_AT_MOST)
    taken: Taken
    rank: int = 0

    def rank_of_department(self, department: str) -> int:
        """At which place this department stood, from 1; 0: it was not proposed."""
        return next((place for place, each in enumerate(self.first, 1) if each.department == department), 0)


def proposals(likelihoods: Sequence[Likelihood], departments: Mapping[str, str]) -> tuple[Proposal, ...]:
    """Return the first three of the town's categories, by what a model said of a text.

    Args:
        likelihoods: every category of the model, the most probable first.
        departments: who answers for each category of the responsibility list; one that is not on it any more is not proposed.
    """
    listed = [each for each in likelihoods if each.category in departments]
    of_department: dict[str, int] = {}
    for each in listed:
        department = departments[each.category]
        of_department[department] = of_department.get(department, 0) + each.permille
    return tuple(
        Proposal(
            category=each.category,
            department=departments[each.category],
            permille=each.permille,
            department_permille=min(1000, of_department[departments[each.category]]),
        )
        for each in listed[:PROPOSED_AT_MOST]
    )


def decided(first: Sequence[Proposal], given: str | None, takes_above_permille: int) -> tuple[Taken, str | None, int]:
    """Return what is taken, the category, and its rank among the proposals.

    What somebody gave is never changed. Without one the first proposal, if it is at least as probable as the town asks for.
    """
    if given is not None:
        ranks = [each.category for each in first]
        return Taken.GIVEN, given, ranks.index(given) + 1 if given in ranks else 0
    if first and first[0].permille >= takes_above_permille:
        return Taken.PROPOSED, first[0].category, 1
    return Taken.LEFT_OPEN, None, 0
