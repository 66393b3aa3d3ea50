"""Questions that tell whether a child of a town is ready."""

import asyncio
from datetime import UTC
from urllib.parse import urlsplit

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import ConnectConfig, RPCError, ServiceClient

from local.town.child import Probe, Started

ANSWER_SECONDS = 2.0


def answers_http(url: str) -> Probe:
    """Ready when a GET by plain HTTP is answered with a status of success."""
    place = urlsplit(url)
    asked = f"GET {place.path or '/'} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode()

    async def probe(_: Started) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(place.hostname, place.port)
                try:
                    writer.write(asked)
                    status = (await reader.readline()).split()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return len(status) > 1 and status[1].startswith(b"2")

    return probe


def accepts_connections(url: str) -> Probe:
    """Ready when somebody listens at the host and port of an address."""
    place = urlsplit(url)

    async def probe(_: Started) -> bool:
        try:
            writer = (await asyncio.open_connection(place.hostname, place.port))[1]
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    return probe


def polls_task_queue(address: str, namespace: str, queue: str) -> Probe:
    """Ready when a worker has asked the queue for work since this life of the child began.

    The server also lists workers that died up to five minutes ago; the time of their last poll tells them apart.
    """
    request = DescribeTaskQueueRequest(
        namespace=namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )

    async def probe(started: Started) -> bool:
        try:
            client = await ServiceClient.connect(ConnectConfig(target_host=address))
            described = await client.workflow_service.describe_task_queue(request)
        except (RuntimeError, RPCError):  # the SDK raises a bare RuntimeError where nothing answers
            return False
        return any(poller.last_access_time.ToDatetime(UTC) >= started.at for poller in described.pollers)

    return probe
