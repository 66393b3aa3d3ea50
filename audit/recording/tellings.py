"""What a recorded run told the ledger, as a replay computes it: by flushes of its own and with its answers to commands."""

from temporalio.client import WorkflowHistory

from audit.recording.recording import RecordingRunner, Telling
from engine.execution.temporal import build_replayer, workflow_runner
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from workflows.registry import PROCEDURES


async def tellings_of(run: WorkflowHistory, keys: Keys, settings: Settings) -> tuple[list[Telling], str]:
    """All that a run told, in order, as far as it replays; and why it went no further, empty where it came to its end."""
    if all(event.HasField("workflow_execution_started_event_attributes") for event in run.events):
        return [], ""  # nothing but its start: there is no task to replay yet
    runner = RecordingRunner(workflow_runner(sandbox=settings.sandbox))
    replayer = build_replayer(keys, settings, PROCEDURES, runner)
    failure = (await replayer.replay_workflow(run, raise_on_replay_failure=False)).replay_failure
    why = "" if failure is None else runner.recording.failure or type(failure).__name__
    return list(runner.recording.tellings()), why
