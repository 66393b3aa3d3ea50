"""Does the recorded history of a case lead where it led, under today's code? Strict: every content is compared.

Temporal's own replay of every run, and beside it what the replayer does not look at: the form of the history, every
argument, message, answer and result (audit/replay/strict.py), and the heads in the history against the ledger.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import asyncpg
import structlog
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, RPCStatusCode
from temporalio.workflow import NondeterminismError

from activities.ledger import QUERIES
from audit.archive.decoded import decoded_events
from audit.archive.records import SQL
from audit.bundle.check_bundle import FOREIGN, place_faults
from audit.recording.recording import RecordingRunner
from audit.replay.activity_models import activity_readers
from audit.replay.acts import computed, recorded
from audit.replay.broken_off import NOT_CHECKED, finding_of
from audit.replay.heads import heads_of
from audit.replay.questions import question_faults
from audit.replay.strict import differences, faults_of_form, readers_of, why_it_failed
from engine.execution.codec import PayloadFault, data_converter
from engine.execution.temporal import build_replayer, workflow_runner
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.kernel.findings import Finding
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES

CHECK = "replay"
SHOWN_AT_MOST = 5
TRIES_AT_MOST = 3
"""A replay that the worker broke off says nothing of the case, and is tried again; one that never comes through is a finding."""

log = structlog.get_logger()

RunsOf = Callable[[str], Awaitable[list[WorkflowHistory]]]
"""Where histories come from: the runs of a case, the first run first. Raises LookupError: there are none."""


Replay = Callable[[str, WorkflowHistory, bool], Awaitable[list[str]]]
"""`replay(case_id, run, ended)`: what is wrong with a run; `ended`: it must have come to its end."""


def _tried_again(
    once: Callable[[WorkflowHistory], Awaitable[Exception | None]], runner: RecordingRunner
) -> Callable[[str, WorkflowHistory], Awaitable[Exception | None]]:
    """Replay again what the worker broke off, and not the case: it waits two seconds, and a busy machine stands still so long."""

    async def tried(case_id: str, history: WorkflowHistory) -> Exception | None:
        for left in reversed(range(TRIES_AT_MOST)):
            failure = await once(history)
            of_the_case = isinstance(failure, NondeterminismError) or bool(runner.recording.failure)
            if failure is None or of_the_case or not left:
                return failure
            log.warning("replay_broken_off", case_id=case_id)
        raise AssertionError("there is at least one try")

    return tried


@asynccontextmanager
async def strict_replay(
    keys: Keys,
    settings: Settings,
    procedures: Sequence[type[Case[Any]]] = PROCEDURES,
    runner: RecordingRunner | None = None,
) -> AsyncIterator[Replay]:
    """Open a strict replayer; it replays one run after the other. `runner` where somebody looks at what the last one did."""
    runner = runner or RecordingRunner(workflow_runner(sandbox=settings.sandbox))
    replayer = build_replayer(keys, settings, procedures, runner)
    codec = data_converter(keys).payload_codec
    readers = readers_of([case.procedure for case in procedures], activity_readers())
    waiting: asyncio.Queue[WorkflowHistory] = asyncio.Queue()

    async def histories() -> AsyncIterator[WorkflowHistory]:
        while True:
            yield await waiting.get()

    async with replayer.workflow_replay_iterator(histories()) as results:

        async def once(history: WorkflowHistory) -> Exception | None:
            await waiting.put(history)
            return (await anext(results)).replay_failure

        tried = _tried_again(once, runner)

        async def replay(case_id: str, history: WorkflowHistory, ended: bool) -> list[str]:  # noqa: FBT001 - see Replay
            faults = list(faults_of_form(history.events, case_id, ended=ended))
            if codec is not None and history.events:
                faults += await _copied(case_id, history, codec)
            if len(history.events) <= 1:
                # Nothing yet but its start, as between two runs: the replayer would wait for a first task.
                return faults
            failure = await tried(case_id, history)
            recording = runner.recording
            if failure is not None:
                faults.append(why_it_failed(recording, failure))
            try:
                acts = await recorded(history.events, codec)
            except PayloadFault as fault:
                return [*faults, f"payload-changed: {fault}"]
            started = history.events[0].workflow_execution_started_event_attributes
            replayed = list(computed(recording.commands, started.workflow_type.name))
            if failure is not None:
                # It went no further: what was not reached is not a difference of its own.
                reached = {(act.kind, act.place) for act in replayed}
                acts = [act for act in acts if (act.kind, act.place) in reached]
            return [*faults, *differences(acts, replayed, readers, ended=ended and failure is None)]

        yield replay


async def replay_cases(  # noqa: PLR0917 - the parts of a town
    client: Client,
    keys: Keys,
    settings: Settings,
    pool: asyncpg.Pool,
    case_ids: Sequence[str] | None = None,
    histories: RunsOf | None = None,
    procedures: Sequence[type[Case[Any]]] = PROCEDURES,
) -> AsyncIterator[Finding]:
    """Replay every run of the named cases, or of all; one finding per case.

    `histories`: Temporal's, or an archive's. `procedures`: the code to lead them through, if not today's.
    """
    source = histories or live_histories(client, pool)
    async with pool.acquire() as connection:
        known = {row["case_id"]: row["ended"] for row in await connection.fetch(QUERIES.cases_with_ledger)}
    left = deque(known if case_ids is None else case_ids)

    async def faults_of(case_id: str, replay: Replay, runs: Sequence[WorkflowHistory]) -> list[str]:
        faults = [*await _foreign_runs(client, pool, case_id), *broken_run_chain(runs)]
        for number, run in enumerate(runs, start=1):
            ended = number < len(runs) or bool(known.get(case_id))
            faults += [f"run {number}: {fault}" for fault in await replay(case_id, run, ended)]
        return faults + await _heads_not_in_ledger(keys, pool, case_id, runs)

    async def look(case_id: str, replay: Replay) -> Finding:
        try:
            runs = await source(case_id)
        except LookupError as error:
            return Finding(case_id=case_id, check=CHECK, ok=False, detail=f"history-missing: {case_id}: {error}")
        faults = await faults_of(case_id, replay, runs)
        if faults and histories is None:
            # It may have gone on, or ended, between the moments at which histories and ledger were read.
            runs = await source(case_id)
            faults = [fault for fault in await faults_of(case_id, replay, runs) if fault in faults]
        return _finding(case_id, faults, runs)

    while left:
        async with strict_replay(keys, settings, procedures) as replay:
            broke_off = False
            while (
                left and not broke_off
            ):  # what a replay left behind when it broke off is not to be taken for the next one's
                case_id = left.popleft()
                found = await finding_of(case_id, CHECK, look(case_id, replay))
                broke_off = found.detail.startswith(NOT_CHECKED)
                yield found


def _finding(case_id: str, faults: Sequence[str], runs: Sequence[WorkflowHistory]) -> Finding:
    shown = list(faults[:SHOWN_AT_MOST])
    if len(faults) > SHOWN_AT_MOST:
        shown.append(f"and {len(faults) - SHOWN_AT_MOST} more")
    events = sum(len(history.events) for history in runs)
    detail = "; ".join(shown) or f"{events} events in {len(runs)} run(s)"
    return Finding(case_id=case_id, check=CHECK, ok=not faults, detail=detail)


def first_event(history: WorkflowHistory) -> WorkflowExecutionStartedEventAttributes:
    """How a run was started."""
    return history.events[0].workflow_execution_started_event_attributes


async def _copied(case_id: str, history: WorkflowHistory, codec: PayloadCodec) -> list[str]:
    """What stands in a run and was written for another place; its number of the run is told by whoever asks."""
    run_id = first_event(history).original_execution_run_id
    events = await decoded_events(history.events, codec)
    return [*place_faults(case_id, run_id, events), *question_faults(case_id, run_id, events)]


async def _foreign_runs(client: Client, pool: asyncpg.Pool, case_id: str) -> list[str]:
    """Whether the latest workflow under the number of a case is another one that somebody started."""
    if await newest_run(client, pool, case_id) is None:
        return []
    return [f"foreign-run: {case_id}: the latest run under its number does not come from the first run of the case"]


def live_histories(client: Client, pool: asyncpg.Pool | None = None) -> RunsOf:
    """Histories as Temporal has them. `pool`: where it is kept which of two workflows under one number is the case."""

    async def source(case_id: str) -> list[WorkflowHistory]:
        try:
            return await runs_of(client, case_id, pool)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise LookupError("Temporal has no history of it") from error

    return source


async def newest_run(client: Client, pool: asyncpg.Pool, case_id: str) -> str | None:
    """The latest run of a case, None where it is the latest under its number: not one that somebody started anew."""
    row = await pool.fetchrow(SQL.run_of_head, case_id)
    if row is None or row["first_run_id"] is None or row["run_id"] is None:
        return None
    try:
        described = await client.get_workflow_handle(case_id).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    first = described.raw_description.workflow_execution_info.first_run_id
    return None if first in {"", row["first_run_id"]} else str(row["run_id"])


async def runs_of(client: Client, case_id: str, pool: asyncpg.Pool | None = None) -> list[WorkflowHistory]:
    """Return the histories of all runs of a case, the first run first: each names the run it continues."""
    runs: list[WorkflowHistory] = []
    run_id = None if pool is None else await newest_run(client, pool, case_id)
    while run_id != "":
        history = await client.get_workflow_handle(case_id, run_id=run_id).fetch_history()
        runs.insert(0, history)
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    return runs


def broken_run_chain(runs: Sequence[WorkflowHistory]) -> list[str]:
    """Say where one run does not go on in the next."""
    faults = []
    for number, (run, following) in enumerate(pairwise(runs), start=1):
        named = run.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        start = following.events[0].workflow_execution_started_event_attributes
        own = run.events[0].workflow_execution_started_event_attributes.original_execution_run_id
        if named != start.original_execution_run_id or start.continued_execution_run_id != own:
            faults.append(f"run-missing: run {number} does not go on in the run that stands after it")
    return faults


async def _heads_not_in_ledger(
    keys: Keys, pool: asyncpg.Pool, case_id: str, runs: Sequence[WorkflowHistory]
) -> list[str]:
    heads = [head for history in runs for head in await heads_of(history, keys)]
    async with pool.acquire() as connection:
        rows = await connection.fetch(QUERIES.entries_of_case, case_id)
    now = datetime.now(UTC)
    # What the archiver told of a case (terminated, reset) stands on the chain, and no run of the case has told it.
    own = [row for row in rows if not any(f'"kind":"{kind}"' in row["body"] for kind in FOREIGN)]
    ledger = [row["hash"] for row in rows][: len(own)]
    faults = []
    last = 0
    for head in heads:
        if head.seq > len(ledger) and head.is_on_its_way(now):
            continue
        if head.seq > len(ledger) or ledger[head.seq - 1] != head.head_hash:
            faults.append(f"ledger-differs: the history's head at entry {head.seq} is not the ledger's")
        last = max(last, head.seq)
    # Of an open case the ledger may be one workflow task ahead of the history that was read, and of one that was cut off
    # (terminated, timed out) it stays so; `audit verify` looks at those.
    if len(ledger) > last and runs[-1].events[-1].event_type in _ENDINGS:
        faults.append(f"ledger-differs: it goes on to entry {len(ledger)}, the history's heads end at {last}")
    return faults


_ENDINGS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
)
