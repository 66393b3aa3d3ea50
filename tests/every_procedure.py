"""For tests that are true of every procedure in the registry."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import pytest

from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from tests.sampling import sampled
from workflows.registry import PROCEDURES

PROCEDURE_LIST = [case.procedure for case in PROCEDURES]
EVERY_PROCEDURE = pytest.mark.parametrize("procedure", PROCEDURE_LIST, ids=lambda procedure: procedure.name)

OPENED_AT_EACH_COMMIT, BEGUN_AT_EACH_COMMIT = 2, 1
"""Of the procedures that people open, and of those whose cases other cases begin."""


def some_of(procedures: Iterable[Procedure], what: str) -> list[object]:
    """Parameters: some procedures of both kinds by the seed, and the others, marked `long`."""
    among = list(procedures)
    opened, begun = [each for each in among if each.parent is None], [each for each in among if each.parent is not None]
    return [
        *sampled(opened, OPENED_AT_EACH_COMMIT, f"{what}, opened by people"),
        *sampled(begun, BEGUN_AT_EACH_COMMIT, f"{what}, begun by cases"),
    ]


def some_procedures(what: str, among: Iterable[Procedure] = PROCEDURE_LIST) -> pytest.MarkDecorator:
    """For what the kernel does whatever the procedure: some of them at every commit, all in `make test-all`.

    What a procedure says for itself - its rows, words, walks, limits, money and who sees what - is asked of `EVERY_PROCEDURE`.
    """
    return pytest.mark.parametrize("procedure", some_of(among, what), ids=lambda procedure: procedure.name)


def who_starts(starters: AbstractSet[Role]) -> Role:
    """Who opens a case for a test: of staff, where they may, and of no one department; for others a name could be stated."""
    return min(starters - {Role.RESIDENT, Role.DEPARTMENT_OFFICER} or starters, key=str)
