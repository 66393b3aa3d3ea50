"""The four contenders, each with the processes that carry it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import httpx
from temporalio.client import Client

from bench.bare_case import QUEUE, Bare, Order
from bench.shape import BODIES, REPORT
from engine.keys import Keys
from engine.settings import PROJECT, Settings
from engine.tokens import issue
from local.town import Town
from local.town_processes import PROCESSES
from schemas.actor import Role

READY_SECONDS = 60
SERVING = ("temporal", "postgres", *(each.name for each in PROCESSES if not each.demo))
"""Everything of a town that runs beside the simulations."""

PEOPLE = {
    "report": (Role.RESIDENT, "resident-bench", None),
    "sign": (Role.DEPARTMENT_OFFICER, "officer-bench", "urban-management"),
    "finish": (Role.DEPARTMENT_OFFICER, "officer-bench", "urban-management"),
    "verify": (Role.GRID_WORKER, "grid-bench", None),
    "rate": (Role.RESIDENT, "resident-bench", None),
}


@contextmanager
def process(*argv: str) -> Iterator[int]:
    """A program of the bench; its id. It is ended with the block."""
    running = subprocess.Popen([sys.executable, "-m", *argv], cwd=PROJECT, env=os.environ)  # noqa: S603 - our own
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait(20)


async def answers(url: str) -> None:
    """Wait until somebody answers there, whatever it is."""
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as calls:
        while True:
            try:
                await calls.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


class Ours:
    """Jiceng, through its starter API, with everything on."""

    name = "jiceng"

    def __init__(self, town: Town, keys: Keys, pool: asyncpg.Pool, temporal: Client) -> None:
        self._town, self._pool, self._temporal = town, pool, temporal
        self._http = httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=60)
        self.accepted = 0
        self._tokens = {
            what: issue(keys, subject=subject, role=role, department=department)
            for what, (role, subject, department) in PEOPLE.items()
        }

    async def start(self, number: int) -> str:
        """Report it until the case stands in the ledger: 202 is an acceptance, not a case."""
        return str((await self._until_done("/api/v1/incidents", REPORT, "report", f"b-{number}"))["case_id"])

    async def command(self, case: str, name: str) -> None:
        """Give it until the case has taken it."""
        await self._until_done(f"/api/v1/cases/{case}/commands/{name}", BODIES[name], name, f"{case}-{name}")

    async def _until_done(self, path: str, body: Mapping[str, Any], what: str, key: str) -> dict[str, Any]:
        while True:
            answer = await self._http.post(path, json=body, headers=self._headers(what, key))
            if answer.status_code != httpx.codes.ACCEPTED:
                done: dict[str, Any] = answer.raise_for_status().json()
                return done
            self.accepted += 1

    async def rest(self) -> None:
        """Until no errand is under way."""
        while await self._pool.fetchval(  # noqa: ASYNC110 - it is the town's processes that it waits for
            "select exists (select from cases where snapshot -> 'errands' <> '[]')"
        ):
            await asyncio.sleep(0.1)

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """Events and bytes by Temporal; rows of the ledger, the outbox, intake, the vault's texts and the projection."""
        rows = await self._pool.fetchval(
            "select (select count(*) from ledger where case_id = any($1)) + (select count(*) from outbox where case_id = any($1))"
            " + (select count(*) from intake where case_id = any($1)) + count(*) from cases where case_id = any($1)",
            cases,
        )
        return await history_of(self._temporal, cases) | {"rows": rows / len(cases)}

    def processes(self) -> Mapping[str, int]:
        """The town's own."""
        return pids_of(self._town, *SERVING)

    def _headers(self, what: str, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[what]}", "Idempotency-Key": key}


class BareTemporal:
    """Bare Temporal, the client in this very process."""

    name = "bare temporal"

    def __init__(self, town: Town, client: Client, worker: int) -> None:
        self._town, self._client, self._worker = town, client, worker

    async def start(self, number: int) -> str:
        """Start the workflow."""
        case = f"bare-{os.getpid()}-{number}"
        await self._client.start_workflow(Bare.run, Order(case, str(REPORT["description"])), id=case, task_queue=QUEUE)
        return case

    async def command(self, case: str, name: str) -> None:
        """One update."""
        await self._client.get_workflow_handle(case).execute_update(Bare.command, name, id=f"{case}-{name}")

    async def rest(self) -> None:
        """Its cases end with their last command."""

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """Events and bytes."""
        return await history_of(self._client, cases)

    def processes(self) -> Mapping[str, int]:
        """The server and its worker."""
        return pids_of(self._town, "temporal") | {"worker": self._worker}


class OverHttp:
    """A contender behind two routes."""

    def __init__(self, name: str, url: str, pids: Mapping[str, int], weigh: Client | None) -> None:
        self.name = name
        self._pids, self._weigh = pids, weigh
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60)

    async def start(self, number: int) -> str:
        """Report it."""
        case = f"{self.name.replace(' ', '-')}-{os.getpid()}-{number}"
        answer = await self._http.post("/cases", json={"number": case, "description": REPORT["description"]})
        return str(answer.raise_for_status().json()["case_id"])

    async def command(self, case: str, name: str) -> None:
        """Give it."""
        (await self._http.post(f"/cases/{case}/commands/{name}")).raise_for_status()

    async def rest(self) -> None:
        """Their cases end with their last command."""

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """Events and bytes, where there are any."""
        return await history_of(self._weigh, cases) if self._weigh else {}

    def processes(self) -> Mapping[str, int]:
        """Those that were named."""
        return self._pids


def pids_of(town: Town, *names: str) -> dict[str, int]:
    """The process ids of those parts of a town that run."""
    running = {name: town.supervisor.pid_of(name) for name in names}
    return {name: pid for name, pid in running.items() if pid is not None}


async def history_of(client: Client, cases: list[str]) -> dict[str, float]:
    """Events and bytes of history per case, over at most a hundred of them."""
    seen = cases[:100]
    found = await asyncio.gather(*(client.get_workflow_handle(case).describe() for case in seen))
    events = sum(each.history_length for each in found) / len(seen)
    size = sum(each.raw_description.workflow_execution_info.history_size_bytes for each in found) / len(seen)
    return {"events": events, "history_bytes": size}


@asynccontextmanager
async def bare_worker(settings: Settings, department: str) -> AsyncIterator[int]:
    """The worker of the two bare ones."""
    with process("bench.bare_case", settings.temporal_address, department) as pid:
        await asyncio.sleep(2)  # it has no door that could say that it is ready
        yield pid
