"""A case as it stood at any moment, rebuilt from its recorded history.

The best source is the replay itself: a case tells its whole state with every flush, and with every answer to a command what
changed of it, and a replay computes both anew. The state at a moment is that of the last telling whose entries are not later;
between two of them a case changes in nothing but the time. Only what the history knows too counts: it has the ledger's receipt
for a flush, and the answer itself. Neither holds a whole state; the row holds the present one only; and the entries do not
hold all that a case remembers. Of several runs only the one is replayed in which the moment lies: each begins with the whole
state before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from audit.recording.tellings import tellings_of
from audit.replay.heads import heads_of
from audit.replay.kept_histories import archived_histories
from audit.replay.replay import RunsOf, newest_run
from engine.execution.codec import data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.kernel.case import CaseState
from workflows.registry import PROCEDURES

STATES = {case.procedure.name: case.procedure.state for case in PROCEDURES}


class CannotRebuild(Exception):
    """The state of a case at a moment cannot be had from its history; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """Which moment: a town time, or the entry after which the case is looked at."""

    at: datetime | None = None
    seq: int | None = None

    def precedes(self, seq: int, at: datetime | None) -> bool:
        """Whether a case that stood so had not come as far as the moment."""
        if self.seq is not None:
            return seq < self.seq
        return self.at is None or at is None or at <= self.at

    def choose(self, told: Sequence[CaseState]) -> CaseState | None:
        """Of what a case told of itself, in order, how it stood at the moment."""
        before = [state for state in told if self.precedes(state.seq, state.last_at)]
        if self.seq is None:
            return before[-1] if before else None
        return told[len(before)] if len(before) < len(told) else None


@dataclass(frozen=True)
class Rebuilt:
    """A state, and in which run of the case it was, counted from 1."""

    state: CaseState
    run: int


async def rebuild_state(runs: Sequence[WorkflowHistory], keys: Keys, settings: Settings, wanted: Wanted) -> Rebuilt:
    """The state at a moment. Raises CannotRebuild: before the case stood, beyond its history, or it does not replay."""
    begun = [await _start_of(run, keys) for run in runs]
    number = max(place for place, start in enumerate(begun) if not place or wanted.precedes(start.seq, start.last_at))
    told, failure = await _told(runs[number], keys, settings)
    # A run that continues another begins with what that one told last.
    known = [begun[number], *told] if number else told
    found = wanted.choose(known)
    if failure and (found is None or (wanted.seq is None and found is known[-1])):
        # What the case did next is not known, so neither is whether it still stood so at the moment.
        raise CannotRebuild(f"run {number + 1} does not replay that far: {failure}")
    if found is None:
        raise CannotRebuild("its history says nothing of that moment: it is before the case stood, or not recorded yet")
    return Rebuilt(found, number + 1)


def town_histories(client: Client, pool: asyncpg.Pool, keys: Keys, store: ArchiveStore) -> RunsOf:
    """Runs as Temporal has them; those that retention has taken, from the archive."""
    archived = archived_histories(pool, keys, store)

    async def source(case_id: str) -> list[WorkflowHistory]:
        runs: list[WorkflowHistory] = []
        run_id = await newest_run(client, pool, case_id)
        while run_id != "":
            try:
                history = await client.get_workflow_handle(case_id, run_id=run_id).fetch_history()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return [*_until(await archived(case_id), run_id), *runs]
            runs.insert(0, history)
            run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        return runs

    return source


def _until(runs: Sequence[WorkflowHistory], last: str | None) -> list[WorkflowHistory]:
    """Runs up to the one that a later run names. Raises LookupError: it is not among them."""
    if last is None:
        return list(runs)
    for place, run in enumerate(runs):
        if run.events[0].workflow_execution_started_event_attributes.original_execution_run_id == last:
            return list(runs[: place + 1])
    raise LookupError(f"run {last} is neither in Temporal nor in the archive")


async def _start_of(run: WorkflowHistory, keys: Keys) -> CaseState:
    started = run.events[0].workflow_execution_started_event_attributes
    state = STATES.get(started.workflow_type.name)
    if state is None:
        raise CannotRebuild(f"{started.workflow_type.name} is no procedure of this town")
    (decoded,) = await data_converter(keys).decode(started.input.payloads, [state])
    return state.model_validate(decoded)


async def _told(run: WorkflowHistory, keys: Keys, settings: Settings) -> tuple[list[CaseState], str]:
    """What a run told of the case, telling by telling, as far as it replays; and why it went no further."""
    tellings, failure = await tellings_of(run, keys, settings)
    vouched = {head.head_hash for head in await heads_of(run, keys)}
    strange = next((each for each in tellings if each.by_answer and each.head_hash not in vouched), None)
    if strange is not None:
        tellings = tellings[: tellings.index(strange)]
    rows = [each.row for each in tellings if each.head_hash in vouched]
    states = [STATES[row["procedure"]].model_validate(row["snapshot"]) for row in rows]
    if strange is not None:
        return states, f"the answer that told entry {strange.seq} is another one"
    return states, failure
