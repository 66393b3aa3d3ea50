"""Who waits for the end of a case, by procedure, and the walks that come to an end."""

from typing import NamedTuple

from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from tests.api_driver import Walk, examples
from tests.every_procedure import PROCEDURE_LIST

WAITS_FOR = {
    "incident": {"reporter"},
    "whistle": {"role:street_officer"},
    "summons": {"department:"},
    "welfare": {"reporter"},
    "recovery": {"reporter"},
    "ballot": {"role:"},
    "proposal": {"reporter"},
    "mediation": {"participant:"},
    "alarm": {"role:grid_worker"},
    "sweep": {"role:street_officer"},
    **{
        each.name: {each.end_notice.to}
        for each in PROCEDURE_LIST
        if isinstance(each, DeclaredProcedure) and each.end_notice and each.opens and each.opens.body
    },
}
"""Who is told how a case ends, by procedure; a procedure that is not here has not said so."""


class Ending(NamedTuple):
    """A walk at whose end nobody but the case itself can do anything more, or that is called closed there."""

    procedure: Procedure
    walk: Walk

    def __str__(self) -> str:
        return f"{self.procedure.name}: {self.walk.name}"

    def is_heard_by(self, recipient: str) -> bool:
        """Whether this is who waits for it."""
        return recipient.startswith(tuple(WAITS_FOR[self.procedure.name]))


def endings_of(procedure: Procedure) -> list[Ending]:
    """Its walks that come to an end."""
    acts = {str(stage) for rule in procedure.rules if not rule.automatic for stage in rule.at}
    ends = {str(stage) for stage in procedure.stages if str(stage) not in acts} | {"closed"}
    return [Ending(procedure, walk) for walk in examples(procedure).WALKS if walk.stage in ends]


def soon_of(procedure: Procedure) -> list[Ending]:
    """Those among them on which nobody waits for a clock."""
    return [each for each in endings_of(procedure) if not each.walk.waits]
