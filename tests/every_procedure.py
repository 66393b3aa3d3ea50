"""For tests that are true of every procedure in the registry."""

import pytest

from workflows.registry import PROCEDURES

PROCEDURE_LIST = [case.procedure for case in PROCEDURES]
EVERY_PROCEDURE = pytest.mark.parametrize("procedure", PROCEDURE_LIST, ids=lambda procedure: procedure.name)
