"""What a case does when it is replayed: every command with its payloads, kept before it is compared and encrypted.

Temporal's replayer compares only kind, id and type of commands. This runner stands between it and the case and keeps a
copy of each; the case runs as it ran, in the sandbox or outside it (docs/decisions/0002).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pydantic_core import from_json
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info, _Definition

from schemas.audit.ledger import Batch, Projection
from schemas.kernel.case import Accepted
from schemas.kernel.row_change import Row, row_digest
from schemas.kernel.told import Told


class EntryNamed(NamedTuple):
    """An entry that was told. `of_command`: a person's command led to it."""

    seq: int
    kind: str
    of_command: bool


@dataclass(frozen=True)
class Telling:
    """What a case told the ledger in one go: by a flush of its own, or with the answer to a command (`by_answer`).

    `row` is the row as it stood then, whole, in plain values; `task_at` the real time of the workflow task.
    """

    entries: tuple[EntryNamed, ...]
    head_hash: str
    row: Row
    task_at: datetime
    by_answer: bool

    @property
    def seq(self) -> int:
        """The number of the last entry."""
        return self.entries[-1].seq

    @property
    def projection(self) -> Projection:
        """The row, as the ledger has it."""
        return Projection.model_validate(self.row)


@dataclass
class Recording:
    """What one run did. `failure`: why the case itself could not go on; empty while it could."""

    commands: list[WorkflowCommand] = field(default_factory=list)
    failure: str = ""

    def tellings(self) -> Iterator[Telling]:
        """All that it told the ledger, in order. A row of which an answer tells only what changed is made whole."""
        rows: dict[str, Row] = {}
        for command in self.commands:
            match command.WhichOneof("variant"):
                case "schedule_local_activity" if command.schedule_local_activity.activity_type == "flush":
                    batch = Batch.model_validate_json(command.schedule_local_activity.arguments[0].data)
                    rows[row_digest(batch.row)] = from_json(batch.row)
                    yield _flushed(batch, rows[row_digest(batch.row)])
                case "update_response" if command.update_response.HasField("completed"):
                    told = Accepted.model_validate_json(command.update_response.completed.data).told
                    if told is not None:
                        rows[told.row.digest] = _row_of(told, rows)
                        yield _answered(told, rows[told.row.digest])


class RecordingRunner(WorkflowRunner):
    """Runs cases as `inner` does. `recording` is of the run that was replayed last."""

    def __init__(self, inner: WorkflowRunner) -> None:
        self._inner = inner
        self.recording = Recording()

    def prepare_workflow(self, defn: _Definition) -> None:
        """Prepare as the inner runner does."""
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create a case whose commands are kept; what an earlier one did is forgotten."""
        self.recording = Recording()
        return _RecordingInstance(self._inner.create_instance(det), self.recording)


class _RecordingInstance(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, recording: Recording) -> None:
        self._inner = inner
        self._recording = recording

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._inner.activate(act)
        for command in completion.successful.commands:
            kept = WorkflowCommand()
            kept.CopyFrom(command)  # the worker encrypts the original in place
            self._recording.commands.append(kept)
        if completion.HasField("failed"):
            self._recording.failure = _message(completion.failed.failure)
        return completion

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)


def _row_of(told: Told, rows: dict[str, Row]) -> Row:
    change = told.row
    if change.whole:
        whole: Row = from_json(change.whole)
        return whole
    return change.put_onto(next(rows[known] for known in change.onto if known in rows))


def _flushed(batch: Batch, row: Row) -> Telling:
    named = tuple(EntryNamed(entry.seq, entry.kind, bool(entry.command_digest)) for entry in batch.entries)
    return Telling(named, batch.entries[-1].hash, row, batch.task_at, by_answer=False)


def _answered(told: Told, row: Row) -> Telling:
    named = tuple(
        EntryNamed(seq, entry.kind, entry.own or bool(entry.command_digest))
        for seq, entry in enumerate(told.entries, start=told.after_seq + 1)
    )
    return Telling(named, told.head_hash, row, told.task_at, by_answer=True)


def _message(failure: Failure) -> str:
    """The words of a failure, before it is closed like all that goes into Temporal."""
    if not failure.HasField("encoded_attributes"):
        return failure.message
    attributes = json.loads(failure.encoded_attributes.data)
    return str(attributes.get("message", failure.message))
