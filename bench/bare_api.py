"""Baseline 2: baseline 1 behind a bare FastAPI, for whoever may not reach Temporal.

python -m bench.bare_api ADDRESS PORT
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel
from temporalio.client import Client

from bench.bare_case import QUEUE, Bare, Order


class Report(BaseModel):
    """What opens a case."""

    number: str
    description: str


def create(address: str) -> FastAPI:
    """The two routes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.client = await Client.connect(address)
        yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/cases", status_code=201)
    async def report(report: Report, request: Request) -> dict[str, str]:
        client: Client = request.app.state.client
        order = Order(order_id=report.number, description=report.description)
        await client.start_workflow(Bare.run, order, id=report.number, task_queue=QUEUE)
        return {"case_id": report.number}

    @app.post("/cases/{case_id}/commands/{name}")
    async def command(case_id: str, name: str, request: Request) -> dict[str, str]:
        client: Client = request.app.state.client
        stage = await client.get_workflow_handle(case_id).execute_update(Bare.command, name, id=f"{case_id}-{name}")
        return {"stage": stage}

    return app


if __name__ == "__main__":
    uvicorn.run(create(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
