"""A town on the time-skipping server: real-length limits, the town's clock at speed 1, weeks in a second."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from audit.replay.replay import replay_cases, runs_of
from audit.verify.verify import verify_cases
from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from schemas.clocks.calendar import SHANGHAI, Calendar
from schemas.clocks.clocks import Clock, milestones
from schemas.clocks.town_time import TownTime
from schemas.incident import INCIDENT
from starter.app import create_app
from tests.api_callers import api_of
from tests.api_driver import ApiDriver, token_of
from tests.case_bench import NAMESPACE, register_search_attributes, time_skipping_server
from tests.own_databases import own_database
from tests.waiting import eventually
from worker import town_worker

Happening = tuple[str, str, str]
"""When, by minutes of the town's clock; which clock; which moment."""


def town(text: str) -> datetime:
    """A town time as people write it: "2026-02-13 16:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@dataclass
class SkippingTown:
    """A town whose time is skipped by `until`; between two skips it runs as in life."""

    environment: WorkflowEnvironment
    settings: Settings
    keys: Keys
    pool: asyncpg.Pool
    client: Client
    time: TownTime
    stack: AsyncExitStack
    door: ApiDriver = field(init=False)

    async def now(self) -> datetime:
        """What the town's clock shows."""
        return self.time.to_town(await self.environment.get_current_time())

    async def until(self, moment: str) -> None:
        """Skip to a moment of the town, and let the ledger tell what came before it: the server does not wait for that.

        The API is opened anew there: its machine's clock does not skip along.
        """
        await self.environment.sleep(town(moment) - await self.now())
        await eventually(partial(self._has_told, town(moment)))
        await self.open_api(TownTime.starting(await self.now(), datetime.now(UTC), 1))

    async def _has_told(self, moment: datetime) -> bool:
        """Whether no clock of an open case has a moment before this one that stands in no ledger."""
        rows = await self.pool.fetch("select snapshot from cases where not ended")
        return not any(
            each.at < moment
            for row in rows
            for clock in row["snapshot"]["clocks"].values()
            for each in milestones(
                Clock.model_validate(clock), Calendar.model_validate(row["snapshot"]["charter"]["calendar"])
            )
        )

    async def open_api(self, time: TownTime) -> None:
        """Open the API as a process that knows this time."""
        await self.stack.aclose()

        async def connected() -> Client:
            return self.client

        app = create_app(self.settings, self.keys, self.pool, connected, town_time=time)
        self.door = ApiDriver(await self.stack.enter_async_context(api_of(app)), token_of(self.keys), INCIDENT)

    async def for_a_new_case(self) -> None:
        """Open the API for a case that is opened after a skip: it goes by the server's clock, and its number by the first day."""
        await self.open_api(self.time)

    async def snapshot(self, case_id: str) -> dict[str, Any]:
        """The state of a case as the projection keeps it."""
        kept: dict[str, Any] = await self.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
        return kept

    async def entries(self, case_id: str) -> list[dict[str, Any]]:
        """The ledger of a case, as the API tells it."""
        answer = await self.door.api.get(
            f"/api/v1/cases/{case_id}/timeline", headers=self.door.headers("auditor"), params={"limit": 200}
        )
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def audited(self, case_id: str) -> tuple[list[str], list[int]]:
        """What is wrong with chain and replay of a case that has ended, and how many events each of its runs has."""
        await self.client.get_workflow_handle(case_id).result()
        found = [finding async for finding in verify_cases(self.pool, [case_id], self.keys.stamp_ring)]
        found += [each async for each in replay_cases(self.client, self.keys, self.settings, self.pool, [case_id])]
        wrong = [f"{each.case_id}: {each.detail}" for each in found if not each.ok]
        return wrong, [len(run.events) for run in await runs_of(self.client, case_id)]

    async def happened(self, case_id: str) -> list[Happening]:
        """Every moment of a clock that the ledger holds, in order of time, clock and moment."""
        return sorted(
            (f"{datetime.fromisoformat(each['at']):%Y-%m-%d %H:%M}", each["facts"]["clock"], each["facts"]["moment"])
            for each in await self.entries(case_id)
            if "moment" in each["facts"]
        )


@asynccontextmanager
async def skipping_town(settings: Settings, keys: Keys, start: str) -> AsyncIterator[SkippingTown]:
    """A town whose clock shows `start`: a server, a worker and tables of its own, the settings of the tests' town.

    A server for each, because its clock is one for all cases and never goes back.
    """
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(await time_skipping_server())
        own = settings.model_copy(
            update={
                "temporal_address": environment.client.service_client.config.target_host,
                "temporal_namespace": NAMESPACE,
                "database_url": await stack.enter_async_context(own_database(settings)),
            }
        )
        client = await connect(own, keys)
        await register_search_attributes(client)
        pool = await stack.enter_async_context(await open_pool(own, process="tests"))
        worker = await stack.enter_async_context(town_worker(own, keys, client, pool))
        await stack.enter_async_context(worker)
        time = TownTime.starting(town(start), await environment.get_current_time(), 1)
        opened = await stack.enter_async_context(AsyncExitStack())
        skipping = SkippingTown(environment, own, keys, pool, client, time, opened)
        await skipping.open_api(time)
        yield skipping
