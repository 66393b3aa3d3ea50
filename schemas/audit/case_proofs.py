"""What vouches for a case at this moment, as an auditor sees it at a glance, and what a replay of it led to."""

from datetime import datetime

from pydantic import Field

from schemas.kernel.findings import Finding
from schemas.values.model import Model


class ReplayVerdict(Model):
    """A replay that an auditor asked for. All times are real times.

    `leads`: the history leads where it led; None: it runs still, or it could not be found out, and `detail` says why.
    `detail`: what was looked at, or where it differs; codes and places, no texts of people.
    """

    number: int
    case_id: str
    asked_by: str
    asked_at: datetime
    running: bool
    ended_at: datetime | None = None
    leads: bool | None = None
    detail: str | None = None


class KeptRun(Model):
    """A run of a case in the archive. `status`: how it ended; `running`: a copy of an open one. Times are real times."""

    run_id: str
    status: str
    events: int
    closed_at: datetime | None
    archived_at: datetime


class CaseProofs(Model):
    """What vouches for a case. `chain`: the ledger by itself; `held`: ledger and archive against what seals hold of the case.

    `sealed`: the number of the entry up to which the newest seal that holds the case goes; 0 where none does. `newest_seal`: the
    number of the town's newest seal, None where there is none. Whether the seals' own chain and trees hold, and whether the
    archived bytes are what the manifests name, is the matter of `jiceng audit verify`, which takes longer.
    """

    case_id: str
    chain: Finding
    held: Finding
    entries: int
    sealed: int
    newest_seal: int | None
    runs: tuple[KeptRun, ...]
    replay: ReplayVerdict | None = Field(default=None, description="the last replay that somebody asked for")
