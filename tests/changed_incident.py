"""An incident with one change, made in the wrong and in the right way (docs/changing-a-procedure.md)."""

from temporalio import workflow

from schemas.case import CaseOutcome
from schemas.incident import IncidentState
from workflows.incident import Incident

CLOSING_IS_ANNOUNCED = "closing-is-announced"
"""Patch: before, closing left one entry; cases that were closed then have no other."""


@workflow.defn(name="incident")
class Unpatched(Incident):
    """The change as one would write it for a new procedure."""

    @workflow.init
    def __init__(self, state: IncidentState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: IncidentState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case as before."""
        return await self.live(self.story)

    def close(self) -> None:
        """The change: closing is announced by an entry of its own."""
        super().close()
        self.record("incident:closing_announced")


@workflow.defn(name="incident")
class Patched(Unpatched):
    """The same change for cases that already live: those who closed before go on without it."""

    @workflow.init
    def __init__(self, state: IncidentState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: IncidentState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case as before."""
        return await self.live(self.story)

    def close(self) -> None:
        """The change, behind its patch."""
        super(Unpatched, self).close()
        if workflow.patched(CLOSING_IS_ANNOUNCED):
            self.record("incident:closing_announced")
