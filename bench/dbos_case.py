"""Baseline 3: DBOS on Postgres, doing the same durable work: an HTTP step, four commands, each with an entry in the same ledger.

python -m bench.dbos_case DATABASE_URL DEPARTMENT_URL PORT     runs it behind a bare FastAPI
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from dbos import DBOS, DBOSConfig, SetWorkflowID
from fastapi import FastAPI, Request
from pydantic import BaseModel

from bench.same_ledger import SameLedger


class Outside:
    """What the steps reach: a department and the ledger."""

    calls: httpx.AsyncClient
    ledger: SameLedger
    url: str


@DBOS.step()
async def place_order(case: str, description: str) -> str:
    """Give the department its order."""
    answer = await Outside.calls.post(
        f"{Outside.url}/dbos/work-orders", json={"order_id": case, "description": description}
    )
    return str(answer.raise_for_status().json()["receipt"])


@DBOS.step()
async def write(case: str, seq: int, before: str, stage: str) -> str:
    """Write one entry, and the case as it stands then; returns the entry's hash."""
    return await Outside.ledger.write(case, seq, before, stage)


@DBOS.workflow()
async def carry(case: str, description: str) -> str:
    """The standard case."""
    head = await write(case, 1, "", "reported")
    await place_order(case, description)
    head = await write(case, 2, head, "dispatched")
    stage = "dispatched"
    for number in range(4):
        stage = str(await DBOS.recv_async("command", timeout_seconds=7 * 24 * 3600))
        head = await write(case, 3 + number, head, stage)
        await DBOS.set_event_async(f"done-{stage}", stage)
    return stage


class Report(BaseModel):
    """What opens a case."""

    number: str
    description: str


def create(database: str, department: str) -> FastAPI:
    """The two routes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        Outside.url = department
        Outside.calls = httpx.AsyncClient(trust_env=False)
        Outside.ledger = await SameLedger.open(database)
        await asyncio.to_thread(DBOS.launch)
        yield
        DBOS.destroy()

    config: DBOSConfig = {"name": "bench", "system_database_url": database}
    DBOS(config=config)
    app = FastAPI(lifespan=lifespan)

    @app.post("/cases", status_code=201)
    async def report(report: Report) -> dict[str, str]:
        with SetWorkflowID(report.number):
            await DBOS.start_workflow_async(carry, report.number, report.description)
        return {"case_id": report.number}

    @app.post("/cases/{case_id}/commands/{name}")
    async def command(case_id: str, name: str, request: Request) -> dict[str, str]:
        del request
        await DBOS.send_async(case_id, name, "command")
        return {"stage": str(await DBOS.get_event_async(case_id, f"done-{name}", timeout_seconds=60))}

    return app


if __name__ == "__main__":
    uvicorn.run(create(*sys.argv[1:3]), host="127.0.0.1", port=int(sys.argv[3]), log_level="warning", access_log=False)
