"""For tests that are true of every procedure in the registry."""

from collections.abc import Set as AbstractSet

import pytest

from schemas.values.actor import Role
from workflows.registry import PROCEDURES

PROCEDURE_LIST = [case.procedure for case in PROCEDURES]
EVERY_PROCEDURE = pytest.mark.parametrize("procedure", PROCEDURE_LIST, ids=lambda procedure: procedure.name)


def who_starts(starters: AbstractSet[Role]) -> Role:
    """Who opens a case for a test: somebody of staff, where they may; for others a name could be stated."""
    return min(starters - {Role.RESIDENT} or starters, key=str)
