"""Attacks on decision 0011: an end that is not told, and a notice that is not sent."""

import asyncio
import uuid
from datetime import timedelta

import asyncpg
import pytest
from temporalio.client import Client

from activities.ledger import Ledger
from audit.archive.archiver import Archiver
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.incident import INCIDENT
from schemas.kernel.notice import Notice
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.engine.test_ledger import batch_after
from tests.stranger import Stranger
from tests.told_town import COMPLETED, ToldTown
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(200)]
SIGN, URGE = Step("sign", "officer"), Step("urge", "reporter")


@pytest.mark.parametrize("of", ["nothing", "another command", "another case"])
async def test_a_copied_answer_does_not_keep_an_end_from_being_told(
    of: str, door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> None:
    """Whoever reaches Temporal's port answers a command with a copy and terminates the case: the ledger hears of the end."""
    alone = settings.model_copy(update={"task_queue": f"attack-end-{of[-4:]}"})
    town, told = await door(INCIDENT, task_queue=alone.task_queue, patience=1.0), ToldTown(temporal, pool)
    stranger = Stranger(await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace))
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        case_id, other = await town.start(), await town.start()
        for each in (case_id, other):
            await told.rests(each)
            assert (await town.taken(each, SIGN)).status_code == 200
    if of != "nothing":
        source = other if of == "another case" else case_id
        [copied] = [each for each in await stranger.read(source) if each.kind == "answer to a command"]
        giving = asyncio.create_task(town.give(case_id, URGE, str(uuid.uuid4())))
        await stranger.answer_command(alone.task_queue, case_id, copied.payloads)
        await giving

        async def answered() -> bool:
            return (await told.counts(case_id))[COMPLETED] == 2

        await eventually(answered)
    await stranger.ended(case_id)
    archiver = Archiver(temporal, pool, keys, ArchiveStore(None), settings)

    async def is_told() -> bool:
        await archiver.one_pass(full=True)
        return "case:terminated" in await told.kinds(case_id)

    await eventually(is_told)


async def test_a_notice_is_sent_though_a_lost_task_had_one_in_its_place(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """A task told of something, somebody was told of it, and the task was lost; anew, something else comes first."""
    town: ApiDriver = await door(INCIDENT)
    case_id = await town.walk(town.examples.MAIN)
    lost = await batch_after(pool, case_id, timedelta(seconds=1))
    anew = await batch_after(pool, case_id, timedelta(seconds=2))
    entry = anew.entries[0].model_copy(update={"kind": "tests:other"}).sealed()
    row = anew.projection.model_copy(update={"head_hash": entry.hash})
    await Ledger(pool).write(lost.model_copy(update={"notices": (Notice(to="reporter", template="first"),)}))
    await pool.execute("update outbox set delivered_at = now() where case_id = $1 and template = 'first'", case_id)
    await Ledger(pool).write(
        anew.model_copy(
            update={
                "entries": (entry,), "row": row.model_dump_json(),
                "notices": (Notice(to="reporter", template="second"),),
            }
        )
    )  # fmt: skip
    sent = await pool.fetchval("select count(*) from outbox where case_id = $1 and template = 'second'", case_id)

    assert sent == 1
