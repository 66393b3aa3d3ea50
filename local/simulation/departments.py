"""Simulated departments: one HTTP server each, a character each, a book each. They know the wire only.

    POST   /work-orders              take an order, as the character has it (local/simulation/characters.py)
    DELETE /work-orders/{order_id}   let it go
    POST   /work-orders/{order_id}/reworks   do its work again
    GET    /journal                  what came in, the work done for it, what was reported and how that went
    GET    /healthz

The wire is docs/departments.md. Before them stands a bus, as in many towns: its address is `JICENG_DEPARTMENTS_URL`
and `/<code>/…` of it leads to the department's own server. `RunningDepartment.stop` stops one alone, for which the bus
then answers 502. To kill one alone, run it in a process of its own: any selection can be served.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from local.simulation.department_bus import bus_open
from local.simulation.department_server import RunningDepartment, SimulatedDepartment

log = structlog.get_logger()


async def serve_departments(departments: Sequence[SimulatedDepartment], host: str, port: int) -> None:
    """Run these departments until cancelled, reachable at `http://host:port/<code>` and each at an address of its own.

    One that fails brings all down with its error. Raises OSError, naming the port, when it is taken.
    """
    async with departments_open(departments) as running:
        addresses = {code: department.url for code, department in running.items()}
        async with bus_open(addresses, host, port) as bus:
            log.info("departments open", bus=bus.url, addresses=addresses)
            tasks = [bus.task, *(department.task for department in running.values())]
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()


@asynccontextmanager
async def departments_open(
    departments: Sequence[SimulatedDepartment],
) -> AsyncIterator[Mapping[str, RunningDepartment]]:
    """These departments while the block runs, by code. Raises OSError, naming the department, when a port is taken."""
    running: dict[str, RunningDepartment] = {}
    try:
        for department in departments:
            running[department.code] = RunningDepartment(department)
        yield running
    finally:
        for open_department in running.values():
            open_department.stop()
        outcomes = await asyncio.gather(*(each.task for each in running.values()), return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if failures:
        raise ExceptionGroup("simulated departments failed", failures)
