"""Those whom we are compared with, each with the processes that carry it."""

import asyncio
import os
from collections.abc import Mapping

import httpx
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bench.bare_case import QUEUE, Order
from bench.bare_wide import Wide
from bench.contender import PAUSE_SECONDS, history_of
from bench.processes import pids_of
from bench.shape import REPORT, Shape, Step
from local.town.town import Town

DESCRIPTION = str(REPORT["description"])
WORKFLOWS = {"standard": "bare", "whistle": "bare-whistle", "welfare": "bare-welfare"}
NOT_YET = {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION}


class BareTemporal:
    """Bare Temporal, the client in this very process."""

    name = "bare temporal"

    def __init__(self, town: Town, client: Client, worker: int, shape: Shape) -> None:
        self._town, self._client, self._worker, self._shape = town, client, worker, shape

    async def start(self, number: int) -> str:
        """Start the workflow."""
        case = f"bare-{os.getpid()}-{number}"
        order = Wide(case, DESCRIPTION, list(self._shape.asked)) if self._shape.asked else Order(case, DESCRIPTION)
        await self._client.start_workflow(WORKFLOWS[self._shape.name], order, id=case, task_queue=QUEUE)
        return case

    async def ready(self, case: str, step: Step) -> None:
        """Ask the workflow until it says so: a query leaves nothing in a history."""
        workflow = self._client.get_workflow_handle(step.target(case))
        while step.after:
            try:
                if step.after == "stands":
                    await workflow.describe()
                    return
                if await workflow.query("has_come", step.after):
                    return
            except RPCError as error:
                if error.status not in NOT_YET:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)

    async def command(self, case: str, step: Step, key: str) -> None:
        """One update."""
        await self._client.get_workflow_handle(step.target(case)).execute_update("command", step.command, id=key)

    async def rest(self) -> None:
        """Its cases end with their last command."""

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """Events and bytes."""
        return await history_of(self._client, cases, self._shape)

    def processes(self) -> Mapping[str, int]:
        """The server and its worker."""
        return pids_of(self._town, "temporal") | {"worker": self._worker}


class OverHttp:
    """A contender behind two routes. It knows the standard case alone."""

    def __init__(self, name: str, url: str, pids: Mapping[str, int], weigh: Client | None, shape: Shape) -> None:
        self.name = name
        self._pids, self._weigh, self._shape = pids, weigh, shape
        # What lay idle while others had their turn is not used again: uvicorn closes it at any moment.
        limits = httpx.Limits(keepalive_expiry=2.0)
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits)

    async def start(self, number: int) -> str:
        """Report it."""
        case = f"{self.name.replace(' ', '-')}-{os.getpid()}-{number}"
        answer = await self._http.post("/cases", json={"number": case, "description": DESCRIPTION})
        return str(answer.raise_for_status().json()["case_id"])

    async def ready(self, case: str, step: Step) -> None:
        """Nothing in the standard case is waited for."""

    async def command(self, case: str, step: Step, key: str) -> None:  # noqa: ARG002 - each is given once in a case
        """Give it."""
        (await self._http.post(f"/cases/{case}/commands/{step.command}")).raise_for_status()

    async def rest(self) -> None:
        """Their cases end with their last command."""

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """Events and bytes, where there are any."""
        return await history_of(self._weigh, cases, self._shape) if self._weigh else {}

    def processes(self) -> Mapping[str, int]:
        """Those that were named."""
        return self._pids
