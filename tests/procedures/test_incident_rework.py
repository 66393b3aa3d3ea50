"""incident 事件处置 with departments that have systems of their own: what is taken back or to be done again reaches them."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from engine.keys.department_keys import found_department_keys, key_file
from engine.keys.keys import Keys
from engine.policies.department_policy import load_departments
from engine.runtime.settings import PROJECT, Settings
from local.simulation.department_bus import bus_open
from local.simulation.departments import departments_open
from schemas.incident import INCIDENT
from tests.api_driver import ApiDriver, OpenDoor, Step
from tests.department_town import simulated
from tests.examples.incident import FAILED, NOT_SOLVED, RATED
from tests.waiting import eventually
from worker import town_worker

QUEUE = "incidents-with-departments"
DONE = (Step("sign", "officer"), Step("finish", "officer"))
AGAIN = Step("verify", "grid_worker", FAILED)


@dataclass
class Town:
    """A door, and the department's own record of what it was asked."""

    door: ApiDriver
    journal_url: str
    book: Path

    async def journal(self, case_id: str, number: int = 1) -> dict[str, Any]:
        """What the department wrote down about an order of a case; empty when it knows nothing of it."""
        async with httpx.AsyncClient(timeout=60) as client:
            orders = (await client.get(self.journal_url)).json()["orders"]
        return next((order for order in orders if order["order_id"] == f"{case_id}.order-{number}"), {})

    async def has_order(self, case_id: str, number: int = 1) -> None:
        """Wait until the department has given its receipt and the case has it."""

        async def received() -> bool:
            return (await self.door.kinds(case_id)).count("incident:order_received") >= number

        await eventually(received)

    async def reworks(self, case_id: str, wanted: list[int]) -> None:
        """Wait until the department was asked for these reworks and the case has its receipts."""

        async def asked() -> bool:
            received = (await self.door.kinds(case_id)).count("incident:rework_received")
            return (await self.journal(case_id)).get("reworks") == wanted and received >= len(wanted)

        await eventually(asked)


@pytest.fixture(scope="module")
async def town(
    settings: Settings,
    keys: Keys,
    temporal: Client,
    pool: asyncpg.Pool,
    door: OpenDoor,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Town]:
    """Urban management has a system that takes orders and is silent; its people finish at the town's screens."""
    folder = tmp_path_factory.mktemp("departments")
    department = simulated(folder, "urban-management", character="silent")
    over = settings.model_copy(update={"task_queue": QUEUE})
    _believe(folder / "keys", settings.key_folder)
    async with departments_open([department]) as running:
        addresses = {code: each.url for code, each in running.items()}
        async with bus_open(addresses, "127.0.0.1", 0) as bus:
            over = over.model_copy(update={"departments_url": bus.url, "key_folder": settings.key_folder})
            async with town_worker(over, keys, temporal, pool) as worker, worker:
                opened = await door(INCIDENT, task_queue=QUEUE)
                yield Town(opened, f"{addresses['urban-management']}/journal", department.book)


def _believe(theirs: Path, ours: Path) -> None:
    """The town signs with the key that the department believes; other departments get keys of their own."""
    codes = [each.code for each in load_departments(PROJECT / "policies" / "departments.yaml").departments]
    found_department_keys(ours, codes)
    key_file(theirs, "urban-management").write_bytes(key_file(ours, "urban-management").read_bytes())


async def test_a_failed_verification_reaches_the_departments_system(town: Town) -> None:
    """It is asked to do the work again, with the number of the rework; twice failed is asked twice."""
    case_id = await town.door.start()
    await town.has_order(case_id)
    await town.door.go(case_id, [*DONE, AGAIN])
    await town.reworks(case_id, [1])
    await town.door.go(case_id, [Step("finish", "officer"), AGAIN])
    await town.reworks(case_id, [1, 2])
    written = await town.journal(case_id)

    assert written["work_done"] == 3
    assert (await town.door.kinds(case_id)).count("incident:rework_received") == 2


async def test_not_solved_reaches_the_departments_system(town: Town) -> None:
    """What the resident says at the call-back sends the work back, not only a notice."""
    case_id = await town.door.start()
    await town.has_order(case_id)
    await town.door.go(case_id, [*DONE, Step("verify", "grid_worker"), Step("rate", "reporter", NOT_SOLVED)])

    await town.reworks(case_id, [1])


async def test_a_reopened_case_comes_as_a_new_order(town: Town) -> None:
    """The department signs anew, so it gets a number of its own: no rework of the old order."""
    case_id = await town.door.start()
    await town.has_order(case_id)
    await town.door.go(case_id, [*DONE, *RATED, Step("reopen", "reporter")])
    await town.has_order(case_id, 2)

    assert (await town.journal(case_id))["reworks"] == []
    assert (await town.journal(case_id, 2))["work_done"] == 1


async def test_a_department_that_lost_the_order_gets_it_anew(town: Town) -> None:
    """404 is no dead end: the work goes out as the next order, to be signed anew, and the ledger says why."""
    case_id = await town.door.start()
    await town.has_order(case_id)
    await town.door.go(case_id, DONE)
    with sqlite3.connect(town.book) as book:
        book.execute("delete from orders where case_id = ?", (case_id,))
    await town.door.go(case_id, [AGAIN])
    await town.has_order(case_id, 2)
    shown = await town.door.case(case_id)
    kinds = await town.door.kinds(case_id)

    assert (shown["stage"], shown["department"]) == ("dispatched", "urban-management")
    assert (await town.journal(case_id, 2))["work_done"] == 1
    assert kinds[kinds.index("incident:rework_refused") + 1] == "incident:dispatched"
    assert "sign" in await town.door.legal(case_id, "officer")


async def test_an_order_that_was_given_to_another_leaves_the_departments_system(town: Town) -> None:
    """Redispatched, the matter is no longer theirs: they are told, and need not find out on the spot."""
    case_id = await town.door.start()
    await town.has_order(case_id)
    await town.door.go(case_id, [Step("redispatch", "coordinator")])

    async def recalled() -> bool:
        return (await town.journal(case_id))["recalled"] is True

    await eventually(recalled)


async def test_a_withdrawn_report_leaves_the_departments_system(town: Town, temporal: Client) -> None:
    """The department lets the order go; only then the workflow ends."""
    case_id = await town.door.start()
    await town.has_order(case_id)
    await town.door.go(case_id, [Step("withdraw", "reporter")])
    await temporal.get_workflow_handle(case_id).result()

    assert (await town.journal(case_id))["recalled"] is True


async def test_a_report_withdrawn_while_its_order_is_on_the_way_is_taken_back_all_the_same(
    town: Town, temporal: Client
) -> None:
    """The recall waits for the order it takes back: it never arrives first and nothing is left over there."""
    case_id = await town.door.start()
    await town.door.go(case_id, [Step("withdraw", "reporter")])
    await temporal.get_workflow_handle(case_id).result()

    assert (await town.journal(case_id))["recalled"] is True


async def test_a_merged_case_leaves_the_departments_system_and_the_other_stays(town: Town) -> None:
    """One matter, one order: the department keeps that of the case that goes on."""
    first, second = await town.door.start(), await town.door.start()
    for case_id in (first, second):
        await town.has_order(case_id)
    await town.door.go(second, [Step("merge", "coordinator", {"into": first})])

    async def recalled() -> bool:  # the case that was merged lives on, to hear what becomes of the other
        return bool((await town.journal(second))["recalled"])

    await eventually(recalled)

    assert ((await town.journal(first))["recalled"], (await town.journal(second))["recalled"]) == (False, True)
