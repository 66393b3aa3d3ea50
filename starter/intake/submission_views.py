"""What the API answers with about what it has accepted: one submission, or a batch of reports."""

from datetime import datetime

from pydantic import Field

from schemas.incident_report import IncidentReport
from schemas.kernel.case import Accepted
from schemas.values.model import Model
from schemas.values.refusals import Refusal
from starter.cases.views import ReportAnswer, ReportReceipt
from starter.http.problems import ProblemBody
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


class BatchLine(Model):
    """One report of a batch, under a key of its own, as of `Idempotency-Key`."""

    idempotency_key: str
    report: IncidentReport


class IncidentBatch(Model):
    """Up to 100 reports."""

    lines: list[BatchLine] = Field(min_length=1, max_length=100)


class BatchResult(Model):
    """What came of one line: the status it would have had alone, with the case, the submission or the problem."""

    line: int
    idempotency_key: str | None
    status: int
    case_id: str | None = None
    code: str | None = None
    case: ReportAnswer | ReportReceipt | None = None
    submission: SubmissionView | None = None
    problem: ProblemBody | None = None


class BatchAnswer(Model):
    """One result per line, in order."""

    accepted: int
    not_accepted: int
    results: list[BatchResult]
