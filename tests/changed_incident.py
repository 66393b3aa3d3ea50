"""An incident changed in the wrong way (docs/changing-a-procedure.md); the right one is in local/chaos/chaos_release.py."""

from temporalio import workflow

from schemas.incident_state import IncidentState
from schemas.kernel.case import CaseOutcome
from workflows.incident import Incident


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
