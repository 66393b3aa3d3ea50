"""The next release of a town under chaos: one procedure is changed behind a patch, and the worker is swapped while cases run.

python -m local.chaos.chaos_release     the worker: of today's procedures, or of the next once they are released in its data folder
"""

from pathlib import Path

from temporalio import workflow

from engine.runtime.settings import Settings
from local.town.cli_errors import run_told
from schemas.incident_state import IncidentState
from schemas.kernel.case import CaseOutcome
from worker import run_worker
from workflows.incident import Incident
from workflows.registry import PROCEDURES

CLOSING_IS_ANNOUNCED = "closing-is-announced"
"""Patch: before, closing left one entry; cases that were closed then have no other."""

ANNOUNCED = "incident:closing_announced"
_MARK = "next-release"


@workflow.defn(name="incident")
class NextIncident(Incident):
    """An incident whose closing is announced by an entry of its own: the example of docs/changing-a-procedure.md."""

    @workflow.init
    def __init__(self, state: IncidentState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: IncidentState) -> CaseOutcome:  # noqa: ARG002 - taken by __init__
        """Run the case as before."""
        return await self.live(self.story)

    def close(self) -> None:
        """Close it, and say so once more where the case came here under this release."""
        super().close()
        if workflow.patched(CLOSING_IS_ANNOUNCED):
            self.record(ANNOUNCED)


NEXT = tuple(NextIncident if case is Incident else case for case in PROCEDURES)


def release(data: Path) -> None:
    """From now on every worker of this town that starts is of the next release: there is no way back."""
    (data / _MARK).touch()


def main() -> None:
    """Run the worker of this town, of whatever is released now."""
    settings = Settings()
    procedures = NEXT if (settings.data / _MARK).exists() else PROCEDURES
    run_told(run_worker(settings, procedures), "worker", settings.log_level)


if __name__ == "__main__":
    main()
