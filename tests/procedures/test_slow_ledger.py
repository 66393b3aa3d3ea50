"""A disk that stands still for seconds: workflow tasks send heartbeats meanwhile, and no replay takes two tasks for one."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from activities.ledger import Ledger
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.audit.ledger import Batch, FlushReceipt
from schemas.incident import INCIDENT
from schemas.kernel.findings import Finding
from schemas.kernel.procedure import Procedure
from schemas.summons import SUMMONS
from schemas.whistle import WHISTLE
from tests.api_driver import ApiDriver, Audited, OpenDoor, Step, Walk
from tests.dying_worker import worker_process
from tests.every_procedure import EVERY_PROCEDURE
from tests.examples.whistle import LEAD, OTHER
from tests.lagging_ledger import HEARTBEATS, LaggingLedger
from tests.told_town import ToldTown
from tests.waiting import eventually
from tests.whistle_town import WhistleTown
from worker import town_worker

pytestmark = pytest.mark.usefixtures("worker")


class StandingLedger(Ledger):
    """The real ledger, on a disk that stands still when it is to write an entry of this kind, until it `goes_on`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.stops_at = ""
        self.goes_on = asyncio.Event()

    async def write(self, batch: Batch) -> FlushReceipt:
        if self.stops_at in [entry.kind for entry in batch.entries]:
            await self.goes_on.wait()
        return await super().write(batch)


@dataclass
class SlowTown:
    """A whistle's town whose ledger can be made to stand still."""

    whistles: WhistleTown
    incidents: ApiDriver
    hurried: ApiDriver
    """An API that does not wait long for what stands still."""
    ledger: StandingLedger
    temporal: Client

    async def beats(self, case_id: str, after: EventType.ValueType) -> int:
        """How many workflow tasks were completed since the first event of a type."""
        history = await self.temporal.get_workflow_handle(case_id).fetch_history()
        types = [event.event_type for event in history.events]
        if after not in types:
            return 0
        return types[types.index(after) :].count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)

    @contextmanager
    def standing_still(self, at: str) -> Iterator[None]:
        """The ledger stands still at entries of a kind in this block."""
        self.ledger.stops_at = at
        self.ledger.goes_on.clear()
        try:
            yield
        finally:
            self.ledger.stops_at = ""
            self.ledger.goes_on.set()


@pytest.fixture(scope="module")
async def slow(
    door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool
) -> AsyncIterator[SlowTown]:
    """A worker of its own with such a ledger."""
    alone = settings.model_copy(update={"task_queue": "slow-ledger"})
    ledger = StandingLedger(pool)
    street = await door(WHISTLE, task_queue=alone.task_queue, patience=30.0)
    desk = await door(SUMMONS, task_queue=alone.task_queue, patience=30.0)
    incidents = await door(INCIDENT, task_queue=alone.task_queue, patience=30.0)
    hurried = await door(WHISTLE, task_queue=alone.task_queue)
    async with town_worker(alone, keys, temporal, pool, ledger) as worker, worker:
        yield SlowTown(WhistleTown(street, desk, pool), incidents, hurried, ledger, temporal)


async def test_what_comes_in_while_the_first_entries_are_written_replays(slow: SlowTown, audited: Audited) -> None:
    """Children stand while the opening is still being written: their entries have the time of that task for ever."""
    with slow.standing_still("whistle:blown"):
        whistle = await slow.hurried.start()

        async def beaten() -> bool:
            began = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
            return await slow.beats(whistle, began) > HEARTBEATS

        await eventually(beaten, within=60)

    assert [finding.detail for finding in await at_rest(slow, whistle, audited) if not finding.ok] == []


async def test_a_message_that_is_slowly_written_replays(slow: SlowTown, audited: Audited) -> None:
    """A department reports and the disk stands still: what the whistle writes of it has the time at which it heard it."""
    whistle = await slow.whistles.blow()
    await slow.whistles.done(whistle, "hand_over_lead", body={"department": OTHER, "reason": "换牵头部门"})

    async def told() -> bool:  # a workflow task that only notes that its letters have arrived leaves no command
        return await slow.beats(whistle, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED) > 0

    await eventually(told)
    with slow.standing_still("whistle:department_reported"):
        await slow.whistles.at_desk(whistle, LEAD, "respond")

        async def beaten() -> bool:
            return await slow.beats(whistle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) > HEARTBEATS

        await eventually(beaten, within=60)

    assert [finding.detail for finding in await at_rest(slow, whistle, audited) if not finding.ok] == []


async def test_a_letter_that_has_arrived_while_the_disk_stands_still_replays(slow: SlowTown, audited: Audited) -> None:
    """A case hears that its letter has arrived while it writes why it sent it: what it does from then on has one order for ever."""
    incident = await slow.incidents.start()
    await slow.incidents.stands(incident)
    first = await slow.whistles.blow(incident=incident)
    await slow.whistles.comes(first, "whistle:incident:waits")
    letters = await slow.beats(incident, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
    with slow.standing_still("incident:whistle:goes_on"):
        stop = Step("stop_waiting", "coordinator", {"reason": "现场已自行恢复"})
        stopped = asyncio.create_task(slow.incidents.give(incident, stop))

        async def beaten() -> bool:
            beats = await slow.beats(incident, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
            return beats > letters + HEARTBEATS + 1

        await eventually(beaten, within=60)
    assert (await stopped).status_code == 200
    another = await slow.whistles.blow(incident=incident)
    await slow.whistles.comes(another, "whistle:incident:waits")

    assert [finding.detail for finding in await audited(incident) if not finding.ok] == []


async def test_an_answer_says_what_the_ledger_has(slow: SlowTown) -> None:
    """A command that the case writes by itself, and slowly: answered with 200 when it stands, shown with the case; else 202."""
    whistle = await slow.whistles.blow()
    hand_over, key = Step("hand_over_lead", "street_officer"), str(uuid.uuid4())
    with slow.standing_still("whistle:lead_handed_over"):
        asked = asyncio.create_task(slow.whistles.street.give(whistle, hand_over, key))

        async def answered_by_temporal() -> bool:
            return await slow.beats(whistle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED) > HEARTBEATS

        await eventually(answered_by_temporal, within=60)
        in_a_hurry = await slow.hurried.give(whistle, hand_over, key)
    answer = (await asked).json()

    assert in_a_hurry.status_code == 202
    assert answer["seq"] >= answer["accepted"]["seq"]


async def test_an_answer_that_is_slowly_written_says_so(slow: SlowTown, temporal: Client, pool: asyncpg.Pool) -> None:
    """A command whose answer tells all, and whose row nobody can write: 202 until it stands, then 200 with it."""
    whistle, key = await slow.whistles.blow(), str(uuid.uuid4())
    told, urge = ToldTown(temporal, pool), Step("urge", "street_officer")
    await told.rests(whistle)
    async with told.held(whistle):
        asked = asyncio.create_task(slow.whistles.street.give(whistle, urge, key))
        await told.carried_out(whistle, 1)
        in_a_hurry = await slow.hurried.give(whistle, urge, key)
    answer = (await asked).json()

    assert in_a_hurry.status_code == 202
    assert answer["seq"] >= answer["accepted"]["seq"]
    assert await told.faults(whistle) == []


async def test_a_disk_that_stands_still_keeps_nobody_waiting_who_needs_it_not(
    slow: SlowTown, pool: asyncpg.Pool
) -> None:
    """What a plain command records goes out with its answer: the worker's way to the ledger has nothing to do with it."""
    incident = await slow.incidents.start()
    await ToldTown(slow.temporal, pool).rests(incident)  # while a department is asked, it writes everything by itself
    with slow.standing_still("incident:urged"):
        answer = await slow.incidents.give(incident, Step("urge", "reporter"))

    assert answer.status_code == 200, answer.text
    assert answer.json()["seq"] == answer.json()["accepted"]["seq"]


async def test_what_was_written_before_its_task_was_lost_is_no_hindrance(
    door: OpenDoor, settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, audited: Audited
) -> None:
    """A slow flush and the next one are written, and the worker dies in that very task: both are told anew, and it goes on."""
    alone = settings.model_copy(update={"task_queue": "slow-and-dying"})
    town = await door(INCIDENT, task_queue=alone.task_queue)
    async with worker_process(alone, dies_with=(INCIDENT.name, 2), lags=1) as dying:
        case_id = await town.start()
        await dying.wait()
    async with town_worker(alone, keys, temporal, pool) as worker, worker:
        await town.go(case_id, town.examples.MAIN.steps)
        findings = await audited(case_id)

    assert [finding.detail for finding in findings if not finding.ok] == []


@pytest.mark.long
@pytest.mark.timeout(1200)
@EVERY_PROCEDURE
async def test_where_every_flush_is_slow_each_walk_replays(
    procedure: Procedure,
    door: OpenDoor,
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
    audited: Audited,
) -> None:
    """Whatever comes in while the disk stands still, and with whatever: each case goes the same way in its replay."""
    lagging = settings.model_copy(update={"task_queue": f"lagging-{procedure.name}"})
    town = await door(procedure, task_queue=lagging.task_queue, patience=30.0)
    a_few = asyncio.Semaphore(3)  # each is several cases, and a worker has twelve places for such flushes

    async def gone(walk: Walk) -> list[str]:
        async with a_few:
            case_id = await town.walk(walk)
        return [f"{walk.name}: {finding.detail}" for finding in await audited(case_id) if not finding.ok]

    async with town_worker(lagging, keys, temporal, pool, LaggingLedger(pool, temporal)) as worker, worker:
        faults = await asyncio.gather(*(gone(walk) for walk in town.examples.WALKS if not walk.waits))

    assert [fault for each in faults for fault in each] == []


async def at_rest(slow: SlowTown, whistle: str, audited: Audited) -> list[Finding]:
    """What the audit finds of whistle and summonses, when the whistle has heard of each."""
    for department in (LEAD, OTHER):
        await slow.whistles.reports(whistle, department, "respond")
    return [*await audited(whistle), *[each for it in (LEAD, OTHER) for each in await audited(f"{whistle}.{it}")]]
