"""A batch of reports, and what came of each line."""

from pydantic import Field

from schemas.incident_report import IncidentReport
from schemas.values.model import Model
from starter.cases.views import ReportAnswer, ReportReceipt
from starter.http.problems import ProblemBody
from starter.intake.submission_views import SubmissionView


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
