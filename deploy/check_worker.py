"""How many workers ask for work? Exit code 0 when one has asked the town's task queue within the last two minutes.

`python deploy/check_worker.py [AT_LEAST]`: when so many have. One that died counts until its last question is two minutes old.
"""  # noqa: INP001 - a script of the deployment

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.runtime.settings import Settings

LATELY = timedelta(minutes=2)  # a poll lasts up to a minute


async def workers_lately(settings: Settings) -> int:
    """Ask Temporal. Each worker has a name of its own that says nothing else: how many, not whether this one is among them."""
    client = await connect(settings, Keys.of(settings))
    request = DescribeTaskQueueRequest(
        namespace=settings.temporal_namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await client.workflow_service.describe_task_queue(request)
    since = datetime.now(UTC) - LATELY
    return len({each.identity for each in described.pollers if each.last_access_time.ToDatetime(UTC) >= since})


def main(at_least: int = 1) -> int:
    """Say how many there are; the exit code."""
    found = asyncio.run(workers_lately(Settings()))
    sys.stdout.write(f"{found} workers\n")
    return 0 if found >= at_least else 1


if __name__ == "__main__":
    answer = main(*map(int, sys.argv[1:2]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        answer
    )  # a thread of the SDK that still runs can bring an interpreter down that is going away, and the answer with it
