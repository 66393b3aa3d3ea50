"""Recorded histories replay against today's code; nothing that a case needs is only in somebody's memory."""

from collections import Counter
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType

from engine.settings import Settings
from engine.temporal import build_replayer
from tests.door import examples
from tests.histories import keys_in, read, recorded
from workflows.registry import PROCEDURES


@pytest.mark.parametrize("file", list(recorded()), ids=lambda file: f"{file.parent.name}: {file.stem}")
async def test_a_recorded_history_replays(file: Path, tmp_path: Path) -> None:
    """A case of an earlier day goes the same way under today's code.

    When this fails, running cases would break too: bring the old way back behind `workflow.patched`, and leave the
    recorded history as it is.
    """
    replayer = build_replayer(keys_in(tmp_path / "keys"), Settings(), PROCEDURES)
    result = await replayer.replay_workflow(read(file), raise_on_replay_failure=False)

    assert result.replay_failure is None


def test_every_walk_of_every_procedure_is_recorded() -> None:
    """Each walk is recorded whole and in short runs: `python -m tests.histories NAME` records what is missing."""
    missing = [
        f"{case.procedure.name}: {walk.name}{suffix}"
        for case in PROCEDURES
        for walk in examples(case.procedure).WALKS
        for suffix in ("", " in short runs")
        if not list(Path(__file__).parent.glob(
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
