"""Strict replay finds what was altered in a history, and where; Temporal's own replayer finds hardly any of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from audit.recording.recording import RecordingRunner
from audit.replay.replay import Replay, broken_run_chain, strict_replay
from engine.execution.codec import EncryptionCodec, data_converter
from engine.execution.temporal import build_replayer
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from tests.histories import FOLDER, keys_in, read
from workflows.registry import PROCEDURES

MAIN = FOLDER / "incident" / "main.1.history"
STANDS_STILL_SECONDS = 2.5
SHORT = sorted((FOLDER / "incident").glob("rework-in-short-runs.*.history"))
Alter = Callable[["Opened"], None]


class Opened:
    """A recorded run with its payloads open, so that somebody who has the keys can change them and close them again."""

    def __init__(self, file: Path, codec: EncryptionCodec) -> None:
        self.history = read(file)
        self._codec = codec

    @property
    def events(self) -> list[HistoryEvent]:
        return list(self.history.events)

    @property
    def case_id(self) -> str:
        return str(self.events[0].workflow_execution_started_event_attributes.workflow_id)

    def first(self, kind: str) -> HistoryEvent:
        return next(event for event in self.events if event.event_type == EventType.Value(f"EVENT_TYPE_{kind}"))

    def change(self, payloads: Any, old: bytes, new: bytes) -> None:
        """Exchange a text inside the first payload."""
        (plain,) = asyncio.run(self._codec.decode(payloads[:1]))
        assert old in plain.data
        plain.data = plain.data.replace(old, new)
        (closed,) = asyncio.run(self._codec.encode([plain]))
        payloads[0].CopyFrom(closed)


def command_changed(run: Opened) -> None:
    update = run.first("WORKFLOW_EXECUTION_UPDATE_ACCEPTED").workflow_execution_update_accepted_event_attributes
    run.change(update.accepted_request.input.args.payloads[1:], b"officer-cheng", b"officer-other")


def activity_input_changed(run: Opened) -> None:
    activity = run.first("ACTIVITY_TASK_SCHEDULED").activity_task_scheduled_event_attributes
    run.change(activity.input.payloads, b"urban-management", b"justice-office")


def activity_answer_changed(run: Opened) -> None:
    answer = run.first("ACTIVITY_TASK_COMPLETED").activity_task_completed_event_attributes
    run.change(answer.result.payloads, b'"accepted":true', b'"accepted":false')


def workflow_result_changed(run: Opened) -> None:
    result = run.first("WORKFLOW_EXECUTION_COMPLETED").workflow_execution_completed_event_attributes
    run.change(result.result.payloads, b"closed", b"rejected")


def answer_to_a_command_changed(run: Opened) -> None:
    answer = run.first("WORKFLOW_EXECUTION_UPDATE_COMPLETED").workflow_execution_update_completed_event_attributes
    run.change(answer.outcome.success.payloads, b"handling", b"verifying")


def start_changed(run: Opened) -> None:
    started = run.first("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
    run.change(started.input.payloads, b'"urgency":"ordinary"', b'"urgency":"complex"')


def timer_changed(run: Opened) -> None:
    run.first("TIMER_STARTED").timer_started_event_attributes.start_to_fire_timeout.seconds += 60


def event_removed(run: Opened) -> None:
    timer = run.first("TIMER_STARTED")
    run.history = WorkflowHistory(run.history.workflow_id, [event for event in run.events if event is not timer])


def history_truncated(run: Opened) -> None:
    ends = [event.event_id for event in run.events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    run.history = WorkflowHistory(run.history.workflow_id, run.events[: ends[2]])


def another_case(run: Opened) -> None:
    run.first("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes.workflow_id = "incident-1"


# What was altered, the class by which it is found, a part of the place, and whether the bare replayer sees it too.
CLASSES: dict[str, tuple[Alter, str, str, bool]] = {
    "command changed": (command_changed, "command-changed", "incident:signed", True),
    "start changed": (start_changed, "start-changed", "1 incident:reported", True),
    "activity input changed": (activity_input_changed, "activity-input-changed", "place_order: at /department", False),
    "activity answer changed": (activity_answer_changed, "activity-answer-changed", "3 incident:order_refused", True),
    "workflow result changed": (workflow_result_changed, "workflow-result-changed", 'recorded "rejected"', False),
    "answer to a command changed": (answer_to_a_command_changed, "command-answer-changed", "at /stage", False),
    "timer changed": (timer_changed, "timer-changed", "computed", False),
    "event removed": (event_removed, "event-removed", "should stand", True),
    "history truncated": (history_truncated, "history-truncated", "not an end", False),
    "history of another case": (another_case, "history-of-another-case", "incident-1", False),
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys of the recorded histories."""
    return keys_in(tmp_path_factory.mktemp("keys") / "keys")


@pytest.fixture(scope="module")
async def replay(keys: Keys) -> AsyncIterator[Replay]:
    """A strict replayer, open for all tests of the file."""
    async with strict_replay(keys, Settings()) as opened:
        yield opened


def codec_of(keys: Keys) -> EncryptionCodec:
    codec = data_converter(keys).payload_codec
    assert isinstance(codec, EncryptionCodec)
    return codec


def altered(keys: Keys, alter: Alter) -> Opened:
    run = Opened(MAIN, codec_of(keys))
    alter(run)
    return run


async def test_an_unaltered_history_has_no_fault(keys: Keys, replay: Replay) -> None:
    """The very history that the other tests alter is well."""
    run = Opened(MAIN, codec_of(keys))

    assert await replay(run.case_id, run.history, True) == []


@pytest.mark.parametrize("name", CLASSES)
async def test_each_alteration_is_found_by_its_class_and_place(name: str, keys: Keys, replay: Replay) -> None:
    """Whoever alters a history, even with the payload keys in hand, is found: the message names what and where."""
    alter, kind, place, _ = CLASSES[name]
    case_id = Opened(MAIN, codec_of(keys)).case_id
    run = await asyncio.to_thread(altered, keys, alter)
    faults = await replay(case_id, run.history, True)

    assert [fault for fault in faults if fault.startswith(kind) and place in fault], faults


@pytest.mark.parametrize("name", CLASSES)
async def test_what_the_bare_replayer_says_of_the_same(name: str, keys: Keys) -> None:
    """Temporal's replayer alone accepts half of the alterations; this is why the strict one is there."""
    alter, _, _, seen = CLASSES[name]
    run = await asyncio.to_thread(altered, keys, alter)
    bare = build_replayer(keys, Settings(), PROCEDURES)
    result = await bare.replay_workflow(run.history, raise_on_replay_failure=False)

    assert seen == (result.replay_failure is not None)


def test_a_run_that_is_missing_in_the_middle_is_found() -> None:
    """Each run names the next and the one before: one taken out leaves a gap."""
    runs = [read(file) for file in SHORT]

    assert len(runs) > 2
    assert broken_run_chain(runs) == []
    assert broken_run_chain([runs[0], *runs[2:]])[0].startswith("run-missing: run 1")


async def test_a_payload_that_was_changed_without_its_key_is_found(replay: Replay, keys: Keys) -> None:
    """A flipped bit in an encrypted argument is told as such."""
    run = Opened(MAIN, codec_of(keys))
    payload = run.first("ACTIVITY_TASK_SCHEDULED").activity_task_scheduled_event_attributes.input.payloads[0]
    payload.data = payload.data[:-1] + bytes([payload.data[-1] ^ 1])
    faults = await replay(run.case_id, run.history, True)

    assert any(fault.startswith("payload-changed") for fault in faults), faults


class StallingRunner(WorkflowRunner):
    """Runs so many cases as a machine does that stands still at their beginning, longer than a worker waits; the next as ever."""

    def __init__(self, times: int) -> None:
        self._inner, self.times = UnsandboxedWorkflowRunner(), times

    def prepare_workflow(self, defn: Any) -> None:
        self._inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        instance = self._inner.create_instance(det)
        activate, stalls = instance.activate, self.times > 0
        self.times -= 1

        def stall_first(act: Any) -> Any:
            nonlocal stalls
            if stalls:
                stalls = False
                threading.Event().wait(STANDS_STILL_SECONDS)
            return activate(act)

        instance.activate = stall_first  # type: ignore[method-assign]
        return instance


@pytest.mark.parametrize(("times", "found"), [(1, 0), (9, 1)], ids=["once", "each time"])
async def test_a_machine_that_stands_still_is_no_finding(keys: Keys, times: int, found: int) -> None:
    """The worker breaks off what does not come back in two seconds; the case is replayed again, and only then judged."""
    run = read(MAIN)
    case_id = run.events[0].workflow_execution_started_event_attributes.workflow_id
    runner = RecordingRunner(StallingRunner(times))
    async with strict_replay(keys, Settings(sandbox=False), runner=runner) as replay:
        faults = await replay(case_id, run, True)

    assert len([fault for fault in faults if fault.startswith("replay-failed")]) == found
    assert len(faults) == found
