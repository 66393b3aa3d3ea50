"""A worker shows its figures to Prometheus where the settings say so, and nowhere else."""

import re
from collections.abc import Iterator

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from engine.runtime.settings import Settings
from local.town.ports import LOOPBACK, hold_ports
from schemas.incident import INCIDENT
from tests.api_driver import OpenDoor, Step
from tests.dying_worker import worker_process
from tests.engine.test_stamp_guard import send, stamp_for
from tests.refused_flush import refuse_flushes
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def address() -> Iterator[str]:
    """Where the worker is to show them."""
    with hold_ports(["metrics"], None, {}) as ports:
        yield f"{LOOPBACK}:{ports['metrics']}"


async def test_a_worker_shows_the_sdks_figures_and_ours(
    door: OpenDoor, settings: Settings, temporal: Client, address: str
) -> None:
    """Slots, latencies and failed tasks come from the SDK; a command that nobody stamped is counted beside them."""
    measured = settings.model_copy(update={"task_queue": "measured", "worker_metrics": address})
    town = await door(INCIDENT, task_queue=measured.task_queue)
    async with worker_process(measured), httpx.AsyncClient(trust_env=False, timeout=30) as prometheus:
        case_id = await town.start()
        unsigned = stamp_for(case_id, "sign", INCIDENT.commands["sign"]())
        await send(temporal, case_id, "sign", INCIDENT.commands["sign"](), unsigned)

        async def counted() -> bool:
            text = (await prometheus.get(f"http://{address}/metrics")).text
            return re.search(r"^jiceng_forged_commands_total\S* 1$", text, re.MULTILINE) is not None

        await eventually(counted)
        text = (await prometheus.get(f"http://{address}/metrics")).text

    assert case_id not in text
    assert "# TYPE temporal_worker_task_slots_available gauge" in text


async def test_what_the_ledger_does_not_take_is_counted(
    door: OpenDoor, settings: Settings, address: str, pool: asyncpg.Pool
) -> None:
    """Each further try of a flush is counted, so that an alert tells of a case whose ledger stands still."""
    measured = settings.model_copy(update={"task_queue": "measured-ledger", "worker_metrics": address})
    town = await door(INCIDENT, task_queue=measured.task_queue)
    async with worker_process(measured), httpx.AsyncClient(trust_env=False, timeout=30) as prometheus:
        case_id = await town.start()
        await refuse_flushes(pool, case_id)
        before = (await prometheus.get(f"http://{address}/metrics")).text
        await town.give(case_id, Step("sign", "officer"))

        async def counted() -> bool:
            text = (await prometheus.get(f"http://{address}/metrics")).text
            shown = re.search(r"^jiceng_flush_retries_total\S* (\d+)$", text, re.MULTILINE)
            return shown is not None and int(shown[1]) >= 3

        await eventually(counted)

    assert "jiceng_flush_retries" not in before
