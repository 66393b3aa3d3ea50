"""Attacks on decision 0011: many commands that were accepted before the first of them was carried out."""

import asyncio
import uuid

import asyncpg
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor, Step
from tests.told_town import COMPLETED, ToldTown
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]

COMMENT = Step("comment", "officer")


async def test_what_many_waiting_commands_tell_does_not_grow_with_their_square(
    door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """Forty commands wait for a worker: the last answer is no longer than ten of the first."""
    alone = settings.model_copy(update={"task_queue": "attack-many"})
    town, told = await door(INCIDENT, task_queue=alone.task_queue, patience=0.5), ToldTown(temporal, pool)
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id = await town.start()
        await told.rests(case_id)
    answers = await asyncio.gather(*(town.give(case_id, COMMENT, str(uuid.uuid4())) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {202}
    async with town_worker(alone, keys, temporal, pool) as worker, worker:

        async def all_delivered() -> bool:
            waiting = "select count(*) from intake where case_id = $1 and status = 'waiting'"
            return bool(await pool.fetchval(waiting, case_id) == 0)

        await eventually(all_delivered, within=120)
    sizes = [each.ByteSize() for each in await told.events(case_id) if each.event_type == COMPLETED]

    assert sizes[-1] < 10 * sizes[0]
