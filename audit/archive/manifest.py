"""What the archive says of a run beside its bytes: where it belongs, how it ended, under which rules and code it ran."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.converter import PayloadCodec

from engine.execution.codec import KEY_ID, PayloadFault
from schemas.values.canonical import canonical_json
from schemas.values.model import Model

FORMAT = "jiceng manifest 1"
RUNNING = "running"
CONTINUED = "continued_as_new"
STATUS = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "completed",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "failed",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "timed_out",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "terminated",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: "canceled",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: CONTINUED,
}


class Manifest(Model):
    """One archived run. Times are real ones; `previous_sha256` is that of the run which this one continues.

    `reset_from`: the run from which this one was made by a reset. Versions are None where the input cannot be read.
    """

    format: str = FORMAT
    case_id: str
    workflow_type: str
    run_id: str
    first_run_id: str
    previous_run_id: str | None
    previous_sha256: str | None
    next_run_id: str | None
    reset_from: str | None
    status: str
    started_at: str
    closed_at: str | None
    events: int
    sha256: str
    policy_version: str | None
    calendar_version: str | None
    builds: tuple[str, ...]
    sdks: tuple[str, ...]
    key_ids: tuple[str, ...]

    def text(self) -> str:
        """The canonical form, whose hash is sealed."""
        return canonical_json(self).decode()


def canonical_bytes(events: Sequence[HistoryEvent]) -> bytes:
    """The one form in which a history is hashed: deterministic, since its maps have no order of their own."""
    return History(events=events).SerializeToString(deterministic=True)


async def manifest_of(
    case_id: str, run_id: str, events: Sequence[HistoryEvent], previous_sha256: str | None, codec: PayloadCodec
) -> Manifest:
    """Read off a recorded run all that its manifest says."""
    started = events[0].workflow_execution_started_event_attributes
    last = events[-1]
    status = STATUS.get(last.event_type, RUNNING)
    charter = await _charter(started.input.payloads, codec)
    tasks = [event.workflow_task_completed_event_attributes for event in events]
    reset = reset_of(events)
    return Manifest(
        case_id=case_id,
        workflow_type=started.workflow_type.name,
        run_id=run_id,
        first_run_id=started.first_execution_run_id or run_id,
        previous_run_id=started.continued_execution_run_id or None,
        previous_sha256=previous_sha256,
        next_run_id=last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id or None,
        reset_from=reset[0] if reset else None,
        status=status,
        started_at=_moment(events[0].event_time),
        closed_at=None if status == RUNNING else _moment(last.event_time),
        events=len(events),
        sha256=sha256(canonical_bytes(events)).hexdigest(),
        policy_version=charter.get("policy_version"),
        calendar_version=charter.get("calendar", {}).get("version"),
        builds=_each(task.worker_version.build_id for task in tasks),
        sdks=_each(f"{task.sdk_metadata.sdk_name} {task.sdk_metadata.sdk_version}".strip() for task in tasks),
        key_ids=_each(
            payload.metadata.get(KEY_ID, b"").decode(errors="replace")
            for event in events
            for payload in payloads(event)
        ),
    )


def reset_of(events: Sequence[HistoryEvent]) -> tuple[str, int] | None:
    """The run from which this one was reset, and the event at which; None when it was not."""
    for event in reversed(events):
        failed = event.workflow_task_failed_event_attributes
        if failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
            return failed.base_run_id, event.event_id
    return None


def payloads(message: Message) -> Iterator[Payload]:
    """Every payload in a message, however deep."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for each in value.values():
                    yield from payloads(each)
        elif field.is_repeated:
            for each in value:
                yield from payloads(each)
        else:
            yield from payloads(value)


async def _charter(inputs: Sequence[Payload], codec: PayloadCodec) -> dict[str, Any]:
    """The rules a case started with. Nothing for a workflow that is not a case, or whose key is not here."""
    try:
        opened = await codec.decode(inputs)
        charter = json.loads(opened[0].data)["charter"]
    except (PayloadFault, ValueError, KeyError, IndexError, TypeError):
        return {}
    return charter if isinstance(charter, dict) else {}


def _each(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def moment_of(stamp: Timestamp) -> datetime:
    """A time of Temporal."""
    return stamp.ToDatetime(tzinfo=UTC)


def _moment(stamp: Timestamp) -> str:
    return stamp.ToJsonString()
