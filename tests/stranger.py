"""Tools of somebody who reaches Temporal's port and nothing else: no key, no token, no database. What they copy is genuine."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.protobuf.any_pb2 import Any as Any_
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    ContinueAsNewWorkflowExecutionCommandAttributes,
    ProtocolMessageCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.update.v1 import Acceptance, Outcome, Request, Response
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    ResetWorkflowExecutionRequest,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from tests.waiting import eventually

IDENTITY = "stranger"


@dataclass(frozen=True)
class Copied:
    """What was taken from a history. `kind`: what it was there; `name`: of the activity, signal, command or workflow."""

    kind: str
    name: str
    payloads: tuple[Payload, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def copies(events: Sequence[HistoryEvent]) -> Iterator[Copied]:  # noqa: C901 - one arm for each kind of event
    """Everything in a history that could be sent elsewhere."""
    asked: dict[int, str] = {}
    for event in events:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                start = event.workflow_execution_started_event_attributes
                yield Copied("start", start.workflow_type.name, tuple(start.input.payloads))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                signal = event.workflow_execution_signaled_event_attributes
                yield Copied("signal", signal.signal_name, tuple(signal.input.payloads))
            case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
                sent = event.signal_external_workflow_execution_initiated_event_attributes
                yield Copied("sent", sent.signal_name, tuple(sent.input.payloads))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
                yield Copied("command", update.name, tuple(update.args.payloads))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                activity = event.activity_task_scheduled_event_attributes
                asked[event.event_id] = activity.activity_type.name
                yield Copied("question", activity.activity_type.name, tuple(activity.input.payloads))
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                answer = event.activity_task_completed_event_attributes
                yield Copied("answer", asked[answer.scheduled_event_id], tuple(answer.result.payloads))
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                receipt = event.marker_recorded_event_attributes.details.get("result")
                if receipt is not None:
                    yield Copied("receipt", "flush", tuple(receipt.payloads))
            case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                child = event.start_child_workflow_execution_initiated_event_attributes
                yield Copied("child", child.workflow_type.name, tuple(child.input.payloads))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                following = event.workflow_execution_continued_as_new_event_attributes
                yield Copied("next run", following.workflow_type.name, tuple(following.input.payloads))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                told = event.workflow_execution_update_completed_event_attributes.outcome.success
                yield Copied("answer to a command", "", tuple(told.payloads))


def one_of_each(found: Sequence[Copied]) -> list[Copied]:
    """The first of every kind and name."""
    return list({str(each): each for each in reversed(found)}.values())


def complete() -> Command:
    """The end of a workflow."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        complete_workflow_execution_command_attributes=CompleteWorkflowExecutionCommandAttributes(),
    )


def go_on(workflow: str, queue: str, payloads: Sequence[Payload]) -> Command:
    """A next run, with whatever it is given."""
    return Command(
        command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continue_as_new_workflow_execution_command_attributes=ContinueAsNewWorkflowExecutionCommandAttributes(
            workflow_type=WorkflowType(name=workflow),
            task_queue=TaskQueue(name=queue),
            input=Payloads(payloads=payloads),
            workflow_task_timeout=Duration(seconds=4),
        ),
    )


def _message(instance: str, said: Acceptance | Response) -> Message:
    body = Any_()
    body.Pack(said)
    return Message(id=uuid.uuid4().hex, protocol_instance_id=instance, body=body)


@dataclass
class Stranger:
    """Somebody at Temporal's port."""

    client: Client

    async def read(self, case_id: str, run_id: str | None = None) -> list[Copied]:
        """Everything that stands in the history of a case, the runs before included."""
        found: list[Copied] = []
        while run_id != "":
            events = (await self.client.get_workflow_handle(case_id, run_id=run_id).fetch_history()).events
            found = [*copies(events), *found]
            run_id = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        return found

    async def start(self, workflow: str, workflow_id: str, queue: str, payloads: Sequence[Payload], **more: Any) -> str:
        """Start a workflow as the town does; its run. `more`: what else the request asks for."""
        started = await self.client.workflow_service.start_workflow_execution(
            StartWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_id=workflow_id,
                workflow_type=WorkflowType(name=workflow),
                task_queue=TaskQueue(name=queue),
                input=Payloads(payloads=payloads),
                workflow_task_timeout=Duration(seconds=4),
                identity=IDENTITY,
                request_id=uuid.uuid4().hex,
                **more,
            )
        )
        return str(started.run_id)

    async def reset(self, workflow_id: str, run_id: str) -> str:
        """Turn a run back to its first task; the new run."""
        events = (await self.client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()).events
        first = next(each for each in events if each.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
        turned = await self.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
                reason="by a stranger",
                workflow_task_finish_event_id=first.event_id,
                request_id=uuid.uuid4().hex,
            )
        )
        return str(turned.run_id)

    async def do(self, queue: str, workflow_id: str, *commands: Command) -> None:
        """Answer the next task of a workflow on a queue in the place of a worker; other workflows' tasks are left to run out."""
        while True:
            task = await self.client.workflow_service.poll_workflow_task_queue(
                PollWorkflowTaskQueueRequest(
                    namespace=self.client.namespace, task_queue=TaskQueue(name=queue), identity=IDENTITY
                )
            )
            if task.workflow_execution.workflow_id == workflow_id:
                break
        await self.client.workflow_service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(
                namespace=self.client.namespace, task_token=task.task_token, identity=IDENTITY, commands=commands
            )
        )

    async def answer_command(self, queue: str, workflow_id: str, payloads: Sequence[Payload]) -> None:
        """Take the command that waits for a workflow in the place of a worker, and answer it with this."""
        while True:
            task = await self.client.workflow_service.poll_workflow_task_queue(
                PollWorkflowTaskQueueRequest(
                    namespace=self.client.namespace, task_queue=TaskQueue(name=queue), identity=IDENTITY
                )
            )
            if task.workflow_execution.workflow_id == workflow_id and task.messages:
                break
        [asked] = task.messages
        request = Request()
        asked.body.Unpack(request)
        taken = Acceptance(
            accepted_request_message_id=asked.id,
            accepted_request_sequencing_event_id=asked.event_id,
            accepted_request=request,
        )
        answered = Response(meta=request.meta, outcome=Outcome(success=Payloads(payloads=payloads)))
        messages = [_message(asked.protocol_instance_id, taken), _message(asked.protocol_instance_id, answered)]
        await self.client.workflow_service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(
                namespace=self.client.namespace,
                task_token=task.task_token,
                identity=IDENTITY,
                messages=messages,
                commands=[
                    Command(
                        command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
                        protocol_message_command_attributes=ProtocolMessageCommandAttributes(message_id=each.id),
                    )
                    for each in messages
                ],
            )
        )

    async def ended(self, workflow_id: str, run_id: str | None = None) -> None:
        """End a run, as whoever reaches the port can."""
        await self.client.get_workflow_handle(workflow_id, run_id=run_id).terminate("by a stranger")

    async def becomes(self, workflow_id: str, run_id: str, status: WorkflowExecutionStatus) -> None:
        """Wait until a run has come to this end."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)

        async def ended() -> bool:
            return (await handle.describe()).status == status

        await eventually(ended)

    async def signal(self, workflow_id: str, payloads: Sequence[Payload], name: str = "message") -> None:
        """Send a signal."""
        await self.client.workflow_service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=self.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                signal_name=name,
                input=Payloads(payloads=payloads),
                identity=IDENTITY,
                request_id=uuid.uuid4().hex,
            )
        )

    async def answer(self, queue: str, answers: dict[str, Copied], told: list[tuple[str, str]]) -> None:
        """Answer whatever is asked on a queue with what was answered elsewhere, until cancelled; `told`: case and activity."""
        while True:
            task = await self._poll(queue)
            if task is None or not task.task_token:
                continue
            kind = task.activity_type.name
            answer = answers.get(kind) or next(iter(answers.values()))
            await self.client.workflow_service.respond_activity_task_completed(
                RespondActivityTaskCompletedRequest(
                    namespace=self.client.namespace,
                    task_token=task.task_token,
                    result=Payloads(payloads=answer.payloads),
                    identity=IDENTITY,
                )
            )
            told.append((task.workflow_execution.workflow_id, kind))

    async def _poll(self, queue: str) -> Any:
        try:
            return await self.client.workflow_service.poll_activity_task_queue(
                PollActivityTaskQueueRequest(
                    namespace=self.client.namespace, task_queue=TaskQueue(name=queue), identity=IDENTITY
                ),
                timeout=timedelta(seconds=5),
            )
        except RPCError:
            await asyncio.sleep(0)
            return None

    async def ask(self, queue: str, activity: str, payloads: Sequence[Payload]) -> Failure:
        """Have the town's worker asked something by a workflow of one's own; how it failed."""
        own = f"stranger-{uuid.uuid4().hex[:8]}"
        await self.start("anything", own, own, [])
        task = await self.client.workflow_service.poll_workflow_task_queue(
            PollWorkflowTaskQueueRequest(
                namespace=self.client.namespace, task_queue=TaskQueue(name=own), identity=IDENTITY
            )
        )
        await self.client.workflow_service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(
                namespace=self.client.namespace,
                task_token=task.task_token,
                identity=IDENTITY,
                commands=[
                    Command(
                        command_type=CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
                        schedule_activity_task_command_attributes=ScheduleActivityTaskCommandAttributes(
                            activity_id="1",
                            activity_type=ActivityType(name=activity),
                            task_queue=TaskQueue(name=queue),
                            input=Payloads(payloads=payloads),
                            start_to_close_timeout=Duration(seconds=20),
                            schedule_to_close_timeout=Duration(seconds=60),
                        ),
                    )
                ],
            )
        )
        found: list[Failure] = []

        async def failed() -> bool:
            events = (await self.client.get_workflow_handle(own).fetch_history()).events
            found.extend(
                event.activity_task_failed_event_attributes.failure
                for event in events
                if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED
            )
            assert not any(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED for event in events)
            return bool(found)

        await eventually(failed)
        await self.client.get_workflow_handle(own).terminate("done")
        return found[0]
