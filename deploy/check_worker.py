"""Is a worker asking for work? Exit code 0 when one has asked the town's task queue within the last two minutes."""  # noqa: INP001 - a script of the deployment

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


async def polled_lately(settings: Settings) -> bool:
    """Ask Temporal. All workers have the same name, so it is one of them, not this one in particular."""
    client = await connect(settings, Keys.of(settings))
    request = DescribeTaskQueueRequest(
        namespace=settings.temporal_namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    described = await client.workflow_service.describe_task_queue(request)
    since = datetime.now(UTC) - LATELY
    return any(poller.last_access_time.ToDatetime(UTC) >= since for poller in described.pollers)


if __name__ == "__main__":
    answer = 0 if asyncio.run(polled_lately(Settings())) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        answer
    )  # a thread of the SDK that still runs can bring an interpreter down that is going away, and the answer with it
