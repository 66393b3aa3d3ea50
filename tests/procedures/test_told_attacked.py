"""Attacks on decision 0011: what is recorded and told to somebody who does not write it down."""

import asyncio
import uuid

import asyncpg
import pytest
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.update.v1 import Input, Meta, Request, WaitPolicy
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionRequest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from schemas.kernel.setting_aside import SetAside
from starter.intake.postbox import Postbox, SetAsideAnswer
from tests.api_driver import OpenDoor, Step
from tests.stranger import Copied, Stranger
from tests.told_town import COMPLETED, ToldTown, stands
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture", "tests.told_fixture")
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]

SIGN, URGE = Step("sign", "officer"), Step("urge", "reporter")


async def repeat(stranger: Stranger, case_id: str, copied: Copied) -> None:
    """Send a copied command once more, under an update id of one's own, and wait for nothing."""
    request = UpdateWorkflowExecutionRequest(
        namespace=stranger.client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=case_id),
        wait_policy=WaitPolicy(lifecycle_stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED),
        request=Request(
            meta=Meta(update_id=uuid.uuid4().hex, identity="stranger"),
            input=Input(name=copied.name, args=Payloads(payloads=copied.payloads)),
        ),
    )
    await stranger.client.workflow_service.update_workflow_execution(request)


@pytest.mark.parametrize("with_copy", [False, True])
async def test_a_copied_command_takes_nothing_from_the_ledger(
    with_copy: bool,  # noqa: FBT001 - what is tried
    door: OpenDoor,
    told: ToldTown,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
) -> None:
    """Whoever reaches Temporal's port sends a copy of an old command beside a signal: what the signal recorded is written."""
    alone = settings.model_copy(update={"task_queue": f"attack-copied-{with_copy}"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    stranger = Stranger(await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace))
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await stands(town, told)
        assert (await town.taken(case_id, URGE)).status_code == 200
    [copied] = [each for each in await stranger.read(case_id) if each.kind == "command"]
    said = SetAside(case_id=case_id, number="set-aside/x/1", command="urge", failure="x")
    await temporal.get_workflow_handle(case_id).signal("set_aside", said)
    copying = asyncio.create_task(repeat(stranger, case_id, copied)) if with_copy else None

    async def is_written() -> bool:
        return (await told.kinds(case_id)).count("case:set_aside") == 1

    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        if copying is not None:
            await copying
        await eventually(is_written)
        await told.rests(case_id)


async def test_what_was_laid_aside_by_hand_and_is_carried_out_all_the_same_is_written(
    door: OpenDoor, told: ToldTown, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """Temporal still has the command when a worker comes: nobody waits for its answer any more."""
    alone = settings.model_copy(update={"task_queue": "attack-aside"})
    town = await door(INCIDENT, task_queue=alone.task_queue, patience=1.0)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await stands(town, told)
    key = str(uuid.uuid4())
    assert (await town.give(case_id, URGE, key)).status_code == 202
    submission = await pool.fetchval("select submission from intake where case_id = $1 and command = 'urge'", case_id)
    laid = await Postbox(pool).lay_aside(submission, SetAsideAnswer(failure="by-hand", by_hand=True))
    assert laid is not None
    said = SetAside(case_id=case_id, number="set-aside/x/1", command="urge", failure="by-hand")
    await temporal.get_workflow_handle(case_id).signal("set_aside", said)

    async def all_is_written() -> bool:
        kinds = await told.kinds(case_id)
        return kinds.count("case:set_aside") == kinds.count("incident:urged") == (await told.counts(case_id))[COMPLETED]

    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        await eventually(all_is_written)
        await told.rests(case_id)
        assert (await told.kinds(case_id)).count("incident:urged") == 1
