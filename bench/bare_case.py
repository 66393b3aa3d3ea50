"""Baseline 1: the same shape in bare Temporal: an activity over HTTP, four updates, one timer. None of ours.

python -m bench.bare_case ADDRESS DEPARTMENT_URL     runs its worker
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

with workflow.unsafe.imports_passed_through():
    import httpx

QUEUE = "bench-bare"


@dataclass
class Order:
    """What the department is told."""

    order_id: str
    description: str


class Department:
    """The one activity."""

    def __init__(self, url: str, calls: httpx.AsyncClient) -> None:
        self._url, self._calls = url, calls

    @activity.defn
    async def place_order(self, order: Order) -> str:
        """Give the department its order."""
        answer = await self._calls.post(
            f"{self._url}/bare/work-orders", json={"order_id": order.order_id, "description": order.description}
        )
        return str(answer.raise_for_status().json()["receipt"])


@dataclass
class State:
    """What the case remembers."""

    stage: str = "dispatched"
    done: list[str] = field(default_factory=list)


@workflow.defn(name="bare")
class Bare:
    """A case with the shape of the standard case."""

    def __init__(self) -> None:
        self.state = State()

    @workflow.run
    async def run(self, order: Order) -> str:
        """Dispatch, then wait for the four commands under one timer."""
        await workflow.execute_activity_method(
            Department.place_order, order, start_to_close_timeout=timedelta(seconds=30)
        )
        await workflow.wait_condition(lambda: len(self.state.done) > 3, timeout=timedelta(days=7))  # noqa: PLR2004 - the shape
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.state.stage

    @workflow.update
    def command(self, name: str) -> str:
        """Take one command."""
        self.state.done.append(name)
        self.state.stage = name
        return self.state.stage


async def serve(address: str, workflows: Sequence[type], activities: Sequence[Callable[..., Awaitable[str]]]) -> None:
    """Run a worker."""
    worker = Worker(
        await Client.connect(address),
        task_queue=QUEUE,
        workflows=workflows,
        activities=activities,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    await worker.run()


async def main(address: str, department: str) -> None:
    """Run the worker of the standard case."""
    async with httpx.AsyncClient(trust_env=False) as calls:
        await serve(address, [Bare], [Department(department, calls).place_order])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
