"""Simulated departments: one HTTP server each, a character each, a book each. They know the wire only.

    POST   /work-orders              take an order, as the character has it (local/characters.py)
    DELETE /work-orders/{order_id}   let it go
    GET    /journal                  what came in, the work done for it, what was reported and how that went
    GET    /healthz

The wire is docs/departments.md. A department is killed alone by running it in a process of its own: `serve_departments`
takes any selection.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import structlog

from local.department_server import RunningDepartment, SimulatedDepartment

log = structlog.get_logger()


async def serve_departments(departments: Sequence[SimulatedDepartment]) -> None:
    """Run these departments until cancelled; each has its own server. One that fails brings all down with its error."""
    async with departments_open(departments) as running:
        log.info("departments open", addresses={code: department.url for code, department in running.items()})
        await asyncio.wait([department.task for department in running.values()], return_when=asyncio.FIRST_COMPLETED)


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


def department_ports(file: Path, codes: Sequence[str], first_port: int | None = None) -> dict[str, int]:
    """A port for each department, the same at every start as long as it is free; remembered in `file`.

    New ones are counted up from `first_port`, or chosen by the system, also for those that are taken.
    """
    remembered: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    wanted = {code: first_port + number for number, code in enumerate(codes)} if first_port is not None else remembered
    ports: dict[str, int] = {}
    for code in codes:
        with _listener("127.0.0.1", wanted.get(code, 0), set(ports.values())) as listener:
            ports[code] = listener.getsockname()[1]
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(ports, indent=1))
    draft.replace(file)
    return ports


@contextmanager
def _listener(host: str, port: int, given: set[int]) -> Iterator[socket.socket]:
    """A socket bound to this port, or to another if it is taken."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, 0 if port in given else port))
        except OSError:
            listener.bind((host, 0))
        yield listener
