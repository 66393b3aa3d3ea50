"""Which run of a case goes on where it stood, when somebody answered a task with the state of an earlier run.

The run that told the head is not always the one: it may have gone on by itself, in a run that had nothing to tell until it
was answered for. To reset the one that told it would tell its last entry once more, and put aside what it told before.
"""

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from engine.execution.codec import PayloadFault

RUNS_LOOKED_AT = 50


async def run_to_reset(client: Client, case_id: str, told_by: str, head: tuple[int, str]) -> str:
    """The run of a case that was answered for: the latest that began at its head, or else the one that told it.

    `told_by`: the run that told the head; `head`: number and hash of that entry. Raises RPCError.
    """
    run_id = (await client.get_workflow_handle(case_id).describe()).run_id
    here = WorkflowSerializationContext(namespace=client.namespace, workflow_id=case_id)
    for _ in range(RUNS_LOOKED_AT):
        if run_id in {told_by, ""}:
            break
        try:
            answer = await client.workflow_service.get_workflow_execution_history(
                GetWorkflowExecutionHistoryRequest(
                    namespace=client.namespace,
                    execution=WorkflowExecution(workflow_id=case_id, run_id=run_id),
                    maximum_page_size=1,
                ),
                retry=True,
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return told_by  # it is not kept any more
        started = answer.history.events[0].workflow_execution_started_event_attributes
        try:
            [state] = await client.data_converter.with_context(here).decode(list(started.input.payloads))
        except (PayloadFault, ValueError, RuntimeError):
            state = None  # nobody of this town wrote it: it did not begin at the head
        if isinstance(state, dict) and (state.get("seq"), state.get("head_hash")) == head:
            return run_id
        run_id = started.continued_execution_run_id
    return told_by
