"""How a simulated department or bank sends its reports: signed, in order per order, again until acknowledged."""

import asyncio
import re
import time
from typing import Protocol

import httpx
import structlog

from local.simulation.department_book import DepartmentReport
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
AT_ONE_TIME = 8
TRY_AGAIN = frozenset({408, 425, 429})


class ReportBook(Protocol):
    """Where the reports stand until they are acknowledged."""

    def next_report(self, order_id: str, /) -> tuple[DepartmentReport, str] | None:
        """The first report about an order that was not acknowledged, and where it goes."""

    def note_sending(
        self, report: DepartmentReport, answer: str, *, acknowledged: bool = False, stopped: bool = False
    ) -> None:
        """Write down how a sending went."""


class ReportPost:
    """Sends what stands in the book. One task for each order; orders do not wait for each other.

    The tasks live in the group that is given: one that fails brings the department down, visibly.
    """

    def __init__(self, book: ReportBook, client: httpx.AsyncClient, secret: bytes, tasks: asyncio.TaskGroup) -> None:
        self._book = book
        self._client = client
        self._secret = secret
        self._tasks = tasks
        self._attended: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONE_TIME)

    def attend(self, order_id: str) -> None:
        """See to it that everything about this order is reported. Once is enough."""
        attended = self._attended.get(order_id)
        if attended is None or attended.done():
            task = self._tasks.create_task(self._report_all(order_id))
            self._attended[order_id] = task
            task.add_done_callback(lambda done: self._forget(order_id, done))

    def _forget(self, order_id: str, done: asyncio.Task[None]) -> None:
        # A rework may have come between the end of the task and this call: then another one attends by now.
        if self._attended.get(order_id) is done:
            del self._attended[order_id]

    def close(self) -> None:
        """Stop; what was not acknowledged stays in the book for the next start."""
        for task in list(self._attended.values()):
            task.cancel()

    async def _report_all(self, order_id: str) -> None:
        pause = FIRST_PAUSE_SECONDS
        while (due := self._book.next_report(order_id)) is not None:
            report, callback_url = due
            early = report.due_real - time.time()
            if early > 0:
                # Asked for again afterwards: by then the order may have been recalled, or the town have moved.
                await asyncio.sleep(early)
                continue
            async with self._places:
                asked_pause = await self._send(report, callback_url)
            if asked_pause is None:
                pause = FIRST_PAUSE_SECONDS
                continue
            await asyncio.sleep(max(pause, asked_pause))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _send(self, report: DepartmentReport, callback_url: str) -> float | None:
        """Send once. None when there is nothing left to do about it, else the seconds that the town asks us to wait."""
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(self._secret, timestamp, report.body),
        }
        try:
            response = await self._client.post(callback_url, content=report.body, headers=headers)
        except httpx.TransportError as error:
            self._book.note_sending(report, type(error).__name__)
            return 0.0
        answer = str(response.status_code)
        if response.is_success:
            self._book.note_sending(report, answer, acknowledged=True)
            return None
        if response.is_server_error or response.status_code in TRY_AGAIN:
            self._book.note_sending(report, answer)
            asked = response.headers.get("Retry-After", "")
            return float(asked) if re.fullmatch(r"[0-9]{1,4}", asked) else 0.0
        log.warning("report refused for good", order=report.order_id, act=report.act, status=response.status_code)
        self._book.note_sending(report, answer, stopped=True)
        return None
