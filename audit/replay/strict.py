"""Strict comparison: a recorded run against what a replay of it computes, act by act, and against its own form.

Temporal's replayer accepts changed arguments, a changed result, a truncated history and a history under another name:
it compares the kind, id and type of commands only. Here the contents are compared too, and each difference says where
it stands, what was recorded and what is computed. What is told are codes and references, never texts or people.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from audit.recording.recording import Recording
from audit.replay.acts import Act, Kind
from schemas.kernel.case import Accepted, CaseOutcome, Message
from schemas.kernel.procedure import Procedure

ENDINGS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
)
LONGEST_SHOWN = 80

Read = Callable[[bytes], Any]
"""Reads a content as its model and returns it as plain values, with the defaults of fields that it did not have."""


def faults_of_form(events: Sequence[HistoryEvent], case_id: str, *, ended: bool) -> Iterator[str]:
    """What is wrong with a run as a record, before anything is replayed. `ended`: it must have come to its end."""
    if not events:
        yield "history-empty: no event"
        return
    for place, event in enumerate(events, start=1):
        if event.event_id != place:
            yield f"event-removed: event {event.event_id} stands where event {place} should stand"
            break
    first, last = events[0], events[-1]
    if first.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        yield f"history-truncated: event 1 is {EventType.Name(first.event_type)}, not the start"
    named = first.workflow_execution_started_event_attributes.workflow_id
    if named and named != case_id:
        yield f"history-of-another-case: event 1 is the start of {named}"
    if ended and last.event_type not in ENDINGS:
        yield f"history-truncated: event {last.event_id}, the last, is {EventType.Name(last.event_type)}, not an end"


def differences(
    recorded: Sequence[Act], computed: Sequence[Act], readers: Mapping[tuple[Kind, str], Read], *, ended: bool
) -> Iterator[str]:
    """Where record and replay differ, one sentence each. `ended`: nothing may be computed beyond the record."""
    replayed = {(act.kind, act.place): act for act in computed}
    for act in recorded:
        other = replayed.pop((act.kind, act.place), None)
        place = f"event {act.event}, {act.kind} {act.name or act.place}".rstrip()
        if other is None:
            yield f"{_CLASS[act.kind]}: {place}: recorded, but not computed"
        elif other.name != act.name:
            yield f"{_CLASS[act.kind]}: {place}: recorded {act.name}, computed {other.name}"
        elif (difference := _difference(act, other, readers.get((act.kind, act.name)))) is not None:
            yield f"{_CLASS[act.kind]}: {place}: {difference}"
    if ended:
        for act in [act for act in replayed.values() if not act.given_up]:
            yield f"{_CLASS[act.kind]}: {act.kind} {act.name or act.place}: computed, but not recorded"


def why_it_failed(recording: Recording, failure: Exception) -> str:
    """Why a replay came to no end: whose content leads to another ledger, or what Temporal says.

    The case compares each head that the ledger gave with its own. Where they differ, what the entries of that write came
    from is not what it was: the start, a command, or what an activity or another case answered.
    """
    if not recording.failure:
        return f"replay-failed: {type(failure).__name__}: {failure}"
    tellings = list(recording.tellings()) if "another head" in recording.failure else []
    if not tellings:
        return f"replay-failed: {recording.failure}"
    entries = tellings[-1].entries
    if any(entry.seq == 1 for entry in entries):
        kind = "start-changed"
    elif any(entry.of_command for entry in entries):
        kind = "command-changed"
    else:
        kind = "activity-answer-changed"
    named = ", ".join(f"{entry.seq} {entry.kind}" for entry in entries)
    return f"{kind}: {recording.failure}; the entries that came out otherwise are among: {named}"


def readers_of(procedures: Sequence[Procedure], activities: Mapping[str, Read]) -> dict[tuple[Kind, str], Read]:
    """How each content is read; `activities` by the name of the activity."""
    states = {procedure.name: reader_of(procedure.state) for procedure in procedures}
    return {
        **{(Kind.ACTIVITY, name): read for name, read in activities.items()},
        **{(kind, name): read for kind in (Kind.CHILD, Kind.NEXT_RUN) for name, read in states.items()},
        (Kind.MESSAGE, "message"): reader_of(Message),
        (Kind.ANSWER, ""): _answer,
        (Kind.RESULT, ""): reader_of(CaseOutcome),
    }


NOT_COMPARED = {"row", "run_id", "first_run_id", "made_by_reset"}
"""Of what is told with an answer: the row is a view of the state, which later code may see otherwise; and a replay runs as the
run that was begun, where a reset let another one go on from it. What the case recorded is in entries, notices and head."""


def _answer(data: bytes) -> Any:
    return Accepted.model_validate_json(data).model_dump(mode="json", exclude={"told": NOT_COMPARED})


def reader_of(model: Any) -> Read:
    """How a content that is this model is read."""

    def read(data: bytes) -> Any:
        return model.model_validate_json(data).model_dump(mode="json")

    return read


_CLASS = {
    Kind.ACTIVITY: "activity-input-changed",
    Kind.TIMER: "timer-changed",
    Kind.CHILD: "child-input-changed",
    Kind.MESSAGE: "message-changed",
    Kind.ANSWER: "command-answer-changed",
    Kind.NEXT_RUN: "next-run-changed",
    Kind.RESULT: "workflow-result-changed",
}


def _difference(act: Act, other: Act, read: Read | None) -> str | None:
    if isinstance(act.content, str) or isinstance(other.content, str):
        return None if act.content == other.content else f"recorded {act.content}, computed {other.content}"
    if len(act.content) != len(other.content):
        return f"recorded {len(act.content)} values, computed {len(other.content)}"
    for one, another in zip(act.content, other.content, strict=True):
        if one.data == another.data and one.metadata == another.metadata:
            continue
        was, is_now = _plain(one, read), _plain(another, read)
        if act.kind is Kind.MESSAGE and isinstance(was, dict) and was.get("to") is None and isinstance(is_now, dict):
            is_now["to"] = None  # of a case from before: it named no addressee
        if (found := _first_difference(was, is_now)) is not None:
            return found
    return None


def _plain(payload: Payload, read: Read | None) -> Any:
    """A content as plain values; a code's later fields have their defaults on both sides."""
    if payload.metadata.get("encoding") == b"binary/null":
        return None
    try:
        return read(payload.data) if read is not None else json.loads(payload.data)
    except (ValidationError, ValueError):
        return {"unreadable": payload.data.hex()}


def _first_difference(recorded: Any, computed: Any, path: str = "") -> str | None:
    """The first place where two plain values differ, in words; None where they do not."""
    if isinstance(recorded, dict) and isinstance(computed, dict):
        for name in sorted({*recorded, *computed}):
            one, another = recorded.get(name, _NOTHING), computed.get(name, _NOTHING)
            if (found := _first_difference(one, another, f"{path}/{name}")) is not None:
                return found
        return None
    if isinstance(recorded, list) and isinstance(computed, list) and len(recorded) == len(computed):
        for place, (one, another) in enumerate(zip(recorded, computed, strict=True)):
            if (found := _first_difference(one, another, f"{path}/{place}")) is not None:
                return found
        return None
    if recorded == computed and type(recorded) is type(computed):
        return None
    return f"at {path or '/'}: recorded {_shown(recorded)}, computed {_shown(computed)}"


_NOTHING = object()


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
