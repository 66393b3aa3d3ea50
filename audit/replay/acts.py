"""The acts of a case: what it did, once as its history recorded them and once as a replay computes them.

An act has a place by which the two find each other (the id of an activity, a timer, a child, an update; the how-manieth
of what has no id) and a content, opened: the payloads of an activity, a child, a message, an update's answer, the
result, the state that the next run starts with; the length of a timer.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.update.v1 import Outcome
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.converter import PayloadCodec


class Kind(StrEnum):
    """What a case can do that leaves something to compare."""

    ACTIVITY = "activity"
    TIMER = "timer"
    CHILD = "child case"
    MESSAGE = "message"
    ANSWER = "answer to command"
    NEXT_RUN = "next run"
    RESULT = "result"


REFUSED = "refused"
"""The name of an answer that refuses a command which was accepted before its clocks were heard."""


@dataclass(frozen=True)
class Act:
    """One act. `event`: where it stands in the history; None for what a replay computes.

    `given_up`: the case itself cancelled it, perhaps in the same workflow task, and then no history ever heard of it.
    """

    kind: Kind
    place: str
    name: str
    content: tuple[Payload, ...] | str
    event: int | None = None
    given_up: bool = False


def computed(commands: Sequence[WorkflowCommand], workflow: str) -> Iterator[Act]:
    """The acts of a replayed run, from its commands. `workflow`: its type, in which it goes on unless it says otherwise."""
    given_up = _given_up(commands)
    messages = Counter[str]()
    for command in commands:
        match command.WhichOneof("variant"):
            case "schedule_activity":
                activity = command.schedule_activity
                content = tuple(activity.arguments)
                over = ("activity", activity.seq) in given_up
                yield Act(Kind.ACTIVITY, activity.activity_id, activity.activity_type, content, given_up=over)
            case "start_timer":
                timer = command.start_timer
                over = ("timer", timer.seq) in given_up
                yield Act(Kind.TIMER, str(timer.seq), "", _length(timer.start_to_fire_timeout), given_up=over)
            case "start_child_workflow_execution":
                child = command.start_child_workflow_execution
                over = ("child", child.seq) in given_up
                yield Act(Kind.CHILD, child.workflow_id, child.workflow_type, tuple(child.input), given_up=over)
            case "signal_external_workflow_execution":
                signal = command.signal_external_workflow_execution
                to = signal.workflow_execution.workflow_id
                messages[to] += 1
                over = ("message", signal.seq) in given_up
                yield Act(Kind.MESSAGE, f"{to}#{messages[to]}", signal.signal_name, tuple(signal.args), given_up=over)
            case "update_response" if command.update_response.HasField("completed"):
                answer = command.update_response
                yield Act(Kind.ANSWER, answer.protocol_instance_id, "", (answer.completed,))
            case "update_response" if command.update_response.HasField("rejected"):
                # Refused after it was accepted: validators are not asked at replay, so nothing else is rejected here.
                answer = command.update_response
                details = answer.rejected.application_failure_info.details.payloads
                yield Act(Kind.ANSWER, answer.protocol_instance_id, REFUSED, tuple(details))
            case "continue_as_new_workflow_execution":
                following = command.continue_as_new_workflow_execution
                yield Act(Kind.NEXT_RUN, "", following.workflow_type or workflow, tuple(following.arguments))
            case "complete_workflow_execution":
                yield Act(Kind.RESULT, "", "", (command.complete_workflow_execution.result,))


def _given_up(commands: Iterable[WorkflowCommand]) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for command in commands:
        match command.WhichOneof("variant"):
            case "request_cancel_activity":
                found.add(("activity", command.request_cancel_activity.seq))
            case "cancel_timer":
                found.add(("timer", command.cancel_timer.seq))
            case "cancel_child_workflow_execution":
                found.add(("child", command.cancel_child_workflow_execution.child_workflow_seq))
            case "cancel_signal_workflow":
                found.add(("message", command.cancel_signal_workflow.seq))
    return found


async def recorded(events: Sequence[HistoryEvent], codec: PayloadCodec | None) -> list[Act]:
    """The acts of a recorded run, opened. Raises PayloadFault where the codec cannot open one."""
    acts = list(_recorded(events))
    if codec is None:
        return acts
    return [
        act
        if isinstance(act.content, str)
        else Act(act.kind, act.place, act.name, tuple(await codec.decode(act.content)), act.event)
        for act in acts
    ]


def _recorded(events: Sequence[HistoryEvent]) -> Iterator[Act]:
    accepted: dict[int, str] = {}
    messages = Counter[str]()
    for event in events:
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                activity = event.activity_task_scheduled_event_attributes
                yield Act(
                    Kind.ACTIVITY,
                    activity.activity_id,
                    activity.activity_type.name,
                    tuple(activity.input.payloads),
                    event.event_id,
                )
            case EventType.EVENT_TYPE_TIMER_STARTED:
                timer = event.timer_started_event_attributes
                yield Act(Kind.TIMER, timer.timer_id, "", _length(timer.start_to_fire_timeout), event.event_id)
            case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                child = event.start_child_workflow_execution_initiated_event_attributes
                content = tuple(child.input.payloads)
                yield Act(Kind.CHILD, child.workflow_id, child.workflow_type.name, content, event.event_id)
            case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
                signal = event.signal_external_workflow_execution_initiated_event_attributes
                to = signal.workflow_execution.workflow_id
                messages[to] += 1
                content = tuple(signal.input.payloads)
                yield Act(Kind.MESSAGE, f"{to}#{messages[to]}", signal.signal_name, content, event.event_id)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                update = event.workflow_execution_update_accepted_event_attributes
                accepted[event.event_id] = update.protocol_instance_id
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                answer = event.workflow_execution_update_completed_event_attributes
                place = accepted.get(answer.accepted_event_id, answer.meta.update_id)
                yield Act(Kind.ANSWER, place, *_said(answer.outcome), event.event_id)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                following = event.workflow_execution_continued_as_new_event_attributes
                content = tuple(following.input.payloads)
                yield Act(Kind.NEXT_RUN, "", following.workflow_type.name, content, event.event_id)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result
                yield Act(Kind.RESULT, "", "", tuple(result.payloads), event.event_id)


def _said(outcome: Outcome) -> tuple[str, tuple[Payload, ...]]:
    """Whether an update was answered or refused, and with what."""
    if outcome.HasField("failure"):
        return REFUSED, tuple(outcome.failure.application_failure_info.details.payloads)
    return "", tuple(outcome.success.payloads)


def _length(duration: Duration) -> str:
    return f"{duration.seconds}.{duration.nanos:09d} s"
