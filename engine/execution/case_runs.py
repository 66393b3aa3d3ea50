"""Whose run stands under the number of a case: Temporal gives a number to whoever asks first, with a key or without.

Numbers are counted on, so whoever reaches Temporal can take one before its case is there. That a workflow runs under a number
therefore says nothing: a run is ours if it was started as this town starts a case, with what it starts this one with.
"""

from dataclasses import dataclass

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.client import Client
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from engine.execution.codec import PayloadFault
from schemas.kernel.temporal_display import TASK_TIMEOUT
from schemas.values.actor import Stamp

NUMBER_TAKEN = "number-taken"
"""What `refusals` call a run that somebody started under the number of a case."""

TAKEN_BACK = "it stood under the number of a case and was not started by the town"

_OF_ANY_START = frozenset({
    "workflow_id", "workflow_type", "task_queue", "input", "workflow_task_timeout", "identity", "attempt",
    "original_execution_run_id", "first_execution_run_id", "search_attributes", "root_workflow_execution", "priority",
})  # fmt: skip
_OF_A_CHILD = frozenset({
    "parent_workflow_namespace", "parent_workflow_namespace_id", "parent_workflow_execution",
    "parent_initiated_event_id", "parent_initiated_event_version",
})  # fmt: skip
"""What a start of ours says. All else - a cron, a retry policy, a delay, a limit, a header - only somebody else asks for."""


@dataclass(frozen=True)
class CaseStart:
    """What a case is started with, as far as Temporal shows it. `opening`: the stamp under which it is; it covers the state."""

    case_id: str
    procedure: str
    task_queue: str
    opening: Stamp
    parent: str | None = None


@dataclass(frozen=True)
class RunFound:
    """The latest run under a number. `fault`: why it is none of the case, as a code; None when it is its own."""

    run_id: str
    running: bool
    fault: str | None


async def run_under(client: Client, start: CaseStart) -> RunFound | None:
    """The latest run under the number of a case, and whether it is the case's; None: there is none. Raises RPCError."""
    try:
        described = await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=client.namespace, execution=WorkflowExecution(workflow_id=start.case_id)
            ),
            retry=True,
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    info = described.workflow_execution_info
    running = info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
    if info.type.name != start.procedure:
        fault: str | None = "type"
    elif info.task_queue != start.task_queue:
        fault = "task_queue"
    else:
        fault = await _fault_of(client, start, info.first_run_id or info.execution.run_id)
    return RunFound(info.execution.run_id, running, fault)


async def take_back(client: Client, start: CaseStart, found: RunFound) -> None:
    """End a run that stands under the number of a case, and no other one that may have come since. Raises RPCError."""
    if not found.running:
        return
    try:
        await client.get_workflow_handle(start.case_id, run_id=found.run_id).terminate(reason=TAKEN_BACK)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise  # else it has ended meanwhile


async def _fault_of(client: Client, start: CaseStart, first_run_id: str) -> str | None:
    try:
        answer = await client.workflow_service.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=client.namespace,
                execution=WorkflowExecution(workflow_id=start.case_id, run_id=first_run_id),
                maximum_page_size=1,
            ),
            retry=True,
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return "history"
    if not answer.history.events:
        return "history"
    started = answer.history.events[0].workflow_execution_started_event_attributes
    return _fault_of_form(start, started) or await _fault_of_input(client, start, list(started.input.payloads))


def _fault_of_form(start: CaseStart, started: WorkflowExecutionStartedEventAttributes) -> str | None:
    """What the start of a run says that no start of this case does; the name of the field."""
    usual = _OF_ANY_START if start.parent is None else _OF_ANY_START | _OF_A_CHILD
    for field, value in started.ListFields():
        said = value.ByteSize() if hasattr(value, "ByteSize") else value
        if said and field.name not in usual:
            return str(field.name)
    if started.workflow_type.name != start.procedure:
        return "type"
    if started.task_queue.name != start.task_queue:
        return "task_queue"
    if started.workflow_task_timeout.ToTimedelta() != TASK_TIMEOUT:
        return "workflow_task_timeout"
    if started.parent_workflow_execution.workflow_id != (start.parent or ""):
        return "parent_workflow_execution"
    return None


async def _fault_of_input(client: Client, start: CaseStart, payloads: list[Payload]) -> str | None:
    if len(payloads) != 1:
        return "input"
    here = WorkflowSerializationContext(namespace=client.namespace, workflow_id=start.case_id)
    try:
        [state] = await client.data_converter.with_context(here).decode(payloads)
        own = (
            isinstance(state, dict)
            and state.get("seq") == 0
            and state.get("case_id") == start.case_id
            and state.get("parent") == start.parent
            and Stamp.model_validate(state.get("opening")) == start.opening
        )
    except (PayloadFault, ValidationError, ValueError, RuntimeError):
        return "input"  # nobody of this town wrote it, or not for here
    return None if own else "input"
