"""Kill -9 between the acceptance of a command and its answer: whoever dies, and wherever, it is carried out and written once.

    accepted --> delivered: it stands in the history --> written --> answered
              ^                                       ^           ^
              ACCEPTED                                CARRIED_OUT WRITTEN: here somebody dies

Whoever would go on stands still at that point: a worker that is stopped, a row that is locked, an API that is stopped.
At every commit four of them die, by the seed; all in `make test-all`.
"""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

import asyncpg
import httpx
import psutil
import pytest
from temporalio.client import Client

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from engine.store.database import AWAY, open_pool
from local.town.ports import hold_ports
from local.town.supervisor import Supervisor
from local.town.town import TownOptions, open_town
from schemas.incident import INCIDENT
from schemas.kernel.case import Accepted
from schemas.values.actor import Role
from tests.api_callers import watching
from tests.api_driver import ApiDriver, Person, Step
from tests.dying_api import ApiProcess
from tests.dying_worker import WorkerProcess
from tests.sampling import sampled
from tests.told_town import ToldTown
from tests.waiting import eventually
from worker import beside

pytestmark = pytest.mark.timeout(300)

URGE = Step("urge", "reporter")
APIS = ("first_api", "second_api")
_WAITS = "from pg_stat_activity where wait_event_type = 'Lock' and query like '%settle_told(%'"
WAITS_TO_WRITE = f"select count(*) {_WAITS}"
LET_GO = f"select pg_terminate_backend(pid) {_WAITS}"
EXPIRED = """
    update intake set leased_until = clock_timestamp()
    where case_id = $1 and status = 'waiting' and leased_until > clock_timestamp()
"""


class Point(StrEnum):
    """How far the command has come."""

    ACCEPTED = "accepted"
    CARRIED_OUT = "carried out"
    WRITTEN = "written"


class Victim(StrEnum):
    """Who dies. `RELAY`: an API that delivers what another one accepted, which has died before."""

    API = "api"
    RELAY = "relay"
    WORKER = "worker"
    POSTGRES = "postgres"
    TEMPORAL = "temporal"


@dataclass
class MortalTown:
    """A town of its own: two APIs and a worker that tests kill and replace, Postgres and Temporal that its supervisor does."""

    settings: Settings
    keys: Keys
    temporal: Client
    pool: asyncpg.Pool
    supervisor: Supervisor
    ports: dict[str, int]
    http: httpx.AsyncClient
    apis: dict[str, ApiProcess] = field(default_factory=dict)
    worker: WorkerProcess | None = None

    def __post_init__(self) -> None:
        self.told = ToldTown(self.temporal, self.pool)

    async def case_at_rest(self) -> str:
        """A new case that does nothing by itself, in a town in which all work."""
        await self.whole()
        async with self.door(APIS[0]) as door:
            case_id = await door.start()
        await self.told.rests(case_id)
        return case_id

    async def whole(self) -> None:
        """Replace whoever is dead, and wait until all work."""
        if self.worker is None or self.worker.dead:
            self.worker = await asyncio.to_thread(WorkerProcess, self.settings)
        for name in APIS:
            if name not in self.apis:
                self.apis[name] = await asyncio.to_thread(ApiProcess, self.settings, self.ports[name])
        await eventually(self._answer, within=60)

    async def _answer(self) -> bool:
        try:
            await self.pool.fetchval("select 1")
            answers = [
                await self.http.get(f"{api.url}/readyz", headers=watching(self.settings)) for api in self.apis.values()
            ]
        except (*AWAY, httpx.TransportError):
            return False
        return all(answer.status_code == 200 for answer in answers)

    @asynccontextmanager
    async def door(self, api: str) -> AsyncIterator[ApiDriver]:
        """The people of an incident at the door of one API."""

        def token(person: Person) -> str:
            role = Role(person.role)
            return issue(self.keys, subject=person.subject, role=role, department=person.department, area=person.area)

        async with httpx.AsyncClient(base_url=self.apis[api].url, timeout=30) as client:
            yield ApiDriver(client, token, INCIDENT)

    async def give(self, api: str, case_id: str, key: str) -> httpx.Response | None:
        """Give the command; None: whoever took it died before there was an answer."""
        try:
            async with self.door(api) as door:
                return await door.give(case_id, URGE, key)
        except httpx.TransportError:
            return None

    async def answered(self, api: str, case_id: str, key: str) -> Accepted:
        """Give it again until there is an answer; what it says of the command."""
        answers: list[httpx.Response] = []

        async def there() -> bool:
            answer = await self.give(api, case_id, key)
            if answer is not None:
                answers.append(answer)
            return answer is not None and answer.status_code not in (202, 503)

        await eventually(there, within=60)
        assert answers[-1].status_code == 200, answers[-1].text
        return Accepted.model_validate(answers[-1].json()["accepted"])

    async def dies(self, victim: Victim, api: str) -> None:
        """Kill it; `api` is the one that has the command now."""
        match victim:
            case Victim.API | Victim.RELAY:
                await self.apis.pop(api).kill()
            case Victim.WORKER:
                assert self.worker is not None
                await self.worker.kill()
                self.worker = None
            case Victim.POSTGRES | Victim.TEMPORAL:
                pid = self.supervisor.pid_of(victim)
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                await eventually(lambda: self.supervisor.pid_of(victim) not in (None, pid), within=60)

    async def accepted(self, case_id: str) -> None:
        """Wait until a command of a case is accepted."""

        async def stands() -> bool:
            return bool(
                await self.pool.fetchval("select count(*) from intake where case_id = $1 and command = 'urge'", case_id)
            )

        await eventually(stands)

    async def taken_over(self, case_id: str) -> None:
        """The API that accepted a command dies before it is delivered; wait until another one delivers it."""
        await self.dies(Victim.API, APIS[0])
        tried = "select attempts from intake where case_id = $1 and command = 'urge'"
        attempts = await self.pool.fetchval(tried, case_id)

        async def by_another() -> bool:
            await self.pool.execute(EXPIRED, case_id)
            return bool(await self.pool.fetchval(tried, case_id) > attempts)

        await eventually(by_another)

    async def waits_to_write(self, case_id: str) -> None:
        """Wait until the command stands in the history, and whoever got the answer at the row of the case."""
        await self.told.carried_out(case_id, 1)

        async def waits() -> bool:
            return bool(await self.pool.fetchval(WAITS_TO_WRITE))

        await eventually(waits)

    async def nothing_is_written_for_the_dead(self) -> None:
        """Let go what a dead API had asked for: Postgres looks after nobody while it waits for a lock, and would carry it out."""

        async def gone() -> bool:
            return not await self.pool.fetch(LET_GO)

        await eventually(gone)

    async def is_written(self, case_id: str) -> None:
        """Wait until the command is settled, whether anybody has heard of it or not."""

        async def settled() -> bool:
            sql = "select status = 'delivered' from intake where case_id = $1 and command = 'urge'"
            return bool(await self.pool.fetchval(sql, case_id))

        await eventually(settled)

    async def strikes(self, victim: Victim, point: Point, case_id: str, key: str) -> httpx.Response | None:
        """Give the command, and let the victim die at this point; what whoever gave it heard."""
        api, worker = APIS[0], self.worker
        assert worker is not None
        stands_still = point is Point.ACCEPTED or victim is Victim.RELAY
        if stands_still:
            worker.stand_still()
        locked = await self.locked(case_id) if point is not Point.ACCEPTED else None
        giving = asyncio.create_task(self.give(api, case_id, key))
        await self.accepted(case_id)
        if victim is Victim.RELAY:
            await self.taken_over(case_id)
            api = APIS[1]
        deliverer = self.apis[api]
        if locked is not None:
            if stands_still:
                worker.go_on()
            await self.waits_to_write(case_id)
        if locked is not None and point is Point.WRITTEN:
            deliverer.stand_still()
            locked.terminate()
            await self.is_written(case_id)
        await self.dies(victim, api)
        if point is Point.CARRIED_OUT and api not in self.apis:
            await self.nothing_is_written_for_the_dead()
        if locked is not None:
            locked.terminate()
        if point is Point.WRITTEN and api in self.apis:
            deliverer.go_on()
        if stands_still and self.worker is worker:
            worker.go_on()
        await self.whole()
        await self.pool.execute(EXPIRED, case_id)
        return await giving

    @asynccontextmanager
    async def postgres_stands_still(self) -> AsyncIterator[None]:
        """Postgres with all its processes answers nobody in this block."""
        pid = self.supervisor.pid_of("postgres")
        assert pid is not None
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            process.suspend()
        try:
            yield
        finally:
            for process in family:
                process.resume()

    async def locked(self, case_id: str) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection without which nobody writes the row of a case; when it is gone, so is the lock."""
        connection = await asyncpg.connect(self.settings.database_url.get_secret_value())
        await connection.execute("begin")
        await connection.execute("select from cases where case_id = $1 for update", case_id)
        return connection


@pytest.fixture(scope="module")
async def mortal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MortalTown]:
    """A town of its own, which is watched over as every town is."""
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(hold_ports(APIS, None, {}))
        options = TownOptions(data=tmp_path_factory.mktemp("mortal"), processes=(), durable=False)
        town = await stack.enter_async_context(open_town(options))
        await stack.enter_async_context(beside(town.supervisor.watch()))
        keys = Keys.load(town.settings.key_folder)
        temporal = await connect(town.settings, keys)
        pool = await stack.enter_async_context(await open_pool(town.settings, process="tests"))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
        mortal = MortalTown(town.settings, keys, temporal, pool, town.supervisor, dict(ports), http)
        try:
            yield mortal
        finally:
            for process in (*mortal.apis.values(), mortal.worker):
                if process is not None:
                    await process.kill()


@pytest.mark.parametrize("dying", sampled(product(Point, Victim), 4, "killed between"), ids=": ".join)
async def test_whoever_dies_between_a_command_and_its_answer_loses_and_doubles_nothing(
    dying: tuple[Point, Victim], mortal: MortalTown
) -> None:
    """One entry and one notice, in a chain that holds; and the same key gets the same answer, at whatever door."""
    point, victim = dying
    case_id, key = await mortal.case_at_rest(), str(uuid.uuid4())
    heard = await mortal.strikes(victim, point, case_id, key)
    await carried_out_and_written_once(mortal, case_id, key, heard)


@pytest.mark.long
async def test_a_long_outage_of_postgres_after_a_command_was_carried_out_loses_and_doubles_nothing(
    mortal: MortalTown,
) -> None:
    """Nobody can write for longer than anybody waits; whoever asks meanwhile is told so, and afterwards it stands, once."""
    case_id, key = await mortal.case_at_rest(), str(uuid.uuid4())
    locked = await mortal.locked(case_id)
    giving = asyncio.create_task(mortal.give(APIS[0], case_id, key))
    await mortal.waits_to_write(case_id)
    async with mortal.postgres_stands_still():

        async def is_missed() -> bool:
            answer = await mortal.give(APIS[0], case_id, str(uuid.uuid4()))
            return answer is not None and answer.status_code == 503

        heard = await giving
        await eventually(is_missed, within=90)
    locked.terminate()
    await mortal.whole()

    assert heard is not None
    assert heard.status_code == 202
    await carried_out_and_written_once(mortal, case_id, key, heard)


async def carried_out_and_written_once(
    mortal: MortalTown, case_id: str, key: str, heard: httpx.Response | None
) -> None:
    """What must be true of the command, whatever happened; `heard`: what whoever gave it first was told."""
    answers = [await mortal.answered(api, case_id, key) for api in APIS]
    [told] = await mortal.told.answers(case_id)

    assert answers == [told.model_copy(update={"told": None})] * len(APIS)
    if heard is not None and heard.status_code == 200:
        assert Accepted.model_validate(heard.json()["accepted"]) == answers[0]
    assert (await mortal.told.kinds(case_id)).count("incident:urged") == 1
    assert await mortal.told.notices(case_id, "urged") == 1
    assert await mortal.told.faults(case_id) == []
