"""A client of the starter API: what the simulated people, `jiceng demo` and `jiceng import` use, and others may.

ApiError         the answer was not the one asked for
  Refused        the town said no: the same again hears the same again
  Unavailable    nothing can be said yet: the same with the same key may be sent again, and nothing happens twice
  NotSettled     accepted and kept, but not yet carried out
"""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter

from schemas.incident import INCIDENT
from schemas.incident_report import IncidentReport
from schemas.kernel.declaration import DeclaredProcedure
from schemas.values.document import Document
from schemas.values.refusals import Fault
from schemas.welfare import WELFARE
from schemas.welfare_application import WelfareApplication
from schemas.whistle import WHISTLE
from schemas.whistle_call import WhistleCall
from starter.cases.views import (
    CasePage,
    CaseRow,
    CaseView,
    Categories,
    CommandAnswer,
    Inbox,
    Indicators,
    OperatorView,
    PublicCase,
    ReconciliationView,
    ReportAnswer,
    ReportReceipt,
    SimilarCases,
    Timeline,
    TimelineEntry,
)
from starter.http.problems import ProblemCode
from starter.incident_batch_views import BatchAnswer
from starter.intake.command_batch import CommandBatchAnswer, CommandLine
from starter.intake.command_forms import CommandForms
from starter.intake.postbox import Status
from starter.intake.submission_views import SubmissionView

API = "/api/v1"
TRY_AGAIN = frozenset({408, 425, 429, 502, 503, 504})
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0
SETTLING_PAUSE_SECONDS = 0.25
REQUEST_TIMEOUT_SECONDS = 40.0
PAGE_SIZE = 200

TokenSource = Callable[[], str]
"""Gives a token that is valid now; asked for every request, so that a long life outlives a token."""

ModelT = TypeVar("ModelT", bound=BaseModel)
_ANSWER: TypeAdapter[ReportAnswer | ReportReceipt] = TypeAdapter(ReportAnswer | ReportReceipt)


class ApiError(Exception):
    """The answer was not the one asked for."""


class Refused(ApiError):
    """The town said no. `faults` are all the fields to mend, `legal_commands` what may be done instead."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", status))
        self.detail = str(problem.get("detail") or problem.get("title") or "")
        self.stage: str | None = problem.get("stage")
        self.legal_commands = tuple(problem.get("legal_commands") or ())
        self.faults = tuple(Fault.model_validate(fault) for fault in problem.get("faults") or ())
        super().__init__(f"{status} {self.code}: {self.detail}")


class Unavailable(ApiError):
    """Nobody answered, or the town cannot take anything just now. The same with the same key may be sent again."""

    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(reason)


class NotSettled(ApiError):
    """Accepted and kept, but not yet carried out: it will be. `submission` is what to follow it by."""

    def __init__(self, submission: SubmissionView) -> None:
        self.submission = submission
        super().__init__(f"{submission.case_id}: {submission.command} is accepted and waits to be delivered")


@dataclass(frozen=True)
class Started:
    """A case that was asked for.

    `new` None: it cannot be told, since an earlier answer to the same request was lost, or the case stands only later.
    `code`, with the number, lets whoever has both follow the case without an account. `case` is a receipt where whoever
    started it may not see it.
    """

    case: CaseView | ReportReceipt
    new: bool | None
    code: str | None = None


def http_client(connections: int = 64) -> httpx.AsyncClient:
    """Connections to one API, to be shared by all clients of a process; a wait for a case holds one of them."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections // 2)
    return httpx.AsyncClient(timeout=REQUEST_TIMEOUT_SECONDS, limits=limits, trust_env=False)


class TownClient:
    """One person's way to the API. Idempotency keys are the caller's: the same `key` is the same act, however often it is sent."""

    def __init__(
        self, api_url: str, token: TokenSource, http: httpx.AsyncClient, patience_seconds: float | None = 0.0
    ) -> None:
        """`patience_seconds`: for how long a request is sent again while the API is away; None: until it is back."""
        self._url = api_url.rstrip("/") + API
        self._token = token
        self._http = http
        self._patience = patience_seconds

    async def start(self, procedure: DeclaredProcedure, body: BaseModel | Mapping[str, Any], key: str) -> Started:
        """Open a case of a procedure, by the body that it declares, or what people send for it.

        Raises:
            Refused, Unavailable: as their names say.
            TypeError: it is opened by another body, or by no body at all.
        """
        opens = procedure.opens
        if opens is None or not isinstance(body, Mapping if opens.body is not None else opens.model):
            raise TypeError(f"a case of {procedure.name} is not opened by {type(body).__name__}")
        sent = body.model_dump_json(exclude_none=True) if isinstance(body, BaseModel) else json.dumps(body)
        return await self._start(f"/{opens.address}", sent, key)

    async def report(self, report: IncidentReport, key: str) -> Started:
        """Report an incident. Raises Refused, Unavailable."""
        return await self.start(INCIDENT, report, key)

    async def blow_whistle(self, call: WhistleCall, key: str) -> Started:
        """Call departments to a matter. Raises Refused, Unavailable."""
        return await self.start(WHISTLE, call, key)

    async def apply_for_benefit(self, application: WelfareApplication, key: str) -> Started:
        """Apply for a benefit. Raises Refused, Unavailable."""
        return await self.start(WELFARE, application, key)

    async def send_document(self, content: bytes, media_type: str) -> Document:
        """Upload a file; the same file again is the same document. Raises Refused, Unavailable."""
        response, _ = await self._send("POST", "/documents", body=content, headers={"Content-Type": media_type})
        return _read(Document, response)

    async def _start(self, path: str, opening: str, key: str) -> Started:
        response, tries = await self._send("POST", path, key=key, body=opening)
        if response.status_code == httpx.codes.ACCEPTED:
            submission = _read(SubmissionView, response)
            return Started(await self._case_or_receipt(submission), new=None, code=submission.code)
        known = None if tries > 1 else False
        answer = _ANSWER.validate_json(response.content)
        return Started(answer, new=True if response.status_code == httpx.codes.CREATED else known, code=answer.code)

    async def _case_or_receipt(self, submission: SubmissionView) -> CaseView | ReportReceipt:
        """The case that was accepted, or what is known of one that is not to be seen by whoever started it."""
        if (case := await self._case_if_seen(submission.case_id)) is not None:
            return case
        procedure = submission.case_id.partition("-")[0]
        return ReportReceipt(
            case_id=submission.case_id,
            code=submission.code or "",
            procedure=procedure,
            title=procedure,
            stage="",
            opened_at=submission.received_at,
        )

    async def command(
        self, case_id: str, command: str, body: Mapping[str, Any], key: str, settle_seconds: float = 0.0
    ) -> CommandAnswer | SubmissionView:
        """Give a command. One that is accepted but not yet carried out is waited for, `settle_seconds` at the most.

        What was carried out is answered with the case; with the submission alone, which has the case's word, where whoever
        gave the command does not see the case any more.

        Raises:
            Refused, Unavailable: as their names say.
            NotSettled: it is accepted, and the time is over.
        """
        deadline = time.monotonic() + settle_seconds
        while True:
            response, _ = await self._send(
                "POST", f"/cases/{case_id}/commands/{command}", key=key, body=json.dumps(body)
            )
            if response.status_code != httpx.codes.ACCEPTED:
                return _read(CommandAnswer, response)
            submission = _read(SubmissionView, response)
            if submission.accepted is not None and await self._case_if_seen(case_id) is None:
                return submission
            while submission.status is Status.WAITING:
                await self._pause_before(deadline, submission)
                submission = await self.submission(submission.submission)
            # Settled: the same again gets the case's refusal, or its own answer once that stands in its ledger.
            if submission.refusal is None:
                await self._pause_before(deadline, submission)

    @staticmethod
    async def _pause_before(deadline: float, submission: SubmissionView) -> None:
        if time.monotonic() >= deadline:
            raise NotSettled(submission)
        await asyncio.sleep(SETTLING_PAUSE_SECONDS)

    async def _case_if_seen(self, case_id: str) -> CaseView | None:
        try:
            return await self.case(case_id)
        except Refused as refused:
            if refused.code != ProblemCode.UNKNOWN_CASE:
                raise
        return None

    async def submission(self, submission: str) -> SubmissionView:
        """How far something that was accepted has come."""
        response, _ = await self._send("GET", f"/submissions/{submission}")
        return _read(SubmissionView, response)

    async def case(self, case_id: str, wait: str | None = None, wait_seconds: float = 30.0) -> CaseView:
        """One case. `wait`, such as "stage:closed", holds the answer back until it is so, or for so many seconds."""
        parameters = {} if wait is None else {"wait": wait, "timeout": str(wait_seconds)}
        response, _ = await self._send("GET", f"/cases/{case_id}", parameters=parameters)
        return _read(CaseView, response)

    async def timeline(self, case_id: str) -> list[TimelineEntry]:
        """All entries of a case."""
        entries: list[TimelineEntry] = []
        cursor: str | None = None
        while True:
            parameters = {} if cursor is None else {"cursor": cursor}
            response, _ = await self._send("GET", f"/cases/{case_id}/timeline", parameters=parameters)
            page = _read(Timeline, response)
            entries += page.items
            cursor = page.next_cursor
            if cursor is None:
                return entries

    async def commands(self, case_id: str) -> CommandForms:
        """What may be done with a case, and what may stand in each field now."""
        response, _ = await self._send("GET", f"/cases/{case_id}/commands")
        return _read(CommandForms, response)

    async def cases(self, **filters: str) -> AsyncIterator[CaseRow]:
        """The cases that this person sees, newest first, page after page. Filters as in docs/api.md."""
        cursor: str | None = None
        while True:
            parameters = {**filters, "limit": str(PAGE_SIZE), **({} if cursor is None else {"cursor": cursor})}
            response, _ = await self._send("GET", "/cases", parameters=parameters)
            page = _read(CasePage, response)
            for row in page.items:
                yield row
            cursor = page.next_cursor
            if cursor is None:
                return

    async def case_if_changed(self, case_id: str, etag: str | None) -> tuple[CaseView | None, str]:
        """The case and its ETag; no case while it is still what the ETag of an earlier answer stands for."""
        headers = {} if etag is None else {"If-None-Match": etag}
        response, _ = await self._send("GET", f"/cases/{case_id}", headers=headers)
        unchanged = response.status_code == httpx.codes.NOT_MODIFIED
        return (None if unchanged else _read(CaseView, response)), response.headers["ETag"]

    async def inbox(self, limit: int = 20) -> Inbox:
        """What waits for this person, is due soon and is overdue."""
        response, _ = await self._send("GET", "/inbox", parameters={"limit": str(limit)})
        return _read(Inbox, response)

    async def indicators(self, by: Sequence[str] = (), **filters: str) -> Indicators:
        """The three rates and the times of incidents, as in docs/indicators.md."""
        parameters = [*(("by", each) for each in by), *filters.items()]
        response, _ = await self._send("GET", "/indicators/incidents", parameters=parameters)
        return _read(Indicators, response)

    async def reconciliation(self, month: str) -> ReconciliationView:
        """Our payments of a month, such as "2026-11", against the bank's own books."""
        response, _ = await self._send("GET", f"/reconciliations/{month}")
        return _read(ReconciliationView, response)

    async def operator(self) -> OperatorView:
        """Who this person is, if a supervisor of the whole town. Raises Refused: anybody else; Unavailable."""
        response, _ = await self._send("GET", "/operations/operator")
        return _read(OperatorView, response)

    async def categories(self, words: str = "", limit: int = 10) -> Categories:
        """The lines of the responsibility list that fit what somebody says."""
        response, _ = await self._send("GET", "/categories", parameters={"q": words, "limit": str(limit)})
        return _read(Categories, response)

    async def similar(self, case_id: str) -> SimilarCases:
        """Open cases that may be the same matter."""
        response, _ = await self._send("GET", f"/cases/{case_id}/similar")
        return _read(SimilarCases, response)

    async def report_all(self, reports: Mapping[str, IncidentReport]) -> BatchAnswer:
        """Report up to 100 incidents at once, each under its key; a result for each, in their order."""
        lines = [
            {"idempotency_key": key, "report": report.model_dump(mode="json", exclude_none=True)}
            for key, report in reports.items()
        ]
        response, _ = await self._send("POST", "/incidents:batch", body=json.dumps({"lines": lines}))
        return _read(BatchAnswer, response)

    async def give_all(self, lines: Sequence[CommandLine]) -> CommandBatchAnswer:
        """Give up to 100 commands at once, each under its key; a result for each, in their order."""
        body = json.dumps({"lines": [each.model_dump(mode="json") for each in lines]})
        response, _ = await self._send("POST", "/commands:batch", body=body)
        return _read(CommandBatchAnswer, response)

    async def export(self, file: IO[bytes], format: str = "csv", **filters: str) -> None:  # noqa: A002 - as the API calls it
        """Write the list with these filters to a file that is open for writing, as it arrives. Sent once only.

        Raises Refused, Unavailable; Unavailable too when it broke off: then what was written is not the whole.
        """
        headers = {"Authorization": f"Bearer {self._token()}"}
        parameters = {**filters, "format": format}
        try:
            async with self._http.stream(
                "GET", f"{self._url}/cases/export", headers=headers, params=parameters
            ) as response:
                if not response.is_success:
                    await response.aread()
                    _answer(response)
                async for part in response.aiter_bytes():
                    file.write(part)
        except httpx.TransportError as error:
            raise Unavailable(f"{type(error).__name__} at {self._url}") from error

    async def follow(self, case_id: str, code: str) -> PublicCase:
        """A case by its number and code, as whoever has both sees it; no token is needed. Raises Refused, Unavailable."""
        url = self._url.removesuffix(API) + f"/public/cases/{case_id}"
        try:
            return _read(PublicCase, _answer(await self._http.get(url, params={"code": code})))
        except httpx.TransportError as error:
            raise Unavailable(f"{type(error).__name__} at {self._url}") from error

    async def _send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        body: str | bytes | None = None,
        parameters: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[httpx.Response, int]:
        """Send until there is an answer, or patience ends: the answer, and the number of tries.

        Safe for all that is sent here: reading, acts with a key, and documents, which are the same by what they contain.
        """
        deadline = None if self._patience is None else time.monotonic() + self._patience
        pause = FIRST_PAUSE_SECONDS
        for tries in itertools.count(1):
            sent = {**(headers or {}), "Authorization": f"Bearer {self._token()}"}
            if key is not None:
                sent["Idempotency-Key"] = key
            if body is not None:
                sent.setdefault("Content-Type", "application/json")
            try:
                response = await self._http.request(
                    method, self._url + path, headers=sent, content=body, params=_parameters(parameters)
                )
                return _answer(response), tries
            except httpx.TransportError as error:
                unavailable = Unavailable(f"{type(error).__name__} at {self._url}")
            except Unavailable as error:
                unavailable = error
            pause = max(pause, min(unavailable.retry_after_seconds, LONGEST_PAUSE_SECONDS))
            if deadline is not None and time.monotonic() + pause > deadline:
                raise unavailable
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise AssertionError("counting does not end")


def _parameters(parameters: Mapping[str, str] | Sequence[tuple[str, str]] | None) -> httpx.QueryParams | None:
    if not parameters:
        return None
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return httpx.QueryParams(list(pairs))


def _answer(response: httpx.Response) -> httpx.Response:
    """The response if it is what was asked for. Raises Refused, Unavailable."""
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return response
    if response.status_code in TRY_AGAIN:
        asked = response.headers.get("Retry-After", "")
        raise Unavailable(f"HTTP {response.status_code}", float(asked) if asked.isdecimal() else 0.0)
    raise Refused(response.status_code, _problem(response))


def _problem(response: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {"detail": response.text[:200]}
    return problem if isinstance(problem, dict) else {}


def _read(model: type[ModelT], response: httpx.Response) -> ModelT:
    return model.model_validate_json(response.content)
