"""入户调查 visits, as a case takes them down (schemas/parts/visits.py)."""

from collections.abc import Mapping
from typing import Any, TypeVar

from schemas.parts.visits import SURVEY, RecordVisit, Visit, VisitedState
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=VisitedState)


class Visits(DeclaredCase[StateT]):
    """The part of a case for which somebody is visited."""

    # ---- for procedures -------------------------------------------------------------------------------------------

    def visited(self, command: RecordVisit, by: Actor) -> Mapping[str, Any]:  # noqa: ARG002 - the procedure's own
        """Take note of what more a visit shows, and return what the entry says of it besides the finding."""
        return {}

    def on_visited(self) -> None:
        """Go on, if what was waited for has come: `visits_done`. Nothing, unless the procedure says."""

    # ---- what happens ---------------------------------------------------------------------------------------------

    def await_visits(self) -> None:
        """The visits are due, where there are any."""
        if self.state.visits_wanted:
            self.start_clock(SURVEY)

    def record_visit(self, command: RecordVisit, by: Actor) -> None:
        """入户调查: so many different people, of the offices that the procedure names."""
        self.state.visits.append(Visit(by=by.subject, role=by.role, at=self.now(), finding=command.finding))
        more = self.visited(command, by)
        self.record(
            self.entry_of(self.procedure.acts["record_visit"]),
            number=len(self.state.visits),
            by=by.role,
            finding=command.finding,
            **more,
        )
        self.on_visited()
