"""What a case told with its answers to commands and nobody wrote down: put into the ledger from the history that has it.

Whoever delivers a command writes what its answer told, and delivers it again where that came to nothing. That ends where
the case does: somebody terminated it in between. So before the archiver says how a run ended, the ledger gets all that the run
told. And where an entry was taken out of the ledger afterwards, the history still has it (`jiceng audit rebuild`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from pydantic_core import to_json
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter, WorkflowSerializationContext

from activities.ledger import QUERIES
from audit.recording.tellings import tellings_of
from engine.execution.codec import PayloadFault, data_converter
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import SQL
from engine.store.ledger_rows import entry_rows, told_values
from schemas.audit.ledger import BrokenChain, entries_told
from schemas.kernel.case import Accepted, Entry
from schemas.kernel.told import Told
from schemas.values.actor import Stamp

log = structlog.get_logger()

Read = TypeVar("Read", Accepted, Stamp)

WRITTEN, UNLIKE, STALE = "written", "unlike", "stale"
COMMAND_AND_STAMP = 2


class CannotWrite(Exception):
    """What a run told cannot be put into the ledger as it stands; the message says which entry, and why."""


@dataclass(frozen=True)
class AnswerTold:
    """An answer that told something, and the stamp of the command that it answers."""

    accepted: Accepted
    told: Told
    stamp: Stamp


async def write_unwritten(
    connection: Any, case_id: str, events: Sequence[HistoryEvent], keys: Keys, settings: Settings
) -> list[int]:
    """Put into the ledger what the answers of a run told and it does not have; the last entries that were put.

    `connection` is in a transaction that holds the row of the case. What is no answer of the case's own to its command, and what
    does not lead to the hash that it names, is passed over: nobody takes it, and verification names it. Raises CannotWrite.
    """
    if (gone := await connection.fetchval(SQL.taken_away_with, case_id)) is not None:
        raise CannotWrite(f"{case_id}: its entries were taken away from the ledger with {gone}")
    put = []
    for answer in await answers_of(case_id, events, keys, settings.temporal_namespace):
        told = answer.told
        if await connection.fetchval(SQL.has_entry, case_id, told.seq, told.head_hash):
            continue
        try:
            entries = entries_told(answer.accepted, answer.stamp)
        except BrokenChain:
            log.warning("answer_passed_over", case_id=case_id, seq=told.seq)
            continue
        word = await _write(connection, answer)
        if word == UNLIKE:
            # The row is none that the case knew: somebody else had a hand in it. It is told whole, as the case had it.
            row = await _row_at(WorkflowHistory(case_id, list(events)), told, keys, settings)
            word = await _write(connection, answer, row)
        if word == STALE and await _leaves_hole(connection, case_id, told):
            word = await _fill(connection, entries, told)
        if word != WRITTEN:
            raise CannotWrite(
                f"{case_id} entry {told.seq}: its history tells it, and the ledger does not take it: {word}"
            )
        log.warning("answer_written_late", case_id=case_id, seq=told.seq)
        put.append(told.seq)
    return put


async def _leaves_hole(connection: Any, case_id: str, told: Told) -> bool:
    """Whether the row stands later, and the entry before is there: the hole is filled, row and notices are as they are."""
    head = await connection.fetchrow(SQL.lock_head, case_id)
    follows = await connection.fetchval(SQL.has_entry, case_id, told.after_seq, told.after_hash)
    return bool(follows and head is not None and head["seq"] >= told.seq)


async def _fill(connection: Any, entries: Sequence[Entry], told: Told) -> str:
    for row in entry_rows(entries):
        await connection.execute(
            QUERIES.insert_entry,
            entries[0].case_id,
            *(row[name] for name in ("seq", "at", "kind", "actor", "body", "prev_hash", "hash")),
            told.run_id,
            told.task_at,
        )
    return WRITTEN


async def answers_of(case_id: str, events: Sequence[HistoryEvent], keys: Keys, namespace: str) -> list[AnswerTold]:
    """The answers of a run that told something, in order, but for those that were written for another place or command."""
    converter = data_converter(keys).with_context(
        WorkflowSerializationContext(namespace=namespace, workflow_id=case_id)
    )
    stamps = {update: payload for event in events for update, payload in _stamps(event)}
    found = []
    for event in events:
        if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            continue
        said = event.workflow_execution_update_completed_event_attributes
        try:
            answers = await _read(converter, said.outcome.success.payloads, Accepted)
            given = [stamps[said.meta.update_id]] if said.meta.update_id in stamps else []
            asked = await _read(converter, given, Stamp)
        except PayloadFault as fault:
            log.warning("answer_passed_over", case_id=case_id, code=event.event_id, reason=type(fault).__name__)
            continue
        for accepted, stamp in zip(answers, asked, strict=False):
            if accepted.told is None:
                continue
            if (accepted.case_id, accepted.command_id) != (case_id, stamp.command_id):
                log.warning("answer_passed_over", case_id=case_id, code=event.event_id, reason="another command's")
                continue
            found.append(AnswerTold(accepted, accepted.told, stamp))
    return found


def _stamps(event: HistoryEvent) -> Iterator[tuple[str, Payload]]:
    """The stamp of a command, by the id of its update; one that a reset put in again stands where it was admitted."""
    accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
    for request in (accepted, event.workflow_execution_update_admitted_event_attributes.request):
        arguments = request.input.args.payloads
        if len(arguments) == COMMAND_AND_STAMP:
            yield request.meta.update_id, arguments[1]


async def _read(converter: DataConverter, payloads: Sequence[Payload], model: type[Read]) -> list[Read]:
    return [each for payload in payloads for each in await converter.decode([payload], [model])]


async def _write(connection: Any, answer: AnswerTold, whole: str | None = None) -> str:
    """Put it there as whoever gets the answer does; the ledger's word for it. `whole`: the row, where it has to be told so."""
    case_id, row, change, onto, digest, entries, notices, run_id, task_at, first_run_id, after_reset = told_values(
        answer.accepted, answer.told, answer.stamp
    )
    if (row := whole or row) is None:
        word = await connection.fetchval(
            SQL.tell_case, case_id, change, onto, digest, entries, notices, run_id, task_at, first_run_id
        )
    else:
        word = await connection.fetchval(
            QUERIES.write_case, row, entries, notices, run_id, task_at, first_run_id, after_reset, digest
        )
    return str(word)


async def _row_at(run: WorkflowHistory, told: Told, keys: Keys, settings: Settings) -> str:
    """The row as it stood when the case told this entry, made anew by a replay."""
    tellings, failure = await tellings_of(run, keys, settings)
    for each in tellings:
        if (each.seq, each.head_hash) == (told.seq, told.head_hash):
            return to_json(each.row).decode()
    raise CannotWrite(f"entry {told.seq}: a replay of its history does not come to it: {failure}")
