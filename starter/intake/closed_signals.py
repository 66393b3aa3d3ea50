"""Signals that let a case's task fail: closed with a key that nobody of the town has, so that nobody knows what they say.

A worker waits for such a key, since it may be one that has not reached it yet (docs/keys.md). Somebody at Temporal's port can
make an id up, and then it never comes: an operator is told which signal it is, and to where the case is reset.
"""

import re
from dataclasses import dataclass

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client
from temporalio.converter import WorkflowSerializationContext

from engine.execution.codec import KEY_ID, PayloadFault, PayloadKeyUnknown

EVENTS_LOOKED_AT = 200
_CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")


@dataclass(frozen=True)
class ClosedSignal:
    """A signal that no key opens. `before`: the last task that was completed before it came."""

    event: int
    name: str
    key_id: str
    before: int | None

    def words(self) -> str:
        """What is the matter, and what helps."""
        way = f"reset it to event {self.before}, without signals" if self.before else "see docs/keys.md"
        return (
            f"the signal {self.name} (event {self.event}) is closed with a key that nobody has, {self.key_id}: "
            f"put the key back, or, if it never was the town's, {way}"
        )


async def closed_signal(client: Client, case_id: str) -> ClosedSignal | None:
    """The first signal since the last completed task of a case that cannot be opened; None: there is none. Raises RPCError."""
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=case_id),
            maximum_page_size=EVENTS_LOOKED_AT,
        ),
        retry=True,
    )
    here = WorkflowSerializationContext(namespace=client.namespace, workflow_id=case_id)
    codec = client.data_converter.with_context(here).payload_codec
    found: tuple[int, str, str] | None = None
    for event in answer.history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return ClosedSignal(*found, before=event.event_id) if found else None
        if event.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED or codec is None:
            continue
        signal = event.workflow_execution_signaled_event_attributes
        for payload in signal.input.payloads:
            try:
                await codec.decode([payload])
            except PayloadKeyUnknown:
                key_id = payload.metadata[KEY_ID].decode(errors="replace") if KEY_ID in payload.metadata else ""
                found = event.event_id, _code(signal.signal_name), _code(key_id)
            except PayloadFault:
                continue  # a worker does not hear it, and goes on
    return ClosedSignal(*found, before=None) if found else None


def _code(text: str) -> str:
    """A name as somebody sent it, if it can be shown."""
    return text if _CODE.fullmatch(text) else "?"
