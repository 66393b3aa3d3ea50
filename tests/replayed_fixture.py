"""The fixture `replayed`: what every recorded run does under today's code (tests/replayed_runs.py)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audit.recording.recording import RecordingRunner
from audit.replay.replay import strict_replay
from engine.execution.temporal import workflow_runner
from engine.runtime.settings import Settings
from schemas.audit.ledger import Batch
from schemas.kernel.case import Accepted
from tests.histories import keys_in, read
from tests.replayed_runs import Replayed, ReplayRun


@pytest.fixture(scope="session")
async def replayed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReplayRun]:
    """A strict replayer as a town has it, which remembers."""
    runner = RecordingRunner(workflow_runner(sandbox=False))
    keys = keys_in(tmp_path_factory.mktemp("recorded") / "keys")
    known: dict[Path, Replayed] = {}
    async with strict_replay(keys, Settings(sandbox=False), runner=runner) as replay:

        async def replayed_run(file: Path) -> Replayed:
            if file not in known:
                history = read(file)
                case_id = history.events[0].workflow_execution_started_event_attributes.workflow_id
                faults = await replay(case_id, history, True)
                local = [each.schedule_local_activity for each in runner.recording.commands]
                told = [each.arguments[0].data for each in local if each.activity_type == "flush"]
                answers = [each.update_response for each in runner.recording.commands]
                with_answers = [
                    Accepted.model_validate_json(each.completed.data).told
                    for each in answers
                    if each.HasField("completed")
                ]
                answered = tuple(entry for each in with_answers if each is not None for entry in each.entries)
                known[file] = Replayed(tuple(faults), tuple(map(Batch.model_validate_json, told)), answered)
            return known[file]

        yield replayed_run
