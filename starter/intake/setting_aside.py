"""Whether a case's workflow task fails because of a command: read from the history, which holds the experiment already.

An update that makes its workflow task fail is no event: the task fails, the server lets go of the update, and the next task
completes without it. Sent again, the task fails again. So the history itself shows both halves of the experiment, with the
command and without it, as often as the command was tried:

    … COMPLETED | FAILED FAILED | COMPLETED | FAILED FAILED …
                  with it         without     with it          -> two rounds, four failures: it is the command

What an outage does looks different: no worker leaves no event, a worker that is killed leaves TIMED_OUT, a Postgres that is away
holds the task, a worker that cannot read its keys or has other code fails the tasks in between as well.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent, WorkflowTaskFailedEventAttributes
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client

from starter.intake.postbox import Elsewhere

ROUNDS = 2
FAILURES = 4
OTHERS_AT_ONCE = 3
"""So many other cases that fail too, while nothing goes through anywhere: then it is the town that is sick."""

EVENTS_LOOKED_AT = 100
LOOK_LIMIT = timedelta(seconds=2)

_NOBODYS = frozenset({
    # The case does not fit the code, was reset or moved, or its worker could not go on: no word about what was sent.
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FAILOVER_CLOSE_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_BINARY,
})  # fmt: skip
_NAME = re.compile(r"[A-Za-z_]{1,80}")
_CAUSE = "WORKFLOW_TASK_FAILED_CAUSE_"


@dataclass(frozen=True)
class FailureEvidence:
    """What the history shows since a command is tried: how often tasks failed, in how many rounds, and of what kind last."""

    rounds: int = 0
    failures: int = 0
    failure: str = ""

    @property
    def convicts(self) -> bool:
        """Whether the task failed with the command, went well without it, and failed with it again."""
        return self.rounds >= ROUNDS and self.failures >= FAILURES


async def evidence_of(client: Client, case_id: str, since: datetime) -> FailureEvidence:
    """Read the end of a case's history. Raises RPCError."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=case_id),
        maximum_page_size=EVENTS_LOOKED_AT,
    )
    answer = await client.workflow_service.get_workflow_execution_history_reverse(request, timeout=LOOK_LIMIT)
    late = [event for event in answer.history.events if event.event_time.ToDatetime(UTC) >= since]
    return judged(reversed(late))


def judged(events: Iterable[HistoryEvent]) -> FailureEvidence:
    """Count rounds and failures in events, the oldest first; a failure that is nobody's fault here leaves nothing."""
    rounds = failures = 0
    failure, failing = "", False
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            failing = False
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            if failed.cause in _NOBODYS:
                return FailureEvidence()
            rounds += not failing
            failures += 1
            failure, failing = _kind(failed), True
    return FailureEvidence(rounds, failures, failure)


def town_is_sick(elsewhere: Elsewhere) -> bool:
    """Whether others fail as well and nothing goes through: then nothing is anybody's own fault."""
    return elsewhere.failing >= OTHERS_AT_ONCE and elsewhere.well == 0


def _kind(failed: WorkflowTaskFailedEventAttributes) -> str:
    """What kind of failure it was, as a code: the name of the exception, or of what Temporal refused. Never its words."""
    name = failed.failure.application_failure_info.type
    if _NAME.fullmatch(name):
        return name
    return WorkflowTaskFailedCause.Name(failed.cause).removeprefix(_CAUSE)
