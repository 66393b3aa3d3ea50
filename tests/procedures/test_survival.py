"""Workers die, are replaced and forget everything: a case does not notice.

Which procedure it is makes no difference to the kernel. At every commit they die at two steps of the main walks of some, by the
seed; at every step of all in `make test-all`.
"""

import asyncio
from collections import Counter
from functools import partial

import asyncpg
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.kernel.procedure import Procedure
from tests.api_driver import ApiDriver, Audited, OpenDoor, examples
from tests.dying_worker import WorkerProcess, worker_process
from tests.every_procedure import some_procedures
from tests.sampling import chosen
from tests.waiting import eventually
from worker import town_worker

# Workers start and die by the dozen, each waited for: on a busy machine that adds up.
pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(400)]


WHOLE = pytest.mark.parametrize(
    "whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["two steps", "every step"]
)


async def started(town: ApiDriver, settings: Settings) -> str:
    """A new case. One that another case starts needs a worker for that; what is told here begins after it."""
    if town.procedure.parent is None:
        return await town.start()
    async with worker_process(settings):
        return await town.start()


def dying_steps(procedure: Procedure, *, whole: bool, what: str) -> list[int]:
    """At which steps of the main walk a worker dies."""
    steps = range(len(examples(procedure).MAIN.steps))
    return list(steps) if whole else chosen(steps, 2, f"{what} {procedure.name}")


async def as_once(town: ApiDriver, case_id: str, once: str) -> bool:
    """The same stands in the ledger of a disturbed case as in that of one that went straight; orders may come late."""
    return Counter(await town.kinds(once)) == Counter(await town.kinds(case_id))


@WHOLE
@some_procedures("killed workers")
async def test_a_worker_killed_at_every_step_loses_and_doubles_nothing(
    procedure: Procedure,
    whole: bool,  # noqa: FBT001 - at how many steps
    door: OpenDoor,
    temporal: Client,
    keys: Keys,
    settings: Settings,
    pool: asyncpg.Pool,
    audited: Audited,
) -> None:
    """Kill -9 in the middle of a command of the main walk: each is carried out once, and the case replays."""
    alone = settings.model_copy(update={"task_queue": f"killed-{procedure.name}-{whole}"})
    town = await door(procedure, task_queue=alone.task_queue)
    walk = town.examples.MAIN
    case_id = await started(town, alone)
    killed_at = dying_steps(procedure, whole=whole, what="killed")

    async def given(number: int) -> bool:
        repeat = await town.give(case_id, walk.steps[number], key=f"key-{number}")
        assert repeat.status_code in (200, 202, 404), repeat.text
        return repeat.status_code == 200

    async def accepted(number: int) -> bool:
        sql = "select count(*) from intake where case_id = $1 and command like $2"
        same = [step.command for step in walk.steps[: number + 1]].count(walk.steps[number].command)
        return int(await pool.fetchval(sql, case_id, f"%{walk.steps[number].command}%")) >= same

    for number in range(len(walk.steps)):  # whoever ends a step is killed in the middle of the next one
        if number not in killed_at:
            async with town_worker(alone, keys, temporal, pool) as worker, worker:
                if number:
                    await eventually(partial(given, number - 1), within=60)
                await eventually(partial(given, number), within=60)
            continue
        async with worker_process(alone):
            if number:
                await eventually(partial(given, number - 1), within=60)
            under_way = asyncio.create_task(town.give(case_id, walk.steps[number], key=f"key-{number}"))
            if number:  # before its first flush the API does not know the case
                await eventually(partial(accepted, number), within=60)
        await under_way

    once = await (await door(procedure)).walk(walk)
    async with worker_process(alone):
        await eventually(partial(given, len(walk.steps) - 1), within=60)
        await eventually(partial(as_once, town, case_id, once), within=60)
        findings = await audited(case_id)

    assert walk.stage == (await town.case(case_id))["stage"]
    assert [finding.detail for finding in findings if not finding.ok] == []


@WHOLE
@some_procedures("lost tasks")
async def test_a_workflow_task_lost_after_its_flush_is_told_anew(
    procedure: Procedure,
    whole: bool,  # noqa: FBT001 - at how many steps
    door: OpenDoor,
    temporal: Client,
    keys: Keys,
    settings: Settings,
    pool: asyncpg.Pool,
    audited: Audited,
) -> None:
    """A worker dies when the ledger has a batch and Temporal does not: the case tells it anew and goes on.

    The lost branch stays beside the chain, for everybody to see, and nobody is told twice. Of a command that tells the ledger with
    its answer the case writes nothing, and no worker dies.
    """
    alone = settings.model_copy(update={"task_queue": f"dying-{procedure.name}-{whole}"})
    dies_at = dying_steps(procedure, whole=whole, what="dying")
    town = await door(procedure, task_queue=alone.task_queue)
    walk, deaths = town.examples.MAIN, 0
    if procedure.parent is not None:
        case_id = await started(town, alone)
    else:
        async with worker_process(alone, dies_with=(procedure.name, 1)) as dying:
            case_id = await town.start()
            await dying.wait()
            deaths += 1

    async def nothing_waits(case_id: str) -> bool:
        waiting = "select count(*) from intake where case_id = $1 and status = 'waiting'"
        return not await pool.fetchval(waiting, case_id)

    async def dead_or_idle(process: WorkerProcess) -> bool:
        return process.dead or await nothing_waits(case_id)

    for number, step in enumerate(walk.steps):
        giving = asyncio.create_task(town.give(case_id, step, key=f"key-{number}"))
        if number not in dies_at:
            async with town_worker(alone, keys, temporal, pool) as worker, worker:
                await giving
                await eventually(partial(nothing_waits, case_id), within=60)
            continue
        flushes = 1 if number == dies_at[0] else 1 + number % 2  # not every command has a second flush
        async with worker_process(alone, dies_with=(case_id, flushes)) as dying:
            await asyncio.wait([giving, asyncio.create_task(dying.wait())], return_when=asyncio.FIRST_COMPLETED)
            if giving.done():
                await eventually(partial(dead_or_idle, dying), within=60)
            deaths += dying.dead
        if not giving.done():  # whoever gives it may first wait for something that the case has to do
            async with worker_process(alone):
                await giving
    async with town_worker(alone, keys, temporal, pool) as worker, worker:

        async def arrived() -> bool:
            return bool((await town.case(case_id))["stage"] == walk.stage)

        await eventually(arrived, within=60)
        once = await (await door(procedure)).walk(walk)
        await eventually(partial(as_once, town, case_id, once), within=60)
        findings = await audited(case_id)
    told = await pool.fetch("select template, count(*) from outbox where case_id = $1 group by 1", case_id)
    told_once = await pool.fetch("select template, count(*) from outbox where case_id = $1 group by 1", once)

    assert [finding.detail for finding in findings if not finding.ok] == []
    assert deaths == 0 or "beside the chain" in findings[0].detail
    assert sorted(map(tuple, told_once)) == sorted(map(tuple, told))


@some_procedures("workers without memory")
async def test_a_worker_without_memory_gives_the_same(
    procedure: Procedure,
    door: OpenDoor,
    temporal: Client,
    keys: Keys,
    settings: Settings,
    pool: asyncpg.Pool,
) -> None:
    """A worker that keeps no case in memory replays it at every task, and comes to the same entries."""
    forgetful = settings.model_copy(update={"workflow_cache": 0, "task_queue": f"forgetful-{procedure.name}"})
    town = await door(procedure, task_queue=forgetful.task_queue)
    async with town_worker(forgetful, keys, temporal, pool) as worker, worker:
        case_id = await town.walk(town.examples.MAIN)
        once = await (await door(procedure)).walk(town.examples.MAIN)
        await eventually(partial(as_once, town, case_id, once), within=60)
