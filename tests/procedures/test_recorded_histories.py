"""Recorded histories replay against today's code; nothing that a case needs is only in somebody's memory."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType

from audit.recording.recording import RecordingRunner
from audit.replay.replay import Replay, strict_replay
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from tests.histories import FORMS, keys_in, read, recorded, walks
from tests.loaded_once import sandbox_loaded_once
from tests.replayed_runs import ReplayRun
from tests.sampling import sampled
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.replayed_fixture",)

REMEMBERED_LATER = (
    # An order keeps what its department was told of the time only since 2026-11-21, some of these cases are older: the next
    # run of theirs started without it, and asked the department with the time of its own start.
    re.compile(r"^next-run-changed: .* at /orders/\d+/asked: recorded null, computed "),
)
"""What cases of an earlier day did not take along into their next run, and why that changes nothing that left the case."""


IN_THE_SANDBOX = 60
"""So many runs are replayed there too, by the seed; all in `make test-all`."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The keys of the recorded histories."""
    return keys_in(tmp_path_factory.mktemp("keys") / "keys")


@pytest.fixture(scope="module")
async def guarded(keys: Keys) -> AsyncIterator[Replay]:
    """A strict replayer in the sandbox: what looks at a clock, at chance or at the machine fails there."""
    async with strict_replay(keys, Settings(), runner=RecordingRunner(sandbox_loaded_once())) as opened:
        yield opened


def name_of(file: Path) -> str:
    """A recorded run as tests are called."""
    return f"{file.parent.name}: {file.stem}"


def not_excused(faults: Iterable[str]) -> list[str]:
    """What goes otherwise than it was recorded, and may not."""
    return [fault for fault in faults if not any(reason.search(fault) for reason in REMEMBERED_LATER)]


@pytest.mark.parametrize("file", list(recorded()), ids=name_of)
async def test_a_recorded_history_replays(file: Path, replayed: ReplayRun) -> None:
    """A case of an earlier day goes the same way under today's code.

    When this fails, running cases would break too: bring the old way back behind `workflow.patched`, and leave the
    recorded history as it is. Every argument, message, answer and result is compared, not only the kinds of commands.
    """
    assert not_excused((await replayed(file)).faults) == []


@pytest.mark.parametrize("file", sampled(recorded(), IN_THE_SANDBOX, "in the sandbox"), ids=name_of)
async def test_a_recorded_history_replays_in_the_sandbox(file: Path, guarded: Replay) -> None:
    """So it does where the workflow sees no clock, no chance and no machine: also on ways that only older cases go."""
    history = read(file)
    case_id = history.events[0].workflow_execution_started_event_attributes.workflow_id

    assert not_excused(await guarded(case_id, history, True)) == []


def test_every_walk_of_every_procedure_is_recorded() -> None:
    """Each walk is recorded in each form that it has: `python -m tests.histories NAME` records what is missing."""
    missing = [
        f"{case.procedure.name}: {walk.name}{suffix}"
        for case in PROCEDURES
        for suffix in FORMS
        for walk in walks(case.procedure, suffix)
        if not list(Path(__file__).parents[1].glob(
            f"histories/{case.procedure.name}/{(walk.name + suffix).replace(' ', '-')}.*.history"
        ))
    ]  # fmt: skip

    assert missing == []


def test_the_recorded_runs_hold_what_a_case_can_do() -> None:
    """Among the recorded runs are commands, activities, fired timers and runs that continue as new."""
    kinds = Counter(event.event_type for file in recorded() for event in read(file).events)

    for kind in (
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
        EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    ):
        assert kinds[kind] > 0, EventType.Name(kind)
