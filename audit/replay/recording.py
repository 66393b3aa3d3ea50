"""What a case does when it is replayed: every command with its payloads, kept before it is compared and encrypted.

Temporal's replayer compares only kind, id and type of commands. This runner stands between it and the case and keeps a
copy of each; the case runs in the very sandbox in which it ran.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info, _Definition


@dataclass
class Recording:
    """What one run did. `failure`: why the case itself could not go on; empty while it could."""

    commands: list[WorkflowCommand] = field(default_factory=list)
    failure: str = ""


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


def _message(failure: Failure) -> str:
    """The words of a failure, before it is closed like all that goes into Temporal."""
    if not failure.HasField("encoded_attributes"):
        return failure.message
    attributes = json.loads(failure.encoded_attributes.data)
    return str(attributes.get("message", failure.message))
