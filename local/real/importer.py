"""`jiceng import`: a file of messages becomes cases, each row once, however often and wherever from it is imported.

Nothing is remembered here: the idempotency key of a row is made from its source, id and category, so whoever is killed
in the middle runs the same command again.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import httpx
from pydantic import ValidationError

from local.real.message_file import ColumnMap, LineFault, ResidentMessage, read_messages
from schemas.incident_report import IncidentReport, Reporter
from schemas.incident_state import FINAL, Stage
from schemas.values.account import is_account_code
from schemas.values.actor import Channel
from schemas.values.location import Location
from schemas.values.refusals import say
from schemas.values.tidy_text import tidy
from starter.client import ApiError, Refused, Started, TokenSource, TownClient, Unavailable, http_client
from starter.http.faults import faults_of

NOT_STATED = "未注明 (not stated)"
CLOSED = frozenset({Stage.CLOSED, *FINAL})
LOOK_AGAIN_SECONDS = 1.0
WAIT_FOR_ONE_SECONDS = 5.0
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NAME_LENGTH_MAX = 100


@dataclass(frozen=True)
class ImportOptions:
    """What to import, and as whom. The token's account is part of every key: the same file, the same account.

    `patience_seconds`: how long a row is tried while the API is away. `at_once` bounds the requests under way.
    """

    file: Path
    api_url: str
    token: TokenSource
    columns: ColumnMap = field(default_factory=ColumnMap)
    categories: Mapping[str, str] = field(default_factory=dict)
    default_location: str = NOT_STATED
    channel: Channel = Channel.APP
    wait: bool = False
    at_once: int = 8
    patience_seconds: float = 300.0


@dataclass
class ImportReport:
    """What came of it. `rows` = started + known + the rows that are refused or not sent.

    `warnings` are of rows that were sent without what could not be read of them.

    `known` were there before. `not_sent` counts rows given up because the API stayed away: run it again. `closed`, and
    `ended_otherwise` by stage, are counted with `wait` only, over all rows that have a case.
    """

    rows: int = 0
    started: int = 0
    known: int = 0
    not_sent: int = 0
    closed: int = 0
    seconds: float = 0.0
    encoding: str = "utf-8"
    refused: list[LineFault] = field(default_factory=list)
    warnings: list[LineFault] = field(default_factory=list)
    ended_otherwise: dict[str, int] = field(default_factory=dict)

    @property
    def cases_per_second(self) -> float:
        """Cases started, or with `wait` closed, per second."""
        return round((self.closed or self.started) / self.seconds, 1) if self.seconds else 0.0

    @property
    def well(self) -> bool:
        """Every row has its case."""
        return not self.refused and not self.not_sent


class ImportProgress(Protocol):
    """Who is told how it goes."""

    def begun(self, rows: int) -> None:
        """So many rows will be sent."""

    def sent(self) -> None:
        """One more row is dealt with."""

    def waiting(self, closed: int, total: int) -> None:
        """So many of the cases are closed by now."""


async def import_file(
    options: ImportOptions, progress: ImportProgress, http: httpx.AsyncClient | None = None
) -> ImportReport:
    """Import a file. Faults of rows stop no other row and stand in the report. Raises UnreadableFile.

    `http`: connections to use instead of new ones; they stay open.
    """
    file = read_messages(options.file, options.columns)
    report = ImportReport(
        rows=file.rows, encoding=file.encoding, refused=list(file.faults), warnings=list(file.warnings)
    )
    began = time.monotonic()
    progress.begun(len(file.messages))
    async with nullcontext(http) if http is not None else http_client() as connections:
        client = TownClient(options.api_url, options.token, connections, options.patience_seconds)
        newest_before = await _newest(client)
        started = await _send_all(client, file.messages, options, report, progress)
        report.started, report.known = _count(started, newest_before)
        if options.wait:
            await _wait_until_closed(client, started, report, progress)
    report.refused.sort(key=lambda fault: fault.line)
    report.seconds = round(time.monotonic() - began, 2)
    return report


async def _send_all(
    client: TownClient,
    messages: tuple[ResidentMessage, ...],
    options: ImportOptions,
    report: ImportReport,
    progress: ImportProgress,
) -> list[Started]:
    """Send every row, some at a time, in the order of the file."""
    started: list[Started] = []
    rows = iter(messages)

    async def send() -> None:
        for message in rows:  # shared by all: each takes the next one
            try:
                started.append(await client.report(report_of(message, options), row_key(message, options.columns)))
            except Refused as refused:
                report.refused += _line_faults(message, refused)
            except ValidationError as unfit:
                faults = faults_of(unfit.errors(include_url=False, include_input=False))
                report.refused += [LineFault(message.line, each.field, each.reason, each.remedy) for each in faults]
            except Unavailable:
                report.not_sent += 1
            progress.sent()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(options.at_once):
            tasks.create_task(send())
    return started


def report_of(message: ResidentMessage, options: ImportOptions) -> IncidentReport:
    """The report that a row is: staff enter it on behalf of the account that wrote it. A name is kept, and is no account."""
    user = message.user
    return IncidentReport(
        category=options.categories.get(tidy(message.category), message.category),
        description=message.description,
        location=Location(address=message.location or options.default_location),
        reporter=Reporter(name=user[:_NAME_LENGTH_MAX]) if user else None,
        channel=options.channel,
        on_behalf_of=user if user and is_account_code(user) else None,
    )


def row_key(message: ResidentMessage, columns: ColumnMap) -> str:
    """The idempotency key of a row. A message filed under two categories is two cases: the category is part of it."""
    plain = _PLAIN.fullmatch(message.message_id)
    message_id = message.message_id if plain else _digest(message.message_id)
    return f"import:{columns.source}:{message_id}:{_digest(message.category)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _line_faults(message: ResidentMessage, refused: Refused) -> list[LineFault]:
    if refused.code == "key-reused":
        reason = say("此行以前以不同内容导入过", "this row was imported before with another content")
        remedy = say("换一个编号,或恢复原内容与选项", "give it another id, or the content and options of that time")
        return [LineFault(message.line, "message_id", reason, remedy)]
    if refused.faults:
        return [LineFault(message.line, fault.field, fault.reason, fault.remedy) for fault in refused.faults]
    return [LineFault(message.line, "row", refused.detail, say("请按说明处理", "do as it says"))]


async def _newest(client: TownClient) -> datetime | None:
    """When the newest case was opened, in town time: what opens later is of this run. None: none, or no answer."""
    try:
        async for row in client.cases():
            return row.opened_at
    except ApiError:
        pass  # it only decides how rows are counted whose answers get lost; sending tells what is the matter
    return None


def _count(started: list[Started], newest_before: datetime | None) -> tuple[int, int]:
    """How many cases are new, how many were known. Where an answer was lost, the time of opening decides."""
    number = sum(
        newest_before is None or each.case.opened_at > newest_before if each.new is None else each.new
        for each in started
    )
    return number, len(started) - number


async def _wait_until_closed(
    client: TownClient, started: list[Started], report: ImportReport, progress: ImportProgress
) -> None:
    """Wait until none of the cases is open. One page of the list tells of 200 cases; nothing is asked case by case."""
    stages = {each.case.case_id: each.case.stage for each in started}
    opened = {each.case.case_id: each.case.opened_at for each in started}
    while True:
        waiting = [case_id for case_id, stage in stages.items() if stage not in CLOSED]
        progress.waiting(len(stages) - len(waiting), len(stages))
        if not waiting:
            break
        oldest = min(opened[case_id] for case_id in waiting)
        async for row in client.cases(procedure="incident"):
            if row.opened_at < oldest:
                break
            if row.case_id in stages:
                stages[row.case_id] = row.stage
        still = next((case_id for case_id in waiting if stages[case_id] not in CLOSED), None)
        if still is not None:
            # Comes back as soon as this one closes; the pause bounds how often the list is read.
            await client.case(still, wait=f"stage:{Stage.CLOSED}", wait_seconds=WAIT_FOR_ONE_SECONDS)
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
    report.closed = sum(stage == Stage.CLOSED for stage in stages.values())
    others = [str(stage) for stage in stages.values() if stage != Stage.CLOSED]
    report.ended_otherwise = {stage: others.count(stage) for stage in sorted(set(others))}
