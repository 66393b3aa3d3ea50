"""docs/changing-a-procedure.md, done for true: one change, without a patch and with it, on old histories and new ones."""

from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client, WorkflowHistory

from audit.replay.replay import runs_of
from engine.execution.temporal import build_replayer
from engine.keys.keys import Keys
from engine.runtime.settings import PROJECT, Settings
from local.chaos.chaos_release import CLOSING_IS_ANNOUNCED, NextIncident
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor
from tests.changed_incident import Unpatched
from tests.histories import FOLDER, keys_in, read
from worker import town_worker
from workflows.incident import Incident

OLD = read(FOLDER / "incident" / "main.1.history")
QUEUE = "changed-incident"


async def failure(keys: Keys, history: WorkflowHistory, procedure: type) -> Exception | None:
    """Why a history does not replay under this code; None when it does."""
    replayer = build_replayer(keys, Settings(), [procedure])
    return (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure


@pytest.fixture(scope="module")
async def new(settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, door: OpenDoor) -> WorkflowHistory:
    """The history of a case that began under the changed code."""
    alone = settings.model_copy(update={"task_queue": QUEUE})
    async with town_worker(alone, keys, temporal, pool, procedures=[NextIncident]) as worker, worker:
        # Fast enough that the windows to rate and to reopen it are soon over, and slow enough that nobody is sixty days late.
        town = await door(INCIDENT, speed=200_000, task_queue=QUEUE)
        case_id = await town.start()
        await town.go(case_id, town.examples.MAIN.steps[:-1])  # to rate there are three seconds: it closes by itself
        await temporal.get_workflow_handle(case_id).result()
        (run,) = await runs_of(temporal, case_id)
        return run


@pytest.fixture
def old_keys(tmp_path: Path) -> Keys:
    """The keys of the recorded histories."""
    return keys_in(tmp_path / "keys")


async def test_a_change_without_a_patch_breaks_the_cases_that_live(old_keys: Keys) -> None:
    """What a procedure does anew, it would do anew in cases that did without it: their replay fails."""
    assert await failure(old_keys, OLD, Unpatched) is not None


async def test_a_change_behind_its_patch_leaves_them_as_they_are(old_keys: Keys) -> None:
    """An old history goes the old way under the new code."""
    assert await failure(old_keys, OLD, NextIncident) is None


async def test_a_new_case_goes_the_new_way(keys: Keys, new: WorkflowHistory) -> None:
    """A case that began under the new code has the patch in its history and replays under it."""
    marks = [
        event.marker_recorded_event_attributes.details
        for event in new.events
        if event.marker_recorded_event_attributes.marker_name == "core_patch"
    ]

    assert any(CLOSING_IS_ANNOUNCED.encode() in str(mark).encode() for mark in marks)
    assert await failure(keys, new, NextIncident) is None


async def test_there_is_no_way_back_to_the_old_code(keys: Keys, new: WorkflowHistory) -> None:
    """A case of the new code does not replay under the old: a release that has taken cases is only ever followed by another."""
    assert await failure(keys, new, Incident) is not None


def test_the_page_shows_this_very_change() -> None:
    """docs/changing-a-procedure.md has the lines of local/chaos/chaos_release.py."""
    page = (PROJECT / "docs" / "changing-a-procedure.md").read_text(encoding="utf-8")

    assert "if workflow.patched(CLOSING_IS_ANNOUNCED):" in page
    assert 'self.record("incident:closing_announced")' in page
