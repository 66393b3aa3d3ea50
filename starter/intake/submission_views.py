"""What the API answers with about what it has accepted, one by one."""

from datetime import datetime

from schemas.kernel.case import Accepted
from schemas.values.model import Model
from schemas.values.refusals import Refusal
from starter.intake.postbox import Status


class SubmissionView(Model):
    """How far something that was accepted has come.

    In a 202, `repeated`: it had been accepted before under this key. `code`, of a start: as in its 201.
    """

    submission: str
    kind: str
    command: str
    case_id: str
    status: Status
    attempts: int
    received_at: datetime
    settled_at: datetime | None
    status_url: str
    case_url: str
    repeated: bool = False
    code: str | None = None
    accepted: Accepted | None = None
    refusal: Refusal | None = None
